package notify_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/farm"
	"aovuon/server/ledger"
	"aovuon/server/sqldb"
	"aovuon/server/sqldb/sqldbtest"
	"aovuon/server/watch/alarm"
	"aovuon/server/watch/notify"
	"aovuon/server/watch/rule"
)

// wire is a channel that keeps what it was given, and does as it is told.
type wire struct {
	name string
	got  []notify.Message
	err  func(m notify.Message) error
}

func (c *wire) Name() string { return c.name }
func (c *wire) Send(_ context.Context, m notify.Message) (string, error) {
	if c.err != nil {
		if err := c.err(m); err != nil {
			return "", err
		}
	}
	c.got = append(c.got, m)
	return fmt.Sprint(c.name, "-", len(c.got)), nil
}

// plain writes what a draft says in a form that tests read.
type plain struct{ err error }

func (p *plain) Compose(_ context.Context, d notify.Draft) (notify.Text, error) {
	var said []string
	for _, t := range d.Alarms {
		said = append(said, string(t.Kind)+" "+t.Place)
	}
	return notify.Text{Subject: string(d.Kind), Text: strings.Join(said, ", "), Short: notify.Short(said...)}, p.err
}

// rig is a service on a real database, with the clock in the test's hand.
type rig struct {
	t     *testing.T
	db    *sqldb.DB
	desk  *alarm.Desk
	now   time.Time
	sms   *wire
	mail  *wire
	text  *plain
	board []rule.Decision
	s     *notify.Service
}

func newRig(t *testing.T, db *sqldb.DB) *rig {
	r := &rig{t: t, db: db, now: time.Date(2026, 7, 1, 14, 0, 0, 0, farm.Time()), sms: &wire{name: "sms"}, mail: &wire{name: "mail"}, text: &plain{}}
	r.desk = alarm.NewDesk(db, db, func() time.Time { return r.now })
	r.start()
	return r
}

// start is what a program does that begins anew on the same database.
func (r *rig) start() {
	r.t.Helper()
	var err error
	r.s, err = notify.New(notify.Options{
		Alarms: r.desk, Plans: r.db, Outbox: r.db, Book: r.db, Composer: r.text, Channels: []notify.Channel{r.sms, r.mail},
		Board: func(time.Time) []rule.Decision { return r.board }, Now: func() time.Time { return r.now }, Log: slog.New(slog.DiscardHandler),
	})
	r.must(err)
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) by() ledger.By { return ledger.By{Actor: ledger.Operator, At: r.now} }

func (r *rig) contact(c notify.Contact) notify.Contact {
	r.t.Helper()
	n := len(r.contacts()) + 1
	c.ID, c.Lang, c.Agreed = fmt.Sprintf("01K000000000000000000000%02d", n), "vi", r.now
	if c.Name == "" {
		c.Name = fmt.Sprint("contact ", n)
	}
	if c.Level == "" {
		c.Level = rule.Warn
	}
	if c.Addresses == nil {
		c.Addresses = []notify.Address{{Channel: "sms", To: fmt.Sprint("+8491234567", n)}, {Channel: "mail", To: fmt.Sprintf("c%d@example.vn", n)}}
	}
	r.must(r.db.SaveContact(r.t.Context(), c, r.by()))
	return c
}

func (r *rig) contacts() []notify.Contact {
	r.t.Helper()
	list, err := r.db.Contacts(r.t.Context())
	r.must(err)
	return list
}

// fire opens an alarm.
func (r *rig) fire(n int, topic string, level rule.Verdict) alarm.Alarm {
	r.t.Helper()
	a := alarm.Alarm{
		ID: fmt.Sprintf("01J0000000000000000000%04d", n), Key: alarm.Key{Place: fmt.Sprint("P", n), Topic: topic}, State: alarm.Firing, Level: level, Began: r.now, Since: r.now, Fired: r.now,
		Decision: rule.Decision{Place: fmt.Sprint("P", n), Topic: topic, Verdict: level, At: r.now, Why: []rule.Reason{rule.Because("x")}},
	}
	return r.change(a, alarm.ToState, alarm.Pending)
}

