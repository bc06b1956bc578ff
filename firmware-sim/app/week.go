package app

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"aovuon/firmware-sim/field"
	"aovuon/firmware-sim/week"
	"aovuon/firmware-sim/world"
)

type weekCommand struct {
	Config string `short:"c" default:"field.yaml" help:"Field file." type:"path"`
	Place  string `help:"Id of a place; default: the first."`
	From   string `help:"First day, such as 2026-07-06; default: so that the last day is today."`
	Days   int    `default:"7" help:"How many days, 1 to 31."`
	Lang   string `default:"vi" enum:"vi,en" help:"Language: vi or en."`
	Out    string `short:"o" required:"" help:"SVG file to write." type:"path"`
}

func (c weekCommand) Run(e *env) error {
	f, cfg, err := e.past(c.Config)
	if err != nil {
		return err
	}
	o := week.Options{World: f.World(), Seed: cfg.Seed, Place: c.Place, From: time.Now().AddDate(0, 0, 1-c.Days), Days: c.Days, Lang: c.Lang}
	if o.Place == "" && len(cfg.Places) > 0 {
		o.Place = cfg.Places[0].ID
	}
	if c.From != "" {
		if o.From, err = time.ParseInLocation(time.DateOnly, c.From, o.World.Begin().Location()); err != nil {
			return fmt.Errorf("week: --from %q: want a day such as 2026-07-06", c.From)
		}
	}
	svg, err := week.Draw(o)
	if err != nil {
		return err
	}
	return os.WriteFile(c.Out, svg, 0o644) //nolint:gosec // a picture, to be shown
}

// past is a field as its file and its journal have it, to be asked and not to be run.
// Ctrl-C ends what asks it at once: integrating years heeds nothing, and there is nothing to tidy up.
func (e *env) past(config string) (*field.Field, field.Config, error) {
	signal.Reset(os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	cfg, err := field.Load(config)
	if err != nil {
		return nil, cfg, err
	}
	o := field.Options{Now: time.Now}
	if cfg.Journal != "" {
		told, err := world.ReadJournal(cfg.Journal)
		if err != nil {
			return nil, cfg, err
		}
		o.Actions = told.Actions
		e.torn(cfg.Journal, told)
	}
	f, err := field.New(cfg, o)
	if err != nil {
		return nil, cfg, err
	}
	e.early(f, cfg)
	return f, cfg, nil
}
