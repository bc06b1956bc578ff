package update_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"aovuon/gateway/update"
	"aovuon/gateway/wire"
)

var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// bench is a gateway's updater with everything around it played.
type bench struct {
	t      *testing.T
	dir    string
	store  *update.Store
	signer note.Signer
	keys   []note.Verifier
	web    *httptest.Server
	files  map[string][]byte // by path
	asked  []string          // Range headers of what was asked of the program
	cut    int               // after so many bytes the connection breaks, once; 0: never

	o      update.Options
	wish   update.Wish
	up     time.Time // a clock that nobody sets
	now    time.Time
	known  bool
	linked bool
	busy   bool
	free   uint64
	gone   []wire.Version // what Switch was told
}

func maker(t *testing.T, name string) (note.Signer, note.Verifier) {
	t.Helper()
	skey, vkey, err := note.GenerateKey(rand.Reader, name)
	if err != nil {
		t.Fatal(err)
	}
	s, err := note.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	v, err := note.NewVerifier(vkey)
	if err != nil {
		t.Fatal(err)
	}
	return s, v
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, dir: t.TempDir(), files: map[string][]byte{}, up: noon, now: noon, known: true, linked: true, free: 10_000_000_000}
	b.store = update.NewStore(b.dir)
	var v note.Verifier
	b.signer, v = maker(t, update.KeyName)
	b.keys = []note.Verifier{v}
	b.web = httptest.NewServer(http.HandlerFunc(b.serve))
	t.Cleanup(b.web.Close)
	b.wish = update.Wish{Attempt: 1, URL: b.web.URL, Within: 10 * time.Minute, Rate: 1_000_000_000, Keys: b.keys}
	b.o = update.Options{
		Store: b.store, Self: update.Self{Program: update.Program{Version: "1.0", Spool: 1}, Installed: true}, Build: update.Build{Platform: "linux/arm64"},
		Wish: func() update.Wish { return b.wish },
		Now:  func() (time.Time, bool) { return b.now, b.known },
		Linked: func() time.Time {
			if b.linked {
				return b.up
			}
			return time.Time{}
		},
		Uptime: func() time.Time { return b.up }, Busy: func() bool { return b.busy }, Buses: func() []string { return []string{"ao-i2c"} },
		Free: func() (uint64, error) { return b.free, nil }, Sleep: func(context.Context, time.Duration) error { return nil },
		Log: slog.New(slog.DiscardHandler), Tell: func(context.Context) {}, Switch: func(v wire.Version) { b.gone = append(b.gone, v) },
	}
	return b
}

