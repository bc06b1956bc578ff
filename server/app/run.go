package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/sync/errgroup"

	"aovuon/server/account"
	"aovuon/server/backup"
	"aovuon/server/desired"
	"aovuon/server/diary/desk"
	"aovuon/server/enrol"
	"aovuon/server/history/keeper"
	"aovuon/server/ingest"
	"aovuon/server/ledger"
	"aovuon/server/peers"
	"aovuon/server/pki"
	"aovuon/server/project"
	"aovuon/server/project/generation"
	"aovuon/server/sqldb"
	"aovuon/server/trace/flow"
	"aovuon/server/trace/scan"
	"aovuon/server/tracing"
	"aovuon/server/watch"
	"aovuon/server/watch/blight"
	"aovuon/server/watch/dawn"
	"aovuon/server/watch/drying"
	"aovuon/server/watch/rule"
	"aovuon/server/watch/soil"
	"aovuon/server/web"
)

type runCmd struct{}

// Run runs the server until ctx ends.
func (runCmd) Run(e *env) error {
	if os.Getenv("GOGC") == "" {
		// At full load a seventh of the CPU went into collecting garbage; this halves it, for about 100 MB more then, and nothing while little comes.
		debug.SetGCPercent(200)
	}
	var desk *setupDesk // nil: no setup page was needed
	defer func() {
		if desk != nil {
			desk.close()
		}
	}()
	for {
		var c Config
		var err error
		if desk, c, err = e.settled(desk); err != nil {
			if e.ctx.Err() != nil {
				return nil
			}
			return err
		}
		s, err := start(e, c)
		switch {
		case err != nil && e.ctx.Err() != nil: // told to stop while it started: that is no failure
			e.log.Info("stopped while it started", slog.Any("err", err))
			return nil
		case err != nil && desk != nil && !desk.over():
			if err := desk.failed(err); err != nil {
				return err
			}
			continue
		case err != nil:
			return err
		}
		if desk != nil && !desk.over() {
			err = s.leadOn(e, desk)
		}
		if err == nil {
			err = s.run(e)
		}
		if err = errors.Join(err, s.close()); !errors.Is(err, errAnew) {
			return err
		}
		e.log.Info("the server starts anew with other settings")
	}
}

// running is a server that was started.
type running struct {
	config     Config
	configFile string
	log        *slog.Logger
	now        func() time.Time
	started    time.Time
	holder     string // this run of this process, in leases
	leads      *leads
	peers      *peers.Peer // nil: there are none on SQLite
	opened     atomic.Bool // everything below is there

	db             *sqldb.DB
	history        *generation.Live
	ledger         *ledger.Publisher
	witnesses      *ledger.Gatherer // nil: nobody is asked
	policy         *ledger.Policy   // nil: none
	registry       *ingest.Registry
	notebook       *ingest.Notebook
	broker         *brokerPart
	ingest         *ingest.Ingest
	intakes        *intakes
	outbox         *desired.Outbox
	recent         *project.Recent
	places         *project.Places
	dater          *project.Dater
	live           *watch.Live
	liveProjection *project.Live
	liveRunner     atomic.Pointer[project.Runner]
	historyRunner  atomic.Pointer[project.Runner] // of the generation in use
	historyWritten *measured
	keeper         atomic.Pointer[keeper.Keeper] // of the generation in use
	settingsRunner *project.Runner
	calibrations   *project.Runner
	accounts       *account.Service
	disk           *diskWatch
	desk           *desk.Desk // made with the pages
	goods          *flow.Desk // made with the pages
	scans          *scan.Service
	board          *rule.Board   // what the slow rules decided last
	soil           *soil.Service // one of them
	drying         *drying.Rule  // what dries in sheds
	alarms         *alarms
	dawn           *dawn.Rule // what the coming dawn is like
	blight         *blight.Watch
	told           *told
	nightly        *backup.Nightly // nil: no backups are made by themselves
	metrics        *prometheus.Registry
	traffic        *traffic
	tracer         *tracing.Tracer             // nil: nothing is traced
	homeAssistant  func(context.Context) error // nil: nobody is told
	renew          chan struct{}               // asked to start anew, with other settings
	renewed        atomic.Bool                 // it was
	leaving        atomic.Bool                 // asked to stop
	listener       net.Listener
	pages          *web.Server
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
	s = &running{config: c, configFile: e.config, log: e.log, now: e.now, started: e.now(), live: watch.NewLive(), board: rule.NewBoard(), leads: newLeads(), metrics: prometheus.NewRegistry(), renew: make(chan struct{}, 1)}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
			s = nil
		}
	}()
	if s.holder, err = newHolder(c.Name); err != nil {
		return s, err
	}
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
	if c.office() {
		if err := s.openOffice(e.ctx); err != nil {
			return s, err
		}
	}
	if err := s.enterPeers(e.ctx, vkey); err != nil {
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
	s.recent = project.NewRecent(s.db)
	if err := s.openTraces(e.ctx); err != nil {
		return s, err
	}
	if c.has(roleIngest) {
		if err := s.openIngest(e, signer); err != nil {
			return s, err
		}
	}
	if c.office() {
		if err := s.openWorks(e, signer, vkey); err != nil {
			return s, err
		}
	}
	if err := s.openWeb(e); err != nil {
		return s, err
	}
	s.opened.Store(true)
	return s, nil
}

