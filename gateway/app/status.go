package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"aovuon/gateway/control"
	"aovuon/gateway/doctor"
	"aovuon/gateway/edge"
	"aovuon/gateway/measure"
	"aovuon/gateway/scan"
	"aovuon/gateway/sense"
	"aovuon/gateway/status"
	"aovuon/gateway/uplink"
	"aovuon/gateway/wire"
)

// logKept is how many bytes of the last hour's log are kept for the installer's page.
const logKept = 2 << 20

// view shows a running gateway to the installer's page and to the control socket.
type view struct {
	g       *gateway
	conf    *reloader
	clock   sense.Clock
	lines   *status.Log
	watch   *status.Watch
	up      *uplink.Uplink
	rules   *edge.Runner
	station *sense.Station
	scans   sync.Mutex // one at a time

	mu     sync.Mutex
	linked bool
	since  time.Duration // uptime when the link came or went
}

func newView(g *gateway, conf *reloader, lines *status.Log, clock sense.Clock) *view {
	return &view{g: g, conf: conf, clock: clock, lines: lines, watch: status.NewWatch(), since: clock.Now().Uptime}
}

// setLink is told whether batches reach the server.
func (v *view) setLink(up bool) {
	v.g.sealer.SetLink(up)
	v.mu.Lock()
	defer v.mu.Unlock()
	if up != v.linked {
		v.linked, v.since = up, v.clock.Now().Uptime
	}
}

// snapshot is how the gateway stands now.
func (v *view) snapshot(ctx context.Context) status.Snapshot {
	p, now := v.conf.present(), v.clock.Now()
	st, counts := v.g.status(ctx), v.up.Counters()
	s := status.Snapshot{
		Gateway: p.cfg.Gateway, Version: version(), Server: p.cfg.Server.URL, Clock: now.Clock.String(), Uptime: int64(now.Uptime / time.Second),
		Receipts: counts.Receipts, Pending: st.Pending, Sealed: st.Sealed, Bytes: st.Bytes, Dropped: st.Dropped, Thinned: st.Thinned, Health: st.Health,
	}
	if now.Clock != measure.Unsynced {
		s.Time = now.Wall
	}
	if last := v.up.LastReceipt(); !last.IsZero() {
		age := int64(time.Since(last) / time.Second)
		s.ReceiptAge = &age
	}
	v.mu.Lock()
	s.Link, s.LinkFor = v.linked, int64((now.Uptime-v.since)/time.Second)
	v.mu.Unlock()
	if err := v.up.Failure(); err != nil && !s.Link {
		s.LinkWhy, s.LinkError = string(uplink.CauseOf(err)), err.Error()
	}
	busOf := map[string]string{}
	for _, c := range p.channels {
		busOf[c.ID] = c.Bus
	}
	v.watch.Keep(p.sensors())
	s.Channels = v.watch.Channels(now.Uptime, func(r measure.Reading) string {
		if r.Quality == measure.Fault {
			return v.station.Cause(r.Sensor)
		}
		k, ok := p.board.Newest(r.Sensor, r.Quantity)
		if !ok || k.Quality != r.Quality {
			return ""
		}
		return k.Doubt.Why
	}, func(sensor string) string { return busOf[sensor] })
	return s
}

// newest is the newest reading of everything in the plan that gives readings.
func (v *view) newest() []measure.Reading {
	v.watch.Keep(v.conf.present().sensors())
	return v.watch.Newest()
}

// scanAnswer is what a scan through the control socket gives.
type scanAnswer struct {
	scan.Report
	Proposal string `json:"proposal,omitempty"`
}

// look scans the buses of the configuration and of the machine, each address in its turn among the polls.
func (v *view) look(ctx context.Context, f scanFlags) (scanAnswer, error) {
	o, err := f.options()
	if err != nil {
		return scanAnswer{}, err
	}
	cfg := v.conf.present().cfg
	o.Clock, o.Hold, o.Sensors = v.clock, v.station.Do, cfg.Sensors
	buses, err := busesToScan(v.conf.planner.buses, f.known(cfg.Buses), f.Bus, v.clock)
	if err != nil {
		return scanAnswer{}, err
	}
	if !v.scans.TryLock() {
		return scanAnswer{}, errors.New("app: another scan is under way: wait for it")
	}
	defer v.scans.Unlock()
	v.g.log.Info("buses are scanned", slog.Int("buses", len(buses)))
	r, err := scan.Look(ctx, buses, o)
	return scanAnswer{r, r.Propose(cfg.Sensors, cfg.Buses)}, err
}