func (b *bench) serve(w http.ResponseWriter, r *http.Request) {
	body, ok := b.files[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	if strings.HasSuffix(r.URL.Path, ".gz") {
		b.asked = append(b.asked, r.Header.Get("Range"))
		if b.cut > 0 {
			w.Header().Set("Content-Length", "1000000")
			if _, err := w.Write(body[:b.cut]); err != nil {
				b.t.Error(err)
			}
			b.cut = 0
			panic(http.ErrAbortHandler)
		}
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

func zip(t *testing.T, program []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write(program); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func (b *bench) release(version string, program []byte) wire.Release {
	return wire.Release{
		Program: wire.GatewayProgram, Version: wire.Version(version), Platform: "linux/arm64", Size: int64(len(program)), SHA256: sha256.Sum256(program),
		Spool: 1, Made: noon.Add(-time.Hour), Until: noon.AddDate(1, 0, 0),
	}
}

// offer puts a release on the server, and wants it.
func (b *bench) offer(r wire.Release, signer note.Signer, packed []byte) {
	b.t.Helper()
	sealed, err := wire.SealRelease(r, signer)
	if err != nil {
		b.t.Fatal(err)
	}
	at := "/releases/" + string(r.Version) + "/linux-arm64"
	b.files[at+".release"], b.files[at+".gz"] = sealed, packed
	b.wish.Version = r.Version
}

// look lets the updater look once.
func (b *bench) look() wire.ProgramReport {
	b.t.Helper()
	u := update.NewUpdater(b.o)
	return u.Look(b.t.Context())
}

var program = bytes.Repeat([]byte("a program of a gateway\n"), 5000)

func TestUpdater_FetchesChecksAndAsksToBeReplaced(t *testing.T) {
	b := newBench(t)
	if r := b.look(); r.State != wire.ProgramCurrent || r.Version != "1.0" {
		t.Errorf("with no wish: %+v", r)
	}
	if _, err := os.Stat(filepath.Join(b.dir, "program")); !errors.Is(err, os.ErrNotExist) {
		t.Error("a gateway that nobody updates has a folder for it")
	}
	b.offer(b.release("1.1", program), b.signer, zip(t, program))
	if r := b.look(); r.State != wire.ProgramTrial || len(b.gone) != 1 || b.gone[0] != "1.1" {
		t.Fatalf("%+v, replaced by %v", r, b.gone)
	}
	path, err := b.store.Check("1.1", b.keys)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, program) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	c := b.store.Choose(b.o.Self, b.keys, true, func(err error) { t.Error(err) })
	if c.Trial == nil || c.Path != path || c.Trial.Buses[0] != "ao-i2c" {
		t.Errorf("%+v", c)
	}
	if left, err := filepath.Glob(filepath.Join(b.dir, "program", "part-*")); err != nil || left != nil {
		t.Errorf("left: %v %v", left, err)
	}
}

func TestUpdater_GoesOnWhereTheLinkBroke(t *testing.T) {
	b := newBench(t)
	noise := make([]byte, 300_000)
	if _, err := rand.Read(noise); err != nil {
		t.Fatal(err)
	}
	b.offer(b.release("1.1", noise), b.signer, zip(t, noise))
	b.cut = 100_000
	if r := b.look(); r.State != wire.ProgramWaiting || r.Code != wire.CodeFetch {
		t.Fatalf("%+v", r)
	}
	if r := b.look(); r.State != wire.ProgramTrial {
		t.Fatalf("%+v", r)
	}
	if len(b.asked) != 2 || b.asked[0] != "" || b.asked[1] != "bytes=100000-" {
		t.Errorf("asked %q", b.asked)
	}
}

// TestUpdater_Refuses what a lying server, a forger or a mistake would have it run: nothing of it comes under a version's name.
func TestUpdater_Refuses(t *testing.T) {
	forger, _ := maker(t, update.KeyName) // of the same name
	for name, tc := range map[string]struct {
		code  string
		state wire.ProgramState
		make  func(b *bench)
	}{
		"another key": {wire.CodeForged, wire.ProgramRefused, func(b *bench) { b.offer(b.release("1.1", program), forger, zip(t, program)) }},
		"no key here": {wire.CodeKey, wire.ProgramRefused, func(b *bench) {
			b.offer(b.release("1.1", program), b.signer, zip(t, program))
			b.wish.Keys, b.wish.KeyErr = nil, wire.ErrNoReleaseKey
		}},
		"a line changed": {wire.CodeForged, wire.ProgramRefused, func(b *bench) {
			b.offer(b.release("1.1", program), b.signer, zip(t, program))
			at := "/releases/1.1/linux-arm64.release"
			b.files[at] = bytes.Replace(b.files[at], []byte("linux/arm64"), []byte("linux/amd64"), 1)
		}},
		"the release of another version": {wire.CodeForged, wire.ProgramRefused, func(b *bench) {
			b.offer(b.release("1.1", program), b.signer, zip(t, program))
			b.files["/releases/1.2/linux-arm64.release"] = b.files["/releases/1.1/linux-arm64.release"]
			b.wish.Version = "1.2"
		}},
		"another machine": {wire.CodePlatform, wire.ProgramRefused, func(b *bench) {
			r := b.release("1.1", program)
			r.Platform = "linux/arm"
			b.offer(r, b.signer, zip(t, program))
		}},
		"its time is over": {wire.CodeExpired, wire.ProgramRefused, func(b *bench) {
			b.offer(b.release("1.1", program), b.signer, zip(t, program))
			b.now = noon.AddDate(1, 0, 0)
		}},
		"older":         {wire.CodeOlder, wire.ProgramRefused, func(b *bench) { b.offer(b.release("0.9", program), b.signer, zip(t, program)) }},
		"a step missed": {wire.CodeFrom, wire.ProgramRefused, func(b *bench) { r := b.release("2.0", program); r.From = "1.5"; b.offer(r, b.signer, zip(t, program)) }},
		"no way back": {wire.CodeFormat, wire.ProgramRefused, func(b *bench) {
			r := b.release("1.1", program)
			r.Spool = 2
			b.offer(r, b.signer, zip(t, program))
		}},
		"another program": {wire.CodeDamaged, wire.ProgramWaiting, func(b *bench) {
			b.offer(b.release("1.1", program), b.signer, zip(t, append(bytes.Clone(program[:len(program)-1]), 'x')))
		}},
		"half a program": {wire.CodeDamaged, wire.ProgramWaiting, func(b *bench) { z := zip(t, program); b.offer(b.release("1.1", program), b.signer, z[:len(z)/2]) }},
		"more than a program": {wire.CodeDamaged, wire.ProgramWaiting, func(b *bench) {
			b.offer(b.release("1.1", program), b.signer, zip(t, append(bytes.Clone(program), program...)))
		}},
		"a bomb": {wire.CodeDamaged, wire.ProgramWaiting, func(b *bench) {
			b.offer(b.release("1.1", program), b.signer, zip(t, make([]byte, 50_000_000)))
		}},
		"no packed file":    {wire.CodeDamaged, wire.ProgramWaiting, func(b *bench) { b.offer(b.release("1.1", program), b.signer, program) }},
		"more than it says": {wire.CodeFetch, wire.ProgramWaiting, func(b *bench) { b.offer(b.release("1.1", program), b.signer, make([]byte, 3*len(program))) }},
		"nothing there":     {wire.CodeFetch, wire.ProgramWaiting, func(b *bench) { b.wish.Version = "1.1" }},
		"no clock": {wire.CodeClock, wire.ProgramWaiting, func(b *bench) {
			b.offer(b.release("1.1", program), b.signer, zip(t, program))
			b.known = false
		}},
		"no address": {wire.CodeServer, wire.ProgramWaiting, func(b *bench) {
			b.offer(b.release("1.1", program), b.signer, zip(t, program))
			b.wish.URL = ""
		}},
		"no room": {wire.CodeDisk, wire.ProgramWaiting, func(b *bench) {
			b.offer(b.release("1.1", program), b.signer, zip(t, program))
			b.free = 50_000_000
		}},
		"a person at work": {wire.CodeBusy, wire.ProgramWaiting, func(b *bench) {
			b.offer(b.release("1.1", program), b.signer, zip(t, program))
			b.busy = true
		}},
		"no link": {wire.CodeLink, wire.ProgramWaiting, func(b *bench) {
			b.offer(b.release("1.1", program), b.signer, zip(t, program))
			b.linked = false
		}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			tc.make(b)
			r := b.look()
			if r.State != tc.state || r.Code != tc.code || r.Why == "" || r.Version != "1.0" {
				t.Errorf("%+v", r)
			}
			if b.gone != nil {
				t.Errorf("replaced by %v", b.gone)
			}
			_, err := b.store.Check(b.wish.Version, b.keys)
			if whole := tc.code == wire.CodeBusy || tc.code == wire.CodeLink; whole != (err == nil) {
				t.Errorf("under its name: %v", err)
			}
			if left, err := filepath.Glob(filepath.Join(b.dir, "program", "next")); err != nil || left != nil {
				t.Errorf("left: %v %v", left, err)
			}
		})
	}
}

// TestUpdater_TriesNoVersionTwice but when it is asked again, here or from afar.
func TestUpdater_TriesNoVersionTwice(t *testing.T) {
	b := newBench(t)
	b.offer(b.release("1.1", program), b.signer, zip(t, program))
	fail := func(code string) {
		t.Helper()
		if r := b.look(); r.State != wire.ProgramTrial {
			t.Fatalf("%+v", r)
		}
		if err := b.store.Conclude(update.Verdict{Code: code, Why: "it was so"}); err != nil {
			t.Fatal(err)
		}
	}
	fail(wire.CodeCrash)
	if r := b.look(); r.State != wire.ProgramRolledBack || r.Code != wire.CodeCrash || r.Why != "it was so" || len(b.gone) != 1 {
		t.Fatalf("%+v %v", r, b.gone)
	}
	b.wish.Attempt = 2
	fail(wire.CodeCrash)
	if r := b.look(); r.State != wire.ProgramRolledBack {
		t.Fatalf("%+v", r)
	}
	if failed, err := b.store.Again(); err != nil || len(failed) != 1 || failed[0].Version != "1.1" {
		t.Fatalf("%+v %v", failed, err)
	}
	if r := b.look(); r.State != wire.ProgramTrial || len(b.gone) != 3 {
		t.Fatalf("%+v %v", r, b.gone)
	}
}

// TestUpdater_AMuteLinkIsNobodysFault: a version that did not report is rolled back; where the one before gets no receipt
// either it may be tried again, three times.
func TestUpdater_AMuteLinkIsNobodysFault(t *testing.T) {
	b := newBench(t)
	b.offer(b.release("1.1", program), b.signer, zip(t, program))
	mute := func() {
		t.Helper()
		b.linked = true
		if r := b.look(); r.State != wire.ProgramTrial {
			t.Fatalf("%+v", r)
		}
		if err := b.store.Conclude(update.Verdict{Code: wire.CodeMute, Why: "no receipt"}); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		mute()
		b.linked = false
		u := update.NewUpdater(b.o)
		if r := u.Look(t.Context()); r.State != wire.ProgramRolledBack || r.Code != wire.CodeMute {
			t.Fatalf("at once: %+v", r)
		}
		b.up = b.up.Add(11 * time.Minute)
		if r := u.Look(t.Context()); r.State != wire.ProgramWaiting || r.Code != wire.CodeLink {
			t.Fatalf("with no link for as long: %+v", r)
		}
	}
	mute()
	b.linked = false
	b.up = b.up.Add(11 * time.Minute)
	if r := b.look(); r.State != wire.ProgramRolledBack {
		t.Errorf("after three times: %+v", r)
	}
	c := newBench(t)
	c.offer(c.release("1.1", program), c.signer, zip(t, program))
	if r := c.look(); r.State != wire.ProgramTrial {
		t.Fatalf("%+v", r)
	}
	if err := c.store.Conclude(update.Verdict{Code: wire.CodeMute, Why: "no receipt"}); err != nil {
		t.Fatal(err)
	}
	if r := c.look(); r.State != wire.ProgramRolledBack {
		t.Fatalf("%+v", r)
	}
	c.linked, c.up = false, c.up.Add(time.Hour)
	if r := c.look(); r.State != wire.ProgramRolledBack {
		t.Errorf("the one before got a receipt, later the link broke: %+v", r)
	}
}
