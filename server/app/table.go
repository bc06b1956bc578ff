package app

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"aovuon/server/farm"
	"aovuon/server/sheet"
	"aovuon/server/sqldb"
	"aovuon/server/web"
)

// farmTableCmd takes the register in and out as tables.
type farmTableCmd struct {
	Export   tableExportCmd   `cmd:"" help:"Write the records of a kind as .xlsx or .csv."`
	Import   tableImportCmd   `cmd:"" help:"Save the rows of a table, all or none; every problem is listed by row."`
	Template tableTemplateCmd `cmd:"" help:"Write an empty .xlsx to fill in, with a sheet that explains it."`
}

type tableArgs struct {
	Kind string `arg:"" help:"place, household, cycle, input, product, certificate, buyer, contract or target."`
	File string `arg:"" help:"File: .xlsx or .csv."`
	Lang string `default:"vi" enum:"vi,en" help:"Language of heads and problems: vi or en."`
}

// table returns the table of the kind that is asked for.
func (a tableArgs) table() (sheet.Table, sheet.Words, error) {
	kind := farm.RecordKind(a.Kind)
	if all := append(farm.RecordKinds(), farm.PlaceTable); !slices.Contains(all, kind) {
		return sheet.Table{}, sheet.Words{}, fmt.Errorf("farm table: no kind %q: want one of %v", a.Kind, all)
	}
	return web.RecordTable(kind, a.Lang)
}

func (a tableArgs) write(e *env, t sheet.Table, words sheet.Words, list []farm.Record, named func(string) []sheet.Named) error {
	var buf bytes.Buffer
	var err error
	switch strings.ToLower(filepath.Ext(a.File)) {
	case ".xlsx":
		err = t.WriteXLSX(&buf, words, list, named)
	case ".csv":
		err = t.WriteCSV(&buf, list, named)
	default:
		return fmt.Errorf("farm table: %q: want a file that ends in .xlsx or .csv", a.File)
	}
	if err != nil {
		return err
	}
	if err := os.WriteFile(a.File, buf.Bytes(), 0o600); err != nil {
		return fmt.Errorf("farm table: %w", err)
	}
	return e.printf("%s: %d records\n", a.File, len(list))
}

type tableExportCmd struct{ tableArgs }

// Run writes a table of the register.
func (cmd *tableExportCmd) Run(e *env) error {
	t, words, err := cmd.table()
	if err != nil {
		return err
	}
	c, err := LoadConfig(e.config)
	if err != nil {
		return err
	}
	return e.withDB(c, func(ctx context.Context, db *sqldb.DB) error {
		_, g, err := tableGround(ctx, db, t.Kind)
		if err != nil {
			return err
		}
		return cmd.write(e, t, words, g.Existing, g.Named)
	})
}

type tableTemplateCmd struct{ tableArgs }

// Run writes an empty table.
func (cmd *tableTemplateCmd) Run(e *env) error {
	t, words, err := cmd.table()
	if err != nil {
		return err
	}
	return cmd.write(e, t, words, nil, func(string) []sheet.Named { return nil })
}

type tableImportCmd struct {
	tableArgs
	DryRun bool `help:"Only say what it would do."`
}

// Run reads a table and saves its rows, all or none.
func (cmd *tableImportCmd) Run(e *env) error {
	t, _, err := cmd.table()
	if err != nil {
		return err
	}
	c, err := LoadConfig(e.config)
	if err != nil {
		return err
	}
	raw, err := os.ReadFile(cmd.File)
	if err != nil {
		return fmt.Errorf("farm table: %w", err)
	}
	rows, err := t.Read(raw)
	if bad, ok := errors.AsType[*sheet.FileError](err); ok {
		text, werr := web.SheetFileProblem(bad, cmd.Lang)
		return errors.Join(werr, fmt.Errorf("%s: %s (%w)", cmd.File, text, err))
	}
	if err != nil {
		return err
	}
	return e.withDB(c, func(ctx context.Context, db *sqldb.DB) error {
		rev, err := db.FarmRevision(ctx) // first: a farm that is saved meanwhile is not overwritten
		if err != nil {
			return err
		}
		f, g, err := tableGround(ctx, db, t.Kind)
		if err != nil {
			return err
		}
		p, after := t.Plan(rows, g), f
		if t.Kind == farm.PlaceTable {
			if p, after, err = t.PlanPlaces(rows, f, g, rand.Reader); err != nil {
				return err
			}
		}
		if err := cmd.print(e, t, p, g); err != nil {
			return err
		}
		switch {
		case len(p.Problems) > 0:
			return fmt.Errorf("%s: %d problems, nothing is saved", cmd.File, len(p.Problems))
		case cmd.DryRun:
			return e.printf("dry run: nothing is saved\n")
		}
		if t.Kind == farm.PlaceTable {
			if err := db.ChangeFarm(ctx, rev, after, e.by()); err != nil {
				return fmt.Errorf("nothing is saved: %w", err)
			}
			return e.printf("%d places saved\n", len(p.Records()))
		}
		saved, err := db.SaveRecords(ctx, p.Records(), e.by())
		if err != nil {
			return fmt.Errorf("nothing is saved: %w", err)
		}
		return e.printf("%d records saved\n", len(saved))
	})
}

// print says what a plan would do.
func (cmd *tableImportCmd) print(e *env, t sheet.Table, p sheet.Plan, g sheet.Ground) error {
	for _, x := range p.Problems {
		text, err := web.SheetProblem(x.Problem, cmd.Lang)
		if err != nil {
			return err
		}
		if err := e.printf("%s:%d: %s: %q: %s\n", cmd.File, x.Row, x.Column, x.Given, text); err != nil {
			return err
		}
	}
	for _, c := range p.New {
		if err := e.printf("row %d: new: %s\n", c.Row, c.Record.Name()); err != nil {
			return err
		}
	}
	for _, c := range p.Changed {
		for _, key := range c.Keys {
			col, _ := t.Column(key)
			if err := e.printf("row %d: %s: %s: %q -> %q\n", c.Row, c.Record.Name(), col.Title, t.Text(key, c.Before, g.Named), t.Text(key, c.Record, g.Named)); err != nil {
				return err
			}
		}
	}
	return e.printf("%d rows: %d new, %d changed, %d the same, %d problems\n", p.Rows, len(p.New), len(p.Changed), p.Same, len(p.Problems))
}

// tableGround is the farm, and the register as tables of a kind are read against it.
func tableGround(ctx context.Context, db *sqldb.DB, kind farm.RecordKind) (*farm.Farm, sheet.Ground, error) {
	f, err := db.Farm(ctx)
	if err != nil {
		return nil, sheet.Ground{}, err
	}
	named := map[string][]sheet.Named{farm.RefPlace: sheet.NamedPlaces(f)}
	g := sheet.Ground{Named: func(of string) []sheet.Named { return named[of] }, Zone: farm.Time()}
	var households []farm.Record
	for _, k := range farm.RecordKinds() {
		list, err := db.Records(ctx, k)
		if err != nil {
			return nil, sheet.Ground{}, err
		}
		named[string(k)] = sheet.NamedRecords(list)
		if k == kind {
			g.Existing = list
		}
		if k == farm.Household {
			households = list
		}
	}
	if kind == farm.PlaceTable {
		g = sheet.PlaceGround(f, households, g.Named)
	}
	return f, g, nil
}
