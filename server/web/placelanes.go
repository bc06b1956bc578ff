package web

import (
	"cmp"
	"context"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/diary"
	"aovuon/server/farm"
	"aovuon/server/history"
	"aovuon/server/watch/alarm"
	"aovuon/server/watch/rule"
	"aovuon/server/web/chart"
)

// timeline is what happened at a place beside what was measured: it is drawn below every chart, on its time axis.
type timeline struct {
	aerators []aeratorLine
	entries  []entryLine // of the diary, the oldest first
	alarms   []alarmLine // the oldest first
}

// aeratorLine is when one aerator ran.
type aeratorLine struct {
	sensor string
	steps  []history.Bucket
	failed bool
}

// alarmLine is one alarm as a lane shows it.
type alarmLine struct {
	ID, Topic string
	Level     level
	From, To  time.Time // To is zero while it lasts
	Text      string
}

// happening is one thing that happened, in words.
type happening struct {
	At           time.Time
	When, Label  string
	Text, Detail string
	Href         string
	Level        level // picture of an alarm; of an entry fine
	Alarm        bool
}

// happeningsShown is how many of them a page lists, the newest.
const happeningsShown = 30

// timelineOf reads what happened. An aerator whose history does not answer says so in its lane.
func (s *Server) timelineOf(ctx context.Context, w *words, f *farm.Farm, p farm.Place, asked period) (line timeline, err error) {
	for _, sr := range aerators(seriesAt(f, p, s.values(ctx), asked.From, asked.To.Add(time.Nanosecond))) {
		steps, err := s.stepsOf(ctx, sr, asked)
		if err != nil {
			s.o.Log.Warn("aerator", slog.String("sensor", sr.Sensor), slog.Any("err", err))
		}
		line.aerators = append(line.aerators, aeratorLine{sr.Sensor, steps, err != nil})
	}
	if line.entries, err = s.doneAt(ctx, w, f, p.Code, asked.From, asked.To); err != nil {
		return line, err
	}
	line.alarms, err = s.alarmLines(ctx, w, f, p.Code, asked, s.o.Now())
	return line, err
}

// alarmLines are the alarms of a place that people were told of, the oldest first.
func (s *Server) alarmLines(ctx context.Context, w *words, f *farm.Farm, place string, asked period, now time.Time) (out []alarmLine, err error) {
	if s.o.Alarms == nil {
		return nil, nil
	}
	list, err := s.o.Alarms.Find(ctx, alarm.Query{Place: place, From: asked.From, To: asked.To})
	if err != nil {
		return nil, err
	}
	for _, a := range slices.Backward(list) {
		if !s.seesAlarm(ctx, f, a) {
			continue
		}
		line := alarmLine{ID: a.ID, Topic: a.Topic, Level: warned, From: a.Fired, To: a.Ended}
		switch {
		case a.State == alarm.NoData || a.State == alarm.Blind:
			line.Level = lost
		case a.Level == rule.Crit:
			line.Level = danger
		}
		if line.From.IsZero() {
			line.From = a.Began
		}
		if why := a.Decision.Why; len(why) > 0 {
			line.Text = w.reason("why", why[0], now)
		}
		out = append(out, line)
	}
	return out, nil
}

// aerators are the series that say when an aerator ran: as a current sensor saw it, else as it was told.
func aerators(all []history.Series) (out []history.Series) {
	for _, q := range []measure.Quantity{measure.AeratorRunning, measure.AeratorCommand} {
		for _, sr := range all {
			if sr.Quantity == q && !slices.ContainsFunc(out, func(o history.Series) bool { return o.Gateway == sr.Gateway && o.Sensor == sr.Sensor }) {
				out = append(out, sr)
			}
		}
	}
	return out
}

// doneAt are the entries of the diary of a place and time, the oldest first; none for those who may not read it.
func (s *Server) doneAt(ctx context.Context, w *words, f *farm.Farm, place string, from, to time.Time) ([]entryLine, error) {
	if s.o.Book == nil || !s.mayReadPlace(ctx, place) {
		return nil, nil
	}
	reg, _, err := s.registerNow(ctx)
	if err != nil {
		return nil, err
	}
	events, err := s.o.Book.Events(ctx, diary.Query{Places: []string{place}, From: from, To: to})
	if err != nil || len(events) == 0 {
		return nil, err
	}
	t, err := s.teller(ctx, w, f, reg)
	if err != nil {
		return nil, err
	}
	var out []entryLine
	for _, e := range diary.Entries(events) {
		if !e.Voided && (e.Kind != diary.Void || e.Corrects == "") {
			out = append(out, t.line(e))
		}
	}
	slices.SortStableFunc(out, func(a, b entryLine) int { return a.At.Compare(b.At) })
	return out, nil
}

// lanes are what stands below the chart of a quantity.
func (line timeline) lanes(w *words, q measure.Quantity, p period) (out []chart.Lane) {
	out = append(out, alarmLane(w, line.alarms, q, p)...)
	if q != measure.AeratorRunning && q != measure.AeratorCommand {
		for _, a := range line.aerators {
			out = append(out, a.lane(w, p, len(line.aerators) > 1))
		}
	}
	return append(out, diaryLane(w, line.entries)...)
}

