package desk

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"aovuon/server/account"
	"aovuon/server/diary"
	"aovuon/server/ledger"
	"aovuon/server/trace"
)

// rejudge looks at the lots of the entry's place again, as the diary would stand with it.
func (t *taking) rejudge() ([]Change, error) {
	all, err := t.lots.DiaryLots(t.ctx, t.event.Place, t.now.AddDate(-reviewYears, 0, 0))
	if err != nil {
		t.failed = err
		return nil, err
	}
	return t.settle(all, nil, nil)
}

// reviewYears is how old a harvest may be and still be judged again: what was sold longer ago is no longer to be held.
const reviewYears = 2

// weigh has a lot judged, and holds it where it is blocked. Nothing is let go here: that takes a person.
func (t *taking) weigh(s *Standing) error {
	switch s.Lot.State {
	case trace.Recalled, trace.Void, trace.Growing, trace.Closed:
		return nil
	case trace.Harvested, trace.Held, trace.Released, trace.Shipped:
	}
	if s.Lot.Harvested.Before(t.now.AddDate(-reviewYears, 0, 0)) {
		return nil
	}
	r, err := t.rule(*s)
	if err != nil {
		t.failed = err
		return err
	}
	s.Lot.Barred = r.Barred
	causes := r.Causes
	switch h := s.Hold; {
	case len(causes) == 0:
	case h.Open():
		if more := join(h.Causes, causes); len(more) > len(h.Causes) {
			next := *h
			next.Causes = more
			s.Hold = &next
		}
	case h != nil && len(join(h.Causes, causes)) == len(h.Causes): // who released it knew of all that
	default:
		s.Hold, s.Lot.State = &Hold{Held: t.now, By: t.who.Actor, Causes: causes}, trace.Held
	}
	return nil
}

// join adds causes that are not there yet. When one would clear does not make another of it.
func join(have, more []Cause) []Cause {
	out := slices.Clone(have)
	for _, c := range more {
		if !slices.ContainsFunc(out, func(o Cause) bool { return o.Rule == c.Rule && o.Event == c.Event }) {
			out = append(out, c)
		}
	}
	return out
}

// rule asks the judge about each harvest of a lot.
func (t *taking) rule(s Standing) (out Ruling, err error) {
	for _, e := range t.partsOf(s) {
		found, err := t.judge(t.ctx, Case{Farm: t.farm, Records: t.records, Entries: t.entries, Place: e.Place, Cycle: e.Cycle, At: e.At(), Now: t.now})
		if err != nil {
			return out, err
		}
		out.Causes = join(out.Causes, found.Causes)
		for _, b := range found.Barred {
			if !slices.Contains(out.Barred, b) {
				out.Barred = append(out.Barred, b)
			}
		}
		if e.Kind != diary.Batch {
			continue
		}
		held, err := t.heldInputs(e)
		if err != nil {
			return out, err
		}
		out.Causes = join(out.Causes, held)
	}
	return out, nil
}

// heldInputs are the lots that something was made of and that are held, or were taken back.
func (t *taking) heldInputs(e diary.Entry) ([]Cause, error) {
	codes := e.Values.List(keyInputs)
	if len(codes) == 0 {
		return nil, nil
	}
	all, err := t.lots.DiaryLots(t.ctx, "", t.now.AddDate(-reviewYears, 0, 0))
	if err != nil {
		return nil, err
	}
	var out []Cause
	for _, s := range all {
		if slices.Contains(codes, s.Lot.Code) && (!s.Lot.Sellable() || s.Lot.State == trace.Recalled) && len(s.Lot.Harvests) > 0 {
			out = join(out, []Cause{{Rule: RuleInput, Event: s.Lot.Harvests[0]}})
		}
	}
	return out, nil
}

// release lets a held lot go, or holds it again where a release is taken back.
func (t *taking) release() ([]Change, error) {
	if !t.who.Role.May(account.ReleaseLot) {
		return nil, ErrRight
	}
	all, err := t.lots.DiaryLots(t.ctx, "", time.Time{})
	if err != nil {
		t.failed = err
		return nil, err
	}
	if t.event.Corrects != "" {
		return t.releaseAgain(all)
	}
	code := t.event.Values.Text(keyLotCode)
	all = slices.DeleteFunc(all, func(s Standing) bool {
		return s.Lot.Code != code || s.Lot.State != trace.Held || !s.Hold.Open() || t.event.Place != "" && !slices.Contains(s.Lot.Places, t.event.Place)
	})
	if len(all) != 1 {
		return nil, ErrNotHeld
	}
	was, now := all[0], all[0]
	if second, err := t.second(was); err != nil || !second {
		t.failed = err
		return nil, ErrSecond
	}
	h := *was.Hold
	h.Released, h.ReleasedBy, h.Release = t.now, t.who.Actor, t.event.ID
	if now.Hold = &h; !was.Stopped { // else who stopped the goods has to let them go, too
		now.Lot.State = trace.Harvested
	}
	return []Change{{Was: &was, Now: now}}, nil
}

