package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"aovuon/firmware-sim/field"
	"aovuon/firmware-sim/ledger"
	"aovuon/firmware-sim/world"
)

type serveCommand struct {
	Config string   `short:"c" default:"field.yaml" help:"Field file; firmware-sim sample prints one." type:"path"`
	Speed  *float64 `help:"Run the world so many times faster, in place of the file's speed."`
	panelFlags
}

// Run is run without gateways and programs: they are started by others.
func (c serveCommand) Run(e *env) error {
	cfg, err := field.Load(c.Config)
	if err != nil {
		return err
	}
	if err := hasten(&cfg, c.Speed); err != nil {
		return err
	}
	c.into(&cfg)
	return e.live(cfg.Alone(), hosting{})
}

// hasten has the world of a field run at a speed that was asked for, if one was.
func hasten(cfg *field.Config, speed *float64) error {
	if speed == nil {
		return nil
	}
	if err := field.CheckSpeed(*speed); err != nil {
		return fmt.Errorf("--speed: %w", err)
	}
	cfg.Speed = *speed
	return nil
}

// live runs a field and what it hosts until it is told to stop.
func (e *env) live(cfg field.Config, how hosting) (err error) {
	record := func(ledger.Entry) {}
	if cfg.Ledger != "" {
		if err := os.MkdirAll(filepath.Dir(cfg.Ledger), 0o755); err != nil {
			return err
		}
		l, err := ledger.Open(cfg.Ledger, ledgerEnds(e.log))
		if err != nil {
			return err
		}
		record = l.Record
		defer func() { err = errors.Join(err, l.Close()) }()
	}
	seen := ledger.NewNewest(record)
	o := field.Options{Now: time.Now, Ledger: seen}
	if cfg.Journal != "" {
		j, err := e.journal(cfg.Journal, &o)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, j.Close()) }()
	}
	f, err := field.New(cfg, o)
	if err != nil {
		return err
	}
	e.early(f, cfg)
	h, done, err := e.host(cfg, f, how)
	if err != nil {
		return err
	}
	defer done()
	if err := e.withPanel(cfg, f, seen, func(ctx context.Context) error {
		return h.Run(ctx, func() {
			e.log.Info("field is up", slog.Int("places", len(cfg.Places)), slog.Int("devices", len(cfg.Devices)),
				slog.Float64("speed", cfg.Speed), slog.String("control", cfg.Control), slog.Int("hosted", len(cfg.Gateways)+len(cfg.Programs)))
			if how.ready != nil {
				how.ready()
			}
		})
	}); err != nil {
		return errors.Join(err, h.Close())
	}
	e.log.Info("field is down")
	return nil
}

// ledgerEnds tells, when it happens, that the ledger goes on no further.
func ledgerEnds(log *slog.Logger) func(error) {
	return func(err error) {
		log.Error("what chips answer from now on is not in the ledger: make room on the disk and start again", slog.Any("err", err))
	}
}

// journal opens the journal of a field that runs, for its options.
func (e *env) journal(path string, o *field.Options) (*world.Journal, error) {
	j, told, err := world.OpenJournal(path)
	if err != nil {
		return nil, err
	}
	o.Journal, o.Actions = j, told.Actions
	e.torn(path, told)
	return j, nil
}

// torn tells of a line of the journal that was dropped.
func (e *env) torn(path string, told world.Told) {
	if told.Torn != "" {
		e.log.Warn("the last line of the journal was never finished, and is dropped", slog.String("journal", path), slog.String("line", told.Torn))
	}
}

// early tells of actions that the world is too young for.
func (e *env) early(f *field.Field, cfg field.Config) {
	if f.Early() > 0 {
		e.log.Warn("actions from before the world's beginning are left out: write an earlier begin into the field's file to have them",
			slog.String("journal", cfg.Journal), slog.Int("actions", f.Early()), slog.String("begin", f.World().Begin().Format(time.DateOnly)))
	}
}
