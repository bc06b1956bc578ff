package alarm

import (
	"errors"
	"strings"
	"testing"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/farm"
	"aovuon/server/watch/rule"
)

func (s *story) expects(want string) {
	s.t.Helper()
	if got, want := s.told(), tidy(want); got != want {
		s.t.Errorf("told\n%swant\n%s", got, want)
	}
}

// While the windows do not follow the log it is the server that is blind, not the probes that are silent.
func TestFollow_AProjectionThatHangsIsBlindnessAndNoSilence(t *testing.T) {
	s := newStory(t, oxygenLimits(), oxygen(steps(-1e6, 6, 0, quiet)))
	s.run(2 * time.Minute)
	s.end = 100 // batches come, and the windows stand still
	s.run(38 * time.Minute)
	s.expects(`
		3.5 watch_follow blind (crit)`)
	s.at = 100
	s.feeds[0].says = steps(-1e6, 6)
	s.run(10 * time.Minute)
	s.expects(`
		3.5 watch_follow blind (crit)
		40 watch_follow recovering
		45 watch_follow normal`)
}

func TestFollow_WhileTheWindowsAreFilledNothingIsSaidOfSilence(t *testing.T) {
	s := newStory(t, oxygenLimits(), oxygen(steps(-1e6, 6)))
	s.at = -1
	s.windows = NewWindows(7 * time.Hour) // as at a start, before a reading is read
	s.watch.Lookers[2] = NewLimits(s, s.windows)
	s.feeds = nil
	s.run(30 * time.Second)
	s.expects("")
}

// A database that fails is told as soon as it takes anything again; what was decided on meanwhile is decided again.
func TestWatch_AStoreThatFailsIsToldAndLosesNothing(t *testing.T) {
	s := newStory(t, oxygenLimits(), oxygen(steps(-1e6, 6, 10, 2.5)))
	s.run(5 * time.Minute)
	s.store.down = true
	s.run(25 * time.Minute)
	if st := s.watch.Status(); st.Blind == 0 || st.Problem == "" {
		t.Errorf("nobody knows: %+v", st)
	}
	s.store.down = false
	s.run(10 * time.Minute)
	got := s.told()
	for _, want := range []string{"30 watch_store blind (crit)", "30 dissolved_oxygen firing (crit)", "35.5 watch_store normal"} {
		if !strings.Contains(got, want+"\n") {
			t.Errorf("not told: %s\n%s", want, got)
		}
	}
	a := s.store.alarms[s.store.changes[0].Alarm.ID]
	for _, c := range s.store.changes {
		if c.Alarm.Topic == "dissolved_oxygen" {
			a = c.Alarm
		}
	}
	if a.Began != noon.Add(10*time.Minute) {
		t.Errorf("it began at %v", a.Began)
	}
}

// What a slow rule warned of lasts until the rule says that it is over: neither a restart nor a rule that cannot look ends it.
func TestRules_ADecisionIsAnAlarmUntilTheRuleSaysOtherwise(t *testing.T) {
	s := newStory(t, nil)
	say := func(v rule.Verdict) {
		s.board.Put("late_blight", []rule.Decision{{Rule: "late_blight", Place: "P1", Topic: "late_blight", Verdict: v, At: s.now, Why: []rule.Reason{rule.Because("x")}}})
	}
	say(rule.Notice)
	s.run(10 * time.Minute)
	say(rule.Warn)
	s.run(10 * time.Minute)
	s.board = rule.NewBoard()
	s.start() // nothing is decided yet
	s.run(10 * time.Minute)
	say(rule.Unknown)
	s.run(10 * time.Minute)
	s.board.Blind("late_blight", s.now, errors.New("no history"))
	s.run(70 * time.Minute)
	say(rule.Calm)
	s.run(40 * time.Minute)
	s.expects(`
		10 late_blight pending
		10 late_blight firing (warn)
		100 watch_rules blind (warn)
		110 watch_rules recovering
		110 late_blight recovering
		115 watch_rules normal
		140 late_blight normal`)
}