// mount serves status and scan on the control socket; FORMAT.md beside this file lists the paths.
func (v *view) mount(mux *http.ServeMux) {
	mux.Handle("GET /v1/status", control.Handle(func(r *http.Request) (any, error) { return v.snapshot(r.Context()), nil }))
	mux.Handle("POST /v1/scan", control.Handle(func(r *http.Request) (any, error) {
		var f scanFlags
		if err := control.Read(r, &f); err != nil {
			return nil, err
		}
		f.Root = "/"
		a, err := v.look(r.Context(), f)
		if err != nil && r.Context().Err() == nil {
			return nil, control.Refuse("scan", "%v", err)
		}
		return a, err
	}))
}

// serve shows the installer's page until ctx is done. A page that cannot be shown costs no reading, and is tried again.
func (v *view) serve(ctx context.Context) {
	cfg := v.conf.present().cfg
	if cfg.Status.Listen == "" {
		return
	}
	persist(ctx, func(ctx context.Context) error { return v.servePage(ctx, cfg) }, func(err error) {
		v.g.log.Error("the installer's page cannot be shown", slog.String("listen", cfg.Status.Listen), slog.Any("err", err))
	})
}

func (v *view) servePage(ctx context.Context, cfg *Config) error {
	pin, err := ensurePIN(cfg.Status.PINFile)
	if err != nil {
		return err
	}
	host, err := os.Hostname()
	if err != nil {
		host = "" // then the page is asked for by its address
	}
	desk := v.conf.present().desk
	s, err := status.New(status.Options{
		Snapshot: v.snapshot, Targets: desk.Targets, Desk: desk, Log: v.lines, PIN: pin, Hosts: []string{host, cfg.Gateway}, Now: time.Now,
		Edge: v.rules.Status, Override: v.rules.SetOverride,
		Scan: func(ctx context.Context) (scan.Report, error) {
			a, err := v.look(ctx, scanFlags{Units: allUnits, Root: "/"})
			return a.Report, err
		},
	})
	if err != nil {
		return err
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", cfg.Status.Listen)
	if err != nil {
		return fmt.Errorf("app: %w: free the port, or name another as status.listen", err)
	}
	v.g.log.Info("installer's page", slog.String("url", "http://"+l.Addr().String()+"/"))
	return s.Serve(ctx, l)
}

// ensurePIN reads the PIN, and makes it where there is none.
func ensurePIN(path string) (string, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		pin := status.NewPIN()
		if err := wire.WriteFile(path, []byte(pin+"\n"), 0o600); err != nil {
			return "", err
		}
		if owner := doctor.Owner(filepath.Dir(path)); os.Getuid() == 0 && owner > 0 { // sudo gateway pin: the gateway must read it
			if err := os.Chown(path, owner, -1); err != nil {
				return "", fmt.Errorf("app: PIN: %w", err)
			}
		}
		return pin, nil
	}
	if err != nil {
		return "", fmt.Errorf("app: PIN: %w", err)
	}
	pin := strings.TrimSpace(string(raw))
	if len(pin) < 6 || len(pin) > 16 {
		return "", fmt.Errorf("app: PIN: %s: want 6 to 16 characters in one line; remove the file and a new one is made", path)
	}
	return pin, nil
}

func printPIN(cfg *Config, stdout io.Writer) error {
	pin, err := ensurePIN(cfg.Status.PINFile)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(stdout, pin)
	return err
}

// askRunning asks the gateway that works in the data folder how it stands.
func askRunning(ctx context.Context, cfg *Config) (s status.Snapshot, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	err = control.NewClient(cfg.DataDir).Call(ctx, http.MethodGet, "/v1/status", nil, &s)
	if err != nil {
		return s, fmt.Errorf("app: the gateway runs and does not say how it stands: %w", err)
	}
	return s, nil
}

// answersOf makes of a running gateway's newest readings what asking its channels would give.
func answersOf(s status.Snapshot) (out []answer) {
	for _, c := range s.Channels {
		a := answer{Cause: c.Why, Reading: measure.Reading{Sensor: c.Sensor, Quantity: c.Quantity, Reason: measure.FaultReason(c.Reason), Inputs: c.Inputs}}
		a.Quality, _ = measure.ParseQuality(c.Quality)
		a.Time.Wall = c.Time
		a.Time.Clock, _ = measure.ParseClockState(s.Clock)
		if c.Value != nil {
			a.Value = *c.Value
		}
		if c.Raw != nil {
			a.Raw, a.Filtered = *c.Raw, true
		}
		out = append(out, a)
	}
	return out
}
