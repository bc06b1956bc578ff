package web

import (
	"context"
	"strings"
	"time"

	"aovuon/server/account"
	"aovuon/server/farm"
	"aovuon/server/watch/rule"
)

// reason writes one sentence of what a rule found ("why") or of what to do ("do"), as of now.
func (w *words) reason(prefix string, r rule.Reason, now time.Time) string {
	args := make([]string, len(r.Args))
	for i, a := range r.Args {
		args[i] = w.arg(a, now)
	}
	return w.t(prefix+"."+r.Key, args...)
}

// reasons writes several of them.
func (w *words) reasons(prefix string, list []rule.Reason, now time.Time) []string {
	out := make([]string, len(list))
	for i, r := range list {
		out[i] = w.reason(prefix, r, now)
	}
	return out
}

// arg writes what stands in such a sentence.
func (w *words) arg(a rule.Arg, now time.Time) string {
	switch {
	case a.Number != nil && a.Quantity != "":
		return w.valueUnit(a.Quantity, *a.Number)
	case a.Number != nil:
		out := w.num(*a.Number, a.Decimals)
		if a.Unit != "" {
			out += nbsp + a.Unit
		}
		return out
	case a.Quantity != "":
		return lowerFirst(w.t("quantity." + string(a.Quantity)))
	case !a.Time.IsZero():
		return w.moment(a.Time, now)
	case !a.Day.IsZero():
		return w.date(a.Day)
	case a.For != 0:
		return w.length(a.For)
	case a.Key != "":
		return w.t(a.Key)
	}
	return a.Name.In(w.lang)
}

// moment writes hour and minute, with the day where it is not today's and half a day or more away: at 22:40 nobody takes 00:08 for another
// night's.
func (w *words) moment(t, now time.Time) string {
	if w.date(t) == w.date(now) || t.Sub(now).Abs() < 12*time.Hour {
		return t.In(w.zone).Format("15:04")
	}
	return t.In(w.zone).Format("15:04 02/01/2006")
}

// topic names what a decision is about: a quantity, a topic of its own, or an aspect of a quantity (swing/ph, probe/ph, kit/no2).
func (w *words) topic(topic string) string {
	if w.has("topic." + topic) {
		return w.t("topic." + topic)
	}
	aspect, of, ok := strings.Cut(topic, "/")
	switch {
	case ok && aspect == string(farm.OfKit):
		return w.t("topic.kit.of", w.t("field."+of))
	case ok:
		return w.t("topic."+aspect+".of", lowerFirst(w.t("quantity."+of)))
	}
	return w.t("quantity." + topic)
}

// decisions are what rules decided, for those who may read the diary: many of them say what stands in it.
func (s *Server) decisions(ctx context.Context, place string, now time.Time) []rule.Decision {
	if !s.may(ctx, account.ReadBook) {
		return nil
	}
	return s.o.Board.Decisions(place, now)
}
