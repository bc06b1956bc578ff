package notify_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"testing"
	"time"

	"aovuon/server/parttest"
	"aovuon/server/sqldb/sqldbtest"
	"aovuon/server/watch/alarm"
	"aovuon/server/watch/notify"
	"aovuon/server/watch/rule"
)

// errDied ends a program of these tests: it comes out of its database, before or after what was asked was done.
var errDied = errors.New("the program died")

// mortal is a database whose program dies now and then.
type mortal struct {
	notify.Plans
	notify.Outbox
	r       *rand.Rand
	unknown int // attempts after which the program died before it could keep what came of them
}

func (m *mortal) die(f func() error) error {
	switch m.r.IntN(12) {
	case 0:
		return errDied
	case 1:
		if err := f(); err != nil {
			return err
		}
		return errDied
	}
	return f()
}

func (m *mortal) Commit(ctx context.Context, p notify.Plan) error {
	return m.die(func() error { return m.Plans.Commit(ctx, p) })
}

func (m *mortal) Take(ctx context.Context, channel string, now time.Time) (x notify.Message, ok bool, err error) {
	err = m.die(func() (err error) { x, ok, err = m.Outbox.Take(ctx, channel, now); return err })
	return x, ok, err
}

func (m *mortal) Settle(ctx context.Context, x notify.Message, next *notify.Message) error {
	before := m.r.IntN(8) == 0
	if before && x.State == notify.Sent {
		m.unknown++
	}
	if before {
		return errDied
	}
	return m.Outbox.Settle(ctx, x, next)
}

// A program that dies at any moment, again and again, loses no alarm; and what it sends twice are only messages that it died over.
func TestService_DiesAtAnyMomentAndLosesNothing(t *testing.T) {
	for seed := range parttest.Effort(t, 3, 10, 200, 200) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			r := newRig(t, sqldbtest.Open(t, sqldbtest.Fresh(t)))
			random := rand.New(rand.NewPCG(uint64(seed), 7))
			m := &mortal{Plans: r.db, Outbox: r.db, r: random}
			lan := r.contact(notify.Contact{})
			r.contact(notify.Contact{Step: 1})
			start := func() {
				var err error
				r.s, err = notify.New(notify.Options{
					Alarms: r.desk, Plans: m, Outbox: m, Book: r.db, Composer: r.text, Channels: []notify.Channel{r.sms, r.mail},
					Now: func() time.Time { return r.now }, Log: slog.New(slog.DiscardHandler),
				})
				r.must(err)
				// What a start does where no other server sends.
				if _, _, err := r.db.Sweep(t.Context(), r.now, r.now); err != nil {
					t.Fatal(err)
				}
			}
			r.sms.err = func(notify.Message) error {
				if random.IntN(6) == 0 {
					return errors.New("no network")
				}
				return nil
			}
			start()
			deaths := 0
			live := func(f func() error) { // until it is done without dying
				for {
					err := f()
					if err == nil {
						return
					}
					if !errors.Is(err, errDied) {
						t.Fatal(err)
					}
					deaths++
					start()
				}
			}
			work := func() {
				live(func() error {
					_, err := r.s.Pass(t.Context())
					for _, c := range []notify.Channel{r.sms, r.mail} {
						for sent := true; sent && err == nil; {
							sent, err = r.s.SendOne(t.Context(), c)
						}
					}
					return err
				})
			}
			fired := map[string]alarm.Alarm{}
			for n := range 60 {
				switch {
				case random.IntN(3) == 0:
					a := r.fire(n+100, oxygen, rule.Crit)
					fired[a.ID] = a
				case random.IntN(4) == 0:
					for id, a := range fired {
						if a.Ended.IsZero() {
							r.end(a)
							a.Ended = r.now
							fired[id] = a
							break
						}
					}
				}
				work()
				r.now = r.now.Add(time.Duration(random.IntN(120)) * time.Second)
			}
			for range 20 { // what waits for its next attempt
				r.now = r.now.Add(time.Minute)
				work()
			}
			told, twice := map[string]bool{}, map[string]int{}
			for _, c := range []*wire{r.sms, r.mail} {
				for _, x := range c.got {
					twice[x.ID]++
					for _, i := range x.Items {
						told[x.Contact+" "+i.Alarm] = true
					}
				}
			}
			again := 0
			for _, n := range twice {
				again += n - 1
			}
			for id := range fired {
				if !told[lan.ID+" "+id] {
					t.Errorf("alarm %s was lost", id)
				}
			}
			if again > m.unknown {
				t.Errorf("%d sent again, but the program died over %d only", again, m.unknown)
			}
			opened := map[string]int{}
			list, err := r.db.Messages(t.Context(), notify.Filter{Limit: 10000})
			r.must(err)
			for _, x := range list {
				for _, i := range x.Items {
					if i.Kind == notify.Opened && x.State != notify.Merged && x.After == "" {
						opened[x.Contact+" "+i.Alarm]++
					}
				}
			}
			for key, n := range opened {
				if n > 1 {
					t.Errorf("%s was opened %d times", key, n)
				}
			}
			t.Logf("%d alarms, %d messages, %d deaths, %d messages sent again (%d unknown)", len(fired), len(list), deaths, again, m.unknown)
		})
	}
}
