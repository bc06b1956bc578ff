package desk

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"aovuon/server/diary"
	"aovuon/server/farm"
	"aovuon/server/form"
	"aovuon/server/trace"
)

// Fields of a harvest, or of a batch of what is made, that lots are made of.
const (
	keyLotCode = "lot_code"
	keyProduct = "product"
	keyOutKG   = "out_kg"
	keyInputs  = "inputs"
)

// opensLot reports whether entries of a kind open lots.
func opensLot(kind string) bool { return kind == diary.Harvest || kind == diary.Batch }

// kgOf returns what an entry adds to its lot.
func kgOf(e diary.Entry) float64 {
	key := diary.KeyKG
	if e.Kind == diary.Batch {
		key = keyOutKG
	}
	kg, _ := e.Values.Number(key)
	return kg
}

// harvest says what becomes of lots by a harvest, its correction or its being taken back.
func (t *taking) harvest() ([]Change, error) {
	all, err := t.lots.DiaryLots(t.ctx, t.event.Place, time.Time{})
	if err != nil {
		t.failed = err
		return nil, err
	}
	entry := t.mine()
	from := slices.IndexFunc(all, func(s Standing) bool { return slices.Contains(s.Lot.Harvests, entry.First.ID) })
	moved := map[int]*Standing{}
	if from >= 0 {
		now := all[from]
		moved[from] = &now
	}
	fresh, err := t.place(all, moved, from, entry)
	if err != nil {
		return nil, err
	}
	return t.settle(all, moved, fresh)
}

// mine is the entry that the event is of, as it would stand.
func (t *taking) mine() diary.Entry {
	i := slices.IndexFunc(t.entries, func(e diary.Entry) bool {
		return slices.ContainsFunc(e.History, func(h diary.Event) bool { return h.ID == t.event.ID })
	})
	return t.entries[i]
}

// place puts an entry into the lot that is its own from now on: the one it was in, another there is, or a new one, which it returns.
func (t *taking) place(all []Standing, moved map[int]*Standing, from int, entry diary.Entry) (fresh *Standing, err error) {
	leave := func() {
		if from >= 0 {
			moved[from].Lot.Harvests = slices.DeleteFunc(slices.Clone(moved[from].Lot.Harvests), func(id string) bool { return id == entry.First.ID })
		}
	}
	if entry.Voided {
		leave()
		return nil, nil
	}
	product, ok, err := t.product(entry)
	if err != nil {
		return nil, err
	}
	if !ok {
		if entry.Kind == diary.Batch { // of the co-op's own use: no lot is asked for
			leave()
			return nil, nil
		}
		return nil, invalid(keyProduct, form.Missing, "")
	}
	code := entry.Values.Text(keyLotCode)
	if from >= 0 && moved[from].Lot.GTIN == product.GTIN && (code == "" || code == moved[from].Lot.Code) {
		return nil, nil
	}
	if code != "" && !ValidCode(code) {
		return nil, invalid(keyLotCode, form.BadText, code)
	}
	leave()
	if at := slices.IndexFunc(all, func(s Standing) bool { return code != "" && s.Lot.Code == code && s.Lot.GTIN == product.GTIN }); at >= 0 {
		if t.closed(all[at]) {
			return nil, invalid(keyLotCode, form.Taken, code)
		}
		now := all[at]
		now.Lot.Harvests = append(slices.Clone(now.Lot.Harvests), entry.First.ID)
		moved[at] = &now
		return nil, nil
	}
	if code, err = t.newCode(code, entry); err != nil {
		return nil, err
	}
	return &Standing{Lot: trace.Lot{GTIN: product.GTIN, Code: code, Harvests: []string{entry.First.ID}, Demo: t.farm.Coop.Demo}}, nil
}

// closed reports whether nothing can be added to a lot any more.
func (t *taking) closed(s Standing) bool {
	switch s.Lot.State {
	case trace.Released, trace.Shipped, trace.Recalled, trace.Closed:
		return true
	case trace.Growing, trace.Harvested, trace.Held, trace.Void:
	}
	return s.Hold != nil && !s.Hold.Released.IsZero()
}

func invalid(key string, code form.Code, given string) error {
	return &form.InvalidError{Problems: form.Problems{{Key: key, Code: code, Given: given}}}
}

// ValidCode reports whether a lot can be called that: it stands in a Digital Link, in an address and on a label.
func ValidCode(code string) bool {
	_, err := trace.ParseLink(trace.Link{GTIN: farm.InternalNumber(1), Lot: code}.Path(), "")
	return err == nil && strings.Trim(code, ".") != ""
}

// newCode returns a code that no lot has: the one that was written down, or one of the place and the day.
func (t *taking) newCode(code string, entry diary.Entry) (string, error) {
	prefix := code
	if code == "" {
		place, _ := t.farm.Place(entry.Place)
		prefix = CodePrefix(place.Name, entry.At())
	}
	taken, err := t.lots.Codes(t.ctx, prefix)
	if err != nil {
		t.failed = err
		return "", err
	}
	if code != "" {
		if slices.Contains(taken, code) {
			return "", invalid(keyLotCode, form.Taken, code)
		}
		return code, nil
	}
	return NextCode(prefix, taken), nil
}

