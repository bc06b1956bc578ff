package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"runtime/debug"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"golang.org/x/sync/errgroup"

	"aovuon/gateway/bus"
	"aovuon/gateway/measure"
	"aovuon/gateway/seal"
	"aovuon/gateway/sense"
	"aovuon/gateway/spool"
	"aovuon/gateway/status"
	"aovuon/gateway/update"
	"aovuon/gateway/uplink"
	"aovuon/gateway/wire"
)

func check(path string, stdout io.Writer, log *slog.Logger) (err error) {
	buses := bus.NewSet(log)
	defer func() { err = errors.Join(err, buses.Close()) }()
	p, err := makePlan(path, buses, sense.NewSystemClock(sense.SystemClockOptions{}), true)
	if err != nil {
		return err
	}
	if err := p.cfg.exposed(); err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "%s: good: gateway %s, %d sensors, server %s\n", path, p.cfg.Gateway, len(p.cfg.Sensors), p.cfg.Server.URL)
	return err
}

// run is the gateway: it returns when ctx is done, or when another program is to be tried in its place (replaced), and everything
// read is on disk, sealed.
func run(ctx context.Context, path string, log *slog.Logger, t *tenure) (replaced bool, err error) {
	if enrolled, err := awaitEnrolment(ctx, path, log); err != nil || !enrolled {
		return false, err
	}
	buses := bus.NewSet(log)
	defer func() { err = errors.Join(err, buses.Close()) }()
	file, err := readConfig(path)
	if err != nil {
		return false, err
	}
	cfg, err := parse(path, file)
	if cfg == nil {
		return false, err
	}
	lines := status.NewLog(logKept, time.Hour)
	if cfg.Status.Listen != "" {
		log = slog.New(slog.NewMultiHandler(log.Handler(), lines))
	}
	log = log.With(slog.String("gateway", cfg.Gateway))
	root := os.Getenv(sense.MachineVariable)
	clock := sense.NewSystemClock(sense.SystemClockOptions{AssumeSynced: cfg.Clock.AssumeSynced, Root: root, Simulated: root != ""})
	if root != "" {
		log.Warn("this machine is a simulated one: its clock and supply are what a folder says", slog.String("machine", root))
	}
	conf, bad := newReloader(path, file, cfg, newPlanner(cfg, buses, clock), clock, log)
	if err := errors.Join(err, bad); err != nil {
		return false, err
	}
	p := conf.plan
	g, err := prepare(p, clock, log)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, g.close()) }()
	tlsConfig, err := cfg.tlsConfig(notBefore(cfg, clock.Wall))
	if err != nil {
		return false, err
	}
	v := newView(g, conf, lines, clock)
	beside := g.newSide(p, clock, root, v.watch)
	v.rules = beside.rules
	up := uplink.New(g.spool, uplink.Options{
		Gateway: cfg.Gateway, URL: cfg.Server.URL, Password: p.secrets.password, TLS: tlsConfig, Server: p.secrets.server,
		Desired: conf.Desired, Receipt: t.receiptsFor(g),
		Sealed: g.sealer.Sealed(), Link: beside.link(v.setLink), Status: g.status, Now: time.Now, Log: log,
		Renew: func(ctx context.Context, cause error) error { return g.sealer.Renew(ctx, cause, clock.Now()) },
	})
	if err := clock.Check(); err != nil {
		log.Warn("readings have no time", slog.Any("err", err))
	}
	if err := cfg.exposed(); err != nil { // a gateway at a pond goes on; who installs it is told by check and doctor
		log.Warn("a secret is not private", slog.Any("err", err))
	}
	beside.show(g, v.newest, up)
	log.Info("started", slog.Int("sensors", len(p.channels)), slog.String("version", version()))
	v.up, v.station = up, sense.NewStation(clock, p.channels, log)
	ctx, leave := context.WithCancel(ctx)
	defer leave()
	updater := v.newUpdater(t, func() { // called by what g.work runs
		replaced = true
		leave()
	})
	g.upkeep = func(ctx context.Context) error { return t.upkeep(ctx, g, updater) }
	g.mount = func(mux *http.ServeMux) { mountUpdate(mux, t, updater.Wake) }
	conf.parts.program = t.standsToProgram(updater)
	if err := g.work(ctx, v, conf, beside, up); err != nil {
		return false, fmt.Errorf("app: %w", err)
	}
	t.worked(log)
	log.Info("stopped; everything read is on disk")
	return replaced, nil
}

// gateway is what is open while the program works.
type gateway struct {
	log    *slog.Logger
	dir    string // the data folder
	lock   folderLock
	spool  *spool.Keeper
	sealer *seal.Sealer

	receipts chan []byte                     // that a program on trial has to show
	upkeep   func(ctx context.Context) error // of the program itself
	mount    func(mux *http.ServeMux)        // more for the control socket
}

// prepare locks the data folder and makes what keeps readings in it. It opens no spool: the sealer does, and tries again
// while the disk is full, read-only or failing, so that sampling begins whatever the disk says.
func prepare(p *plan, clock sense.Clock, log *slog.Logger) (*gateway, error) {
	if err := os.MkdirAll(p.cfg.DataDir, 0o700); err != nil { // one that is there is no error, read-only or not
		return nil, fmt.Errorf("app: data folder: %w", err)
	}
	lock, err := lockFolder(p.cfg.DataDir)
	if err != nil {
		return nil, err
	}
	quota := uint64(p.cfg.Spool.Quota)
	keeper := spool.NewKeeper(p.cfg.spoolFile(), quota, func() time.Time {
		if at := clock.Now(); at.Clock != measure.Unsynced {
			return at.Wall
		}
		return time.Now() // a wrong date tells a set-aside file from another as well as a right one
	}, log)
	return &gateway{log: log, dir: p.cfg.DataDir, lock: lock, spool: keeper, receipts: make(chan []byte, 1), sealer: seal.New(keeper, seal.Options{
		Gateway: p.cfg.Gateway, Signer: p.secrets.signer, Quota: quota, Now: clock.Now, Log: log,
		CommitEvery: p.cfg.Seal.CommitEvery, Every: p.cfg.Seal.Every, OfflineEvery: p.cfg.Seal.OfflineEvery,
		Ahead: p.ahead,
	})}, nil
}

