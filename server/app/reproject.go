package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"aovuon/server/project"
	"aovuon/server/project/generation"
	"aovuon/server/sqldb"
)

type reprojectCmd struct {
	Projection string `arg:"" enum:"history,calibrations" help:"What to draw again from the batch log: history (while the server works), or calibrations (while it is stopped)."`
	Abandon    bool   `help:"Drop what an interrupted run has drawn, instead of going on with it."`
}

// Run draws a projection again.
func (cmd *reprojectCmd) Run(e *env) (err error) {
	c, err := LoadConfig(e.config)
	if err != nil {
		return err
	}
	if cmd.Projection == project.HistoryName {
		return cmd.history(e, c)
	}
	if cmd.Abandon {
		return fmt.Errorf("reproject %s: --abandon is of the history, which is drawn beside the one in use: leave it out", cmd.Projection)
	}
	release, err := lockData(c.DataDir) // two writers of one cursor would skip
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	return e.withDB(c, func(ctx context.Context, db *sqldb.DB) error {
		return e.instead(ctx, c, db, cmd.Projection, func(ctx context.Context) error { return e.reprojectCalibrations(ctx, db) })
	})
}

// history draws the history again beside the one in use, whether a server works or not.
func (cmd *reprojectCmd) history(e *env, c Config) (err error) {
	release, err := lockNow(c.DataDir, redrawLock, errRedraws)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	return e.withDB(c, func(ctx context.Context, db *sqldb.DB) error {
		if cmd.Abandon {
			if err := abandon(ctx, db, c.engine()); err != nil {
				return err
			}
		}
		return e.redraw(ctx, c, db)
	})
}

// abandon drops what is being drawn.
func abandon(ctx context.Context, db *sqldb.DB, engine generation.Engine) error {
	list, err := db.Generations(ctx)
	if err != nil {
		return err
	}
	for _, g := range list {
		if g.State == project.StateDrawing {
			return generation.Drop(ctx, db, engine, g)
		}
	}
	return nil
}

func (e *env) redraw(ctx context.Context, c Config, db *sqldb.DB) error {
	begin, told := e.now(), time.Time{}
	r, err := generation.Redraw(ctx, generation.RedrawOptions{
		Book: db, Engine: c.engine(), Source: db, Cursors: db, Mounts: db, Now: e.now, Log: e.log,
		Sheet: func(g int64) project.Sheet { return db.Sheet(g) },
		Progress: func(position, end int64) {
			if e.now().Sub(told) >= 2*time.Second {
				told = e.now()
				e.log.Info("reproject", slog.Int64("position", position), slog.Int64("of", end))
			}
		},
	})
	if err != nil {
		return err
	}
	if r.Shared != nil {
		if err := e.printf("the old history is left where it lies: %v\n", r.Shared); err != nil {
			return err
		}
	}
	return e.printf("%d points of %d batches drawn in %s; generation %d is in use\n", r.Points, r.Batches, e.now().Sub(begin).Round(time.Millisecond), r.Generation)
}

const redrawLock = "reproject.lock"

// errRedraws says that another command draws the history again.
var errRedraws = errors.New("the history is being drawn again already: wait for it")

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
