package web

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/account"
	"aovuon/server/farm"
	"aovuon/server/watch/alarm"
	"aovuon/server/watch/rule"
)

// Alarms is the desk of alarms; alarm.Desk is one, and says what each promises.
type Alarms interface {
	AlarmBook
	AlarmWork
	Ack(ctx context.Context, id, by, note string) (alarm.Alarm, error)
	Snooze(ctx context.Context, id string, until time.Time, by, note string) (alarm.Alarm, error)
}

// AlarmBook is what is known of alarms.
type AlarmBook interface {
	Open(ctx context.Context) ([]alarm.Alarm, error)
	Alarm(ctx context.Context, id string) (alarm.Alarm, []alarm.Change, error)
	Find(ctx context.Context, q alarm.Query) ([]alarm.Alarm, error)
}

// AlarmWork is where somebody works, so that nobody is called.
type AlarmWork interface {
	Maintenances(ctx context.Context, from, to time.Time) ([]alarm.Maintenance, error)
	Maintain(ctx context.Context, m alarm.Maintenance) (alarm.Maintenance, error)
	EndMaintenance(ctx context.Context, id, by string) (alarm.Maintenance, error)
}

// alarmRoutes are where people see what is wrong, say that they see to it, and look back.
func (s *Server) alarmRoutes() []route {
	if s.o.Alarms == nil {
		return nil
	}
	see, write, edit := needs(account.SeePlaces), needs(account.KeepDiary), needs(account.EditFarm)
	return []route{
		{"GET /alarms", see, s.page(s.alarmsPage)},
		{"GET /alarms/history", see, s.page(s.alarmHistory)},
		{"GET /alarms/maintenance", edit, s.page(s.maintenancePage)},
		{"POST /alarms/maintenance", edit, s.form(s.maintain)},
		{"POST /alarms/maintenance/{id}/end", edit, s.form(s.endMaintenance)},
		{"GET /alarms/{id}", see, s.page(s.alarmPage)},
		{"POST /alarms/{id}/ack", write, s.form(s.ackAlarm)},
		{"POST /alarms/{id}/snooze", write, s.form(s.snoozeAlarm)},
	}
}

// unseen is how long after the last look the page says that nobody is watching.
const unseen = time.Minute

type alarmsView struct {
	frame
	Open         []alarmRow
	Advice       []adviceRow
	Blind        []string // what the server cannot look at, in words
	Looked       string   // when everything was last judged
	Asleep       bool     // that is too long ago, or never
	Maintenances []maintenanceRow
	Edit         bool
}

// alarmRow is one alarm, in words.
type alarmRow struct {
	ID, Href      string
	Level         string // danger, warned, lost: the picture
	Where, What   string
	WhereHref     string // of the place's page; empty: it is no place
	State, Since  string
	Why, Do       []string
	Source        string
	Acked         string // by whom, when; empty: nobody
	Snoozed       string
	Muted         string
	Began, Lasted string
	CanAct, Ended bool
}

// adviceRow is what a rule thinks worth knowing, without waking anybody.
type adviceRow struct{ Where, Href, What, Why, Do, Unsigned string }

func (s *Server) alarmsPage(r *http.Request, w *words) (answer, error) {
	return s.drawAlarms(r, w)
}

func (s *Server) drawAlarms(r *http.Request, w *words) (answer, error) {
	ctx, now := r.Context(), s.o.Now()
	f, err := s.farmNow(ctx)
	if err != nil {
		return answer{}, err
	}
	open, err := s.o.Alarms.Open(ctx)
	if err != nil {
		return answer{}, err
	}
	v := alarmsView{Edit: s.may(ctx, account.EditFarm)}
	open = slices.DeleteFunc(open, func(a alarm.Alarm) bool { return !s.seesAlarm(ctx, f, a) })
	unanswered(open)
	for _, a := range open {
		v.Open = append(v.Open, s.newAlarmRow(ctx, w, f, a, now))
	}
	if s.o.Board != nil {
		for _, d := range s.decisions(ctx, "", now) {
			p, own := f.Place(d.Place)
			if d.Verdict == rule.Notice && own {
				v.Advice = append(v.Advice, newAdviceRow(w, f, p, d, now))
			}
		}
		if s.may(ctx, account.SeeSystem) {
			for _, b := range s.o.Board.Blinds() {
				v.Blind = append(v.Blind, w.t("alarms.blind", w.t("rule."+b.Rule), w.dateTime(b.Since)))
			}
		}
	}
	looked := s.looked()
	v.Asleep = looked.IsZero() || now.Sub(looked) > unseen
	if !looked.IsZero() {
		v.Looked = w.dateTime(looked)
	}
	if v.Maintenances, err = s.maintenanceRows(r, w, f); err != nil {
		return answer{}, err
	}
	return s.draw(r, w, "alarms.html", "alarms", w.t("alarms.title"), func(fr frame) any { v.frame = fr; return v })
}

// looked is when alarms were last judged; zero: not since the start.
func (s *Server) looked() time.Time {
	if s.o.Looked == nil {
		return time.Time{}
	}
	return s.o.Looked()
}

