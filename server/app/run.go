package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"golang.org/x/sync/errgroup"

	"aovuon/server/account"
	"aovuon/server/backup"
	"aovuon/server/desired"
	"aovuon/server/diary/desk"
	"aovuon/server/enrol"
	"aovuon/server/history"
	"aovuon/server/history/influx"
	"aovuon/server/ingest"
	"aovuon/server/ledger"
	"aovuon/server/pki"
	"aovuon/server/project"
	"aovuon/server/sqldb"
	"aovuon/server/trace"
	"aovuon/server/trace/flow"
	"aovuon/server/trace/scan"
	"aovuon/server/watch"
)

type runCmd struct{}

// Run runs the server until ctx ends.
func (runCmd) Run(e *env) (err error) {
	c, err := LoadConfig(e.config)
	if err != nil {
		return err
	}
	s, err := start(e, c)
	if err != nil && e.ctx.Err() != nil { // told to stop while it started: that is no failure
		e.log.Info("stopped while it started", slog.Any("err", err))
		return nil //nolint:nilerr // logged above; asked to stop is not failed
	}
	if err != nil {
		return err
	}
	return errors.Join(s.run(e), s.close())
}

// running is a server that was started.
type running struct {
	config  Config
	log     *slog.Logger
	now     func() time.Time
	started time.Time

	db             *sqldb.DB
	history        history.Store
	ledger         *ledger.Publisher
	witnesses      *ledger.Gatherer // nil: nobody is asked
	policy         *ledger.Policy   // nil: none
	registry       *ingest.Registry
	notebook       *ingest.Notebook
	broker         *brokerPart
	ingest         *ingest.Ingest
	outbox         *desired.Outbox
	recent         *project.Recent
	places         *project.Places
	dater          *project.Dater
	live           *watch.Live
	liveProjection *project.Live
	liveRunner     atomic.Pointer[project.Runner]
	historyRunner  *project.Runner
	settingsRunner *project.Runner
	calibrations   *project.Runner
	accounts       *account.Service
	disk           *diskWatch
	desk           *desk.Desk // made with the pages
	goods          *flow.Desk // made with the pages
	scans          *scan.Service
	nightly        *backup.Nightly // nil: no backups are made by themselves
	metrics        *prometheus.Registry
	listener       net.Listener
	web            *http.Server
	authority      *pki.Authority // nil: not used
	enrol          *enrol.Server
	plain          *http.Server // leads to TLS; nil: none
	plainListener  net.Listener

	closers []func() error // in the order they were opened
}

// start opens everything, in the order of dependence. What was opened before an error is closed again: nothing starts
// half.
func start(e *env, c Config) (s *running, err error) {
	s = &running{config: c, log: e.log, now: e.now, started: e.now(), live: watch.NewLive(), metrics: prometheus.NewRegistry()}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
			s = nil
		}
	}()
	signer, vkey, err := c.loadKey()
	if err != nil {
		return s, err
	}
	release, err := lockData(c.DataDir)
	if err != nil {
		return s, err
	}
	s.closers = append(s.closers, release)
	if s.db, err = c.openDB(e.ctx); err != nil {
		return s, err
	}
	s.closers = append(s.closers, s.db.Close)
	if s.accounts, err = newAccounts(e.ctx, c, s.db, s.now, s.log); err != nil {
		return s, err
	}
	if s.history, err = c.openHistory(e.ctx); err != nil {
		return s, err
	}
	s.closers = append(s.closers, s.history.Close)
	if err := s.openLedger(e.ctx); err != nil {
		return s, err
	}
	// The pages' address first: it is what a second server on this machine would trip over.
	var lc net.ListenConfig
	if s.listener, err = lc.Listen(e.ctx, "tcp", c.Listen); err != nil {
		return s, fmt.Errorf("listen: %w: is another program there? set listen in %s", err, e.config)
	}
	s.closers = append(s.closers, s.closeListener)
	if s.authority, err = c.authority(e.now()); err != nil {
		return s, err
	}
	s.disk = &diskWatch{dir: c.DataDir, end: s.db.LogEnd, now: s.now, log: s.log, last: -1}
	if err := s.openIngest(e, signer); err != nil {
		return s, err
	}
	if err := s.openBackups(e); err != nil {
		return s, err
	}
	if s.enrol, err = s.enrolment(signer, vkey, s.authority); err != nil {
		return s, err
	}
	s.openProjections()
	if s.scans, err = s.newScans(); err != nil {
		return s, err
	}
	return s, s.openWeb(e)
}

func (s *running) openProjections() {
	s.places, s.dater = project.NewPlaces(s.db, s.now), project.NewDater(s.db)
	s.historyRunner = project.NewRunner(project.RunnerOptions{
		Projection: project.NewHistory(s.history, s.places, s.dater, s.db, s.log), Source: s.recent, Cursors: s.db, Wake: s.recent.Wake(),
		Linger: 20 * time.Millisecond, SaveEvery: 500 * time.Millisecond, Now: s.now, Log: s.log,
	})
	s.settingsRunner = project.NewRunner(project.RunnerOptions{
		Projection: project.NewSettings(s.db, s.log), Source: s.recent, Cursors: s.db, Wake: s.recent.Wake(),
		Linger: 20 * time.Millisecond, SaveEvery: 500 * time.Millisecond, Now: s.now, Log: s.log,
	})
	s.calibrations = project.NewRunner(project.RunnerOptions{
		Projection: project.NewCalibrations(s.db, s.dater), Source: s.recent, Cursors: s.db, Wake: s.recent.Wake(),
		Linger: 20 * time.Millisecond, SaveEvery: 5 * time.Second, Now: s.now, Log: s.log,
	})
	s.liveProjection = project.NewLive(s.live, s.places, s.dater)
}

