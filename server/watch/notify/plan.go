package notify

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"aovuon/server/watch/alarm"
	"aovuon/server/watch/rule"
)

// view is all that a plan is made from.
type view struct {
	Standing
	now      time.Time
	changes  []alarm.Change
	open     map[string]alarm.Alarm // as they stand now; those that changes speak of are taken from these
	messages []Message              // that speak of any alarm in question
	waiting  []Message              // of alarms, to whomever
	channels []string
}

// letter is what one contact is told now.
type letter struct {
	contact Contact
	items   map[string]Told // by alarm
	steps   map[string]int
}

// planner makes one plan.
type planner struct {
	view
	plan    Plan
	rungs   map[string]Rung
	was     map[string]time.Time // Due of the rungs as they were
	touched map[string]bool
	letters map[string]*letter
	known   map[string]alarm.Alarm
	spoken  map[string][]Message // by alarm
}

// makePlan decides what some changes and the time that passed ask for. Messages in it have no text and no id yet.
func makePlan(v view) (Plan, []letter) {
	p := &planner{
		view: v, rungs: map[string]Rung{}, touched: map[string]bool{}, letters: map[string]*letter{}, known: maps.Clone(v.open), spoken: map[string][]Message{},
		plan: Plan{At: v.now, Cursor: CursorLadder, From: v.Cursor, To: v.Cursor}, was: map[string]time.Time{},
	}
	if p.known == nil {
		p.known = map[string]alarm.Alarm{}
	}
	for _, r := range v.Rungs {
		p.rungs[r.Alarm], p.was[r.Alarm] = r, r.Due
	}
	for _, m := range v.messages {
		for _, i := range m.Items {
			p.spoken[i.Alarm] = append(p.spoken[i.Alarm], m)
		}
	}
	p.follow()
	p.climb()
	for _, id := range slices.Sorted(maps.Keys(p.touched)) {
		if r, ok := p.rungs[id]; ok {
			p.plan.Rungs = append(p.plan.Rungs, r)
		} else {
			p.plan.Off = append(p.plan.Off, id)
		}
	}
	return p.plan, p.sorted()
}

// news is what some changes together did to one alarm.
type news struct {
	alarm.Alarm
	opened, raised, seen, closed, acked, snoozed, muted, unmuted bool
}

// follow takes the changes in. What happened to one alarm in them is told as one thing.
func (p *planner) follow() {
	all := map[string]*news{}
	var order []string
	for _, c := range p.changes {
		p.plan.To = c.N
		n := all[c.Alarm.ID]
		if n == nil {
			n = &news{}
			all[c.Alarm.ID], order = n, append(order, c.Alarm.ID)
		}
		n.Alarm = c.Alarm
		switch c.What {
		case alarm.ToState:
			n.opened = n.opened || c.Alarm.State.Open() && !c.From.Open()
			n.seen = n.seen || c.Alarm.State == alarm.Firing && (c.From == alarm.NoData || c.From == alarm.Blind)
			n.closed = c.Alarm.State == alarm.Normal && !c.Alarm.Fired.IsZero()
		case alarm.Raised:
			n.raised = n.raised || c.Alarm.State.Open()
		case alarm.Acked:
			n.acked = true
		case alarm.Snoozed:
			n.snoozed = true
		case alarm.Muted:
			n.muted = true
		case alarm.Unmuted:
			n.unmuted = c.Alarm.State.Open()
		}
	}
	for _, id := range order {
		p.known[id] = all[id].Alarm
	}
	for _, id := range order {
		p.one(*all[id])
	}
}

// one decides what the news of one alarm ask for.
func (p *planner) one(n news) {
	switch {
	case n.State == alarm.Normal || !n.Ended.IsZero():
		if n.closed {
			p.close(n)
		}
		p.off(n.ID)
	case n.Muted != "":
		p.hold(n.ID)
		p.drop(n.ID)
	case !n.State.Open():
	case (n.opened && len(p.toldOf(n.ID)) == 0 || n.unmuted) && n.Acked.IsZero():
		p.begin(n.Alarm, Opened)
	case n.raised:
		p.begin(n.Alarm, Raised)
	case n.seen:
		p.again(n.Alarm)
	case n.acked: // who sees to it is told nothing more, and neither is anybody who was not told yet
		p.hold(n.ID)
		p.drop(n.ID)
	case n.snoozed:
		p.wait(n.Alarm)
	}
}

