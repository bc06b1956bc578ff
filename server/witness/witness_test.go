package witness_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	cosign "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"aovuon/server/ledger"
	"aovuon/server/sqldb"
	"aovuon/server/sqldb/sqldbtest"
	"aovuon/server/witness"
)

func clock() time.Time { return time.Date(2026, 11, 24, 5, 0, 0, 0, time.UTC) }

// tree is a log of its own, in memory, whose past can be rewritten.
type tree struct {
	t      *testing.T
	signer note.Signer
	v      note.Verifier
	hashes []tlog.Hash
	size   int64
}

func newTree(t *testing.T, name string) *tree {
	t.Helper()
	skey, vkey, err := note.GenerateKey(rand.Reader, name)
	if err != nil {
		t.Fatal(err)
	}
	signer, errS := note.NewSigner(skey)
	v, errV := note.NewVerifier(vkey)
	if err := errors.Join(errS, errV); err != nil {
		t.Fatal(err)
	}
	return &tree{t: t, signer: signer, v: v}
}

func (l *tree) ReadHashes(at []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(at))
	for i, x := range at {
		out[i] = l.hashes[x]
	}
	return out, nil
}

func (l *tree) add(leaves ...string) {
	l.t.Helper()
	for _, leaf := range leaves {
		hs, err := tlog.StoredHashes(l.size, []byte(leaf), l)
		if err != nil {
			l.t.Fatal(err)
		}
		l.hashes, l.size = append(l.hashes, hs...), l.size+1
	}
}

func (l *tree) checkpoint() []byte {
	l.t.Helper()
	root, err := tlog.TreeHash(l.size, l)
	if err != nil {
		l.t.Fatal(err)
	}
	raw, err := ledger.Head{Origin: l.v.Name(), Size: l.size, Root: root}.Sign(l.signer)
	if err != nil {
		l.t.Fatal(err)
	}
	return raw
}

func (l *tree) since(old int64) []tlog.Hash {
	l.t.Helper()
	if old == 0 || old == l.size {
		return nil
	}
	p, err := tlog.ProveTree(l.size, old, l)
	if err != nil {
		l.t.Fatal(err)
	}
	return p
}

// stand is a witness that listens, with the file it remembers in.
type stand struct {
	url, path string
	vkey      string
	verifier  note.Verifier
}

func listen(t *testing.T, logs ...note.Verifier) *stand {
	t.Helper()
	skey, vkey, err := note.GenerateKey(rand.Reader, "witness.example")
	if err != nil {
		t.Fatal(err)
	}
	s := &stand{path: filepath.Join(t.TempDir(), "heads.json")}
	if s.vkey, err = cosign.VKeyToCosignatureV1(vkey); err != nil {
		t.Fatal(err)
	}
	if s.verifier, err = cosign.NewVerifierForCosignatureV1(s.vkey); err != nil {
		t.Fatal(err)
	}
	signer, err := cosign.NewSignerForCosignatureV1(skey)
	if err != nil {
		t.Fatal(err)
	}
	file, err := witness.OpenFile(s.path)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(witness.Handler(witness.New(file, signer, logs...), slog.New(slog.DiscardHandler)))
	t.Cleanup(srv.Close)
	s.url = srv.URL
	return s
}

func ask(t *testing.T, s *stand, old int64, proof []tlog.Hash, checkpoint []byte) ([]byte, error) {
	t.Helper()
	c := &witness.Client{HTTP: &http.Client{Timeout: 10 * time.Second}}
	defer c.HTTP.CloseIdleConnections()
	return c.Ask(t.Context(), s.url, old, proof, checkpoint)
}

