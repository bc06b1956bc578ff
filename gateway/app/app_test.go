package app_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"
	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/onewire"

	"aovuon/gateway/app"
	"aovuon/gateway/control"
	"aovuon/gateway/measure"
	"aovuon/gateway/sense/serial"
	"aovuon/gateway/spool"
	"aovuon/gateway/status"
	"aovuon/gateway/wire"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"gateway": func() { os.Exit(app.Main(os.Args[1:], os.Stdout, os.Stderr)) },
	})
}

// TestScript runs the program as people do; the stories are in testdata/script.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"await":      await,
			"eventually": eventually,
			"vkey":       vkey,
			"replace":    replace,
			"closed":     closed,
			"heard":      heard,
			"page":       page,
			"port":       port,
		},
	})
}

// replace OLD NEW FILE changes a text that a file has.
func replace(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: replace OLD NEW FILE")
	}
	text := ts.ReadFile(args[2])
	if !strings.Contains(text, args[0]) {
		ts.Fatalf("%s has no %q", args[2], args[0])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), []byte(strings.ReplaceAll(text, args[0], args[1])), 0o600))
}

// await FILE TEXT waits until a file is there and holds the text; a socket holds no more than the empty one.
func await(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: await FILE TEXT")
	}
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for range 4000 {
		if info, err := os.Stat(ts.MkAbs(args[0])); err == nil && info.Mode().Type() == fs.ModeSocket && args[1] == "" {
			return
		}
		raw, err := os.ReadFile(ts.MkAbs(args[0]))
		if err == nil && bytes.Contains(raw, []byte(args[1])) {
			return
		}
		<-tick.C
	}
	ts.Fatalf("%s never held %q", args[0], args[1])
}

// eventually PATTERN COMMAND... runs a command until it succeeds and its output matches.
func eventually(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: eventually PATTERN COMMAND...")
	}
	want, err := regexp.Compile(args[0])
	ts.Check(err)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	var out string
	for range 1000 {
		if err = ts.Exec(args[1], args[2:]...); err == nil {
			if out = ts.ReadFile("stdout"); want.MatchString(out) {
				return
			}
		}
		<-tick.C
	}
	ts.Fatalf("%v never printed %s: %v\n%s", args[1:], want, err, out)
}

// heard DIR SENSOR waits until the gateway that works in DIR has a reading of a sensor.
func heard(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: heard DIR SENSOR")
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	var s status.Snapshot
	var err error
	for range 1500 {
		err = control.NewClient(ts.MkAbs(args[0])).Call(context.Background(), http.MethodGet, "/v1/status", nil, &s)
		if err == nil && slices.ContainsFunc(s.Channels, func(c status.Channel) bool { return c.Sensor == args[1] }) {
			return
		}
		<-tick.C
	}
	ts.Fatalf("nothing of %s: %+v, %v", args[1], s, err)
}

// port FILE writes a free port into a configuration in place of PORT, and remembers it for page.
func port(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: port FILE")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	_, number, err := net.SplitHostPort(l.Addr().String())
	ts.Check(errors.Join(err, l.Close()))
	raw, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), bytes.ReplaceAll(raw, []byte("PORT"), []byte(number)), 0o600))
	ts.Setenv("PORT", number)
}

// page FILE [PATH] writes what the installer's page says.
func page(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: page FILE [PATH]")
	}
	// The page opens beside the first reading, not before it.
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	res, err := http.Get("http://127.0.0.1:" + ts.Getenv("PORT") + "/" + strings.Join(args[1:], "/"))
	for range 1500 {
		if !errors.Is(err, syscall.ECONNREFUSED) {
			break
		}
		<-tick.C
		res, err = http.Get("http://127.0.0.1:" + ts.Getenv("PORT") + "/" + strings.Join(args[1:], "/"))
	}
	ts.Check(err)
	body, err := io.ReadAll(res.Body)
	ts.Check(errors.Join(err, res.Body.Close()))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), body, 0o600))
}

// vkey FILE writes a server's verifier key.
func vkey(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: vkey FILE")
	}
	key, err := wire.CreateKey(ts.MkAbs("server.key"), "htx-test")
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(key+"\n"), 0o600))
}

// closed DIR fails when a gateway opened anything there.
func closed(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: closed DIR")
	}
	found, err := filepath.Glob(filepath.Join(ts.MkAbs(args[0]), "spool.db*"))
	ts.Check(err)
	if len(found) > 0 {
		ts.Fatalf("something was opened: %v", found)
	}
}

// season is a virtual clock: Sleep moves it on at once.
type season struct {
	now   time.Time
	start time.Time
}

func (s *season) Now() measure.Instant {
	return measure.Instant{Wall: s.now, Uptime: s.now.Sub(s.start), Clock: measure.Synced, Boot: "0123456789abcdef"}
}