// begin tells the first step, and those who know of it already.
func (p *planner) begin(a alarm.Alarm, kind Kind) {
	who := audience(p.Contacts, a)
	step, ok := nextStep(who, -1)
	if !ok {
		p.off(a.ID)
		return
	}
	old := p.rungs[a.ID]
	r := Rung{Alarm: a.ID, Step: step, Round: 1, Told: p.now}
	if a.Level == rule.Crit && a.Acked.IsZero() {
		r.Due = p.now.Add(p.Settings.Again)
	}
	if a.Snoozed.After(p.now) { // somebody asked for silence just then: told when it is over
		r.Due, r.Round = a.Snoozed, 0
		p.set(r)
		return
	}
	for _, c := range who {
		if c.Step <= max(step, old.Step) {
			p.tell(c, a, kind, c.Step)
		}
	}
	p.set(r)
}

// again tells who was told that a probe that was silent shows what is wrong now.
func (p *planner) again(a alarm.Alarm) {
	told := p.toldOf(a.ID)
	for _, c := range audience(p.Contacts, a) {
		if told[c.ID] {
			p.tell(c, a, Raised, c.Step)
		}
	}
	if r, ok := p.rungs[a.ID]; ok && a.Level == rule.Crit && a.Acked.IsZero() && r.Due.IsZero() {
		r.Due, r.Told = p.now.Add(p.Settings.Again), p.now
		p.set(r)
	}
}

// close tells that an alarm has ended, to those who were told that it began. Who was not told yet need not be told of a warning that is over;
// what was critical is said in one message with its end.
func (p *planner) close(n news) {
	told := p.toldOf(n.ID)
	crit := n.Level == rule.Crit
	if len(told) == 0 && crit && n.opened && n.Muted == "" {
		if step, ok := nextStep(audience(p.Contacts, n.Alarm), -1); ok {
			for _, c := range audience(p.Contacts, n.Alarm) {
				if c.Step == step {
					told[c.ID] = true
				}
			}
		}
	}
	if !crit {
		p.drop(n.ID)
	}
	for _, c := range p.Contacts {
		if c.Reached() && told[c.ID] && (crit || p.reachedOf(n.ID, c.ID)) {
			p.tell(c, n.Alarm, Closed, c.Step)
		}
	}
}

// hold keeps an alarm on the ladder, where nobody climbs.
func (p *planner) hold(id string) {
	if r, ok := p.rungs[id]; ok && !r.Due.IsZero() {
		r.Due = time.Time{}
		p.set(r)
	}
}

// wait lets the ladder rest until the end of a snooze.
func (p *planner) wait(a alarm.Alarm) {
	if r, ok := p.rungs[a.ID]; ok && !r.Due.IsZero() && a.Snoozed.After(p.now) {
		r.Due = a.Snoozed
		p.set(r)
	}
}

func (p *planner) off(id string) {
	if _, ok := p.rungs[id]; ok {
		delete(p.rungs, id)
		p.touched[id] = true
	}
}

func (p *planner) set(r Rung) {
	r.Was = p.was[r.Alarm]
	p.rungs[r.Alarm] = r
	p.touched[r.Alarm] = true
}

// drop takes back what waits and speaks of one alarm alone.
func (p *planner) drop(id string) {
	for _, m := range p.waiting {
		if len(m.Items) == 1 && m.Items[0].Alarm == id && m.Items[0].Kind != Closed {
			p.plan.Drop = append(p.plan.Drop, m.ID)
		}
	}
}

// climb tells the next step of the alarms that nobody answers.
func (p *planner) climb() {
	for _, id := range slices.Sorted(maps.Keys(p.rungs)) {
		r := p.rungs[id]
		a, ok := p.known[id]
		if r.Due.IsZero() || p.touched[id] {
			continue
		}
		switch {
		case !ok || !a.State.Open(): // it has ended: that change is read next
		case !a.Acked.IsZero() || a.Muted != "":
			p.hold(id)
		case a.Snoozed.After(p.now):
			p.wait(a)
		case !r.Due.After(p.now) || p.unreached(r):
			p.step(a, r)
		}
	}
}