func TestWitness_CosignsWhatExtendsAndRefusesARewrittenPast(t *testing.T) {
	log := newTree(t, "htx-thu/ledger")
	s := listen(t, log.v)
	log.add("a", "b", "c")
	first := log.checkpoint()
	lines, err := ask(t, s, 0, nil, first)
	if err != nil {
		t.Fatal(err)
	}
	n, err := note.Open(append(bytes.Clone(first), lines...), note.VerifierList(s.verifier))
	if err != nil || len(n.Sigs) != 1 {
		t.Fatalf("cosignature %q: %v", lines, err)
	}
	if at, err := cosign.CoSigV1Timestamp(n.Sigs[0]); err != nil || time.Since(at) > time.Minute {
		t.Errorf("seen at %v, %v", at, err)
	}
	log.add("d", "e", "f", "g")
	if _, err := ask(t, s, 3, log.since(3), log.checkpoint()); err != nil {
		t.Fatal(err)
	}

	// The log's own key rewrites one leaf and signs all of it anew.
	forged := &tree{t: t, signer: log.signer, v: log.v}
	forged.add("a", "B", "c", "d", "e", "f", "g", "h")
	if _, err := ask(t, s, 7, forged.since(7), forged.checkpoint()); !errors.Is(err, witness.ErrRewritten) {
		t.Errorf("a rewritten past: %v", err)
	}
	same := &tree{t: t, signer: log.signer, v: log.v}
	same.add("a", "b", "c", "d", "e", "f", "X")
	if _, err := ask(t, s, 7, nil, same.checkpoint()); !errors.Is(err, witness.ErrRewritten) {
		t.Errorf("another tree of the same size: %v", err)
	}
	if _, err := ask(t, s, 7, log.since(3), log.checkpoint()); !errors.Is(err, witness.ErrRewritten) {
		t.Errorf("a proof where none belongs: %v", err)
	}
	if _, err := ask(t, s, 7, nil, log.checkpoint()); err != nil { // asked again: signed again
		t.Errorf("the same head again: %v", err)
	}
	var stale *ledger.StaleError
	if _, err := ask(t, s, 3, log.since(3), log.checkpoint()); !errors.As(err, &stale) || stale.Size != 7 {
		t.Errorf("an old size: %v", err)
	}
	if _, err := ask(t, s, 8, nil, log.checkpoint()); err == nil || !strings.Contains(err.Error(), "400") {
		t.Errorf("an old size above the head's: %v", err)
	}
	if _, err := ask(t, s, 0, nil, newTreeWith(t, "htx-khac/ledger", "a").checkpoint()); !errors.Is(err, witness.ErrUnknownLog) {
		t.Errorf("a log that is not known: %v", err)
	}
	if _, err := ask(t, s, 7, nil, newTreeWith(t, "htx-thu/ledger", "a", "b", "c", "d", "e", "f", "g").checkpoint()); !errors.Is(err, witness.ErrUnsigned) {
		t.Errorf("another key under the log's name: %v", err)
	}
}

func newTreeWith(t *testing.T, name string, leaves ...string) *tree {
	l := newTree(t, name)
	l.add(leaves...)
	return l
}

func TestWitness_RemembersWhatItSawAcrossARestart(t *testing.T) {
	log := newTree(t, "htx-thu/ledger")
	s := listen(t, log.v)
	log.add("a", "b")
	if _, err := ask(t, s, 0, nil, log.checkpoint()); err != nil {
		t.Fatal(err)
	}
	file, err := witness.OpenFile(s.path)
	if err != nil {
		t.Fatal(err)
	}
	skey, _, err := note.GenerateKey(rand.Reader, "witness.example")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := cosign.NewSignerForCosignatureV1(skey)
	if err != nil {
		t.Fatal(err)
	}
	again := witness.New(file, signer, log.v)
	var stale *ledger.StaleError
	if _, err := again.Add(t.Context(), 0, nil, log.checkpoint()); !errors.As(err, &stale) || stale.Size != 2 {
		t.Errorf("after a restart: %v", err)
	}
}

