package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/export"
	"aovuon/server/farm"
	"aovuon/server/project"
	"aovuon/server/sqldb"
)

type historyExportCmd struct {
	Place    []string `help:"Codes of places; none: all. unplaced: of sensors nobody has placed."`
	Quantity []string `help:"Quantities, such as dissolved_oxygen; none: all."`
	Gateway  []string `help:"Gateways; none: all."`
	From     string   `required:"" help:"First day or moment, in the farm's time: 2026-11-01 or 2026-11-01T06:30." placeholder:"DAY"`
	To       string   `help:"Last day, with it, or moment, without it; left out: now." placeholder:"DAY"`
	Format   string   `enum:"csv,parquet" default:"csv" help:"csv or parquet; server/export/FORMAT.md has the columns."`
	Out      string   `required:"" help:"File to write; - for standard output." placeholder:"FILE"`
}

// Run writes readings as a table. The server may run.
func (cmd *historyExportCmd) Run(e *env) (err error) {
	o := export.Order{Each: func(n int64) { e.log.Info("export", slog.Int64("readings", n)) }}
	if o.From, err = farmMoment("from", cmd.From, false); err != nil {
		return err
	}
	if o.To = e.now(); cmd.To != "" {
		if o.To, err = farmMoment("to", cmd.To, true); err != nil {
			return err
		}
	}
	if !o.From.Before(o.To) {
		return fmt.Errorf("--from %s is not before --to %s: exchange them", cmd.From, cmd.To)
	}
	c, err := LoadConfig(e.config)
	if err != nil {
		return err
	}
	return e.withDB(c, func(ctx context.Context, db *sqldb.DB) (err error) {
		f, err := db.Farm(ctx)
		if err != nil {
			return err
		}
		choice, err := cmd.choice(f)
		if err != nil {
			return err
		}
		store, err := c.openHistory(ctx, db)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, store.Close()) }()
		all, err := store.Series(ctx)
		if err != nil {
			return err
		}
		if o.Series = choice.Of(all); len(o.Series) == 0 {
			return errors.New("nothing is measured there: server history export without --place and --quantity writes all there is")
		}
		o.Signs = f.Signs
		rows, err := cmd.write(ctx, e, store, o)
		if gone, ok := errors.AsType[*export.GoneError](err); ok {
			return fmt.Errorf("single readings up to %[1]s are no longer kept (history.retention): say --from %[1]s or later, or leave out what is older with --place and --quantity: %[2]w",
				gone.Until.In(farm.Time()).Format(momentLayout), err)
		}
		if err != nil || cmd.Out == "-" {
			return err
		}
		return e.printf("%s: %d readings of %d series\n", cmd.Out, rows, len(o.Series))
	})
}

// choice checks what was named.
func (cmd *historyExportCmd) choice(f *farm.Farm) (c export.Choice, err error) {
	for _, raw := range cmd.Place {
		code, err := farm.ParseCode(raw)
		if raw == project.Unplaced {
			code, err = raw, nil
		} else if _, known := f.Place(code); err == nil && !known {
			err = errors.New("no such place is on record: server farm export lists them")
		}
		if err != nil {
			return c, fmt.Errorf("--place %s: %w", raw, err)
		}
		c.Places = append(c.Places, code)
	}
	for _, raw := range cmd.Quantity {
		q := measure.Quantity(raw)
		if _, known := q.Info(); !known {
			return c, fmt.Errorf("--quantity %s: there is no such quantity: one of %v", raw, measure.Quantities())
		}
		c.Quantities = append(c.Quantities, q)
	}
	c.Gateways = cmd.Gateway
	return c, nil
}

// write writes the table: under another name until it is whole.
func (cmd *historyExportCmd) write(ctx context.Context, e *env, h export.History, o export.Order) (rows int64, err error) {
	if cmd.Out == "-" {
		return cmd.table(ctx, e.stdout, h, o)
	}
	f, err := os.CreateTemp(filepath.Dir(cmd.Out), ".export-*")
	if err != nil {
		return 0, fmt.Errorf("export: %w: name a folder that is there with --out", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	rows, err = cmd.table(ctx, f, h, o)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return rows, err
	}
	return rows, os.Rename(f.Name(), cmd.Out)
}

func (cmd *historyExportCmd) table(ctx context.Context, w io.Writer, h export.History, o export.Order) (rows int64, err error) {
	table, err := export.New(cmd.Format, w, export.About{From: o.From, To: o.To, Zone: farm.Time()})
	if err != nil {
		return 0, err
	}
	if rows, err = export.Write(ctx, h, o, table); err != nil {
		return rows, err
	}
	return rows, table.Close()
}

// momentLayout is a moment on the command line, in the farm's time.
const momentLayout = "2006-01-02T15:04"

// farmMoment reads a day or a moment of the farm's time. The end of a day is the beginning of the next.
func farmMoment(flag, text string, end bool) (time.Time, error) {
	for _, layout := range []string{momentLayout, time.DateOnly} {
		t, err := time.ParseInLocation(layout, text, farm.Time())
		if err != nil {
			continue
		}
		if end && layout == time.DateOnly {
			t = t.AddDate(0, 0, 1)
		}
		return t, nil
	}
	return time.Time{}, fmt.Errorf("--%s %s: write a day, 2026-11-01, or a moment, 2026-11-01T06:30, in the farm's time", flag, text)
}
