package app

import (
	"context"

	"golang.org/x/sync/errgroup"

	"aovuon/server/ledger"
	"aovuon/server/trace"
	"aovuon/server/watch/rule"
)

// work starts what this process does, by its roles.
func (s *running) work(ctx context.Context, g *errgroup.Group) {
	always := []func(context.Context) error{s.serve, s.servePlain, s.watchdog, s.disk.run}
	if s.config.has(roleIngest) {
		always = append(always, s.registry.Run, s.notebook.Run, s.ingest.Run, s.outbox.Run, s.runIntakes)
	}
	if s.config.has(roleWeb) {
		always = append(always, s.runLive, s.scans.Run, s.pages.Run)
	}
	if s.homeAssistant != nil && s.config.has(roleWeb) {
		always = append(always, func(ctx context.Context) error { return s.lead(ctx, leaseHomeAssistant, s.homeAssistant) })
	}
	if s.config.office() {
		always = append(always, s.runRules, s.history.Follow)
	}
	for _, f := range always {
		g.Go(func() error { return f(ctx) })
	}
	if !s.config.has(roleProject) {
		return
	}
	g.Go(func() error { return s.runWindows(ctx) }) // in every process that may judge alarms, so that the next one need not fill them first
	for name, f := range s.works() {
		g.Go(func() error { return s.lead(ctx, name, f) })
	}
}

// The leases: each is something that only one process does at a time. server/elect/README.md says of each why what an old leader may still do
// harms nothing.
const (
	leaseHistory      = "history"
	leaseSettings     = "settings"
	leaseCalibrations = "calibrations"
	leaseAlarms       = "alarms"
	leaseMessages     = "messages"
	leaseLedger       = "ledger"
	leaseLots         = "lots"
	leaseBackup       = "backup"

	leaseHomeAssistant = "home-assistant" // of processes with pages
)

// works is what is done under each lease.
func (s *running) works() map[string]func(context.Context) error {
	w := map[string]func(context.Context) error{
		leaseHistory:      s.runHistory,
		leaseSettings:     s.settingsRunner.Run,
		leaseCalibrations: s.calibrations.Run,
		leaseAlarms:       s.alarms.watch.Run,
		leaseMessages:     s.told.service.Run,
		leaseLedger:       s.runLedger,
		leaseLots: together(func(ctx context.Context) error { return s.runDiary(ctx, s.desk) },
			func(ctx context.Context) error { return trace.NewWorker(s.db, s.db, s.history, s.now, s.log).Run(ctx) }),
	}
	if s.nightly != nil {
		w[leaseBackup] = s.nightly.Run
	}
	return w
}

// runLedger signs heads, has witnesses sign them, and enters the day's chain heads.
func (s *running) runLedger(ctx context.Context) error {
	daily := func(ctx context.Context) error { return ledger.RunDaily(ctx, s.db, s.now, s.log) }
	if s.witnesses == nil {
		return together(s.ledger.Run, daily)(ctx)
	}
	return together(s.ledger.Run, daily, s.witnesses.Run)(ctx)
}

// runRules decides the slow rules. Every process with pages or alarms does so for itself: they only read.
func (s *running) runRules(ctx context.Context) error {
	return rule.Run(ctx, s.board, append(s.watchers(), s.advisers()...), ruleEvery, s.now, s.log)
}

// together runs all of fs until each has ended; the first error ends the others.
func together(fs ...func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		g, ctx := errgroup.WithContext(ctx)
		for _, f := range fs {
			g.Go(func() error { return f(ctx) })
		}
		return g.Wait()
	}
}
