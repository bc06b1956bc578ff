package notify

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/farm"
	"aovuon/server/watch/alarm"
	"aovuon/server/watch/rule"
)

func at(h, m int) time.Time { return time.Date(2026, 7, 1, h, m, 0, 0, farm.Time()).UTC() }

func oxygen(id, place string, level rule.Verdict) alarm.Alarm {
	return alarm.Alarm{ID: id, Key: alarm.Key{Place: place, Topic: string(measure.DissolvedOxygen)}, State: alarm.Firing, Level: level, Began: at(2, 0), Fired: at(2, 3)}
}

func who(id string, step int) Contact {
	return Contact{ID: id, Name: id, Lang: "vi", Level: rule.Warn, Step: step, Addresses: []Address{{"sms", "+84" + id}}, Agreed: at(0, 1)}
}

// stage plays a planner against what a store keeps.
type stage struct {
	t    *testing.T
	now  time.Time
	n    int64
	st   Standing
	open map[string]alarm.Alarm
	sent []Message
}

func newStage(t *testing.T, contacts ...Contact) *stage {
	return &stage{t: t, now: at(2, 3), st: Standing{Contacts: contacts, Settings: DefaultSettings()}, open: map[string]alarm.Alarm{}}
}

func (s *stage) change(a alarm.Alarm, what string, from alarm.State) alarm.Change {
	s.n++
	if a.State == alarm.Normal {
		delete(s.open, a.ID)
	} else {
		s.open[a.ID] = a
	}
	return alarm.Change{N: s.n, Alarm: a, What: what, From: from, At: s.now}
}

func (s *stage) fires(a alarm.Alarm) alarm.Change { return s.change(a, alarm.ToState, alarm.Pending) }

// pass plans, keeps, and says who is told what, as "who: kind alarm, kind alarm".
func (s *stage) pass(changes ...alarm.Change) string {
	s.t.Helper()
	v := view{Standing: s.st, now: s.now, changes: changes, open: s.open, channels: []string{"sms", "mail"}}
	v.messages = s.sent
	for _, m := range s.sent {
		if m.State == Waiting {
			v.waiting = append(v.waiting, m)
		}
	}
	plan, letters := makePlan(v)
	if plan.To > s.st.Cursor {
		s.st.Cursor = plan.To
	}
	rungs := map[string]Rung{}
	for _, r := range s.st.Rungs {
		rungs[r.Alarm] = r
	}
	for _, r := range plan.Rungs {
		rungs[r.Alarm] = r
	}
	for _, id := range plan.Off {
		delete(rungs, id)
	}
	s.st.Rungs = nil
	for _, r := range rungs {
		s.st.Rungs = append(s.st.Rungs, r)
	}
	for i, m := range s.sent {
		if _, ok := plan.Merged[m.ID]; ok {
			s.sent[i].State = Merged
		}
		if slices.Contains(plan.Drop, m.ID) {
			s.sent[i].State = Expired
		}
	}
	var out []string
	for _, l := range letters {
		var said []string
		m := Message{ID: fmt.Sprint("m", len(s.sent)), Contact: l.contact.ID, State: Waiting, Created: s.now, Level: rule.Crit}
		for _, t := range l.told() {
			said = append(said, string(t.Kind)+" "+t.ID)
			m.Items = append(m.Items, Item{t.ID, t.Kind, l.steps[t.ID]})
		}
		m.Kind = l.told()[0].Kind
		s.sent = append(s.sent, m)
		out = append(out, l.contact.ID+": "+strings.Join(said, ", "))
	}
	return strings.Join(out, "; ")
}

// go on says that all that waits was sent, and lets time pass.
func (s *stage) later(d time.Duration) {
	for i := range s.sent {
		if s.sent[i].State == Waiting {
			s.sent[i].State = Sent
		}
	}
	s.now = s.now.Add(d)
}

func (s *stage) want(got, want string) {
	s.t.Helper()
	if got != want {
		s.t.Errorf("at %s told %q, want %q", s.now.In(farm.Time()).Format("15:04"), got, want)
	}
}

func TestPlan_TheLadderIsClimbedUntilSomebodyAnswers(t *testing.T) {
	s := newStage(t, who("lan", 0), who("minh", 0), who("binh", 1), who("siren", 3))
	a := oxygen("A", "P1", rule.Crit)
	s.want(s.pass(s.fires(a)), "lan: opened A; minh: opened A")
	for _, step := range []struct {
		after time.Duration
		want  string
	}{
		{9*time.Minute + 59*time.Second, ""},
		{time.Second, "lan: reminder A; minh: reminder A"},
		{10 * time.Minute, "binh: opened A; lan: reminder A; minh: reminder A"},
		{10 * time.Minute, "binh: reminder A; lan: reminder A; minh: reminder A; siren: opened A"},
		{10 * time.Minute, ""},
		{20 * time.Minute, "binh: reminder A; lan: reminder A; minh: reminder A; siren: reminder A"},
	} {
		s.later(step.after)
		s.want(s.pass(), step.want)
	}
	a.Acked = s.now
	s.want(s.pass(s.change(a, alarm.Acked, alarm.Firing)), "")
	s.later(5 * time.Hour)
	s.want(s.pass(), "")
	a.State, a.Ended = alarm.Normal, s.now
	s.want(s.pass(s.change(a, alarm.ToState, alarm.Recovering)), "binh: closed A; lan: closed A; minh: closed A; siren: closed A")
	if len(s.st.Rungs) != 0 {
		t.Errorf("still on the ladder: %+v", s.st.Rungs)
	}
}

