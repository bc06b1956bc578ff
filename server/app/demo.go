package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"aovuon/server/account"
	"aovuon/server/diary"
	"aovuon/server/diary/desk"
	"aovuon/server/farm"
	"aovuon/server/sqldb"
)

// demoMark is the record by which a demo that is there already is known.
const demoMark = "demo-ho-01"

// keepDemoSeason puts the demo's register and diary on record, through the desk that phones send to, each entry at the moment it came; n is how
// many there were. A season that is there already stays as it is.
func keepDemoSeason(ctx context.Context, e *env, c Config, db *sqldb.DB, f *farm.Farm) (n int, err error) {
	if _, there, err := db.Record(ctx, farm.Household, demoMark); err != nil || there {
		return 0, err
	}
	season, err := diary.Demo(f, e.now())
	if err != nil {
		return 0, err
	}
	if _, err := db.SaveRecords(ctx, season.Records, e.by()); err != nil {
		return 0, fmt.Errorf("demo: register: %w", err)
	}
	history, err := c.openHistory(ctx, db)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, history.Close()) }()
	var clock time.Time
	now := func() time.Time { return clock }
	d := newDesk(deps{config: c, db: db, history: history, now: now, log: slog.New(slog.DiscardHandler)})
	for _, x := range season.Entries {
		clock = x.Came
		who := desk.Who{Actor: x.Actor, Own: func(string) bool { return true }, Role: account.Technician}
		out, err := d.Take(ctx, who, []diary.Sent{x.Sent})
		if err != nil {
			return n, fmt.Errorf("demo: %w", err)
		}
		if out[0].State == diary.Refused {
			return n, fmt.Errorf("demo: %s at %s of %s is refused: %s %v", x.Kind, x.Place, x.Occurred.Format(time.DateOnly), out[0].Code, out[0].Problems)
		}
		n++
	}
	return n, nil
}
