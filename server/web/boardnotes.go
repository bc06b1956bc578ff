package web

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"strings"
	"time"

	"aovuon/server/farm"
	"aovuon/server/watch/alarm"
	"aovuon/server/watch/rule"
)

// cardNote is one line of a card that no probe says by itself: an open alarm, or what a rule advises.
type cardNote struct {
	Level level
	Topic string // in words
	Text  string // why, with the numbers
	Do    string // what to do; empty: nothing, or the alarm's page says it
	Small string // since when, and who sees to it
	Href  string // of the alarm's page; empty: advice
}

// boardNotes are what stands about places at a moment.
type boardNotes struct {
	of     map[string][]cardNote // by place, the gravest first
	unsure map[string][]string   // topics, in words, that a rule could not judge
	others []cardNote            // of gateways and of the server itself
}

// newBoardNotes gathers open alarms and what rules decided. While the alarms cannot be read, broken says so: that is no calm.
func (s *Server) newBoardNotes(ctx context.Context, w *words, f *farm.Farm, now time.Time) (out boardNotes, broken bool) {
	out = boardNotes{of: map[string][]cardNote{}, unsure: map[string][]string{}}
	told := map[alarm.Key]bool{}
	if s.o.Alarms != nil {
		limit, cancel := context.WithTimeout(ctx, sqlPatience)
		open, err := s.o.Alarms.Open(limit)
		cancel()
		if err != nil && ctx.Err() == nil {
			s.o.Log.Warn("open alarms", slog.Any("err", err))
			broken = true
		}
		for _, a := range open {
			told[a.Key] = true
			if !s.seesAlarm(ctx, f, a) {
				continue
			}
			n := alarmNote(w, a, now)
			if _, own := f.Place(a.Place); own {
				out.of[a.Place] = append(out.of[a.Place], n)
			} else {
				if id, ok := strings.CutPrefix(a.Place, "gateway "); ok {
					n.Topic = id + ": " + lowerFirst(n.Topic)
				}
				out.others = append(out.others, n)
			}
		}
	}
	if s.o.Board != nil {
		for _, d := range s.decisions(ctx, "", now) {
			if _, own := f.Place(d.Place); !own || told[alarm.Key{Place: d.Place, Topic: d.Topic}] {
				continue
			}
			switch d.Verdict {
			case rule.Unknown:
				out.unsure[d.Place] = append(out.unsure[d.Place], w.topic(d.Topic))
			case rule.Notice, rule.Warn, rule.Crit:
				out.of[d.Place] = append(out.of[d.Place], adviceNote(w, d, now))
			case rule.Calm:
			}
		}
	}
	for _, list := range out.of {
		slices.SortStableFunc(list, func(a, b cardNote) int { return cmp.Compare(b.Level, a.Level) })
	}
	return out, broken
}

// alarmNote is an open alarm in words.
func alarmNote(w *words, a alarm.Alarm, now time.Time) cardNote {
	n := cardNote{Level: warned, Topic: w.topic(a.Topic), Href: "/alarms/" + a.ID}
	switch {
	case a.Muted != "":
		n.Level = noted
	case a.Level == rule.Crit:
		n.Level = danger
	case a.State == alarm.NoData || a.State == alarm.Blind:
		n.Level = lost
	}
	if len(a.Decision.Why) > 0 {
		n.Text = w.reason("why", a.Decision.Why[0], now)
	}
	since := a.Fired
	if since.IsZero() {
		since = a.Began
	}
	n.Small = w.t("dashboard.since", w.moment(since, now))
	switch {
	case a.Muted != "":
		n.Small += " · " + w.t("dashboard.muted")
	case !a.Acked.IsZero():
		n.Small += " · " + w.t("dashboard.acked")
	default:
		n.Small += " · " + w.t("dashboard.unacked")
	}
	if a.State == alarm.Recovering {
		n.Small += " · " + w.t("dashboard.recovering")
	}
	return n
}

// adviceNote is what a rule decided, in words.
func adviceNote(w *words, d rule.Decision, now time.Time) cardNote {
	n := cardNote{Level: noted, Topic: w.topic(d.Topic)}
	switch d.Verdict {
	case rule.Warn:
		n.Level = warned
	case rule.Crit:
		n.Level = danger
	case rule.Calm, rule.Notice, rule.Unknown:
	}
	if len(d.Why) > 0 {
		n.Text = w.reason("why", d.Why[0], now)
	}
	if len(d.Do) > 0 {
		n.Do = w.reason("do", d.Do[0], now)
	}
	return n
}
