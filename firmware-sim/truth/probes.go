package truth

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"time"

	"aovuon/firmware-sim/ledger"
)

// Probe is how the answers of one chip compare with the truth.
type Probe struct {
	Channel
	Place  string  `json:"place"`
	Errors Errors  `json:"errors"`
	First  float64 `json:"bias_first"` // bias of the first tenth of its answers
	Last   float64 `json:"bias_last"`  // and of the last: what drifted or fouled shows here
}

// Spell is a time in which a device answered with faults of one kind, with no other answer to the same question between.
type Spell struct {
	Channel
	Fault string    `json:"fault"`
	From  time.Time `json:"from"`
	To    time.Time `json:"to"`
	N     int       `json:"n"`
}

// Answers are the answers of all chips in a stretch.
type Answers struct {
	Values map[Channel][]ledger.Entry // in the order of time
	Spells []Spell
}

// ReadAnswers reads a ledger of the field's simulator.
func ReadAnswers(in io.Reader, s Span) (a Answers, err error) {
	a.Values = map[Channel][]ledger.Entry{}
	open := map[Channel]int{} // index of the spell under way
	err = ledger.Read(in, func(e ledger.Entry) error {
		if e.Time.Before(s.From) || !e.Time.Before(s.To) {
			return nil
		}
		ch := Channel{e.Device, e.Quantity}
		if e.Fault == "" {
			a.Values[ch] = append(a.Values[ch], e)
			delete(open, ch)
			delete(open, Channel{Sensor: e.Device}) // it answers again
			return nil
		}
		if i, going := open[ch]; going && a.Spells[i].Fault == e.Fault {
			a.Spells[i].To = e.Time
			a.Spells[i].N++
			return nil
		}
		open[ch] = len(a.Spells)
		a.Spells = append(a.Spells, Spell{ch, e.Fault, e.Time, e.Time, 1})
		return nil
	})
	for _, list := range a.Values {
		slices.SortStableFunc(list, func(x, y ledger.Entry) int { return x.Time.Compare(y.Time) })
	}
	return a, err
}

// Probes compares the answers of chips with the truth where they are; places says where a device is. What the world knows nothing
// about (volts, amperes) is left out.
func Probes(w World, a Answers, places map[string]string) (list []Probe, err error) {
	for ch, entries := range a.Values {
		place := places[ch.Sensor]
		if !slices.Contains(w.Quantities(place), ch.Quantity) {
			continue
		}
		off := make([]float64, len(entries))
		for i, e := range entries {
			v, err := w.Value(place, ch.Quantity, e.Time)
			if err != nil {
				return nil, fmt.Errorf("truth: %s: %w", ch, err)
			}
			off[i] = e.Value - v
		}
		tenth := max(1, len(off)/10)
		list = append(list, Probe{ch, place, ErrorsOf(off), ErrorsOf(off[:tenth]).Bias, ErrorsOf(off[len(off)-tenth:]).Bias})
	}
	slices.SortFunc(list, func(x, y Probe) int {
		return cmp.Or(cmp.Compare(x.Place, y.Place), cmp.Compare(x.Sensor, y.Sensor), cmp.Compare(x.Quantity, y.Quantity))
	})
	return list, nil
}

// Tally is what a chip answered against what the product has of it.
type Tally struct {
	Channel
	Answered int `json:"answered"` // values the chip gave
	Held     int `json:"held"`     // values the product has
	Faults   int `json:"faults"`   // readings of the product that are faults
	Missing  int `json:"missing"`  // answered and not held
	Extra    int `json:"extra"`    // held and not answered
}

// Tallies counts, channel by channel, over the product's steps that lie wholly within the stretch, those too of which it has
// nothing and therefore does not tell. Channels that no chip answered (what a gateway computes) are left out.
func Tallies(a Answers, all []Series, s Span) (list []Tally) {
	held := map[Channel]Series{}
	for _, one := range all {
		held[Channel{one.Sensor, one.Quantity}] = one
	}
	for ch, entries := range a.Values {
		t := Tally{Channel: ch}
		one, known := held[ch]
		if !known {
			t.Answered, t.Missing = len(entries), len(entries)
			list = append(list, t)
			continue
		}
		whole := one.whole(s)
		for _, e := range entries {
			if !e.Time.Before(whole.From) && e.Time.Before(whole.To) {
				t.Answered++
			}
		}
		for _, st := range one.Steps {
			if s.has(st.Start, one.Step) {
				t.Held += st.N
				t.Faults += st.Faults
			}
		}
		t.Missing, t.Extra = max(0, t.Answered-t.Held), max(0, t.Held-t.Answered)
		list = append(list, t)
	}
	slices.SortFunc(list, func(x, y Tally) int {
		return cmp.Or(cmp.Compare(x.Sensor, y.Sensor), cmp.Compare(x.Quantity, y.Quantity))
	})
	return list
}

// whole is the part of a stretch that steps fill: from the beginning of the first that lies wholly in it to the end of the last.
func (one Series) whole(s Span) Span {
	phase := time.Unix(0, 0)
	if len(one.Steps) > 0 {
		phase = one.Steps[0].Start
	}
	from := phase.Add(-phase.Sub(s.From).Truncate(one.Step))
	for from.Before(s.From) {
		from = from.Add(one.Step)
	}
	long := s.To.Sub(from).Truncate(one.Step)
	return Span{from, from.Add(max(0, long))}
}
