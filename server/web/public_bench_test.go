package web_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	diarydesk "aovuon/server/diary/desk"
	"aovuon/server/ledger"
	"aovuon/server/sqldb"
	"aovuon/server/trace"
	"aovuon/server/trace/flow"
	"aovuon/server/trace/scan"
	"aovuon/server/web"
)

// benchLots is how many lots the serials are of: half a year of a co-op that harvests something every fourth day.
const benchLots = 48

// store is a server with a database that has so many serials, and the addresses on their labels.
type store struct {
	handler http.Handler
	links   []trace.Link
	lots    []trace.Lot
	db      *sqldb.DB
}

// counted is what a scan is answered with; noting it is measured with the scans.
type counted struct{}

func (counted) Scanned(context.Context, scan.Scanned) scan.Facts {
	return scan.Facts{First: now().Add(-time.Hour), Province: "Hải Phòng", Count: 3}
}

func (counted) Note(scan.Scanned)        {}
func (counted) Say(scan.Scanned, string) {}
func (counted) Changed(string)           {}

func newStore(t testing.TB, serials int) *store {
	t.Helper()
	s := newSources(t)
	s.keepBook()
	db, err := sqldb.Open(t.Context(), sqldb.Config{Driver: sqldb.SQLite, DSN: filepath.Join(t.TempDir(), "server.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	by := ledger.By{Actor: "u-1", At: now()}
	d := s.dossiers[s.demo.Lot.Link()]
	must(db.SaveFarm(t.Context(), s.farm, by))
	must(db.SaveProduct(t.Context(), d.Product, by))
	must(db.SaveCertificate(t.Context(), s.demo.Certificate, by))
	for _, rec := range s.records {
		rec.ID = ""
		_, err := db.SaveRecord(t.Context(), rec, by)
		must(err)
	}
	for _, e := range s.entries {
		_, err := db.Keep(t.Context(), diarydesk.Keeping{Event: e}, by)
		must(err)
	}
	sh := &store{db: db}
	for i := range benchLots {
		l := d.Lot
		l.Code, l.State = fmt.Sprintf("AO1-%06d", i), trace.Released
		must(db.SaveLot(t.Context(), l, by))
		must(db.SaveEvidence(t.Context(), l.Link(), d.Evidence, now()))
		sh.lots = append(sh.lots, l)
	}
	sh.pack(t, serials)
	sh.handler, err = web.New(web.Options{
		Farm: db, Lots: db, Packed: db, Names: db, Book: db, People: db, Scans: counted{}, Calibrations: db, Ledger: db, LogKey: s.logKey, Live: s.live, History: s, PublicURL: "https://tx.example.vn", Now: now,
		Log: slog.New(slog.DiscardHandler), Proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		System: func(context.Context) (web.System, error) { return web.System{}, nil },
	})
	must(err)
	return sh
}

// pack issues the serials, in runs of some thousand.
func (sh *store) pack(t testing.TB, serials int) {
	t.Helper()
	r := rand.NewPCG(7, 261124)
	const most = 5000
	for n, run := 0, 0; n < serials; run++ {
		l := sh.lots[run%len(sh.lots)]
		at := now().Add(time.Duration(run-1000) * time.Minute)
		g := trace.Goods{ID: fmt.Sprintf("01K0000000000000000000%04d", 9999-run), Kind: trace.Pack, At: at, Made: at, Actor: "u-1", In: []trace.Part{{Ref: l.Link().Ref(), KG: 1}}}
		g.Out = []trace.Part{{Ref: l.Link().Ref(), Count: min(most, serials-n)}}
		k := flow.Kept{Goods: g}
		for i := range min(most, serials-n) {
			var b bytes.Buffer
			for b.Len() < 16 {
				b.Write([]byte(strconv.FormatUint(r.Uint64(), 16)))
			}
			serial, err := flow.NewSerial(&b)
			if err != nil {
				t.Fatal(err)
			}
			item := trace.Item{Serial: serial, GTIN: l.GTIN, Lot: l.Code, Run: g.ID, N: i + 1, NetG: 800, Best: now().AddDate(0, 1, 0), State: trace.ItemShipped, Changed: at}
			k.Items = append(k.Items, item)
			if n%max(1, serials/10_000) == 0 { // those that are asked for
				sh.links = append(sh.links, item.Link())
			}
			n++
		}
		err := sh.db.Move(t.Context(), ledger.By{Actor: "u-1", At: at}, func(context.Context, flow.Shelf) (flow.Kept, error) { return k, nil })
		if err != nil {
			t.Fatal(err)
		}
	}
}

// sink takes an answer and forgets it.
type sink struct {
	header http.Header
	status int
	bytes  int
}

func (s *sink) Header() http.Header { return s.header }
func (s *sink) WriteHeader(c int)   { s.status = c }
func (s *sink) Write(p []byte) (int, error) {
	s.bytes += len(p)
	return len(p), nil
}

// scanned asks for a page as a telephone does, from an address of its own.
func (sh *store) scanned(t testing.TB, link trace.Link, n int) {
	t.Helper()
	path := link.Path()
	r := (&http.Request{
		Method: http.MethodGet, URL: &url.URL{Path: path}, Host: "tx.example.vn", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Accept-Encoding": {"gzip, deflate, br"}, "Accept": {"text/html"}}, RemoteAddr: fmt.Sprintf("10.%d.%d.%d:1", n>>16&255, n>>8&255, n&255),
	}).WithContext(t.Context())
	w := &sink{header: http.Header{}}
	sh.handler.ServeHTTP(w, r)
	if (w.status != 0 && w.status != http.StatusOK) || w.bytes < 2000 || w.bytes > 14<<10 {
		t.Fatalf("%s: %d, %d bytes", path, w.status, w.bytes)
	}
}

// BenchmarkPublicPage answers for items of stores of several sizes, one request after another: with -cpu 1 its requests/s are those of one core,
// without the network. hot: the lots' parts are kept. cold: the ledger moved before each request, so the lot's part is drawn anew.
func BenchmarkPublicPage(b *testing.B) {
	for _, serials := range []int{10_000, 100_000, 1_000_000} {
		if testing.Short() && serials > 100_000 {
			continue
		}
		b.Run(strconv.Itoa(serials), func(b *testing.B) {
			sh := newStore(b, serials)
			b.Run("hot", func(b *testing.B) {
				for i := range 2 * len(sh.links) / 100 { // every lot once
					sh.scanned(b, sh.links[i*50], i)
				}
				sh.measure(b, func(int) {})
			})
			b.Run("cold", func(b *testing.B) {
				sh.measure(b, func(i int) {
					sum := sha256.Sum256([]byte(strconv.Itoa(i)))
					if _, err := sh.db.Enter(b.Context(), ledger.Entry{Kind: ledger.ChainHeads, Subject: hex.EncodeToString(sum[:8]), Body: sum[:], By: ledger.By{Actor: ledger.Server, At: now()}}); err != nil {
						b.Fatal(err)
					}
				})
			})
			b.Run("item", func(b *testing.B) { // the look-up alone
				for i := 0; b.Loop(); i++ {
					if _, ok, err := sh.db.Item(b.Context(), sh.links[i*7919%len(sh.links)].Serial); err != nil || !ok {
						b.Fatal(ok, err)
					}
				}
			})
		})
	}
}

// measure asks for pages and reports how many a second, and how long the slowest hundredth took.
func (sh *store) measure(b *testing.B, before func(i int)) {
	var took []time.Duration
	for i := 0; b.Loop(); i++ {
		b.StopTimer()
		before(i)
		b.StartTimer()
		began := time.Now()
		sh.scanned(b, sh.links[i*7919%len(sh.links)], i)
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	var sum time.Duration
	for _, d := range took {
		sum += d
	}
	b.ReportMetric(float64(len(took))/sum.Seconds(), "req/s")
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
}

// TestServePublic serves the pages of a store with AOVUON_SERIALS serials at the address AOVUON_SERVE_PUBLIC until it is interrupted, for wrk: it
// writes a script beside it that asks for another item from another address each time.
//
//	AOVUON_SERVE_PUBLIC=127.0.0.1:8099 AOVUON_SERIALS=1000000 GOMAXPROCS=1 go test ./server/web -run ServePublic -timeout 0 -v
//	wrk -t1 -c32 -d30s --latency -s /tmp/aovuon-wrk.lua http://127.0.0.1:8099
func TestServePublic(t *testing.T) {
	at := os.Getenv("AOVUON_SERVE_PUBLIC")
	if at == "" {
		t.Skip("AOVUON_SERVE_PUBLIC names no address")
	}
	serials, err := strconv.Atoi(os.Getenv("AOVUON_SERIALS"))
	if err != nil {
		serials = 10_000
	}
	sh := newStore(t, serials)
	var lua bytes.Buffer
	lua.WriteString("local p = {\n")
	for _, l := range sh.links {
		fmt.Fprintf(&lua, "%q,\n", l.Path())
	}
	lua.WriteString("}\nmath.randomseed(os.time())\nlocal h = {}\nh[\"Accept-Encoding\"] = \"gzip\"\nh[\"Accept\"] = \"text/html\"\nfunction request()\n" +
		"h[\"X-Forwarded-For\"] = \"10.\" .. math.random(0, 255) .. \".\" .. math.random(0, 255) .. \".\" .. math.random(0, 255)\nreturn wrk.format(\"GET\", p[math.random(#p)], h)\nend\n")
	script := filepath.Join(os.TempDir(), "aovuon-wrk.lua")
	if err := os.WriteFile(script, lua.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(t.Context(), os.Interrupt)
	defer stop()
	srv := &http.Server{Handler: sh.handler, ReadHeaderTimeout: time.Minute}
	context.AfterFunc(ctx, func() {
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Logf("%d serials at http://%s; wrk -t1 -c32 -d30s --latency -s %s http://%s", serials, l.Addr(), script, l.Addr())
	t.Logf("one page: http://%s%s", l.Addr(), sh.links[0].Path())
	if err := srv.Serve(l); err != nil && ctx.Err() == nil {
		t.Fatal(err)
	}
}