// run works until ctx ends or a part fails for good.
func (s *running) run(e *env) error {
	g, ctx := errgroup.WithContext(e.ctx)
	g.Go(func() error { return s.registry.Run(ctx) })
	g.Go(func() error { return s.notebook.Run(ctx) })
	g.Go(func() error { return s.ingest.Run(ctx) })
	g.Go(func() error { return s.outbox.Run(ctx) })
	g.Go(func() error { return s.runHistory(ctx) })
	g.Go(func() error { return s.calibrations.Run(ctx) })
	g.Go(func() error { return s.runLive(ctx) })
	g.Go(func() error { return s.settingsRunner.Run(ctx) })
	g.Go(func() error { return trace.NewWorker(s.db, s.db, s.history, s.now, s.log).Run(ctx) })
	g.Go(func() error { return s.runDiary(ctx, s.desk) })
	g.Go(func() error { return s.scans.Run(ctx) })
	g.Go(func() error { return s.ledger.Run(ctx) })
	if s.witnesses != nil {
		g.Go(func() error { return s.witnesses.Run(ctx) })
	}
	g.Go(func() error { return ledger.RunDaily(ctx, s.db, s.now, s.log) })
	if s.nightly != nil {
		g.Go(func() error { return s.nightly.Run(ctx) })
	}
	g.Go(func() error { return s.serve(ctx) })
	g.Go(func() error { return s.servePlain(ctx) })
	g.Go(func() error { return s.watchdog(ctx) })
	g.Go(func() error { return s.disk.run(ctx) })
	s.log.Info("server started", slog.String("pages", s.listener.Addr().String()), slog.String("broker", s.broker.state().Address),
		slog.String("database", s.config.Database.Driver), slog.String("history", s.config.History.Engine))
	if err := announce(ctx, s.deps(ctx.Done()), e.stdout); err != nil {
		s.log.Warn("sample label cannot be shown", slog.Any("err", err))
	}
	if err := printSetup(ctx, s.config, s.accounts, e.by(), e.stdout); err != nil {
		s.log.Warn("no setup link", slog.Any("err", err))
	}
	err := g.Wait()
	s.log.Info("server stops")
	return err
}

// runHistory follows the log. An InfluxDB that is asked for its database before it is up is asked again.
func (s *running) runHistory(ctx context.Context) error {
	if db, ok := s.history.(*influx.Store); ok {
		for {
			err := db.CreateDatabase(ctx)
			if err == nil || !errors.Is(err, history.ErrUnavailable) {
				break // 2.x and 3 Core make theirs with their own tools; a first write says what is wrong
			}
			s.log.Warn("history waits", slog.Any("err", err))
			t := time.NewTimer(2 * time.Second)
			select {
			case <-ctx.Done():
				t.Stop()
				return nil
			case <-t.C:
			}
		}
	}
	return s.historyRunner.Run(ctx)
}

// runLive fills the newest values from the log's end and leads them on.
func (s *running) runLive(ctx context.Context) error {
	var from int64
	for {
		var err error
		if from, err = s.liveProjection.Warm(ctx, s.db); err == nil {
			break
		}
		if ctx.Err() == nil {
			s.log.Warn("live values wait", slog.Any("err", err))
		}
		t := time.NewTimer(time.Second)
		select {
		case <-ctx.Done():
			t.Stop()
			return nil
		case <-t.C:
		}
	}
	r := project.NewRunner(project.RunnerOptions{
		Projection: s.liveProjection, Source: s.recent, Start: from, Wake: s.recent.Wake(), Linger: 10 * time.Millisecond,
		Now: s.now, Log: s.log,
	})
	s.liveRunner.Store(r)
	return r.Run(ctx)
}

// close closes what start opened, the last first.
func (s *running) close() error {
	var errs []error
	for _, c := range slices.Backward(s.closers) {
		errs = append(errs, c())
	}
	s.closers = nil
	return errors.Join(errs...)
}

func (s *running) deps(done <-chan struct{}) deps {
	d := deps{
		db: s.db, accounts: s.accounts, history: s.history, live: s.live, config: s.config, authority: s.authority, logKey: s.logKey(), scans: s.scans, system: s.system, log: s.log, now: s.now, stuck: s.stuck, done: done,
	}
	s.desk = newDesk(d)
	d.desk = s.desk
	s.goods = newGoods(d)
	d.goods = s.goods
	return d
}

func (s *running) openMetrics() error {
	position := func(name string, runner func() *project.Runner) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "aovuon_projection_position", Help: "Position in the batch log up to which the projection's effect is durable.",
			ConstLabels: prometheus.Labels{"projection": name},
		}, func() float64 {
			r := runner()
			if r == nil {
				return 0
			}
			at, _ := r.Status()
			return float64(at)
		})
	}
	return errors.Join(s.metrics.Register(collectors.NewGoCollector()),
		s.metrics.Register(collectors.NewProcessCollector(collectors.ProcessCollectorOpts{})),
		s.metrics.Register(position("history", func() *project.Runner { return s.historyRunner })),
		s.metrics.Register(position(project.SettingsName, func() *project.Runner { return s.settingsRunner })),
		s.metrics.Register(position(project.CalibrationsName, func() *project.Runner { return s.calibrations })),
		s.metrics.Register(position("live", s.liveRunner.Load)),
		s.metrics.Register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "aovuon_disk_writable", Help: "Whether the disk of the data folder takes what is written to it.",
		}, func() float64 {
			if s.disk.Trouble() == "" {
				return 1
			}
			return 0
		})))
}