// lane shows when an aerator ran, each step as high as the share of its time.
func (a aeratorLine) lane(w *words, p period, several bool) chart.Lane {
	var lane chart.Lane
	name := w.t("lane.aerator")
	if several {
		name += " " + a.sensor
	}
	var ran time.Duration
	known := false
	for _, b := range a.steps {
		if b.N == 0 {
			continue
		}
		known = true
		from, to := b.Start, earliest(b.Start.Add(p.Step), p.To)
		if from.Before(p.From) {
			from = p.From
		}
		ran += time.Duration(b.Mean * float64(to.Sub(from)))
		if b.Mean > 0 {
			lane.Bars = append(lane.Bars, chart.Bar{From: from, To: to, Share: b.Mean, Class: "run"})
		}
	}
	switch {
	case a.failed || !known:
		lane.Label = w.t("lane.unknown", name)
	case ran < time.Minute/2:
		lane.Label = w.t("lane.idle", name)
	default:
		lane.Label = w.t("lane.ran", name, w.hoursMinutes(ran))
	}
	return lane
}

// diaryLane shows what was done: feeding as ticks, the rest as discs with how much was done at once.
func diaryLane(w *words, entries []entryLine) []chart.Lane {
	if len(entries) == 0 {
		return nil
	}
	var lane chart.Lane
	var fed, others int64
	for _, e := range entries {
		small := e.Kind == diary.Feeding
		if small {
			fed++
		} else {
			others++
		}
		lane.Marks = append(lane.Marks, chart.Mark{At: e.At, Small: small, Text: "1"})
	}
	var said []string
	if others > 0 {
		said = append(said, w.amount("lane.entries", others))
	}
	if fed > 0 {
		said = append(said, w.amount("lane.fed", fed))
	}
	lane.Label = w.t("lane.diary", strings.Join(said, ", "))
	return []chart.Lane{lane}
}

// alarmLane shows the alarms that speak of a quantity.
func alarmLane(w *words, alarms []alarmLine, q measure.Quantity, p period) []chart.Lane {
	var lane chart.Lane
	for _, a := range alarms {
		if !about(a.Topic, q) {
			continue
		}
		to, share := a.To, 0.6
		if to.IsZero() {
			to = p.To
		}
		if a.Level == danger {
			share = 1
		}
		lane.Bars = append(lane.Bars, chart.Bar{From: a.From, To: to, Share: share, Class: a.Level.String()})
	}
	if len(lane.Bars) == 0 {
		return nil
	}
	lane.Label = w.amount("lane.alarms", int64(len(lane.Bars)))
	return []chart.Lane{lane}
}

// about reports whether the topic of an alarm speaks of a quantity: itself, an aspect of it (swing/ph), or what a rule makes of it.
func about(topic string, q measure.Quantity) bool {
	if made, ok := map[string]measure.Quantity{
		"dawn_oxygen": measure.DissolvedOxygen, "irrigation": measure.SoilMoisture, "waterlogging": measure.SoilMoisture, "drought": measure.SoilMoisture, "late_blight": measure.RelativeHumidity,
		"flood": measure.WaterLevel,
	}[topic]; ok {
		return made == q
	}
	_, of, ok := strings.Cut(topic, "/")
	return topic == string(q) || ok && of == string(q)
}

// fed says how often there was fed: in the list, twice a day would hide everything else. Empty: never.
func (line timeline) fed(w *words) string {
	var n int64
	for _, e := range line.entries {
		if e.Kind == diary.Feeding {
			n++
		}
	}
	if n == 0 {
		return ""
	}
	return w.amount("happened.fed", n)
}

// list puts the timeline into words, the newest first, without feeding; more leads to the diary, where everything stands.
func (line timeline) list(w *words, p farm.Place, asked period, now time.Time) (out []happening, more string) {
	q := url.Values{"place": {p.Code}, "from": {asked.From.In(w.zone).Format(time.DateOnly)}, "to": {asked.To.In(w.zone).Format(time.DateOnly)}}
	if len(line.entries) > 0 {
		more = "/diary?" + q.Encode()
	}
	for _, e := range line.entries {
		if e.Kind == diary.Feeding {
			continue
		}
		out = append(out, happening{At: e.At, When: w.moment(e.At, now), Label: e.Label, Text: e.Summary, Detail: e.Who, Href: "/diary/" + e.ID})
	}
	for _, a := range line.alarms {
		h := happening{At: a.From, When: w.moment(a.From, now), Label: w.topic(a.Topic), Text: a.Text, Href: "/alarms/" + a.ID, Level: a.Level, Alarm: true}
		h.Detail = w.t("happened.lasts")
		if !a.To.IsZero() {
			h.Detail = w.t("happened.lasted", w.hoursMinutes(a.To.Sub(a.From)))
		}
		out = append(out, h)
	}
	slices.SortStableFunc(out, func(a, b happening) int { return cmp.Compare(b.At.Unix(), a.At.Unix()) })
	return out[:min(len(out), happeningsShown)], more
}