func TestPlan_WarningsAreSaidOnceToThoseWhoWantThem(t *testing.T) {
	night := who("night", 0)
	night.Level = rule.Crit
	s := newStage(t, who("lan", 0), night, who("binh", 1))
	a := oxygen("A", "P1", rule.Warn)
	s.want(s.pass(s.fires(a)), "lan: opened A")
	s.later(3 * time.Hour)
	s.want(s.pass(), "")
	a.Level = rule.Crit // it rises in place
	s.want(s.pass(s.change(a, alarm.Raised, alarm.Firing)), "lan: raised A; night: raised A")
	s.later(10 * time.Minute)
	s.want(s.pass(), "lan: reminder A; night: reminder A")
}

func TestPlan_OnlyThoseWhoLookAfterAPlaceAreToldOfIt(t *testing.T) {
	own, off, silent := who("own", 0), who("off", 0), who("silent", 0)
	own.Places, off.Disabled, silent.Agreed = []string{"P2"}, true, time.Time{}
	s := newStage(t, own, off, silent)
	s.want(s.pass(s.fires(oxygen("A", "P1", rule.Crit))), "")
	s.want(s.pass(s.fires(oxygen("B", "P2", rule.Crit))), "own: opened B")
	gateway := oxygen("C", "gateway gw-1", rule.Crit) // nobody looks after all places, so it is everybody's
	s.want(s.pass(s.fires(gateway)), "own: opened B, opened C")
}

func TestPlan_AStormIsOneMessageToEachAndNothingIsLost(t *testing.T) {
	s := newStage(t, who("lan", 0), who("binh", 1))
	var changes []alarm.Change
	for i := range 20 {
		changes = append(changes, s.fires(oxygen(fmt.Sprintf("A%02d", i), fmt.Sprint("P", i), rule.Crit)))
	}
	got := s.pass(changes[:7]...)
	if strings.Count(got, "opened") != 7 || strings.Contains(got, ";") {
		t.Errorf("first: %s", got)
	}
	// Thirteen more come before the first was sent: it is taken over.
	got = s.pass(changes[7:]...)
	if strings.Count(got, "opened") != 20 || strings.Contains(got, ";") {
		t.Errorf("second: %s", got)
	}
	if s.sent[0].State != Merged || len(s.sent) != 2 {
		t.Errorf("%+v", s.sent)
	}
	s.later(10 * time.Minute)
	if got := s.pass(); strings.Count(got, "reminder") != 20 || strings.Contains(got, ";") {
		t.Errorf("reminder: %s", got)
	}
}

func TestPlan_SnoozeAndMaintenanceAreRespected(t *testing.T) {
	s := newStage(t, who("lan", 0), who("binh", 1))
	a := oxygen("A", "P1", rule.Crit)
	s.want(s.pass(s.fires(a)), "lan: opened A")
	s.later(time.Minute)
	a.Snoozed = s.now.Add(30 * time.Minute)
	s.want(s.pass(s.change(a, alarm.Snoozed, alarm.Firing)), "")
	s.later(29 * time.Minute)
	s.want(s.pass(), "")
	s.later(time.Minute)
	s.want(s.pass(), "lan: reminder A")
	a.Muted = "M1"
	s.want(s.pass(s.change(a, alarm.Muted, alarm.Firing)), "")
	s.later(2 * time.Hour)
	s.want(s.pass(), "")
	a.Muted = ""
	s.want(s.pass(s.change(a, alarm.Unmuted, alarm.Firing)), "lan: opened A")
	// One that begins and ends under maintenance is nobody's business.
	b := oxygen("B", "P1", rule.Crit)
	b.Muted = "M2"
	s.want(s.pass(s.fires(b)), "")
	b.State, b.Ended = alarm.Normal, s.now
	s.want(s.pass(s.change(b, alarm.ToState, alarm.Firing)), "")
}