// openOffice opens what lies beside the batch log.
func (s *running) openOffice(ctx context.Context) (err error) {
	c := s.config
	if s.accounts, err = newAccounts(ctx, c, s.db, s.now, s.log); err != nil {
		return err
	}
	if s.history, err = generation.Open(ctx, s.db, c.engine(), s.log); err != nil {
		return err
	}
	s.closers = append(s.closers, s.history.Close)
	s.blight, s.soil, s.drying = blight.New(s.db, s.history), soil.New(s.db, s.history), drying.New(s.db, s.history)
	return s.openLedger(ctx)
}

// openWorks makes what is drawn, watched, told and shown.
func (s *running) openWorks(e *env, signer note.Signer, vkey string) (err error) {
	if err := s.openBackups(e); err != nil {
		return err
	}
	if s.enrol, err = s.enrolment(signer, vkey, s.authority); err != nil {
		return err
	}
	if err := s.openProjections(); err != nil {
		return err
	}
	if err := s.openNotify(e); err != nil {
		return err
	}
	s.scans, err = s.newScans()
	return err
}

func (s *running) openProjections() error {
	written, err := newMeasured(s.metrics, s.history, s.now)
	if err != nil {
		return err
	}
	s.dawn = dawn.New(dawn.Options{Farm: s.db, History: s.history, Diary: s.db, Store: s.db})
	s.places, s.dater = project.NewPlaces(s.db, s.now), project.NewDater(s.db)
	s.historyWritten = written
	now, _ := s.history.Generation()
	s.newHistoryRunner(now)
	s.newKeeper()
	s.settingsRunner = project.NewRunner(project.RunnerOptions{
		Projection: project.NewSettings(s.db, s.log), Source: s.recent, Cursors: s.db, Wake: s.recent.Wake(),
		Linger: 20 * time.Millisecond, SaveEvery: 500 * time.Millisecond, Now: s.now, Log: s.log,
	})
	s.calibrations = project.NewRunner(project.RunnerOptions{
		Projection: project.NewCalibrations(s.db, s.dater), Source: s.recent, Cursors: s.db, Wake: s.recent.Wake(),
		Linger: 20 * time.Millisecond, SaveEvery: 5 * time.Second, Now: s.now, Log: s.log,
	})
	s.liveProjection = project.NewLive(s.live, s.places, s.dater)
	s.openAlarms()
	return nil
}

// run works until ctx ends or a part fails for good.
func (s *running) run(e *env) error {
	defer context.AfterFunc(e.ctx, func() { s.leaving.Store(true) })()
	g, ctx := errgroup.WithContext(e.ctx)
	s.work(ctx, g)
	g.Go(func() error { return s.awaitRenewal(ctx) })
	s.log.Info("server started", slog.String("pages", s.listener.Addr().String()), slog.String("broker", s.brokerState().Address),
		slog.String("database", s.config.Database.Driver), slog.String("history", s.config.History.Engine), slog.Any("roles", s.config.roles()))
	if s.config.has(roleWeb) {
		if err := announce(ctx, s.deps(ctx.Done()), e.stdout); err != nil {
			s.log.Warn("sample label cannot be shown", slog.Any("err", err))
		}
		if err := printSetup(ctx, s.config, s.accounts, e.by(), e.stdout); err != nil {
			s.log.Warn("no setup link", slog.Any("err", err))
		}
	}
	err := g.Wait()
	s.log.Info("server stops")
	return err
}

// runLive fills the newest values from the log's end and leads them on.
func (s *running) runLive(ctx context.Context) error {
	from, ok := s.warm(ctx, s.liveProjection.Name(), func() (int64, error) { return s.liveProjection.Warm(ctx, s.db) })
	if !ok {
		return nil
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
		backups: backupDesk{c: s.config, config: s.configFile, now: s.now, anew: s.startAnew},
		phone:   newPhoneDesk(s.config, s.configFile, s.now),
		db:      s.db, accounts: s.accounts, history: s.history, live: s.live, board: s.board, soil: s.soil, drying: s.drying, dawn: s.dawn, alarms: s.alarms.desk, told: s.told.desk, pushKey: s.told.pushKey, looked: s.looked, config: s.config, authority: s.authority, logKey: s.logKey(), scans: s.scans, system: s.system, log: s.log, now: s.now, stuck: s.stuck, done: done, watched: s.traffic,
	}
	d.blight = s.blight
	s.desk = newDesk(d)
	d.desk = s.desk
	s.goods = newGoods(d)
	d.goods = s.goods
	return d
}