func TestKit_EachEntryIsJudgedOnce(t *testing.T) {
	limits := []farm.Limit{
		{Quantity: "no2", What: farm.OfKit, Level: farm.Warn, Above: true, Value: 0.5},
		{Quantity: "no2", What: farm.OfKit, Level: farm.Crit, Above: true, Value: 1},
		{Quantity: "transparency", What: farm.OfKit, Level: farm.Warn, Value: 30},
	}
	s := newStory(t, limits)
	enter := func(at time.Time, key string, v float64) {
		s.tests = append(s.tests, Test{Place: "P1", At: at, Values: map[string]float64{key: v}})
	}
	enter(noon.Add(-72*time.Hour), "transparency", 10) // a phone that was off for three days: that says nothing of now
	enter(noon.Add(-time.Hour), "no2", 0.2)
	s.run(10 * time.Minute)
	s.expects("")
	enter(s.now, "no2", 0.7)
	s.run(10 * time.Minute)
	enter(s.now, "no2", 1.5)
	s.run(10 * time.Minute)
	enter(s.now, "no2", 0.5) // exactly at the limit is within it
	s.run(10 * time.Minute)
	s.expects(`
		10 kit/no2 pending
		10 kit/no2 firing (warn)
		20 kit/no2 raised to crit
		30 kit/no2 recovering
		30 kit/no2 normal`)
	for _, c := range s.store.changes {
		if d := c.Alarm.Decision; d.Profile != "freshwater" || d.Version != 3 || len(d.Why) == 0 {
			t.Errorf("judged by %+v", d)
		}
	}
}

// A value that is bad stands for a week, through the time in which it could not raise an alarm any more, and not for longer.
func TestKit_AnEntryStandsForAWeek(t *testing.T) {
	s := newStory(t, []farm.Limit{{Quantity: "no2", What: farm.OfKit, Level: farm.Warn, Above: true, Value: 0.5}})
	s.tests = []Test{{Place: "P1", At: noon, Values: map[string]float64{"no2": 0.7}}}
	for range 8 * 24 {
		if err := s.watch.Tick(t.Context(), s.now); err != nil {
			t.Fatal(err)
		}
		s.now = s.now.Add(time.Hour)
	}
	s.expects(`
		0 kit/no2 pending
		0 kit/no2 firing (warn)
		10080 kit/no2 recovering
		10080 kit/no2 normal`)
}

func TestMaintenance_NobodyIsCalledWhileAPondIsDrained(t *testing.T) {
	s := newStory(t, oxygenLimits(), oxygen(steps(-1e6, 6, 20, 2.5)))
	m, err := s.desk.Maintain(t.Context(), Maintenance{Place: "P1", To: noon.Add(time.Hour), By: "u-1", Reason: "tháo nước"})
	if err != nil {
		t.Fatal(err)
	}
	s.run(30 * time.Minute)
	for _, c := range s.store.changes {
		if c.Alarm.Muted != m.ID {
			t.Errorf("not held back: %+v", c)
		}
	}
	if _, err := s.desk.EndMaintenance(t.Context(), m.ID, "u-2"); err != nil {
		t.Fatal(err)
	}
	s.run(2 * time.Minute)
	again, err := s.desk.Maintain(t.Context(), Maintenance{From: noon.Add(40 * time.Minute), To: noon.Add(time.Hour), By: "u-1", Reason: "mất điện cả xã"})
	if err != nil {
		t.Fatal(err)
	}
	s.run(38 * time.Minute)
	s.expects(`
		20 dissolved_oxygen pending
		23 dissolved_oxygen firing (crit)
		30 dissolved_oxygen unmute
		40 dissolved_oxygen mute
		60 dissolved_oxygen unmute`)
	if _, err := s.desk.EndMaintenance(t.Context(), again.ID, "u-2"); !isRefused(err, "over") {
		t.Errorf("ended twice: %v", err)
	}
	if _, err := s.desk.EndMaintenance(t.Context(), "M9", "u-2"); !errors.Is(err, ErrNone) {
		t.Errorf("none: %v", err)
	}
}

func isRefused(err error, key string) bool {
	r, ok := errors.AsType[*Refused](err)
	return ok && r.Key == key
}

