package app

import (
	"context"
	"time"

	"aovuon/server/farm"
	"aovuon/server/history"
	"aovuon/server/history/keeper"
	"aovuon/server/sqldb"
	"aovuon/server/trace"
)

// newKeeper makes what keeps the rollups of the generation in use.
func (s *running) newKeeper() *keeper.Keeper {
	readings, lots := s.config.History.Retention.terms()
	k := keeper.New(keeper.Options{
		Store: s.history, Now: s.now, Log: s.log, Retention: readings,
		Needed: func(ctx context.Context, now time.Time) (keeper.Needs, error) {
			all, err := s.db.Lots(ctx)
			return neededByLots(all, lots, now), err
		},
		Judge: func(ctx context.Context) (history.Judge, error) { return judgeOf(ctx, s.db) },
	})
	s.keeper.Store(k)
	return k
}

// judgeOf judges values by the limits of the register that warn: those that the evidence of a lot is judged by.
func judgeOf(ctx context.Context, db *sqldb.DB) (history.Judge, error) {
	f, err := db.Farm(ctx)
	if err != nil {
		return nil, err
	}
	versions, err := db.LimitVersions(ctx)
	if err != nil {
		return nil, err
	}
	places := make(map[string]farm.Place, len(f.Places))
	for _, p := range f.Places {
		places[p.Code] = p
	}
	return func(s history.Series) history.Judgement {
		p, ok := places[s.Place]
		if !ok {
			return history.Judgement{}
		}
		band := trace.Band(trace.WarnLimits(f, p, s.Quantity))
		if band == nil || !(band.Low <= band.High) { // limits that leave nothing judge nothing
			return history.Judgement{}
		}
		return history.Judgement{Profile: p.Profile, Version: versions[p.Profile], Limits: *band}
	}, nil
}
