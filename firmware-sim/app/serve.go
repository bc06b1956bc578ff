package app

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"aovuon/firmware-sim/field"
	"aovuon/firmware-sim/ledger"
)

type serveCommand struct {
	Config string  `short:"c" default:"field.yaml" help:"Field file; firmware-sim sample prints one." type:"path"`
	Speed  float64 `help:"Run the world so many times faster, in place of the file's speed."`
}

func (c serveCommand) Run(e *env) (err error) {
	cfg, err := field.Load(c.Config)
	if err != nil {
		return err
	}
	if c.Speed > 0 {
		cfg.Speed = c.Speed
	}
	o := field.Options{Now: time.Now}
	if cfg.Ledger != "" {
		if err := os.MkdirAll(filepath.Dir(cfg.Ledger), 0o755); err != nil {
			return err
		}
		l, err := ledger.Open(cfg.Ledger)
		if err != nil {
			return err
		}
		o.Ledger = l
		defer func() { err = errors.Join(err, l.Close()) }()
	}
	f, err := field.New(cfg, o)
	if err != nil {
		return err
	}
	if err := f.Serve(e.ctx, e.log, func() {
		e.log.Info("field is up", slog.Int("places", len(cfg.Places)), slog.Int("devices", len(cfg.Devices)),
			slog.Float64("speed", cfg.Speed), slog.String("control", cfg.Control))
	}); err != nil {
		return err
	}
	e.log.Info("field is down")
	return nil
}
