package app_test

import (
	"context"
	"fmt"
	mathrand "math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"aovuon/server/channel/mail/smtptest"
	"aovuon/server/ledger"
	"aovuon/server/parttest"
	"aovuon/server/sqldb"
	"aovuon/server/watch/alarm"
	"aovuon/server/watch/notify"
	"aovuon/server/watch/rule"
)

// mailed has the server tell two contacts by a mail server of the test, which outlives it.
func (p *process) mailed() (*smtptest.Server, *sqldb.DB) {
	p.t.Helper()
	post := smtptest.Start(p.t, smtptest.Options{})
	p.amend(fmt.Sprintf("channels: { mail: { server: %s, tls: none, from: canhbao@htx.example } }", post.Addr))
	db, err := sqldb.Open(p.t.Context(), p.at())
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() {
		if err := db.Close(); err != nil {
			p.t.Error(err)
		}
	})
	for i, name := range []string{"lan", "minh"} {
		c := notify.Contact{
			ID: fmt.Sprintf("01K0000000000000000000000%d", i), Name: name, Lang: "vi", Level: rule.Crit, Agreed: time.Now(),
			Addresses: []notify.Address{{Channel: "mail", To: name + "@htx.example"}},
		}
		if err := db.SaveContact(p.t.Context(), c, ledger.By{Actor: ledger.Operator, At: time.Now()}); err != nil {
			p.t.Fatal(err)
		}
	}
	return post, db
}

// idOf is the message that a letter carries.
func idOf(l smtptest.Letter) string {
	id, _, _ := strings.Cut(strings.Trim(l.Header.Get("Message-Id"), "<>"), "@")
	return id
}

// The server is killed again and again while ponds fail: everybody is told of every alarm, and what comes twice are messages that a kill hit
// while they were on their way.
func TestServer_KilledWhileItTellsLosesNoMessage(t *testing.T) {
	if testing.Short() {
		t.Skip("every start of the server takes a second")
	}
	const ponds = 4
	nights, kills := parttest.Effort(t, 1, 1, 7, 7), parttest.Effort(t, 1, 5, 15, 60) // kills of each night
	p := newProcess(t, "{ engine: sqlite }", "")
	g := &living{sender: sender{gateway: p.enrol("gw-one"), patient: true}, oxygen: levels(ponds, 6)}
	codes := p.hurried(g.id, ponds)
	post, db := p.mailed()
	p.start()
	ctx, cancel := context.WithCancel(t.Context())
	var alive sync.WaitGroup
	alive.Go(func() { g.live(ctx, t, p.mqtt) })
	killed := 0
	for night := range nights {
		for i := range ponds {
			g.say(i, 2)
		}
		for range kills {
			pause(ctx, mathrand.N(2500*time.Millisecond))
			p.kill()
			p.start()
			killed++
		}
		parttest.Await(t, fmt.Sprintf("night %d: everybody is told of every pond", night), func() bool { return untold(t, db, post, codes, alarm.Firing, "") == "" })
		for i := range ponds {
			g.say(i, 6)
		}
		parttest.Await(t, fmt.Sprintf("morning %d: and that it is over", night), func() bool { return untold(t, db, post, codes, alarm.Normal, notify.Closed) == "" })
	}
	cancel()
	alive.Wait()
	p.stop()
	again := map[string]int{}
	for _, l := range post.Letters() {
		again[idOf(l)]++
	}
	list, err := db.Messages(t.Context(), notify.Filter{Limit: 100_000})
	if err != nil {
		t.Fatal(err)
	}
	twice := 0
	for _, m := range list {
		lost := 0
		for _, a := range m.Tries {
			if a.Ended.IsZero() {
				lost++
			}
		}
		if n := again[m.ID]; n > 1+lost {
			t.Errorf("message %s came %d times, %d of its attempts were cut off", m.ID, n, lost)
		}
		twice += max(again[m.ID]-1, 0)
		delete(again, m.ID)
	}
	for id, n := range again {
		t.Errorf("%d letters of %q: no such message", n, id)
	}
	if twice > killed {
		t.Errorf("%d letters came again, of %d kills", twice, killed)
	}
	t.Logf("%d kills, %d nights of %d ponds, %d letters, %d of them again", killed, nights, ponds, len(post.Letters()), twice)
}

// untold names an alarm of the newest of each place that some contact has no letter of; empty: there is none. kind: of that kind alone.
func untold(t *testing.T, db *sqldb.DB, post *smtptest.Server, codes []string, state alarm.State, kind notify.Kind) string {
	t.Helper()
	arrived := map[string]bool{}
	for _, l := range post.Letters() {
		arrived[idOf(l)] = true
	}
	for _, code := range codes {
		newest, err := db.AlarmHistory(t.Context(), alarm.Query{Place: code, Topic: "dissolved_oxygen", From: time.Now().Add(-24 * time.Hour), To: time.Now().Add(time.Hour), Limit: 1})
		if err != nil || len(newest) == 0 || newest[0].State != state {
			return code
		}
		list, err := db.Messages(t.Context(), notify.Filter{Alarm: newest[0].ID, Limit: 1000})
		if err != nil {
			return code
		}
		told := map[string]bool{}
		for _, m := range list {
			for _, i := range m.Items {
				if i.Alarm == newest[0].ID && arrived[m.ID] && (kind == "" || i.Kind == kind) {
					told[m.Contact] = true
				}
			}
		}
		if len(told) != 2 {
			return newest[0].ID
		}
	}
	return ""
}

// BenchmarkServer_ReadingToLetter is from a reading beyond a critical limit to the letter in the hands of a mail server, less the second that
// the limit asks it to last: gateway's seal, MQTT, commit, projection, tick, message, SMTP, of the real program.
func BenchmarkServer_ReadingToLetter(b *testing.B) {
	p := newProcess(b, "{ engine: sqlite }", "")
	g := &living{sender: sender{gateway: p.enrol("gw-one"), patient: true}, oxygen: levels(1, 6)}
	p.hurried(g.id, 1)
	post, _ := p.mailed()
	p.start()
	ctx, cancel := context.WithCancel(b.Context())
	var alive sync.WaitGroup
	alive.Go(func() { g.live(ctx, b, p.mqtt) })
	var took []time.Duration
	for b.Loop() {
		g.say(0, 2)
		begun := time.Now()
		awaitLetters(post, "NGUY CẤP")
		took = append(took, time.Since(begun)-time.Second)
		g.say(0, 6)
		awaitLetters(post, "ĐÃ ỔN")
	}
	cancel()
	alive.Wait()
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Milliseconds()), "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Milliseconds()), "p99-ms")
	b.ReportMetric(float64(took[len(took)-1].Milliseconds()), "max-ms")
}

// awaitLetters waits until both contacts have a letter that begins so.
func awaitLetters(post *smtptest.Server, begins string) {
	for n := 0; n < 2; {
		if l := <-post.Arrived(); strings.Contains(l.Subject, begins) {
			n++
		}
	}
}