func (r *rig) change(a alarm.Alarm, what string, from alarm.State) alarm.Alarm {
	r.t.Helper()
	list := []alarm.Change{{Alarm: a, What: what, From: from, At: r.now}}
	r.must(r.db.KeepAlarmChanges(r.t.Context(), list))
	return list[0].Alarm
}

func (r *rig) end(a alarm.Alarm) {
	r.t.Helper()
	a.State, a.Ended = alarm.Normal, r.now
	r.change(a, alarm.ToState, alarm.Recovering)
}

// work plans and sends until nothing is left to do.
func (r *rig) work() {
	r.t.Helper()
	for more := true; more; {
		var err error
		more, err = r.s.Pass(r.t.Context())
		r.must(err)
	}
	r.send(r.sms)
	r.send(r.mail)
	r.send(r.sms)
}

func (r *rig) send(c notify.Channel) {
	r.t.Helper()
	for sent := true; sent; {
		var err error
		sent, err = r.s.SendOne(r.t.Context(), c)
		r.must(err)
	}
}

// said returns what a channel was given since the last time, as "to: text".
func (c *wire) said() string {
	var out []string
	for _, m := range c.got {
		out = append(out, m.To+": "+m.Text)
	}
	c.got = nil
	return strings.Join(out, "; ")
}

const oxygen = string(measure.DissolvedOxygen)

func TestService_FromAChangeToAMessageAndItsEnd(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		r := newRig(t, db)
		r.contact(notify.Contact{Step: 0})
		r.contact(notify.Contact{Step: 1})
		a := r.fire(1, oxygen, rule.Crit)
		r.work()
		if got := r.sms.said(); got != "+84912345671: opened P1" {
			t.Errorf("told %q", got)
		}
		r.work()
		if got := r.sms.said(); got != "" {
			t.Errorf("told again: %q", got)
		}
		r.now = r.now.Add(20 * time.Minute) // both rungs at once were due at 10 and at 20 minutes: they are climbed one after the other
		r.work()
		if got := r.sms.said(); got != "+84912345671: reminder P1" {
			t.Errorf("told %q", got)
		}
		r.now = r.now.Add(10 * time.Minute)
		r.work()
		if got := r.sms.said(); got != "+84912345671: reminder P1; +84912345672: opened P1" && got != "+84912345672: opened P1; +84912345671: reminder P1" {
			t.Errorf("told %q", got)
		}
		r.start() // the rungs outlive the program
		a, err := r.desk.Ack(t.Context(), a.ID, "u-AAAAAAAA", "")
		r.must(err)
		r.now = r.now.Add(time.Hour)
		r.work()
		if got := r.sms.said(); got != "" {
			t.Errorf("after the answer: %q", got)
		}
		r.end(a)
		r.work()
		if got := r.sms.said(); !strings.Contains(got, "+84912345671: closed P1") || !strings.Contains(got, "+84912345672: closed P1") {
			t.Errorf("told %q", got)
		}
		list, err := db.Messages(t.Context(), notify.Filter{})
		if err != nil || len(list) != 6 || slices.ContainsFunc(list, func(m notify.Record) bool { return m.State != notify.Sent || m.Ref == "" || len(m.Tries) != 1 }) {
			t.Errorf("%+v %v", list, err)
		}
	})
}

func TestService_AStormIsOneMessageToEach(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		r := newRig(t, db)
		r.contact(notify.Contact{})
		for n := range 20 {
			r.fire(n+10, oxygen, rule.Crit)
		}
		r.work()
		if len(r.sms.got) != 1 || strings.Count(r.sms.got[0].Text, "opened") != 20 {
			t.Errorf("%+v", r.sms.got)
		}
	})
}

