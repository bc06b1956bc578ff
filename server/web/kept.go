package web

import (
	"context"
	"time"

	"aovuon/server/history"
)

// sureReadings is for how long single readings are always kept, whatever a co-op says (server/app: leastReadings).
const sureReadings = 91 * 24 * time.Hour

// asKept returns the period with steps of hours where single readings of it were let go and hours are all there is, and when the last of those
// was; zero: every reading is there.
func (s *Server) asKept(ctx context.Context, all []history.Series, p period) (period, time.Time, error) {
	if p.Step >= time.Hour || !p.From.Before(s.o.Now().Add(-sureReadings)) {
		return p, time.Time{}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, historyPatience)
	defer cancel()
	until, err := history.GoneUntil(ctx, s.o.History, all, p.From, p.To)
	if err != nil {
		return p, until, err
	}
	if !until.IsZero() {
		p.From, p.Step = history.Hour.Floor(p.From), time.Hour
		if p.To.Before(s.o.Now()) {
			p.To = earliest(history.Hour.Ceil(p.To), s.o.Now())
		}
	}
	return p, until, nil
}

// goneText says that single readings were let go.
func (w *words) goneText(until time.Time) string {
	if until.IsZero() {
		return ""
	}
	return w.t("period.gone", w.dateTime(until))
}

// Rollups says how far hours and days are made of readings, and which readings were let go.
type Rollups struct {
	Waiting int // hours and days that are still to be made
	Trouble string
	Looked  time.Time // when nothing was left to do; zero: not yet
	Kept    []KeptReadings
	Stays   string // why readings are not let go that should be
	Dropped int64  // readings let go since the start
}

// KeptReadings says for how long readings of a quantity are kept.
type KeptReadings struct {
	Quantity     string
	Months, Days int
	Before       time.Time // there are none before
	Needed       int       // series of which a lot needs older ones
}

type rollupCard struct {
	Level level
	Word  string
	Why   []string // of the machine
	Kept  []rollupLine
}

type rollupLine struct{ Label, Text, Needed string }

func newRollupCard(w *words, r *Rollups) *rollupCard {
	if r == nil {
		return nil
	}
	c := &rollupCard{Level: fine, Word: w.t("rollups.done")}
	switch {
	case r.Trouble != "":
		c.Level, c.Word = warned, w.t("system.waits")
		c.Why = append(c.Why, r.Trouble)
	case r.Waiting > 0:
		c.Level, c.Word = noted, w.amount("rollups.waiting", int64(r.Waiting))
	case r.Looked.IsZero():
		c.Level, c.Word = noted, w.t("rollups.soon")
	}
	if r.Stays != "" {
		c.Level = warned
		c.Why = append(c.Why, r.Stays)
	}
	for _, k := range r.Kept {
		line := rollupLine{Label: w.t("quantity." + k.Quantity)}
		long := w.amount("rollups.months", int64(k.Months))
		if k.Days > 0 {
			long = w.amount("rollups.days", int64(k.Days))
		}
		line.Text = w.t("rollups.kept", long, w.date(k.Before))
		if k.Needed > 0 {
			line.Needed = w.amount("rollups.needed", int64(k.Needed))
		}
		c.Kept = append(c.Kept, line)
	}
	return c
}