func (s *season) Sleep(ctx context.Context, d time.Duration) error {
	s.now = s.now.Add(d)
	return ctx.Err()
}

// folder is a field with one thermometer.
type folder struct{ dir string }

func (f folder) W1(string) (fs.FS, error) { return os.DirFS(f.dir), nil }
func (f folder) OneWire(string) (onewire.Bus, error) {
	return nil, errors.New("no 1-Wire bus here")
}

func (folder) Serial(string) (serial.Port, error) { return nil, errors.New("no serial line") }

func (f folder) I2C(string) (i2c.Bus, error) { return nil, errors.New("no I²C here") }

const thermometer = "72 01 4b 46 7f ff 0e 10 57 : crc=57 YES\n72 01 4b 46 7f ff 0e 10 57 t=23125\n"

// newGateway makes a folder with a configuration, keys and a thermometer, and returns the configuration's path.
func newGateway(t *testing.T) (config, w1 string) {
	t.Helper()
	dir := t.TempDir()
	w1 = filepath.Join(dir, "w1")
	device := filepath.Join(w1, "28-0123456789ab")
	if err := os.MkdirAll(device, 0o755); err != nil {
		t.Fatal(err)
	}
	config = filepath.Join(dir, "gateway.yaml")
	for path, text := range map[string]string{
		filepath.Join(device, "w1_slave"): thermometer,
		config: "gateway: gw-ao\nserver: {url: \"tcp://127.0.0.1:1\"}\nbuses: {w: {w1: w1}}\n" +
			"sensors: [{id: ao1-temp, kind: ds18b20, bus: w, device: 28-0123456789ab, every: 60s}]\n",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out, errs bytes.Buffer
	if code := app.Main([]string{"init", "--config", config}, &out, &errs); code != 0 {
		t.Fatalf("init: %d %s", code, &errs)
	}
	if _, err := wire.ParseCard(out.String()); err != nil {
		t.Fatal(err)
	}
	return config, w1
}

// TestOffline_MakesASeasonASpoolCanSend plays two days, stops, and plays a third.
func TestOffline_MakesASeasonASpoolCanSend(t *testing.T) {
	defer goleak.VerifyNone(t)
	config, w1 := newGateway(t)
	start := time.Date(2025, 10, 1, 0, 0, 0, 0, time.UTC)
	clock := &season{now: start, start: start.Add(-time.Minute)}
	play := func(until time.Time) {
		t.Helper()
		err := app.Offline(t.Context(), app.OfflineOptions{
			ConfigPath: config, Clock: clock, Buses: folder{w1}, Every: time.Minute, Until: until, Log: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	play(start.Add(48*time.Hour - time.Minute))
	play(start.Add(72*time.Hour - time.Minute))
	s, o, err := spool.Open(t.Context(), filepath.Join(filepath.Dir(config), "data", "spool.db"), time.Now)
	if err != nil || o != (spool.Opening{}) {
		t.Fatalf("%+v, %v", o, err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	batches, err := s.After(t.Context(), s.Epoch(), 0, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, sealed := range batches {
		b, err := wire.OpenUnverified(sealed.Body)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range b.Readings {
			if want := start.Add(time.Duration(n) * time.Minute); r.Time.Wall.Sub(want).Abs() > 2*time.Second || r.Value != 23.125 {
				t.Fatalf("reading %d: %+v, want one of %v", n, r, want)
			}
			n++
		}
	}
	if n != 3*24*60 || len(batches) < 3*24*4-2 || len(batches) > 3*24*4+4 {
		t.Errorf("%d readings in %d batches", n, len(batches))
	}
}

func TestOffline_RefusesToWorkBesideARunningGateway(t *testing.T) {
	config, w1 := newGateway(t)
	tried := false
	start := time.Date(2025, 10, 1, 0, 0, 0, 0, time.UTC)
	inner := app.OfflineOptions{
		ConfigPath: config, Clock: &season{now: start, start: start}, Buses: folder{w1}, Every: time.Minute, Until: start, Log: slog.New(slog.DiscardHandler),
	}
	outer := inner
	outer.Clock = &meanwhile{season: season{now: start, start: start}, do: func() {
		if err := app.Offline(t.Context(), inner); err == nil || !strings.Contains(err.Error(), "another gateway") {
			t.Errorf("two at once: %v", err)
		}
		tried = true
	}}
	if err := app.Offline(t.Context(), outer); err != nil {
		t.Fatal(err)
	}
	if !tried {
		t.Error("never tried")
	}
}

// meanwhile is a clock that does something the first time somebody waits.
type meanwhile struct {
	season
	do func()
}

func (m *meanwhile) Sleep(ctx context.Context, d time.Duration) error {
	if m.do != nil {
		do := m.do
		m.do = nil
		do()
	}
	return m.season.Sleep(ctx, d)
}