// One after the other while the modem is busy with others: they are taken over as long as nothing was sent.
func TestService_ABacklogIsOneMessage(t *testing.T) {
	r := newRig(t, sqldbtest.Open(t, sqldbtest.Fresh(t)))
	r.contact(notify.Contact{})
	for n := range 20 {
		r.fire(n+10, oxygen, rule.Crit)
		_, err := r.s.Pass(t.Context())
		r.must(err)
		r.now = r.now.Add(time.Second)
	}
	r.send(r.sms)
	if len(r.sms.got) != 1 || strings.Count(r.sms.got[0].Text, "opened") != 20 || len(r.sms.got[0].Items) != 20 {
		t.Errorf("%+v", r.sms.got)
	}
	list, err := r.db.Messages(t.Context(), notify.Filter{State: "merged"})
	if err != nil || len(list) != 19 || list[0].Ref != r.sms.got[0].ID {
		t.Errorf("%d merged, %v", len(list), err)
	}
}

func TestService_QuietHoursHoldBackAllButCriticalOxygen(t *testing.T) {
	r := newRig(t, sqldbtest.Open(t, sqldbtest.Fresh(t)))
	r.contact(notify.Contact{QuietFrom: 22 * 60, QuietTo: 5 * 60})
	r.now = time.Date(2026, 7, 1, 23, 0, 0, 0, farm.Time())
	r.fire(1, string(measure.PH), rule.Crit)
	over := r.fire(2, oxygen, rule.Warn)
	r.work()
	if got := r.sms.said(); got != "" {
		t.Errorf("at night: %q", got)
	}
	r.now = r.now.Add(5 * time.Minute)
	r.fire(3, oxygen, rule.Crit)
	r.work()
	if got := r.sms.said(); !strings.Contains(got, "opened P3") || !strings.Contains(got, "opened P1") { // who is awake is told all
		t.Errorf("critical oxygen: %q", got)
	}
	r.fire(4, oxygen, rule.Warn)
	r.end(over)
	r.work()
	r.sms.said()
	r.now = time.Date(2026, 7, 2, 5, 0, 0, 0, farm.Time())
	r.send(r.sms)
	if got := r.sms.said(); !strings.Contains(got, "opened P4") {
		t.Errorf("in the morning: %q", got)
	}
}

func TestService_TheNextWayIsTriedAndAnAddressThatIsGoneIsTakenOff(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		r := newRig(t, db)
		r.contact(notify.Contact{})
		tries := 0
		r.sms.err = func(notify.Message) error { tries++; return errors.New("no network") }
		r.fire(1, oxygen, rule.Crit)
		r.work()
		for range 10 {
			r.now = r.now.Add(10 * time.Second)
			r.send(r.sms)
			r.send(r.mail)
		}
		if tries != 4 || r.mail.said() != "c1@example.vn: opened P1" {
			t.Errorf("%d tries, then %+v", tries, r.mail.got)
		}
		list, err := db.Messages(t.Context(), notify.Filter{})
		if err != nil || len(list) != 2 || list[0].After != list[1].ID || list[1].State != notify.Failed || list[1].Err != "no network" || len(list[1].Tries) != 4 {
			t.Errorf("%+v %v", list, err)
		}
		r.sms.err = func(notify.Message) error { return fmt.Errorf("410: %w", notify.ErrGone) }
		r.fire(2, oxygen, rule.Crit)
		r.work()
		if got := r.mail.said(); got != "c1@example.vn: opened P2" {
			t.Errorf("told %q", got)
		}
		if c := r.contacts()[0]; len(c.Addresses) != 1 || c.Addresses[0].Channel != "mail" {
			t.Errorf("%+v", c)
		}
	})
}

