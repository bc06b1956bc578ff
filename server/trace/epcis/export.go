package epcis

import (
	"cmp"
	"slices"
	"time"

	"aovuon/server/diary"
	"aovuon/server/farm"
	"aovuon/server/trace"
)

// Source is what events are told from.
type Source struct {
	Names    Names
	Farm     *farm.Farm
	Dossiers []trace.Dossier        // of every lot that is told of
	Entries  []diary.Entry          // of their seasons, batches and sales
	Records  map[string]farm.Record // of the register, by id
	Goods    []trace.Goods          // of their lots
	Serials  map[string][]string    // of a Pack, by its id
	From, To time.Time              // only what happened in it; zero: whenever
	// Staff says that it is for those who work here. For all others are left out: buyers, suppliers, documents, vehicles, reasons (people write
	// names into them), serials and boxes (whoever has serials that were issued can print labels of them).
	Staff bool
}

// Export tells the events, by when they happened. The ids of events are hashes of what they say, so the same source tells the same.
func Export(s Source) []Event {
	t := &teller{Source: s}
	t.mounts()
	for _, d := range s.Dossiers {
		t.lot(d)
	}
	for _, e := range s.Entries {
		t.entry(e)
	}
	t.goods()
	return t.finish()
}

// teller gathers events.
type teller struct {
	Source
	out []Event
}

// add completes an event and keeps it.
func (t *teller) add(e Event) *Event {
	if t.done(e.Time.Time) {
		e.ID = HashID(e, t.Names.Context())
		t.out = append(t.out, e)
		return &t.out[len(t.out)-1]
	}
	return nil
}

// done reports whether a time is in the stretch that is told of.
func (t *teller) done(at time.Time) bool {
	return (t.From.IsZero() || !at.Before(t.From)) && (t.To.IsZero() || at.Before(t.To))
}

func (t *teller) finish() []Event {
	slices.SortStableFunc(t.out, func(a, b Event) int { return cmp.Or(a.Time.Compare(b.Time.Time), cmp.Compare(a.ID, b.ID)) })
	return slices.CompactFunc(t.out, func(a, b Event) bool { return a.ID == b.ID && (a.Error == nil) == (b.Error == nil) })
}

// at begins an event at a place of the co-op's; place may be empty.
func (t *teller) at(typ Type, when time.Time, place string) Event {
	e := Event{Type: typ, Time: local(when), Ext: map[string]any{}}
	e.Offset = e.Time.Format("-07:00")
	if place != "" {
		e.ReadPoint, e.Location = &Where{ID: t.Names.Place(place)}, &Where{ID: t.Names.Place(place)}
	}
	if t.Farm.Coop.Demo {
		e.Ext["farm:demo"] = "true"
	}
	return e
}

// mounts tells which probe was where while a lot was there. One that hangs since nobody knows when has no event: its time would be made up.
func (t *teller) mounts() {
	for _, d := range t.Dossiers {
		to := d.Lot.Harvested
		if to.IsZero() {
			to = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
		}
		for _, place := range d.Lot.Places {
			for _, m := range t.Farm.MountsAt(place, d.Lot.Stocked, to) {
				t.mount(m)
			}
		}
	}
}

func (t *teller) mount(m farm.Mount) {
	for _, turn := range []struct {
		at           time.Time
		action, step string
	}{{m.From, Add, "installing"}, {m.To, Delete, "removing"}} {
		if turn.at.IsZero() {
			continue
		}
		e := t.at(Association, turn.at, m.Place)
		e.Parent, e.Children, e.Action, e.Step, e.Location = t.Names.Place(m.Place), []string{t.Names.Probe(m.Gateway, m.Sensor)}, turn.action, turn.step, nil
		var measures []string
		for _, q := range m.Measures {
			measures = append(measures, "farm:"+string(q))
		}
		if len(measures) > 0 {
			e.Ext["farm:measures"] = measures
		}
		t.add(e)
	}
}