func TestPlan_WhatIsOverBeforeItWasSaid(t *testing.T) {
	s := newStage(t, who("lan", 0))
	warn, crit := oxygen("W", "P1", rule.Warn), oxygen("C", "P2", rule.Crit)
	s.want(s.pass(s.fires(warn)), "lan: opened W")
	s.later(0)
	s.sent = nil
	s.want(s.pass(s.fires(crit)), "lan: opened C")
	warn.State, warn.Ended, crit.State, crit.Ended = alarm.Normal, s.now, alarm.Normal, s.now
	s.want(s.pass(s.change(crit, alarm.ToState, alarm.Firing)), "lan: closed C") // the one that waited is taken over
	if s.sent[0].State != Merged {
		t.Errorf("%+v", s.sent[0])
	}
	s.want(s.pass(s.change(warn, alarm.ToState, alarm.Firing)), "") // nobody was told of it
	// Began and ended while the server could not send: critical is said, a warning is for the digest.
	s = newStage(t, who("lan", 0))
	first := []alarm.Change{s.fires(oxygen("W", "P1", rule.Warn)), s.fires(oxygen("C", "P2", rule.Crit))}
	s.want(s.pass(append(first, s.change(warn, alarm.ToState, alarm.Firing), s.change(crit, alarm.ToState, alarm.Firing))...), "lan: closed C")
}

func TestPlan_WhoCannotBeReachedIsNotWaitedFor(t *testing.T) {
	s := newStage(t, who("lan", 0), who("binh", 1), who("top", 2))
	s.want(s.pass(s.fires(oxygen("A", "P1", rule.Crit))), "lan: opened A")
	s.sent[0].State = Failed
	s.now = s.now.Add(time.Second)
	s.want(s.pass(), "binh: opened A; lan: reminder A")
	s.now = s.now.Add(time.Second)
	s.want(s.pass(), "") // they wait to be sent
	for i := range s.sent {
		s.sent[i].Attempts = 4 // nobody takes them
	}
	s.want(s.pass(), "binh: opened A; lan: reminder A; top: opened A")
}

func TestPlan_AnAnswerBeforeAnythingIsSentIsEnough(t *testing.T) {
	s := newStage(t, who("lan", 0))
	a := oxygen("A", "P1", rule.Crit)
	b := a
	b.Acked = s.now
	s.want(s.pass(s.fires(a), s.change(b, alarm.Acked, alarm.Firing)), "")
	c := oxygen("C", "P1", rule.Warn)
	s.want(s.pass(s.fires(c)), "lan: opened C")
	c.Acked = s.now
	s.want(s.pass(s.change(c, alarm.Acked, alarm.Firing)), "")
	if s.sent[0].State != Expired {
		t.Errorf("%+v", s.sent[0])
	}
}

func TestPlan_AProbeThatComesBackWithBadNewsIsNews(t *testing.T) {
	s := newStage(t, who("lan", 0), who("binh", 1))
	a := oxygen("A", "P1", rule.Crit)
	a.State = alarm.NoData
	s.want(s.pass(s.fires(a)), "lan: opened A")
	s.later(time.Minute)
	a.Acked = s.now
	s.want(s.pass(s.change(a, alarm.Acked, alarm.NoData)), "")
	a.State = alarm.Firing
	s.want(s.pass(s.change(a, alarm.ToState, alarm.NoData)), "lan: raised A")
}

func TestQuiet_EndsWhenItSays(t *testing.T) {
	c := Contact{QuietFrom: 22 * 60, QuietTo: 5*60 + 30}
	for _, x := range []struct{ now, want time.Time }{
		{at(21, 59), time.Time{}}, {at(22, 0), at(29, 30)}, {at(2, 0), at(5, 30)}, {at(5, 29), at(5, 30)}, {at(5, 30), time.Time{}}, {at(12, 0), time.Time{}},
	} {
		if got := c.quietEnd(x.now); !got.Equal(x.want) {
			t.Errorf("%s: %v, want %v", x.now.In(farm.Time()).Format("15:04"), got, x.want)
		}
	}
	day := Contact{QuietFrom: 12 * 60, QuietTo: 13 * 60}
	if got := day.quietEnd(at(12, 30)); !got.Equal(at(13, 0)) {
		t.Error(got)
	}
	if got := (Contact{}).quietEnd(at(3, 0)); !got.IsZero() {
		t.Error(got)
	}
}

func TestUrgent_IsCriticalOxygenAndCriticalBlindness(t *testing.T) {
	ph := oxygen("A", "P", rule.Crit)
	ph.Topic = string(measure.PH)
	blind := ph
	blind.State = alarm.Blind
	dawn := ph
	dawn.Topic = DawnOxygen
	for name, x := range map[string]struct {
		a    alarm.Alarm
		want bool
	}{"oxygen": {oxygen("A", "P", rule.Crit), true}, "a warning": {oxygen("A", "P", rule.Warn), false}, "pH": {ph, false}, "blind": {blind, true}, "dawn": {dawn, true}} {
		if got := Urgent(x.a); got != x.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
