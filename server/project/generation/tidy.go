package generation

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"aovuon/server/project"
)

// leftFor is how long an old generation is left to whoever replaced it; then that one must have been interrupted.
const leftFor = time.Minute

// Books is the register as a server tidies it.
type Books interface {
	project.Generations
	Generations(ctx context.Context) ([]project.Generation, error)
}

// Tidy drops generations that were replaced and left, every so often until ctx ends.
func Tidy(ctx context.Context, books Books, engine Engine, now func() time.Time, log *slog.Logger) error {
	t := time.NewTicker(leftFor / 2)
	defer t.Stop()
	failing := false
	for {
		err := tidyOnce(ctx, books, engine, now(), log)
		if err != nil && !failing && ctx.Err() == nil {
			log.Warn("an old drawing of the history cannot be dropped", slog.Any("err", err))
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
}

func tidyOnce(ctx context.Context, books Books, engine Engine, now time.Time, log *slog.Logger) error {
	list, err := books.Generations(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, g := range list {
		if g.State != project.StateOld || now.Sub(g.Changed) < leftFor {
			continue
		}
		err := Drop(ctx, books, engine, g)
		if err == nil || errors.Is(err, ErrShared) {
			log.Info("an old drawing of the history was dropped", slog.Int64("generation", g.Number), slog.Any("left", err))
			continue
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
