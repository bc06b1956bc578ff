package app

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"text/tabwriter"
	"time"

	"aovuon/gateway/wire"
	"aovuon/server/project"
	"aovuon/server/sqldb"
)

type initCmd struct{}

// Run makes what a server needs before its first start. Doing it again changes nothing.
func (initCmd) Run(e *env) error {
	c, err := LoadConfig(e.config)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	vkey, err := wire.CreateKey(c.keyFile(), c.Name)
	if err != nil {
		return err
	}
	if _, err := wire.CreateKey(c.ledgerKeyFile(), c.logName()); err != nil {
		return err
	}
	if err := c.createAuthority(e.now()); err != nil {
		return err
	}
	return e.withDB(c, func(ctx context.Context, db *sqldb.DB) error {
		if err := e.printf("%s\n", vkey); err != nil {
			return err
		}
		s, err := newAccounts(ctx, c, db, e.now, e.log)
		if err != nil {
			return err
		}
		return printSetup(ctx, c, s, e.by(), e.stderr)
	})
}

//go:embed server.example.yaml
var example string

type exampleCmd struct{}

// Run prints the sample configuration.
func (exampleCmd) Run(e *env) error { return e.printf("%s", example) }

type keyCmd struct{}

// Run prints the server's verifier key.
func (keyCmd) Run(e *env) error {
	c, err := LoadConfig(e.config)
	if err != nil {
		return err
	}
	_, vkey, err := c.loadKey()
	if err != nil {
		return err
	}
	return e.printf("%s\n", vkey)
}

type gatewayCmd struct {
	Add      gatewayAddCmd      `cmd:"" help:"Enrol the gateways of cards, all or none; a running server knows them within a second."`
	Claim    gatewayClaimCmd    `cmd:"" help:"Print a code, and its QR, with which one gateway can enrol itself (gateway enrol) within ten minutes."`
	List     gatewayListCmd     `cmd:"" help:"List the enrolled gateways."`
	Set      gatewaySetCmd      `cmd:"" help:"Say what a gateway should do otherwise than its own file says: how often, with which coefficients."`
	Settings gatewaySettingsCmd `cmd:"" help:"Print what is in force at a gateway, what is wanted of it, and what it answered."`
	Retire   gatewayRetireCmd   `cmd:"" help:"Take a gateway out of service: what it sends is refused from now on, what it sent stays."`
}

type gatewayListCmd struct{}

// Run lists the gateways.
func (gatewayListCmd) Run(e *env) error {
	c, err := LoadConfig(e.config)
	if err != nil {
		return err
	}
	return e.withDB(c, func(ctx context.Context, db *sqldb.DB) error {
		list, err := db.Standings(ctx)
		if err != nil {
			return err
		}
		w := tabwriter.NewWriter(e.stdout, 0, 8, 2, ' ', 0)
		if _, err := fmt.Fprintln(w, "GATEWAY\tSTATE\tSEEN\tSEQ\tENROLLED\tRETIRED"); err != nil {
			return err
		}
		for _, s := range list {
			state := s.State.State
			if state == "" {
				state = "-"
			}
			if _, err := fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\t%s\n", s.Gateway, state, stamp(s.Seen), s.Seq, stamp(s.Enrolled), stamp(s.Retired)); err != nil {
				return err
			}
		}
		return w.Flush()
	})
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.RFC3339)
}

type gatewayRetireCmd struct {
	ID string `arg:"" help:"Name of the gateway."`
}

// Run retires one gateway.
func (cmd *gatewayRetireCmd) Run(e *env) error {
	c, err := LoadConfig(e.config)
	if err != nil {
		return err
	}
	return e.withDB(c, func(ctx context.Context, db *sqldb.DB) error {
		if err := db.RetireGateway(ctx, cmd.ID, e.by()); err != nil {
			return err
		}
		return e.printf("gateway %s retired\n", cmd.ID)
	})
}

type reprojectCmd struct {
	Projection string `arg:"" enum:"history,calibrations" help:"What to draw again from the batch log: history or calibrations."`
}

// Run draws a projection again. The server must be stopped: two writers of one cursor would skip.
func (cmd *reprojectCmd) Run(e *env) (err error) {
	c, err := LoadConfig(e.config)
	if err != nil {
		return err
	}
	release, err := lockData(c.DataDir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	return e.withDB(c, func(ctx context.Context, db *sqldb.DB) error {
		if cmd.Projection == project.CalibrationsName {
			return e.reprojectCalibrations(ctx, db)
		}
		return e.reprojectHistory(ctx, c, db)
	})
}

func (e *env) reprojectHistory(ctx context.Context, c Config, db *sqldb.DB) (err error) {
	// The cursor first: whoever is interrupted from here on goes on drawing from the beginning at the next start.
	if err := db.SaveCursor(ctx, "history", 0); err != nil {
		return err
	}
	if err := c.emptyHistory(ctx); err != nil {
		return err
	}
	store, err := c.openHistory(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	end, err := db.LogEnd(ctx)
	if err != nil {
		return err
	}
	history := project.NewHistory(store, project.NewPlaces(db, e.now), project.NewDater(db), db, e.log)
	begin, told := e.now(), e.now()
	err = project.NewRunner(project.RunnerOptions{
		Projection: history, Source: db, Cursors: db, SaveEvery: time.Second, Now: e.now, Log: e.log,
	}).CatchUp(ctx, end, func(position int64) {
		if e.now().Sub(told) >= 2*time.Second {
			told = e.now()
			e.log.Info("reproject", slog.Int64("position", position), slog.Int64("of", end))
		}
	})
	if err != nil {
		return err
	}
	return e.printf("%d points of %d batches drawn in %s\n", history.Written(), end, e.now().Sub(begin).Round(time.Millisecond))
}

// reprojectCalibrations reads every calibration out of the log again.
func (e *env) reprojectCalibrations(ctx context.Context, db *sqldb.DB) error {
	if err := db.SaveCursor(ctx, project.CalibrationsName, 0); err != nil {
		return err
	}
	if err := db.ForgetCalibrations(ctx); err != nil {
		return err
	}
	end, err := db.LogEnd(ctx)
	if err != nil {
		return err
	}
	begin := e.now()
	err = project.NewRunner(project.RunnerOptions{
		Projection: project.NewCalibrations(db, project.NewDater(db)), Source: db, Cursors: db, SaveEvery: time.Second, Now: e.now, Log: e.log,
	}).CatchUp(ctx, end, func(int64) {})
	if err != nil {
		return err
	}
	return e.printf("calibrations of %d batches read in %s\n", end, e.now().Sub(begin).Round(time.Millisecond))
}

// emptyHistory removes what was drawn before, so that no point stays where its sensor no longer was.
func (c *Config) emptyHistory(ctx context.Context) (err error) {
	if c.History.Engine == "sqlite" {
		for _, suffix := range []string{"", "-wal", "-shm"} {
			if err := os.Remove(c.historyFile() + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("remove old history: %w", err)
			}
		}
		return nil
	}
	store, err := c.openHistory(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	r, ok := store.(interface {
		Reset(ctx context.Context) error
	})
	if !ok {
		return errors.New("this history engine cannot be emptied: empty its database by its own tools")
	}
	return r.Reset(ctx)
}

// withDB opens the database around f.
func (e *env) withDB(c Config, f func(context.Context, *sqldb.DB) error) (err error) {
	db, err := c.openDB(e.ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return f(e.ctx, db)
}
