package web_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"html"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"aovuon/server/ledger"
	"aovuon/server/parttest"
	"aovuon/server/sqldb"
	"aovuon/server/sqldb/sqldbtest"
	"aovuon/server/trace"
	"aovuon/server/web"
)

// newLedger is a ledger of n leaves on a real database, signed; every third leaf is public.
func newLedger(t testing.TB, n int) (*sqldb.DB, *ledger.Publisher) {
	t.Helper()
	db := sqldbtest.Open(t, sqldbtest.Fresh(t))
	skey, vkey, err := note.GenerateKey(rand.Reader, "htx-thu/ledger")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	p, err := ledger.NewPublisher(ledger.PublisherOptions{Tree: db, Signer: signer, VKey: vkey, Every: time.Hour, Now: now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	enterLeaves(t, db, 0, n-1) // and its key
	if err := p.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	return db, p
}

func enterLeaves(t testing.TB, db *sqldb.DB, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		kind := ledger.Changed
		if i%3 == 0 {
			kind = ledger.ProductSaved
		}
		e := ledger.Entry{Kind: kind, Subject: fmt.Sprintf("row/%d", i), Body: fmt.Appendf(nil, `{"n":%d}`, i), By: ledger.By{Actor: ledger.Server, At: now()}}
		if _, err := db.Enter(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
}

// tiles reads hashes through the pages, as an auditor with nothing but x/mod would.
type tiles struct {
	get   func(path string) got
	saved map[tlog.Tile][]byte
}

func (r tiles) Height() int { return 8 }

func (r tiles) ReadTiles(want []tlog.Tile) ([][]byte, error) {
	var out [][]byte
	for _, tile := range want {
		if data, ok := r.saved[tile]; ok {
			out = append(out, data)
			continue
		}
		path := "/ledger/tile/" + tile.Path()[len("tile/8/"):]
		a := r.get(path)
		if a.status != http.StatusOK {
			return nil, fmt.Errorf("%s: %d", path, a.status)
		}
		out = append(out, a.body)
	}
	return out, nil
}

func (r tiles) SaveTiles(list []tlog.Tile, data [][]byte) {
	for i, tile := range list {
		r.saved[tile] = data[i]
	}
}

func TestLedger_TilesAreReadByOthers(t *testing.T) {
	db, p := newLedger(t, 700)
	s := newSources(t)
	s.ledger, s.logKey = db, web.LogKey{VKey: p.VKey(), Verifier: p.Verifier()}
	srv := s.pages(t)
	fetch := func(path string) got { return get(t, srv, path, nil) }

	a := fetch("/ledger/checkpoint")
	head, _, err := ledger.OpenHead(a.body, p.Verifier())
	if err != nil || head.Size != 700 {
		t.Fatalf("%+v, %v", head, err)
	}
	hashes := tlog.TileHashReader(tlog.Tree{N: head.Size, Hash: head.Root}, tiles{fetch, map[tlog.Tile][]byte{}})
	if root, err := tlog.TreeHash(head.Size, hashes); err != nil || root != head.Root {
		t.Fatalf("root by tiles %v, %v", root, err)
	}
	n := 0
	for _, tile := range []struct {
		path  string
		width int
	}{{"entries/000", 256}, {"entries/001", 256}, {"entries/002.p/188", 188}} {
		a := fetch("/ledger/tile/" + tile.path)
		rest := a.body
		for range tile.width {
			size := int(binary.BigEndian.Uint16(rest))
			leaf := rest[2 : 2+size]
			rest = rest[2+size:]
			stored, err := hashes.ReadHashes([]int64{tlog.StoredHashIndex(0, int64(n))})
			if err != nil || stored[0] != tlog.RecordHash(leaf) {
				t.Fatalf("leaf %d: %q, %v", n, leaf, err)
			}
			n++
		}
		if len(rest) > 0 {
			t.Fatalf("%s has %d bytes too many", tile.path, len(rest))
		}
	}
	if key := string(fetch("/ledger/key").body); key != p.VKey()+"\n" {
		t.Errorf("key %q", key)
	}
}

func TestLedger_ServesWhatIsSignedAndPublicAndNoMore(t *testing.T) {
	db, p := newLedger(t, 300)
	s := newSources(t)
	s.ledger, s.logKey = db, web.LogKey{VKey: p.VKey(), Verifier: p.Verifier()}
	srv := s.pages(t)
	enterLeaves(t, db, 400, 410) // not signed yet
	for path, want := range map[string]int{
		"/ledger/tile/0/000":                 http.StatusOK,
		"/ledger/tile/0/001.p/44":            http.StatusOK,
		"/ledger/tile/0/001.p/45":            http.StatusNotFound,
		"/ledger/tile/0/001":                 http.StatusNotFound,
		"/ledger/tile/1/000.p/1":             http.StatusOK,
		"/ledger/tile/1/000.p/2":             http.StatusNotFound,
		"/ledger/tile/63/000":                http.StatusNotFound,
		"/ledger/tile/0/x000/000":            http.StatusNotFound,
		"/ledger/tile/0/9":                   http.StatusNotFound,
		"/ledger/tile/0/000.p/256":           http.StatusNotFound,
		"/ledger/tile/-1/000":                http.StatusNotFound,
		"/ledger/tile/0/x999/x999/x999/999":  http.StatusNotFound,
		"/ledger/tile/entries/001.p/44":      http.StatusOK,
		"/ledger/tile/entries/001.p/45":      http.StatusNotFound,
		"/ledger/tile/data/000":              http.StatusNotFound,
		"/ledger/proof/5.tlog-proof":         http.StatusOK,
		"/ledger/proof/305.tlog-proof":       http.StatusServiceUnavailable,
		"/ledger/proof/400.tlog-proof":       http.StatusNotFound,
		"/ledger/proof/05.tlog-proof":        http.StatusNotFound,
		"/ledger/proof/-1.tlog-proof":        http.StatusNotFound,
		"/ledger/proof/5":                    http.StatusNotFound,
		"/ledger/body/3":                     http.StatusOK,
		"/ledger/body/4":                     http.StatusNotFound,
		"/ledger/body/99999":                 http.StatusNotFound,
		"/ledger/proof/99999999999999999999": http.StatusNotFound,
	} {
		if a := get(t, srv, path, nil); a.status != want {
			t.Errorf("%s: %d, want %d: %q", path, a.status, want, a.body)
		}
	}
	raw := get(t, srv, "/ledger/proof/3.tlog-proof", nil).body
	proven, err := ledger.CheckProof(raw, p.Verifier())
	if err != nil {
		t.Fatal(err)
	}
	var body struct{ Salt, Body string }
	if err := json.Unmarshal(get(t, srv, "/ledger/body/3", nil).body, &body); err != nil {
		t.Fatal(err)
	}
	salt, errS := base64.StdEncoding.DecodeString(body.Salt)
	text, errB := base64.StdEncoding.DecodeString(body.Body)
	if errS != nil || errB != nil || proven.Leaf.Content != ledger.ContentHash(salt, text) || !bytes.Equal(text, []byte(`{"n":3}`)) {
		t.Errorf("body %q with salt %x is not what was proven", text, salt)
	}
	if err := db.EraseLedgerBody(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	if a := get(t, srv, "/ledger/body/3", nil); a.status != http.StatusNotFound {
		t.Errorf("an erased body: %d %q", a.status, a.body)
	}
}

// lying is a ledger whose server shows another body than was recorded.
type lying struct{ web.Ledger }

func (l lying) LedgerBody(ctx context.Context, n int64) (salt, body []byte, err error) {
	salt, _, err = l.Ledger.LedgerBody(ctx, n)
	return salt, []byte(`{"n":99}`), err
}

func TestBrowser_ProofIsCheckedByTheReader(t *testing.T) {
	s := newSources(t)
	srv := s.pages(t)
	b := browser(t)
	open := func(srv *httptest.Server) {
		t.Helper()
		b.do("open", phone(), chromedp.Navigate(srv.URL+"/proof/3"), chromedp.WaitVisible(chromedp.CSS("#check button")), parttest.Click(chromedp.CSS("#check button")))
	}
	open(srv)
	b.until("checked", `document.querySelector("#check .result.ok") !== null`)
	if steps := b.text("#check .steps"); strings.Count(steps, "✓") != 4 || strings.Contains(steps, "✗") {
		t.Errorf("steps %q", steps)
	}
	_, other := newLedger(t, 3)
	b.do("the key of another ledger", chromedp.SetValue(chromedp.CSS("#key"), other.VKey()), parttest.Click(chromedp.CSS("#check button")))
	b.until("refused", `document.querySelector("#check .result.danger") !== null`)

	s.ledger = lying{s.ledger}
	open(s.pages(t))
	b.until("a changed body is refused", `document.querySelector("#check .result.danger") !== null`)
	if steps := b.text("#check .steps"); !strings.Contains(steps, "✗ Nội dung đã ghi khớp với lá") {
		t.Errorf("steps %q", steps)
	}
}

// What is linked on the page of the ledger is there, whether its first tile is full, has some leaves, or none is signed.
func TestLedgerPage_LeadsToWhatIsThere(t *testing.T) {
	inside := regexp.MustCompile(`href="(/(?:ledger|proof)/[^"?]+)"`)
	for leaves, want := range map[int][]string{
		300: {"/proof/299", "/ledger/checkpoint", "/ledger/tile/entries/000", "/ledger/tile/0/000", "/ledger/rows", "/ledger/key"},
		12:  {"/proof/11", "/ledger/checkpoint", "/ledger/tile/entries/000.p/12", "/ledger/tile/0/000.p/12", "/ledger/rows", "/ledger/key"},
		0:   {"/ledger/rows", "/ledger/key"},
	} {
		s := newSources(t)
		says := []string{"Sổ cái công khai", "Chưa có lá nào được ký"}
		if leaves > 0 {
			db, p := newLedger(t, leaves)
			s.ledger, s.logKey = db, web.LogKey{VKey: p.VKey(), Verifier: p.Verifier()}
			says = []string{"Sổ cái công khai", fmt.Sprintf("<dd>%d lá</dd>", leaves), "Chưa có người chứng nào bên ngoài", "log " + p.VKey()}
		} else {
			s.ledger = sqldbtest.Open(t, sqldbtest.Fresh(t))
		}
		srv := s.pages(t)
		for _, path := range []string{"/ledger", "/ledger/"} {
			a := get(t, srv, path, nil)
			for _, text := range says {
				if a.status != http.StatusOK || !strings.Contains(html.UnescapeString(string(a.body)), text) {
					t.Errorf("%d leaves, %s: %d, does not say %q", leaves, path, a.status, text)
				}
			}
			var links []string
			for _, m := range inside.FindAllStringSubmatch(string(a.body), -1) {
				links = append(links, m[1])
				if b := get(t, srv, m[1], nil); b.status != http.StatusOK {
					t.Errorf("%d leaves: %s: %d", leaves, m[1], b.status)
				}
			}
			if !slices.Equal(links, want) {
				t.Errorf("%d leaves: links %q, want %q", leaves, links, want)
			}
		}
	}
	if a := get(t, newSources(t).pages(t), "/ledger?lang=en", nil); !strings.Contains(string(a.body), "The public ledger") {
		t.Error("the page has no English")
	}
}

func TestProofPage_SaysWhatItCan(t *testing.T) {
	s := newSources(t)
	srv := s.pages(t)
	for path, wants := range map[string][]string{
		"/proof/3":         {"Bằng chứng số 3", "htx-thu/ledger", "Chưa có người chứng nào bên ngoài", "Không chứng minh", "24/11/2026 07:40"},
		"/proof/3?lang=en": {"Proof no. 3", "No witness from outside yet", "It does not prove"},
		"/proof/4":         {"Nội dung không công khai", `href="/ledger"`},
	} {
		a := get(t, srv, path, nil)
		for _, want := range wants {
			if a.status != http.StatusOK || !strings.Contains(string(a.body), want) {
				t.Errorf("%s (%d) does not say %q", path, a.status, want)
			}
		}
	}
	for _, path := range []string{"/proof/99", "/proof/x", "/proof/-1", "/proof/03"} {
		if a := get(t, srv, path, nil); a.status != http.StatusNotFound {
			t.Errorf("%s: %d", path, a.status)
		}
	}
	link := "/proof/7"
	d := s.dossiers[s.demo.Lot.Link()]
	d.Seal = &trace.Sealed{Leaf: 7, At: now()}
	s.dossiers[s.demo.Lot.Link()] = d
	if a := get(t, srv, s.demo.Lot.Link().Path(), nil); !strings.Contains(string(a.body), `href="`+link+`"`) {
		t.Error("the label of a sealed lot has no link to its proof")
	}
}
