package fleet_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"

	"aovuon/firmware-sim/fleet"
	"aovuon/gateway/uplink"
	"aovuon/gateway/wire"
	server "aovuon/server/app"
	"aovuon/server/parttest"
)

// checked runs the tests and then looks for goroutines they left.
type checked struct{ m *testing.M }

// Run implements testscript.TestingM.
func (c checked) Run() int {
	code := c.m.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, "goroutines left:", err)
		return 1
	}
	return code
}

// TestMain makes the test binary the server program too, on PATH.
func TestMain(m *testing.M) {
	testscript.Main(checked{m}, map[string]func(){
		"server": func() { os.Exit(server.Main(os.Args[1:], os.Stdout, os.Stderr)) },
	})
}

// house is a server program with a folder of its own, and a fleet that it knows.
type house struct {
	t      testing.TB
	dir    string
	broker string // URL
	cmd    *exec.Cmd
	log    bytes.Buffer
}

// newHouse installs a server for n gateways; broker is YAML, and empty for the embedded one.
func newHouse(t testing.TB, n int, broker, url string) *house {
	t.Helper()
	h := &house{t: t, dir: t.TempDir(), broker: url}
	if broker == "" {
		mqtt := freeAddress(t)
		broker, h.broker = fmt.Sprintf("{ embedded: { listen: %s } }", mqtt), "tcp://"+mqtt
	}
	web := freeAddress(t)
	text := fmt.Sprintf("listen: %s\npublic_url: http://%s\nname: htx-fleet\naccess: { pages: open }\nbroker: %s\n", web, web, broker)
	if err := os.WriteFile(h.path("server.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(h.path("server.vkey"), h.once("init"), 0o600); err != nil {
		t.Fatal(err)
	}
	if made, err := fleet.Enlist(h.path("fleet"), "fl", n); err != nil || made != n {
		t.Fatalf("%d made, %v", made, err)
	}
	h.once("gateway", "add", h.path("fleet/cards.txt"))
	h.once("farm", "import", h.path("fleet/farm.yaml"))
	return h
}

func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return l.Addr().String()
}

func (h *house) path(name string) string { return filepath.Join(h.dir, name) }

func (h *house) argv() []string { return []string{"server", "--config", h.path("server.yaml")} }