// step goes one step up, or tells a step once more.
func (p *planner) step(a alarm.Alarm, r Rung) {
	who := audience(p.Contacts, a)
	first, ok := nextStep(who, -1)
	if !ok {
		p.off(a.ID)
		return
	}
	rounds := 1
	if r.Step <= first {
		rounds = firstRounds
	}
	pause := p.Settings.Again
	switch next, higher := nextStep(who, r.Step); {
	case r.Round < rounds && !p.unreached(r):
		r.Round++
	case higher:
		r.Step, r.Round = next, 1
	default:
		r.Round++
		pause = p.Settings.AtTop
	}
	if _, higher := nextStep(who, r.Step); !higher && r.Round >= rounds {
		pause = p.Settings.AtTop
	}
	told := p.toldOf(a.ID)
	for _, c := range who {
		if c.Step > r.Step {
			continue
		}
		kind := Reminder
		if !told[c.ID] {
			kind = Opened
		}
		p.tell(c, a, kind, c.Step)
	}
	r.Told, r.Due = p.now, p.now.Add(pause)
	if a.Level != rule.Crit { // a warning is said once
		r.Due = time.Time{}
	}
	p.set(r)
}

// unreached reports whether everybody who was told last could not be: then nobody waits for an answer.
func (p *planner) unreached(r Rung) bool {
	n := 0
	for _, m := range p.spoken[r.Alarm] {
		if m.Created.Before(r.Told.Truncate(time.Millisecond)) {
			continue
		}
		switch {
		case m.State == Failed || m.State == Expired || m.State == Waiting && m.Attempts >= patience(m).tries:
			n++
		case m.State != Merged:
			return false
		}
	}
	_, higher := nextStep(audience(p.Contacts, p.known[r.Alarm]), r.Step)
	return n > 0 && higher
}

// toldOf returns the ids of the contacts who were told of an alarm, or will be.
func (p *planner) toldOf(id string) map[string]bool {
	out := map[string]bool{}
	for _, m := range p.spoken[id] {
		if m.State != Merged && !slices.Contains(p.plan.Drop, m.ID) {
			out[m.Contact] = true
		}
	}
	return out
}

// reachedOf reports whether a message of an alarm to a contact was on its way, or waits among others.
func (p *planner) reachedOf(id, contact string) bool {
	return slices.ContainsFunc(p.spoken[id], func(m Message) bool {
		return m.Contact == contact && (m.State == Sent || m.State == Delivered || m.State == Sending || m.State == Waiting && len(m.Items) > 1)
	})
}

// tell puts an alarm into what a contact is told now.
func (p *planner) tell(c Contact, a alarm.Alarm, kind Kind, step int) {
	l := p.letters[c.ID]
	if l == nil {
		l = &letter{contact: c, items: map[string]Told{}, steps: map[string]int{}}
		p.letters[c.ID] = l
	}
	l.items[a.ID], l.steps[a.ID] = Told{a, kind}, step
}

// sorted returns what is told, with what waits to be sent to the same people taken over.
func (p *planner) sorted() (out []letter) {
	p.plan.Merged = map[string]string{}
	for _, id := range slices.Sorted(maps.Keys(p.letters)) {
		l := p.letters[id]
		for _, m := range p.waiting {
			if m.Contact == id && !slices.Contains(p.plan.Drop, m.ID) && p.takeOver(l, m) {
				p.plan.Merged[m.ID] = id // of the contact, until the message has an id
			}
		}
		out = append(out, *l)
	}
	return out
}

// takeOver puts into a letter what a message says that waits; false: some of it is not known any more, and the message stays.
func (p *planner) takeOver(l *letter, m Message) bool {
	for _, i := range m.Items {
		if _, ok := p.known[i.Alarm]; !ok {
			return false
		}
	}
	for _, i := range m.Items {
		a := p.known[i.Alarm]
		t, has := l.items[i.Alarm]
		switch {
		case !has && a.State.Open(), !has && i.Kind == Closed:
			l.items[i.Alarm], l.steps[i.Alarm] = Told{a, i.Kind}, i.Step
		case has && t.Kind == Reminder: // never told before
			l.items[i.Alarm] = Told{a, i.Kind}
		}
	}
	return true
}

// told returns what a letter speaks of, the gravest first.
func (l letter) told() []Told {
	out := slices.Collect(maps.Values(l.items))
	slices.SortFunc(out, func(x, y Told) int {
		return cmp.Or(rankOf(y)-rankOf(x), x.Began.Compare(y.Began), cmp.Compare(x.ID, y.ID))
	})
	return out
}

// rankOf orders what stands in one message.
func rankOf(t Told) int {
	n := slices.Index([]Kind{Closed, Reminder, Raised, Opened}, t.Kind)
	if t.Level == rule.Crit && t.Kind != Closed {
		n += 10
	}
	return n
}