func TestService_AReceiptThatItDidNotArriveTakesTheNextWay(t *testing.T) {
	r := newRig(t, sqldbtest.Open(t, sqldbtest.Fresh(t)))
	r.contact(notify.Contact{})
	r.fire(1, oxygen, rule.Crit)
	r.work()
	r.must(r.s.Received(t.Context(), "sms", notify.Receipt{Ref: "somebody else's", Delivered: false}))
	r.now = r.now.Add(time.Second) // messages of one moment have no order
	r.must(r.s.Received(t.Context(), "sms", notify.Receipt{Ref: "sms-1", Err: "telephone is off"}))
	r.work()
	if got := r.mail.said(); got != "c1@example.vn: opened P1" {
		t.Errorf("told %q", got)
	}
	r.must(r.s.Received(t.Context(), "mail", notify.Receipt{Ref: "mail-1", Delivered: true, At: r.now}))
	r.must(r.s.Received(t.Context(), "mail", notify.Receipt{Ref: "mail-1", Err: "bounced"})) // too late to matter
	list, err := r.db.Messages(t.Context(), notify.Filter{})
	if err != nil || len(list) != 2 || list[0].State != notify.Delivered || list[1].State != notify.Failed || !strings.Contains(list[1].Err, "telephone is off") {
		t.Errorf("%+v %v", list, err)
	}
}

// The at-least-once window: a program that ends between "an attempt has begun" and "it was taken" sends that message again, and no other.
func TestService_WhatWasBeingSentWhenTheProgramEndedIsSentAgain(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		r := newRig(t, db)
		r.contact(notify.Contact{})
		r.fire(1, oxygen, rule.Crit)
		_, err := r.s.Pass(t.Context())
		r.must(err)
		m, ok, err := db.Take(t.Context(), "sms", r.now)
		if err != nil || !ok {
			t.Fatal(m, ok, err)
		}
		r.start()
		r.work()
		if got := r.sms.said(); got != "" {
			t.Errorf("while another server may be sending: %q", got)
		}
		r.now = r.now.Add(notify.Lost)
		if expired, again, err := db.Sweep(t.Context(), r.now, r.now.Add(-notify.Lost)); err != nil || expired != 0 || again != 1 {
			t.Fatal(expired, again, err)
		}
		r.work()
		if len(r.sms.got) != 1 || r.sms.got[0].ID != m.ID || r.sms.got[0].Attempts != 2 {
			t.Errorf("%+v", r.sms.got)
		}
	})
}

func TestService_NothingMovesWhereNothingCanBeWritten(t *testing.T) {
	r := newRig(t, sqldbtest.Open(t, sqldbtest.Fresh(t)))
	r.contact(notify.Contact{})
	r.fire(1, oxygen, rule.Crit)
	r.text.err = errors.New("no farm")
	if _, err := r.s.Pass(t.Context()); !errors.Is(err, r.text.err) {
		t.Fatal(err)
	}
	if st, err := r.db.Planned(t.Context()); err != nil || st.Cursor != 0 || len(st.Rungs) != 0 {
		t.Errorf("%+v %v", st, err)
	}
	r.text.err = nil
	r.work()
	if got := r.sms.said(); got != "+84912345671: opened P1" {
		t.Errorf("told %q", got)
	}
}

// Two servers on one database tell it once.
func TestService_TwoServersTellItOnce(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		r := newRig(t, db)
		r.contact(notify.Contact{})
		other := newRig(t, db)
		for n := range 5 {
			r.fire(n+10, oxygen, rule.Crit)
			errs := make(chan error, 2)
			for _, s := range []*notify.Service{r.s, other.s} {
				go func() { _, err := s.Pass(t.Context()); errs <- err }()
			}
			for range 2 {
				if err := <-errs; err != nil && !errors.Is(err, notify.ErrMoved) {
					t.Fatal(err)
				}
			}
			r.work()
			other.now = r.now
			other.work()
		}
		if n := len(r.sms.got) + len(other.sms.got); n != 5 {
			t.Errorf("%d messages: %+v %+v", n, r.sms.got, other.sms.got)
		}
	})
}