func (h *house) once(args ...string) []byte {
	h.t.Helper()
	cmd := exec.CommandContext(h.t.Context(), "server", append(h.argv()[1:], args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		h.t.Fatalf("server %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return out
}

// start runs the server; the gateways wait for it by themselves.
func (h *house) start() {
	h.t.Helper()
	h.cmd = exec.Command("server", append(h.argv()[1:], "run")...)
	h.cmd.Stdout, h.cmd.Stderr = &h.log, &h.log
	if err := h.cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() {
		h.end(syscall.SIGKILL)
		if h.t.Failed() {
			raw := h.log.Bytes()
			h.t.Logf("end of the server's log:\n%s", raw[max(0, len(raw)-4000):])
		}
	})
}

func (h *house) end(s os.Signal) {
	if h.cmd == nil {
		return
	}
	if err := h.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		h.t.Error(err)
	}
	var exit *exec.ExitError
	if err := h.cmd.Wait(); err != nil && !errors.As(err, &exit) {
		h.t.Error(err)
	}
	h.cmd = nil
}

// plan is a load for all of the house's gateways.
func (h *house) plan() (fleet.Plan, *fleet.Folder) {
	h.t.Helper()
	folder, err := fleet.Open(h.path("fleet"), 0)
	if err != nil {
		h.t.Fatal(err)
	}
	key, err := wire.LoadVerifier(h.path("server.vkey"))
	if err != nil {
		h.t.Fatal(err)
	}
	if err := errors.Join(folder.Take(), folder.Close()); err != nil {
		h.t.Fatal(err)
	}
	return fleet.Plan{
		Members: folder.Members, Broker: h.broker, Server: key, Witness: fleet.Command(h.argv()), Readings: 6, Truth: fleet.Plain{},
		Seed: 4, Away: 200 * time.Millisecond, Late: time.Minute, Drain: time.Minute, Settle: time.Minute, ReceiptTimeout: time.Second, Now: time.Now,
	}, folder
}

// send runs a plan and puts the chains back.
func (h *house) send(ctx context.Context, p fleet.Plan, folder *fleet.Folder) fleet.Result {
	h.t.Helper()
	r, chains, err := fleet.Run(ctx, p)
	if err != nil {
		h.t.Fatal(err)
	}
	if err := folder.Save(chains); err != nil {
		h.t.Fatal(err)
	}
	var table bytes.Buffer
	if err := r.WriteTable(&table); err != nil {
		h.t.Error(err)
	}
	h.t.Logf("\n%s%s", table.String(), strings.Join(r.Failures, "\n"))
	return r
}

// whole checks that everything that was produced came in, once.
func whole(t *testing.T, r fleet.Result) {
	t.Helper()
	b, d := r.Batches, r.Readings
	all := b.Produced + b.Carried
	switch {
	case b.Stored == nil:
		t.Error("nobody asked the server")
	case b.Receipted != all || *b.Lost != 0 || *b.Twice != 0 || *b.Foreign != 0 || b.Waiting != 0:
		t.Errorf("of %d batches %d were receipted, %d stored, %d lost, %d twice, %d foreign, %d wait", all, b.Receipted, *b.Stored, *b.Lost, *b.Twice, *b.Foreign, b.Waiting)
	case *d.InHistory != *d.Stored || *d.Missing != 0 || *d.Extra != 0:
		t.Errorf("of %d readings %d are in the history, %d missing, %d more", *d.Stored, *d.InHistory, *d.Missing, *d.Extra)
	case len(b.Refused) > 0:
		for reason, n := range b.Refused {
			if n != 0 {
				t.Errorf("%d messages refused: %s", n, reason)
			}
		}
	}
}

// storm is a plan with everything that can go wrong on the links.
func storm(p *fleet.Plan, length time.Duration) {
	p.Rate, p.For, p.Backlog, p.Churn = 250, length, 20, 300
	p.Faults = fleet.Faults{Drop: 300, Delay: 20 * time.Millisecond, Withhold: 0.2, Duplicate: 0.2, Reorder: 0.1}
}

func TestFleet_ServerKilledInTheMiddleOfAStormOfFaults(t *testing.T) {
	h := newHouse(t, 50, "", "")
	h.start()
	p, folder := h.plan()
	storm(&p, time.Duration(parttest.Effort(t, 4, 8, 60, 600))*time.Second)
	killed := make(chan struct{})
	mid := p.For / 2
	p.Progress = func(at fleet.Progress) {
		if at.Since < mid || at.Connected == 0 {
			return
		}
		select {
		case <-killed:
		default:
			h.end(syscall.SIGKILL)
			h.start()
			close(killed)
		}
	}
	r := h.send(t.Context(), p, folder)
	whole(t, r)
	select {
	case <-killed:
	default:
		t.Error("INVALID RUN: nobody killed the server")
	}
	b, l := r.Batches, r.Links
	if want := int64(250*p.For.Seconds()) + 50*20; b.Asked < want-5 || b.Asked > want+5 || b.Produced != b.Asked || *b.Stored != b.Produced || *r.Readings.Stored != 6*b.Produced {
		t.Errorf("asked %d, produced %d, stored %d; want %d", b.Asked, b.Produced, *b.Stored, want)
	}
	if b.Repeated == 0 || l.Withheld == 0 || l.Churned == 0 || l.Dropped == 0 || l.Reordered == 0 || l.Rewinds == 0 || b.Published <= b.Produced || l.Sessions < 100 {
		t.Errorf("INVALID RUN: too little went wrong: %+v, %d doubled", l, b.Repeated)
	}
	if r.Backlog.Seconds == nil || r.Latency.N != b.Produced-50*20 {
		t.Errorf("backlog %+v, %d latencies", r.Backlog, r.Latency.N)
	}
}

// TestFleet_OnMosquitto: an outside broker, over TLS, that is killed in the middle and forgets what it acknowledged.
func TestFleet_OnMosquitto(t *testing.T) {
	m := parttest.Mosquitto(t, parttest.MosquittoOptions{MaxQueued: 100_000, MaxInflight: 1000, TLS: true})
	h := newHouse(t, 20, fmt.Sprintf("{ outside: { url: %q, group: aovuon, ca_file: %q } }", m.URL, m.CAFile), m.URL)
	h.start()
	p, folder := h.plan()
	var err error
	if p.TLS, err = uplink.TLSConfig(m.CAFile, time.Now); err != nil {
		t.Fatal(err)
	}
	storm(&p, time.Duration(parttest.Effort(t, 3, 5, 60, 600))*time.Second)
	killed := false
	p.Progress = func(at fleet.Progress) {
		if !killed && at.Since > p.For/2 && at.Receipted > 0 {
			m.Kill()
			m.Start()
			killed = true
		}
	}
	r := h.send(t.Context(), p, folder)
	whole(t, r)
	if !killed || *r.Batches.Stored != r.Batches.Produced || r.Links.Sessions < 40 {
		t.Errorf("INVALID RUN: broker killed %t, %d stored, %d sessions", killed, *r.Batches.Stored, r.Links.Sessions)
	}
}

// TestFleet_TheNextRunGoesOnWhereThisOneStopped: one run hears no receipts and is stopped in the middle; what it sent is stored
// and it does not know. The next sends the same bytes again.
func TestFleet_TheNextRunGoesOnWhereThisOneStopped(t *testing.T) {
	h := newHouse(t, 10, "", "")
	h.start()
	p, folder := h.plan()
	p.Rate, p.For, p.Faults.Withhold = 100, time.Minute, 1
	ctx, stop := context.WithCancel(t.Context())
	p.Progress = func(at fleet.Progress) {
		if at.Since > 2*time.Second {
			stop()
		}
	}
	first := h.send(ctx, p, folder)
	stop()
	b := first.Batches
	if !first.Cut || b.Receipted != 0 || b.Waiting != b.Produced || b.Produced == 0 || *b.Stored == 0 || *b.Lost != 0 || len(first.Failures) != 0 {
		t.Fatalf("%+v %v", b, first.Failures)
	}
	p, folder = h.plan()
	p.Rate, p.Batches = 100, 100
	second := h.send(t.Context(), p, folder)
	whole(t, second)
	if s := second.Batches; s.Carried != b.Waiting || s.Receipted != b.Produced+100 || *s.Stored != b.Produced-*b.Stored+100 || second.Links.NewEpochs != 0 {
		t.Errorf("carried %d of %d; receipted %d, stored %d more", s.Carried, b.Waiting, s.Receipted, *s.Stored)
	}
	var chains int
	for line := range strings.Lines(string(h.once("log", "count"))) {
		if strings.HasPrefix(line, "fl-") {
			chains++
		}
	}
	if chains != 10 {
		t.Errorf("%d epochs of 10 gateways", chains)
	}
}

func TestFleet_SaysWhyNobodyGetsIn(t *testing.T) {
	h := newHouse(t, 2, "", "")
	p, _ := h.plan()
	p.Rate, p.For, p.Witness = 1, time.Second, nil
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	r, chains, err := fleet.Run(ctx, p)
	if err != nil || !r.Cut || len(chains) != 2 || r.Batches.Stored != nil || r.Load != 0 {
		t.Errorf("no broker, and stopped while it waits: %+v, %d chains, %v", r, len(chains), err)
	}
	p.Witness = fleet.Command{"server", "--config", h.path("nowhere.yaml")}
	if _, _, err := fleet.Run(t.Context(), p); err == nil || !strings.Contains(err.Error(), "no file") {
		t.Errorf("a witness that cannot be asked: %v", err)
	}
}

// BenchmarkFleet runs 500 gateways for ten seconds against a server on the same machine.
//
//	batches/s      receipted while the load lasted
//	p99-ms         from when a batch was meant to be sent to its receipt
//	MB             of this process at the end, of the fleet and the test together
func BenchmarkFleet(b *testing.B) {
	for _, rate := range []float64{500, 5000} {
		b.Run(fmt.Sprintf("gateways=500/rate=%g", rate), func(b *testing.B) {
			h := newHouse(b, 500, "", "")
			h.start()
			var r fleet.Result
			for range b.N {
				p, folder := h.plan()
				p.Rate, p.For, p.ReceiptTimeout = rate, 10*time.Second, 15*time.Second
				r = h.send(b.Context(), p, folder)
			}
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			b.ReportMetric(r.Rate.Receipted, "batches/s")
			b.ReportMetric(r.Latency.P99, "p99-ms")
			b.ReportMetric(float64(m.Sys)/(1<<20), "MB")
			b.ReportMetric(0, "ns/op")
		})
	}
}