// seesAlarm reports whether the visitor may see an alarm: of a place they see, or of gateways and the server for those who see the system.
func (s *Server) seesAlarm(ctx context.Context, f *farm.Farm, a alarm.Alarm) bool {
	if _, ok := f.Place(a.Place); ok {
		_, probed := measure.Quantity(a.Topic).Info()
		return probed && a.Looker != alarm.RulesID || s.may(ctx, account.ReadBook) // kits and rules speak of what stands in the diary
	}
	return s.may(ctx, account.SeeSystem)
}

// actsOn reports whether the visitor may answer an alarm: staff may any, a farmer one of the own places.
func (s *Server) actsOn(ctx context.Context, f *farm.Farm, a alarm.Alarm) bool {
	_, own := f.Place(a.Place)
	return s.may(ctx, account.EditFarm) || own && s.may(ctx, account.KeepDiary)
}

// unanswered puts what somebody sees to already behind what nobody does, among equally grave ones.
func unanswered(list []alarm.Alarm) {
	slices.SortStableFunc(list, func(a, b alarm.Alarm) int {
		rank := func(x alarm.Alarm) int {
			n := 0
			if x.Level == rule.Crit {
				n += 2
			}
			if x.Acked.IsZero() && x.Muted == "" {
				n++
			}
			return n
		}
		return cmp.Compare(rank(b), rank(a))
	})
}

// newAlarmRow puts an alarm into words.
func (s *Server) newAlarmRow(ctx context.Context, w *words, f *farm.Farm, a alarm.Alarm, now time.Time) alarmRow {
	out := alarmRow{
		ID: a.ID, Href: "/alarms/" + a.ID, Level: "warned", What: w.topic(a.Topic), State: w.t("alarm." + string(a.State)), Since: w.ago(now, a.Since),
		Why: w.reasons("why", a.Decision.Why, now), Do: w.reasons("do", a.Decision.Do, now), Source: a.Decision.Source.In(w.lang), Ended: !a.Ended.IsZero(),
		Began: w.dateTime(a.Began), Lasted: w.length(cmp.Or(a.Ended, now).Sub(a.Began)),
	}
	switch {
	case a.State == alarm.NoData || a.State == alarm.Blind:
		out.Level = "lost"
	case a.Level == rule.Crit:
		out.Level = "danger"
	}
	if told := unsignedOf(w, f, a); told != "" {
		out.Why = append(out.Why, told)
	}
	out.Where, out.WhereHref = s.whereOf(w, f, a.Place)
	out.CanAct = !out.Ended && s.actsOn(ctx, f, a)
	if !a.Acked.IsZero() {
		out.Acked = w.t("alarm.acked", s.calledOf(ctx, a.AckedBy), w.moment(a.Acked, now))
	}
	if a.Snoozed.After(now) {
		out.Snoozed = w.t("alarm.snoozed", w.moment(a.Snoozed, now))
	}
	if a.Muted != "" {
		out.Muted = w.t("alarm.muted")
	}
	return out
}

// unsignedOf says where an alarm rests on devices that cannot sign; empty where it does not.
func unsignedOf(w *words, f *farm.Farm, a alarm.Alarm) string {
	if id, ok := strings.CutPrefix(a.Place, alarm.GatewayPlace("")); ok && !f.Signs(id) {
		return w.t("unsigned.source")
	}
	d := a.Decision
	d.Place, d.Topic = a.Place, a.Topic
	return unsignedDecision(w, f, d, a.Began, a.Since)
}

// unsignedDecision says where a decision rests on devices at its place that cannot sign: those that measured, from a moment to another, what it is about or what
// its reasons are figures of.
func unsignedDecision(w *words, f *farm.Farm, d rule.Decision, from, to time.Time) string {
	of := []measure.Quantity{measure.Quantity(d.Topic)}
	for _, r := range d.Why {
		for _, a := range r.Args {
			if a.Quantity != "" {
				of = append(of, a.Quantity)
			}
		}
	}
	for _, m := range f.MountsAt(d.Place, from, to.Add(time.Nanosecond)) {
		if !f.Signs(m.Gateway) && slices.ContainsFunc(of, func(q measure.Quantity) bool { return slices.Contains(m.Measures, q) }) {
			return w.t("unsigned.what")
		}
	}
	return ""
}

// whereOf names what an alarm is of.
func (s *Server) whereOf(w *words, f *farm.Farm, place string) (name, href string) {
	if p, ok := f.Place(place); ok {
		return p.Title.In(w.lang), "/places/" + p.Code
	}
	if id, ok := strings.CutPrefix(place, "gateway "); ok {
		return w.t("alarm.gateway", id), ""
	}
	if place == "" {
		return w.t("alarm.server"), ""
	}
	return place, ""
}

// calledOf is what somebody is called who acted on an alarm; the pseudonym where that is not known.
func (s *Server) calledOf(ctx context.Context, id string) string {
	if s.o.Accounts == nil {
		return id
	}
	name, err := s.accountName(ctx, id)
	if err != nil {
		return id
	}
	return name
}

func newAdviceRow(w *words, f *farm.Farm, p farm.Place, d rule.Decision, now time.Time) adviceRow {
	return adviceRow{
		Where: p.Title.In(w.lang), Href: "/places/" + p.Code, What: w.topic(d.Topic),
		Why: strings.Join(w.reasons("why", d.Why, now), " "), Do: strings.Join(w.reasons("do", d.Do, now), " "), Unsigned: unsignedDecision(w, f, d, d.At, d.At),
	}
}