// releaseAgain answers what corrects a release: another reason changes nothing, a void holds the lot again.
func (t *taking) releaseAgain(all []Standing) ([]Change, error) {
	root, err := t.rootOf(t.ctx, t.event)
	if err != nil {
		t.failed = err
		return nil, err
	}
	if t.event.Kind != diary.Void {
		if t.event.Values.Text(keyLotCode) != t.old.Values.Text(keyLotCode) {
			return nil, diary.ErrCorrects
		}
		return nil, nil
	}
	i := slices.IndexFunc(all, func(s Standing) bool { return s.Hold != nil && s.Hold.Release == root && !s.Hold.Open() })
	if i < 0 {
		return nil, nil
	}
	switch all[i].Lot.State {
	case trace.Recalled, trace.Closed, trace.Void, trace.Growing:
		return nil, nil
	case trace.Harvested, trace.Held, trace.Released, trace.Shipped: // also where it was released for sale since
	}
	was, now := all[i], all[i]
	now.Hold, now.Lot.State = &Hold{Held: t.now, By: t.who.Actor, Causes: was.Hold.Causes}, trace.Held
	return []Change{{Was: &was, Now: now}}, nil
}

// second reports whether the writer is somebody else than those who harvested the lot and than who held it.
func (t *taking) second(s Standing) (bool, error) {
	if s.Hold.By == t.who.Actor {
		return false, nil
	}
	events, err := t.book.Events(t.ctx, diary.Query{Places: s.Lot.Places, Kinds: []string{diary.Harvest, diary.Batch}})
	if err != nil {
		return false, err
	}
	for _, e := range diary.Entries(events) {
		if !slices.Contains(s.Lot.Harvests, e.First.ID) {
			continue
		}
		if slices.ContainsFunc(e.History, func(h diary.Event) bool { return h.Actor == t.who.Actor }) {
			return false, nil
		}
	}
	return true, nil
}

// Review judges every lot of the last years again: records of inputs change, and entries come in by other processes.
func (d *Desk) Review(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	f, err := d.book.Farm(ctx)
	if err != nil {
		return err
	}
	for _, p := range f.Places {
		if err := d.review(ctx, p.Code, false); err != nil {
			return err
		}
	}
	return nil
}

// mostSteps is how often something is made of something that is made.
const mostSteps = 5

// review judges the lots of a place again and, where one changed or moved says that one did just now, what was made of them elsewhere.
func (d *Desk) review(ctx context.Context, place string, moved bool) error {
	changed, err := d.reviewPlace(ctx, place)
	for step := 0; err == nil && (changed || moved) && step < mostSteps; step++ {
		moved = false
		changed, err = d.reviewOthers(ctx, place)
	}
	return err
}

// reviewOthers judges the lots of every place but one.
func (d *Desk) reviewOthers(ctx context.Context, place string) (changed bool, err error) {
	all, err := d.lots.DiaryLots(ctx, "", d.now().AddDate(-reviewYears, 0, 0))
	if err != nil {
		return false, err
	}
	done := []string{place}
	for _, s := range all {
		for _, p := range s.Lot.Places {
			if slices.Contains(done, p) {
				continue
			}
			done = append(done, p)
			one, err := d.reviewPlace(ctx, p)
			if err != nil {
				return changed, err
			}
			changed = changed || one
		}
	}
	return changed, nil
}

func (d *Desk) reviewPlace(ctx context.Context, place string) (changed bool, err error) {
	for range tries {
		t, err := d.open(ctx, Who{Actor: ledger.Server}, diary.Sent{Event: diary.Event{Place: place}})
		if err != nil {
			return false, err
		}
		events, err := d.book.Events(ctx, diary.Query{Places: []string{place}})
		if err != nil {
			return false, err
		}
		t.entries = diary.Entries(events)
		list, err := t.rejudge()
		if err != nil || len(list) == 0 {
			return false, err
		}
		if _, err = d.lots.Keep(ctx, Keeping{Lots: list}, t.by()); !errors.Is(err, ErrOutrun) {
			return err == nil, err
		}
	}
	return false, ErrOutrun
}

// equal reports whether two lots stand alike.
func equal(a, b Standing) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}