// CodePrefix is what the codes of a place's lots of a day begin with: AO1-261125. A place with a long name is cut, so that a code has the 20
// characters of GS1's AI 10 at most.
func CodePrefix(place string, at time.Time) string {
	name := strings.ToUpper(place)
	if len(name) > 9 {
		name = strings.Trim(name[:9], "-")
	}
	return name + "-" + at.In(farm.Time()).Format("060102")
}

// NextCode returns the prefix itself for the first lot of a day, then -B to -Z, then -27 and on.
func NextCode(prefix string, taken []string) string {
	for n := 1; ; n++ {
		code := prefix
		switch {
		case n > 26:
			code = fmt.Sprintf("%s-%d", prefix, n)
		case n > 1:
			code = prefix + "-" + string(rune('A'+n-1))
		}
		if !slices.Contains(taken, code) {
			return code
		}
	}
}

// product returns what an entry brought in: what it says, or else what its season is for. ok is false where neither says.
func (t *taking) product(entry diary.Entry) (p trace.Product, ok bool, err error) {
	id := entry.Values.Text(keyProduct)
	if c, known := t.record(farm.Cycle, entry.Cycle); known && id == "" {
		id = c.Values.Text(keyProduct)
	}
	rec, known := t.record(farm.Product, id)
	if !known {
		return p, false, nil
	}
	list, err := t.lots.Products(t.ctx)
	if err != nil {
		t.failed = err
		return p, false, err
	}
	gtin := rec.Values.Text("gtin")
	for _, have := range list {
		if have.Record == id && (have.GTIN == gtin || gtin == "" && farm.Internal(have.GTIN)) {
			return have, true, nil
		}
	}
	return p, false, fmt.Errorf("desk: product %s has no number: save its record again", id)
}

// settle works out the lots that were touched, and all others of the place, from the entries.
func (t *taking) settle(all []Standing, moved map[int]*Standing, fresh *Standing) ([]Change, error) {
	var out []Change
	for i, was := range all {
		now := was
		if m := moved[i]; m != nil {
			now = t.build(*m)
		}
		if err := t.weigh(&now); err != nil {
			return nil, err
		}
		if !equal(was, now) {
			out = append(out, Change{Was: &was, Now: now})
		}
	}
	if fresh != nil {
		now := t.build(*fresh)
		if err := t.weigh(&now); err != nil {
			return nil, err
		}
		out = append(out, Change{Now: now})
	}
	return out, nil
}

// build fills a lot from the entries it is made of.
func (t *taking) build(s Standing) Standing {
	parts := t.partsOf(s)
	l := &s.Lot
	if len(parts) == 0 {
		return unharvested(s)
	}
	l.KG, l.Harvested = 0, time.Time{}
	l.Places, l.Cycle = nil, parts[0].Cycle
	for _, e := range parts {
		l.KG += kgOf(e)
		if at := e.At().UTC(); at.After(l.Harvested) {
			l.Harvested = at
		}
		if !slices.Contains(l.Places, e.Place) {
			l.Places = append(l.Places, e.Place)
		}
	}
	place, _ := t.farm.Place(parts[0].Place)
	l.Species, l.Scientific, l.Stocked = place.Holds, place.Species, l.Harvested
	if c, ok := t.record(farm.Cycle, l.Cycle); ok {
		v := c.Values
		l.Stocked = v.Day("begin", farm.Time()).UTC()
		if !strings.EqualFold(v.Text("species"), place.Holds.VI) {
			l.Species, l.Scientific = farm.Text{VI: v.Text("species")}, ""
		}
		p, _ := t.record(farm.Product, cmp.Or(parts[0].Values.Text(keyProduct), v.Text(keyProduct)))
		l.Scientific = cmp.Or(p.Values.Text("scientific"), l.Scientific)
	}
	if at := t.stocked(l.Cycle); !at.IsZero() {
		l.Stocked = at
	}
	if l.Stocked.After(l.Harvested) {
		l.Stocked = l.Harvested
	}
	switch l.State {
	case trace.Held, trace.Recalled, trace.Released, trace.Shipped, trace.Closed:
	case "", trace.Void, trace.Growing, trace.Harvested:
		l.State = trace.Harvested
	}
	return s
}

// unharvested is a lot whose harvests were all taken back. One that goods were made, packed or shipped of is there all the same, with nothing
// that they could be from: it may not be sold any more, and its account says so.
func unharvested(s Standing) Standing {
	l := &s.Lot
	l.KG = 0
	switch {
	case !s.Moved:
		l.State, l.Harvested = trace.Void, time.Time{}
	case l.State == trace.Released:
		l.State = trace.Harvested
	}
	return s
}

// stocked is when the season's fish came in, or its seed was laid; zero: nobody wrote it down.
func (t *taking) stocked(cycle string) time.Time {
	for _, e := range t.entries { // the oldest first
		if cycle != "" && !e.Voided && e.Cycle == cycle && (e.Kind == diary.Stocking || e.Kind == diary.Planting || e.Kind == diary.Seeding) {
			return e.At().UTC()
		}
	}
	return time.Time{}
}

// partsOf returns the entries that a lot is made of and that stand, the oldest first.
func (t *taking) partsOf(s Standing) []diary.Entry {
	var out []diary.Entry
	for _, e := range t.entries {
		if !e.Voided && slices.Contains(s.Lot.Harvests, e.First.ID) {
			out = append(out, e)
		}
	}
	return out
}