func TestService_NoChannelIsAFailureThatThePageShows(t *testing.T) {
	r := newRig(t, sqldbtest.Open(t, sqldbtest.Fresh(t)))
	r.contact(notify.Contact{Addresses: []notify.Address{{Channel: "zalo", To: "1"}}})
	r.contact(notify.Contact{Step: 1})
	r.fire(1, oxygen, rule.Crit)
	r.work()
	list, err := r.db.Messages(t.Context(), notify.Filter{State: "failed"})
	if err != nil || len(list) != 1 || list[0].Err != notify.NoChannel || list[0].Channel != "zalo" {
		t.Fatalf("%+v %v", list, err)
	}
	r.now = r.now.Add(time.Second)
	r.work() // nobody waits for an answer of who cannot be reached
	if got := r.sms.said(); got != "+84912345672: opened P1" {
		t.Errorf("told %q", got)
	}
}

func TestService_ADigestEachMorningAlsoWhenNothingWas(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		r := newRig(t, db)
		r.contact(notify.Contact{Digest: true, Places: []string{"P2"}})
		r.contact(notify.Contact{Digest: true, QuietFrom: 0, QuietTo: 7 * 60})
		r.contact(notify.Contact{})
		daily := func() []notify.Message {
			t.Helper()
			r.must(r.s.Daily(t.Context()))
			r.send(r.sms)
			got := r.sms.got
			r.sms.got = nil
			slices.SortFunc(got, func(a, b notify.Message) int { return strings.Compare(a.Contact, b.Contact) })
			return got
		}
		if got := daily(); len(got) != 0 { // a new server begins tomorrow
			t.Errorf("%+v", got)
		}
		r.now = time.Date(2026, 7, 2, 6, 30, 0, 0, farm.Time())
		r.board = []rule.Decision{{Place: "P1", Verdict: rule.Notice}}
		if got := daily(); len(got) != 1 || got[0].Text != "" || got[0].Kind != notify.Digest {
			t.Errorf("a calm day: %+v", got)
		}
		r.now = r.now.Add(30 * time.Minute)
		if got := daily(); len(got) != 1 { // that of the second, whose quiet hours are over
			t.Errorf("%+v", got)
		}
		r.fire(1, oxygen, rule.Warn)
		r.end(r.fire(2, oxygen, rule.Warn))
		r.work()
		r.sms.said()
		r.now = time.Date(2026, 7, 3, 7, 0, 0, 0, farm.Time())
		got := daily()
		if len(got) != 2 || got[0].Text != "closed P2" || got[1].Text != "opened P1, closed P2" {
			t.Errorf("%+v", got)
		}
		r.now = time.Date(2026, 7, 4, 14, 0, 0, 0, farm.Time()) // the server was off in the morning
		if got := daily(); len(got) != 0 {
			t.Errorf("%+v", got)
		}
		r.now = time.Date(2026, 7, 5, 7, 0, 0, 0, farm.Time())
		if got := daily(); len(got) != 2 || got[1].Text != "opened P1" { // it lasts
			t.Errorf("%+v", got)
		}
	})
}

func TestDesk_ATestGoesToEveryAddressAtOnce(t *testing.T) {
	r := newRig(t, sqldbtest.Open(t, sqldbtest.Fresh(t)))
	c := r.contact(notify.Contact{QuietFrom: 0, QuietTo: 23 * 60, Disabled: true})
	desk := notify.NewDesk(r.db, r.db, r.text, []notify.Channel{r.sms, r.mail}, func() time.Time { return r.now })
	r.mail.err = func(notify.Message) error { return errors.New("550 no") }
	ids, err := desk.Test(t.Context(), c.ID, r.by())
	if err != nil || len(ids) != 2 {
		t.Fatal(ids, err)
	}
	r.work()
	if got := r.sms.said(); got != "+84912345671: " {
		t.Errorf("told %q", got)
	}
	if list, err := desk.Messages(t.Context(), notify.Filter{ID: ids[1]}); err != nil || list[0].State != notify.Failed || list[0].Err != "550 no" {
		t.Errorf("%+v %v", list, err) // at once, and no other way: the address itself is tried
	}
	if _, err := desk.Test(t.Context(), "nobody", r.by()); !errors.Is(err, notify.ErrNoContact) {
		t.Error(err)
	}
}
