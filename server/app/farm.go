package app

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"

	"aovuon/server/farm"
	"aovuon/server/ledger"
	"aovuon/server/sqldb"
	"aovuon/server/trace"
)

type farmCmd struct {
	Import  farmImportCmd  `cmd:"" help:"Make the farm of a farm file the one on record."`
	Demo    farmDemoCmd    `cmd:"" help:"Put the demo co-op on record, with one harvest lot."`
	Example farmExampleCmd `cmd:"" help:"Print the demo co-op's farm file, to start your own from."`
	Code    farmCodeCmd    `cmd:"" help:"Print new board codes for the places of a farm file."`
	Table   farmTableCmd   `cmd:"" help:"Take the register in and out as tables for Excel."`
}

type farmExampleCmd struct{}

// Run prints the example.
func (farmExampleCmd) Run(e *env) error { return e.printf("%s", farm.DemoFile()) }

type farmCodeCmd struct {
	N int `arg:"" optional:"" default:"1" help:"How many, at most 1000."`
}

// Run draws codes.
func (cmd *farmCodeCmd) Run(e *env) error {
	if cmd.N < 1 || cmd.N > 1000 {
		return fmt.Errorf("farm code: %d codes: ask for 1 to 1000", cmd.N)
	}
	for range cmd.N {
		code, err := farm.NewCode(rand.Reader)
		if err != nil {
			return err
		}
		if err := e.printf("%s\n", code); err != nil {
			return err
		}
	}
	return nil
}

type farmImportCmd struct {
	File string `arg:"" help:"Farm file (YAML)."`
}

// Run imports a farm file.
func (cmd *farmImportCmd) Run(e *env) error {
	c, err := LoadConfig(e.config)
	if err != nil {
		return err
	}
	raw, err := os.ReadFile(cmd.File)
	if err != nil {
		return fmt.Errorf("farm file: %w: start from the one server farm example prints", err)
	}
	f, err := farm.Parse(cmd.File, raw)
	if err != nil {
		return err
	}
	return e.withDB(c, func(ctx context.Context, db *sqldb.DB) error {
		if err := db.SaveFarm(ctx, f, e.by()); err != nil {
			return err
		}
		return e.printf("farm of %d places imported\n", len(f.Places))
	})
}

type farmDemoCmd struct {
	Diary bool `help:"With the register and the diary of a season up to today, from which the lots come."`
}

// Run imports the demo. A demo lot that is there already stays as it is, so that its label keeps its code.
func (cmd *farmDemoCmd) Run(e *env) error {
	c, err := LoadConfig(e.config)
	if err != nil {
		return err
	}
	f, err := farm.Demo()
	if err != nil {
		return err
	}
	return e.withDB(c, func(ctx context.Context, db *sqldb.DB) error {
		if err := db.SaveFarm(ctx, f, e.by()); err != nil {
			return err
		}
		if cmd.Diary {
			n, err := keepDemoSeason(ctx, e, c, db, f)
			if err != nil {
				return err
			}
			if err := e.printf("demo diary: %d entries kept\n", n); err != nil {
				return err
			}
		}
		lots, err := db.Lots(ctx)
		if err != nil {
			return err
		}
		if d, ok := trace.NewDemo(f, e.now()); ok && len(lots) == 0 {
			if err := saveDemo(ctx, db, d, e.by()); err != nil {
				return err
			}
		}
		if _, err := keepDemoGoods(ctx, e, c, db, cmd.Diary); err != nil {
			return err
		}
		return e.printf("demo farm of %d places imported\n", len(f.Places))
	})
}

func saveDemo(ctx context.Context, db *sqldb.DB, d trace.Demo, by ledger.By) error {
	if err := db.SaveProduct(ctx, d.Product, by); err != nil {
		return err
	}
	if err := db.SaveLot(ctx, d.Lot, by); err != nil {
		return err
	}
	return db.SaveCertificate(ctx, d.Certificate, by)
}
