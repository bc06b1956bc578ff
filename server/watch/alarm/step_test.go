package alarm

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"aovuon/server/watch/rule"
)

var noon = time.Date(2026, 7, 1, 5, 0, 0, 0, time.UTC)

func finding(sign Sign, level rule.Verdict) Finding {
	return Finding{Key: Key{"P1", "dissolved_oxygen"}, Looker: LimitsID, Sign: sign, Level: level, Keep: 15 * time.Minute, Explain: func() rule.Decision { return rule.Decision{Rule: LimitsID} }}
}

func ids() func() string {
	n := 0
	return func() string { n++; return fmt.Sprint("A", n) }
}

// The state machine of README.md, row by row: where each look leads from each state.
func TestStep_EveryStateAndSign(t *testing.T) {
	table := map[State]map[Sign]State{
		Normal:     {Clear: Normal, Hidden: Normal, Band: Normal, Over: Normal, Beyond: Pending, Silent: NoData, Blinded: Blind, Exceeded: Firing},
		Pending:    {Clear: Normal, Hidden: Pending, Band: Normal, Over: Normal, Beyond: Pending, Silent: NoData, Blinded: Blind, Exceeded: Firing},
		Firing:     {Clear: Recovering, Hidden: Firing, Band: Firing, Over: Normal, Beyond: Firing, Silent: NoData, Blinded: Blind, Exceeded: Firing},
		Recovering: {Clear: Recovering, Hidden: Recovering, Band: Firing, Over: Normal, Beyond: Firing, Silent: NoData, Blinded: Blind, Exceeded: Firing},
		NoData:     {Clear: Recovering, Hidden: NoData, Band: Firing, Over: Normal, Beyond: Firing, Silent: NoData, Blinded: Blind, Exceeded: Firing},
		Blind:      {Clear: Recovering, Hidden: Blind, Band: Firing, Over: Normal, Beyond: Firing, Silent: NoData, Blinded: Blind, Exceeded: Firing},
	}
	for from, row := range table {
		for sign, want := range row {
			a := Alarm{ID: "A", Key: Key{"P1", "dissolved_oxygen"}, State: from, Level: rule.Warn, Began: noon, Since: noon, Fired: noon, Broken: from != Pending && from != Normal}
			if from == Normal {
				a = Alarm{}
			}
			got, changes := a.Step(finding(sign, rule.Warn), noon.Add(time.Minute), ids())
			if got.State != want {
				t.Errorf("%s, %d: %s, want %s", from, sign, got.State, want)
			}
			if (got.State != from) != (len(changes) > 0) {
				t.Errorf("%s, %d: %d changes to %s", from, sign, len(changes), got.State)
			}
		}
	}
	silence := Alarm{ID: "A", State: NoData, Level: rule.Warn, Began: noon, Since: noon, Fired: noon}
	for _, sign := range []Sign{Beyond, Band, Clear} { // silence alone broke no limit: nobody is told that one was
		if got, _ := silence.Step(finding(sign, rule.Warn), noon.Add(time.Minute), ids()); got.State != Recovering {
			t.Errorf("after silence alone, %d: %s", sign, got.State)
		}
	}
}

func TestStep_ATremblingValueIsOneSpell(t *testing.T) {
	var a Alarm
	id := ids()
	n := 0
	for i := range 60 { // beyond every other minute, never for long
		now := noon.Add(time.Duration(i) * time.Minute)
		f := finding(Beyond, rule.Warn)
		if i%2 == 1 {
			f = finding(Band, "")
		}
		f.Last = noon.Add(time.Duration(i/2*2) * time.Minute)
		var changes []Change
		a, changes = a.Step(f, now, id)
		n += len(changes)
	}
	if n != 1 || a.State != Pending {
		t.Errorf("%d changes, %s", n, a.State)
	}
}

func TestStep_AGraverLevelTakesBackTheAnswer(t *testing.T) {
	a, _ := Alarm{}.Step(finding(Exceeded, rule.Warn), noon, ids())
	a.Acked, a.AckedBy, a.Snoozed = noon, "u-1", noon.Add(time.Hour)
	same, changes := a.Step(finding(Exceeded, rule.Warn), noon.Add(time.Minute), ids())
	if len(changes) != 0 || same.ID != a.ID {
		t.Errorf("nothing new: %v", changes)
	}
	silent, _ := a.Step(finding(Silent, rule.Warn), noon.Add(time.Minute), ids())
	if silent.AckedBy != "u-1" {
		t.Error("silence took the answer back")
	}
	worse, changes := a.Step(finding(Exceeded, rule.Crit), noon.Add(time.Minute), ids())
	if len(changes) != 1 || changes[0].What != Raised || worse.Level != rule.Crit || !worse.Acked.IsZero() || !worse.Snoozed.IsZero() {
		t.Errorf("graver: %+v, %+v", worse, changes)
	}
	milder, changes := worse.Step(finding(Exceeded, rule.Warn), noon.Add(2*time.Minute), ids())
	if len(changes) != 0 || milder.Level != rule.Crit {
		t.Errorf("milder: %+v, %v", milder, changes)
	}
}

// Whatever is seen in whatever order: one alarm at a time, each from Normal to Normal, its level never sinking, open from Fired on, changes
// that follow from one another.
func TestStep_HoldsItsPromises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var a Alarm
		id := ids()
		now := noon
		last := Normal
		for range rapid.IntRange(1, 60).Draw(t, "looks") {
			now = now.Add(time.Duration(rapid.IntRange(0, 30).Draw(t, "minutes")) * time.Minute)
			sign := Sign(rapid.IntRange(int(Clear), int(Exceeded)).Draw(t, "sign"))
			level := rule.Verdict("")
			if sign >= Beyond {
				level = rapid.SampledFrom([]rule.Verdict{rule.Warn, rule.Crit}).Draw(t, "level")
			}
			f := finding(sign, level)
			if rapid.Bool().Draw(t, "lately") {
				f.Last = now.Add(-10 * time.Minute)
			}
			before := a
			var changes []Change
			a, changes = a.Step(f, now, id)
			for _, c := range changes {
				if c.From != last {
					t.Fatalf("from %s after %s", c.From, last)
				}
				last = c.Alarm.State
			}
			if a.ID != "" && a.ID == before.ID && before.State.Open() && before.Level.Worse(a.Level) {
				t.Fatalf("the level sank: %+v, %+v", before, a)
			}
			if a.State.Open() && (a.Fired.IsZero() || !a.Level.Alarming()) {
				t.Fatalf("open and not told: %+v", a)
			}
			if a.State == Normal != (a.ID == "" || !a.Ended.IsZero()) {
				t.Fatalf("ended or not: %+v", a)
			}
			if a.Broken && a.Fired.IsZero() {
				t.Fatalf("broken and never told: %+v", a)
			}
			if again, twice := a.Step(f, now, id); a.State != Normal && len(twice) > 0 {
				t.Fatalf("the same look twice: %+v to %+v", a, again)
			}
			if a.State == Normal {
				a, last = Alarm{}, Normal
			}
		}
	})
}