// open is prepare for those who cannot wait for a disk.
func open(ctx context.Context, p *plan, clock sense.Clock, log *slog.Logger) (*gateway, error) {
	g, err := prepare(p, clock, log)
	if err != nil {
		return nil, err
	}
	if err := g.spool.Open(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("app: %w", err), g.close())
	}
	return g, nil
}

func (g *gateway) close() error { return errors.Join(g.spool.Close(), g.lock.Close()) }

// work runs the parts until ctx is done. They stop in the order of the flow: when sensing has ended the last readings
// are sealed, and then the link is closed.
func (g *gateway) work(ctx context.Context, v *view, conf *reloader, beside *side, up *uplink.Uplink) error {
	desk, station := conf.plan.desk, v.station
	station.Watch(v.watch)
	conf.parts = parts{
		program: conf.parts.program,
		replace: station.Replace, rules: func(p *plan) { beside.rules.Replace(p.edge, p.relays) }, after: beside.keep,
		intervals: g.sealer.SetIntervals, document: g.sealer.TakeDocument,
	}
	group, ctx := errgroup.WithContext(ctx)
	sealing, sensed := context.WithCancel(context.WithoutCancel(ctx))
	sending, sealed := context.WithCancel(context.WithoutCancel(ctx))
	defer sensed()
	defer sealed()
	group.Go(func() error {
		defer sensed()
		defer g.openDesk(ctx, desk, station)()
		return g.sense(ctx, station, beside, conf)
	})
	group.Go(func() error { return conf.run(ctx) })
	group.Go(func() error {
		g.control(ctx, desk, conf.mount, v.mount, g.mount, func(mux *http.ServeMux) { mountEdge(mux, beside.rules) })
		return nil
	})
	group.Go(func() error {
		v.serve(ctx)
		return nil
	})
	group.Go(func() error {
		defer sealed()
		return g.sealer.Run(sealing)
	})
	group.Go(func() error { return up.Run(sending) })
	group.Go(func() error { return g.watchdog(ctx) })
	group.Go(func() error { return g.upkeep(ctx) })
	if err := notify(daemon.SdNotifyReady); err != nil {
		g.log.Warn("systemd was not told", slog.Any("err", err))
	}
	return group.Wait()
}

// sense runs everything readings come from.
func (g *gateway) sense(ctx context.Context, station *sense.Station, beside *side, conf *reloader) error {
	group, ctx := errgroup.WithContext(ctx)
	beside.watch(station) // also what a channel does not find worth sending
	station.Watch(conf)
	group.Go(func() error { return beside.run(ctx) })
	group.Go(func() error { return station.Run(ctx, g.sealer) })
	return group.Wait()
}

// watchdog tells systemd that the program is alive: that the sealer answers.
func (g *gateway) watchdog(ctx context.Context) error {
	every, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		return fmt.Errorf("systemd watchdog: %w", err)
	}
	if every > 0 {
		t := time.NewTicker(every / 2)
		defer t.Stop()
		for beating := true; beating; {
			select {
			case <-ctx.Done():
				beating = false
			case <-t.C:
				g.sealer.Health() // hangs when the sealer does, and then there is no beat
				err = notify(daemon.SdNotifyWatchdog)
			}
			if err != nil {
				g.log.Warn("systemd was not told", slog.Any("err", err))
			}
		}
	}
	<-ctx.Done()
	return notify(daemon.SdNotifyStopping)
}

func notify(state string) error {
	_, err := daemon.SdNotify(false, state)
	return err
}

// status is what the gateway says about itself.
func (g *gateway) status(ctx context.Context) wire.Status {
	h := g.sealer.Health()
	s := wire.Status{Health: "ok", Dropped: h.Dropped, Thinned: h.Thinned, Version: version()}
	st, err := g.spool.Stats(ctx)
	s.Bytes = st.Bytes - st.Free
	s.Epoch, s.Next, s.Pending, s.Sealed = st.Epoch, st.NextSeq, st.Pending, st.Sealed
	for _, e := range []error{h.Err, err} {
		if e != nil {
			s.Health = "disk: " + e.Error()
		}
	}
	return s
}

// version is of this program, as people and the server are told it.
func version() string {
	if v := update.Built().Version; v != "" {
		return string(v)
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	return info.Main.Version
}

// notBefore is the clock certificates are checked with: never before a time that is known to have passed, when the program
// was built or the last file written. A Raspberry Pi has no battery and wakes in 1970, before every certificate.
func notBefore(cfg *Config, machine func() time.Time) func() time.Time {
	floor := sense.BuiltAt()
	for _, path := range []string{cfg.spoolFile(), cfg.KeyFile, cfg.PasswordFile, cfg.Server.KeyFile, cfg.Server.CAFile, cfg.path} {
		if info, err := os.Stat(path); err == nil && info.ModTime().After(floor) {
			floor = info.ModTime()
		}
	}
	return func() time.Time {
		if now := machine(); now.After(floor) {
			return now
		}
		return floor
	}
}
