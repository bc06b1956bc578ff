package gate_test

import (
	"fmt"
	"testing"
	"time"

	"aovuon/server/diary"
	"aovuon/server/diary/gate"
	"aovuon/server/farm"
	"aovuon/server/form"
)

// Places of the demo's farm.
const (
	ao1, ao4       = "F7NE3CDQ7", "E8SG6VC0T"
	khoai1, thuoc1 = "WW08G83KH", "V6J43QJBG"
)

// at is a moment of 2026 at the co-op.
func at(month time.Month, day, hour, minute int) time.Time {
	return time.Date(2026, month, day, hour, minute, 0, 0, farm.Time())
}

func day(month time.Month, d int) time.Time { return at(month, d, 0, 0) }

// bench is a case that a test fills.
type bench struct {
	t      testing.TB
	events []diary.Event
	gate.Case
}

func newBench(t testing.TB, now time.Time) *bench {
	t.Helper()
	f, err := farm.Demo()
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, Case: gate.Case{Farm: f, Now: now, Settings: gate.Defaults()}}
	b.record(farm.Cycle, "fish", form.Values{"name": "Rô phi", "place": ao1, "branch": "fish", "species": "cá rô phi", "begin": "2026-05-01", "product": "tilapia"})
	b.record(farm.Cycle, "potato", form.Values{"name": "Khoai", "place": khoai1, "branch": "crop", "species": "khoai tây", "begin": "2026-05-01", "product": "spud"})
	b.record(farm.Input, "drug", form.Values{"name": "Oxytetra", "type": "drug", "actives": []string{"oxytetracycline"}, "unit": "g", "withdrawal_days": 10.0})
	b.record(farm.Input, "spray", form.Values{"name": "Ridomil", "type": "pesticide", "actives": []string{"mancozeb", "metalaxyl"}, "unit": "g", "phi_days": 7.0, "organic_listed": false})
	b.record(farm.Input, "unlabelled", form.Values{"name": "Thuốc lạ", "type": "drug", "unit": "g"})
	b.record(farm.Input, "feed", form.Values{"name": "Cám", "type": "feed", "unit": "kg"})
	b.record(farm.Input, "bt", form.Values{"name": "BT", "type": "pesticide", "unit": "g", "phi_days": 0.0, "withdrawal_days": 0.0, "organic_listed": true})
	return b
}

func (b *bench) record(k farm.RecordKind, id string, v form.Values) {
	for i, r := range b.Records {
		if r.Kind == k && r.ID == id {
			b.Records[i].Values = v
			return
		}
	}
	b.Records = append(b.Records, farm.Record{Kind: k, ID: id, Values: v, Revision: 1})
}

// set changes one value of a record.
func (b *bench) set(k farm.RecordKind, id, key string, value any) {
	for _, r := range b.Records {
		if r.Kind == k && r.ID == id {
			r.Values[key] = value
			return
		}
	}
	b.t.Fatalf("no %s %s", k, id)
}

func (b *bench) wrote(kind, place, cycle string, when time.Time, v form.Values) *diary.Event {
	b.events = append(b.events, diary.Event{
		ID: fmt.Sprintf("01KAEZ%020d", len(b.events)+1), Kind: kind, Place: place, Cycle: cycle, Values: v, Occurred: when, Recorded: when, Synced: day(1, 1).Add(time.Duration(len(b.events)) * time.Second),
	})
	return &b.events[len(b.events)-1]
}

// use is an entry that used an input.
func (b *bench) use(kind, place, cycle, input string, when time.Time, more ...any) *diary.Event {
	v := form.Values{"input": input, "amount": 1.0, "reason": "x", "pest": "x"}
	for i := 0; i+1 < len(more); i += 2 {
		v[more[i].(string)] = more[i+1]
	}
	return b.wrote(kind, place, cycle, when, v)
}

func (b *bench) judge() gate.Verdict {
	b.Entries = diary.Entries(b.events)
	return gate.Judge(b.Case)
}

// found returns the findings of a rule.
func found(v gate.Verdict, rule gate.Rule) []gate.Finding {
	var out []gate.Finding
	for _, f := range v.Findings {
		if f.Rule == rule {
			out = append(out, f)
		}
	}
	return out
}

// one returns the one finding of a rule.
func (b *bench) one(rule gate.Rule) gate.Finding {
	b.t.Helper()
	v := b.judge()
	all := found(v, rule)
	if len(all) != 1 {
		b.t.Fatalf("%d findings of %s, want one: %+v", len(all), rule, v.Findings)
	}
	return all[0]
}

func (b *bench) none(rules ...gate.Rule) {
	b.t.Helper()
	v := b.judge()
	for _, r := range rules {
		if all := found(v, r); len(all) > 0 {
			b.t.Errorf("%s: %+v", r, all)
		}
	}
}

func TestJudge_OfNothingFindsNothing(t *testing.T) {
	f, err := farm.Demo()
	if err != nil {
		t.Fatal(err)
	}
	v := gate.Judge(gate.Case{Farm: f, Now: day(11, 1), Settings: gate.Defaults()})
	if len(v.Findings) != 0 || len(v.Harvests) != len(f.Places) {
		t.Errorf("%+v", v)
	}
	for _, h := range v.Harvests {
		if !h.From.IsZero() || h.Unknown || !h.May(day(1, 1)) {
			t.Errorf("%+v", h)
		}
	}
	if v := gate.Judge(gate.Case{Farm: &farm.Farm{}}); len(v.Findings) != 0 {
		t.Errorf("%+v", v)
	}
}