func TestWitness_OfManyAtOnceNoneRollsBack(t *testing.T) {
	log := newTree(t, "htx-thu/ledger")
	s := listen(t, log.v)
	var heads [][]byte
	for i := range 40 {
		log.add(fmt.Sprint(i))
		heads = append(heads, log.checkpoint())
	}
	if _, err := ask(t, s, 0, nil, heads[0]); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := 1; i < len(heads); i++ {
		at := int64(i) + 1
		p, err := tlog.ProveTree(at, 1, log)
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			if _, err := ask(t, s, 1, p, heads[at-1]); err != nil && !errors.As(err, new(*ledger.StaleError)) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	var stale *ledger.StaleError
	if _, err := ask(t, s, 0, nil, heads[len(heads)-1]); !errors.As(err, &stale) || stale.Size < 2 {
		t.Errorf("%v: want exactly one of the heads above to be kept", err)
	}
}

func TestWitness_BadRequestsAreRefused(t *testing.T) {
	log := newTree(t, "htx-thu/ledger")
	s := listen(t, log.v)
	log.add("a")
	good := string(log.checkpoint())
	for name, body := range map[string]string{
		"empty":             "",
		"no old":            "\n" + good,
		"leading zero":      "old 00\n\n" + good,
		"negative":          "old -1\n\n" + good,
		"no empty line":     "old 0\n" + strings.ReplaceAll(good, "\n\n", "\n"),
		"no hash":           "old 0\nxyz\n\n" + good,
		"64 lines":          "old 0\n" + strings.Repeat("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", 64) + "\n" + good,
		"longer than 64 KB": "old 0\n\n" + good + strings.Repeat("x", 70_000),
	} {
		resp, err := http.Post(s.url+"/add-checkpoint", "text/plain", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if err := resp.Body.Close(); err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %s", name, resp.Status)
		}
	}
}

func TestGatherer_HoldsNothingUpAndCollects(t *testing.T) {
	db := sqldbtest.Open(t, sqldbtest.Fresh(t))
	skey, vkey, err := note.GenerateKey(rand.Reader, "htx-thu/ledger")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	quiet := slog.New(slog.DiscardHandler)
	p, err := ledger.NewPublisher(ledger.PublisherOptions{Tree: db, Signer: signer, VKey: vkey, Every: time.Hour, Now: clock, Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	one, two := listen(t, p.Verifier()), listen(t, p.Verifier())
	policy, err := ledger.ParsePolicy("policy.txt", fmt.Appendf(nil, "log %s\nwitness one %s %s\nwitness two %s %s\nwitness gone %s http://127.0.0.1:1\ngroup g 2 one two gone\nquorum g\n",
		vkey, one.vkey, one.url, two.vkey, two.url, listen(t).vkey))
	if err != nil {
		t.Fatal(err)
	}
	c := &witness.Client{HTTP: &http.Client{Timeout: 5 * time.Second}}
	defer c.HTTP.CloseIdleConnections()
	g := ledger.NewGatherer(db, p.Verifier(), policy, c, clock, quiet)
	for i := range 3 {
		enter(t, db, i)
		if err := errors.Join(p.Step(t.Context()), g.Step(t.Context())); err != nil {
			t.Fatal(err)
		}
		raw, err := db.Checkpoint(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		_, n, err := ledger.OpenHead(raw, p.Verifier(), one.verifier, two.verifier)
		if err != nil || !policy.Enough(policy.SeenBy(n)) {
			t.Fatalf("head %d: %v\n%s", i, err, raw)
		}
	}
	// A gatherer that knows nothing of what its witnesses saw asks them where they are.
	enter(t, db, 9)
	fresh := ledger.NewGatherer(db, p.Verifier(), policy, c, clock, quiet)
	if err := errors.Join(p.Step(t.Context()), fresh.Step(t.Context())); err != nil {
		t.Fatal(err)
	}
	raw, err := db.Checkpoint(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, n, err := ledger.OpenHead(raw, p.Verifier(), one.verifier, two.verifier); err != nil || len(policy.SeenBy(n)) != 2 {
		t.Errorf("after a restart: %v\n%s", err, raw)
	}
}

func enter(t *testing.T, db *sqldb.DB, i int) {
	t.Helper()
	e := ledger.Entry{Kind: ledger.Changed, Subject: fmt.Sprint(i), Body: []byte("{}"), By: ledger.By{Actor: ledger.Server, At: clock()}}
	if _, err := db.Enter(context.WithoutCancel(t.Context()), e); err != nil {
		t.Fatal(err)
	}
}

func FuzzHandler(f *testing.F) {
	f.Add("old 0\n\nhtx/ledger\n1\nAAAA\n\n— htx/ledger AAAA\n")
	f.Fuzz(func(t *testing.T, body string) {
		h := witness.Handler(witness.New(nil, nil), slog.New(slog.DiscardHandler))
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, httptest.NewRequest(http.MethodPost, "/add-checkpoint", strings.NewReader(body)))
		if rec.Code == http.StatusOK || rec.Code >= 500 {
			t.Errorf("%q: %d", body, rec.Code)
		}
	})
}