func TestDesk_WhatAPersonMayAskOfAnAlarm(t *testing.T) {
	s := newStory(t, oxygenLimits(), oxygen(steps(-1e6, 6, 0, 3.8, 30, 2.5, 50, 6)))
	s.run(15 * time.Minute)
	open, err := s.desk.Open(t.Context())
	if err != nil || len(open) != 1 {
		t.Fatalf("%v, %v", open, err)
	}
	id, wake := open[0].ID, s.desk.Wake()
	if a, err := s.desk.Ack(t.Context(), id, "u-1", "  tới ngay "); err != nil || a.AckedBy != "u-1" || a.Acked != s.now {
		t.Fatalf("acknowledged: %+v, %v", a, err)
	}
	select {
	case <-wake:
	default:
		t.Error("nobody was told of the change")
	}
	if last := s.store.changes[len(s.store.changes)-1]; last.What != Acked || last.By != "u-1" || last.Note != "tới ngay" {
		t.Errorf("kept %+v", last)
	}
	n := len(s.store.changes)
	if a, err := s.desk.Ack(t.Context(), id, "u-2", ""); err != nil || a.AckedBy != "u-1" || len(s.store.changes) != n {
		t.Errorf("a second one: %+v, %v", a, err)
	}
	s.start() // a restart takes no answer back
	s.run(time.Minute)
	if open, err = s.desk.Open(t.Context()); err != nil || open[0].AckedBy != "u-1" {
		t.Errorf("after a restart: %+v, %v", open, err)
	}
	for _, tc := range []struct {
		until time.Duration
		key   string
	}{{13 * time.Hour, "long"}, {-time.Minute, "past"}, {12 * time.Hour, ""}} {
		if _, err := s.desk.Snooze(t.Context(), id, s.now.Add(tc.until), "u-1", ""); tc.key == "" && err != nil || tc.key != "" && !isRefused(err, tc.key) {
			t.Errorf("snooze for %v: %v, want %q", tc.until, err, tc.key)
		}
	}
	if _, err := s.desk.Snooze(t.Context(), id, s.now.Add(time.Hour), "u-1", strings.Repeat("á", NoteMax+1)); !isRefused(err, "note") {
		t.Errorf("a long note: %v", err)
	}
	s.run(20 * time.Minute) // it has become critical: the answers are taken back
	if open, err = s.desk.Open(t.Context()); err != nil || open[0].Level != rule.Crit || !open[0].Acked.IsZero() || !open[0].Snoozed.IsZero() {
		t.Errorf("critical: %+v, %v", open, err)
	}
	if _, err := s.desk.Snooze(t.Context(), id, s.now.Add(31*time.Minute), "u-1", ""); !isRefused(err, "long") {
		t.Errorf("critical for 31 min: %v", err)
	}
	if _, err := s.desk.Snooze(t.Context(), id, s.now.Add(30*time.Minute), "u-1", ""); err != nil {
		t.Errorf("critical for 30 min: %v", err)
	}
	s.run(40 * time.Minute)
	if _, err := s.desk.Ack(t.Context(), id, "u-1", ""); !isRefused(err, "ended") {
		t.Errorf("after its end: %v", err)
	}
	if _, err := s.desk.Ack(t.Context(), "A9", "u-1", ""); !errors.Is(err, ErrNone) {
		t.Errorf("none: %v", err)
	}
}

func TestDesk_MaintenanceThatIsRefused(t *testing.T) {
	s := newStory(t, nil)
	for key, m := range map[string]Maintenance{
		"reason": {To: noon.Add(time.Hour)},
		"order":  {From: noon.Add(time.Hour), To: noon, Reason: "x"},
		"past":   {From: noon.Add(-2 * time.Hour), To: noon.Add(-time.Hour), Reason: "x"},
		"week":   {To: noon.Add(MaintenanceMax + time.Minute), Reason: "x"},
		"note":   {To: noon.Add(time.Hour), Reason: strings.Repeat("x", NoteMax+1)},
	} {
		if _, err := s.desk.Maintain(t.Context(), m); !isRefused(err, key) {
			t.Errorf("%s: %v", key, err)
		}
	}
}

// One gateway that invents probes cannot fill the memory.
func TestWindows_AreBounded(t *testing.T) {
	w := NewWindows(time.Hour)
	var x Sample
	x.Gateway, x.Place, x.Quantity, x.Time = "gw1", "P1", measure.PH, noon
	for i := range MaxChannels + 50 {
		x.Sensor = strings.Repeat("a", 1+i%30) + string(rune('a'+i%26)) + strings.Repeat("b", i/30)
		w.Add([]Sample{x}, noon)
	}
	if len(w.series) > MaxChannels {
		t.Errorf("%d series", len(w.series))
	}
	x.Sensor = "ao1-ph"
	w = NewWindows(time.Hour)
	for i := range 3 * rawMost {
		x.Time = noon.Add(time.Duration(i) * time.Second)
		w.Add([]Sample{x}, x.Time)
		w.Add([]Sample{x}, x.Time) // twice is once
	}
	s := w.series[x.Series]
	if len(s.raw) > rawMost*5/4 || s.raw[len(s.raw)-1].at != x.Time.UnixMilli() {
		t.Errorf("%d readings", len(s.raw))
	}
	for i := 1; i < len(s.raw); i++ {
		if s.raw[i].at <= s.raw[i-1].at {
			t.Fatal("not in order of time")
		}
	}
}
