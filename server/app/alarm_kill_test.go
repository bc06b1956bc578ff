package app_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"aovuon/gateway/measure"
	"aovuon/gateway/wire"
	"aovuon/server/channel/mail/smtptest"
	"aovuon/server/farm"
	"aovuon/server/ledger"
	"aovuon/server/parttest"
	"aovuon/server/sqldb"
	"aovuon/server/watch/alarm"
	"aovuon/server/watch/notify"
	"aovuon/server/watch/rule"
)

// living is a gateway whose ponds breathe: it seals what its probes say a few times a second and sends until all is receipted.
type living struct {
	sender
	mu     sync.Mutex
	oxygen []float64 // of each pond, now
	prev   wire.Hash
	sealed [][]byte
}

func (g *living) say(pond int, v float64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.oxygen[pond] = v
}

// seal adds what the probes say now.
func (g *living) seal(t testing.TB) {
	g.mu.Lock()
	defer g.mu.Unlock()
	b := &wire.Batch{Gateway: g.id, Epoch: "0123456789abcdef", Seq: uint64(len(g.sealed) + 1), Prev: g.prev, Boot: "00112233aabbccdd"}
	for i, v := range g.oxygen {
		b.Readings = append(b.Readings, measure.Reading{
			Sensor: fmt.Sprintf("ao%d-do", i), Quantity: measure.DissolvedOxygen, Time: measure.Instant{Wall: time.Now().UTC().Truncate(time.Millisecond), Boot: b.Boot}, Value: v,
		})
	}
	sealed, err := wire.Seal(b, g.signer)
	if err != nil {
		t.Error(err)
		return
	}
	g.prev = wire.HashOf(sealed)
	g.sealed = append(g.sealed, publish(wire.Topic(g.id, wire.LeafBatch), uint16(len(g.sealed)%65535+1), sealed))
}

func (g *living) after(n uint64) [][]byte {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.sealed[min(n, uint64(len(g.sealed))):]
}

// live runs until ctx ends, through every end of the server.
func (g *living) live(ctx context.Context, t testing.TB, addr string) {
	for ctx.Err() == nil {
		if err := g.connect(addr); err != nil {
			pause(ctx, 50*time.Millisecond)
			continue
		}
		g.talk(ctx, t)
		if err := g.conn.Close(); err != nil {
			t.Logf("close: %v", err)
		}
	}
}

// talk sends over one connection, again what is not receipted within a second.
func (g *living) talk(ctx context.Context, t testing.TB) {
	next, seen, since, sealed := g.upto.Load(), g.upto.Load(), time.Now(), time.Time{}
	for ctx.Err() == nil {
		if time.Since(sealed) >= 200*time.Millisecond {
			g.seal(t)
			sealed = time.Now()
		}
		if upto := g.upto.Load(); upto != seen {
			seen, since = upto, time.Now()
		} else if time.Since(since) > time.Second {
			next, since = upto, time.Now()
		}
		for _, p := range g.after(next) {
			if _, err := g.conn.Write(p); err != nil {
				return
			}
			next++
		}
		pause(ctx, 20*time.Millisecond)
	}
}

// hurried is a farm whose alarms begin and end within seconds, so that a week of nights passes in minutes.
func (p *process) hurried(gateway string, ponds int) (codes []string) {
	p.t.Helper()
	var b strings.Builder
	b.WriteString("coop: { name: { vi: HTX thử, en: Trial co-op } }\nzones: [ { id: phu-khe, name: { vi: Phú Khê, en: Phu Khe } } ]\nplaces:\n")
	for i := range ponds {
		code, err := farm.NewCode(rand.Reader)
		if err != nil {
			p.t.Fatal(err)
		}
		codes = append(codes, code)
		fmt.Fprintf(&b, "  - { code: %s, name: ao%d, kind: pond, title: { vi: Ao %d, en: Pond %d }, zone: phu-khe, holds: { vi: cá, en: fish }, limits: thu }\n", code, i, i, i)
	}
	b.WriteString("mounts:\n")
	for i := range ponds {
		fmt.Fprintf(&b, "  - { gateway: %s, sensor: ao%d-do, place: ao%d, measures: [dissolved_oxygen] }\n", gateway, i, i)
	}
	b.WriteString("limits:\n  - { profile: thu, quantity: dissolved_oxygen, level: crit, below: 3, clear: 3.5, for: 1s, keep: 1s, source: { vi: thử, en: trial } }\n")
	if err := os.WriteFile(p.path("farm.yaml"), []byte(b.String()), 0o600); err != nil {
		p.t.Fatal(err)
	}
	p.once("farm", "import", p.path("farm.yaml"))
	return codes
}

// A week of nights in which every pond's oxygen fails and comes back, and the server is killed again and again: every night of every pond
// is one alarm, from its beginning to its end, with its changes in order and none missing, and is told once.
func TestServer_KilledThroughAWeekOfAlarmsLosesNoneAndMakesNoneTwice(t *testing.T) {
	if testing.Short() {
		t.Skip("every start of the server takes a second")
	}
	const ponds = 4
	nights, kills := parttest.Effort(t, 1, 1, 7, 7), parttest.Effort(t, 1, 5, 15, 60) // kills of each night
	p := newProcess(t, "{ engine: sqlite }", "")
	g := &living{sender: sender{gateway: p.enrol("gw-one"), patient: true}, oxygen: levels(ponds, 6)}
	codes := p.hurried(g.id, ponds)
	post := smtptest.Start(t, smtptest.Options{})
	p.amend(fmt.Sprintf("channels: { mail: { server: %q, tls: none, from: HTX Phú Khê <canhbao@htx.example> } }", post.Addr))
	p.start()
	db, err := sqldb.Open(t.Context(), p.at())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	technician := notify.Contact{
		ID: ulid.Make().String(), Name: "Kỹ thuật", Lang: "vi", Level: rule.Warn, Agreed: time.Now(), Addresses: []notify.Address{{Channel: "mail", To: "kythuat@htx.example"}},
	}
	if err := db.SaveContact(t.Context(), technician, ledger.By{Actor: ledger.Operator, At: time.Now()}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var alive sync.WaitGroup
	alive.Go(func() { g.live(ctx, t, p.mqtt) })
	killed := 0
	strike := func(times int) {
		for range times {
			pause(ctx, mathrand.N(1500*time.Millisecond))
			p.kill()
			p.start()
			killed++
		}
	}
	standing := func(state alarm.State) func() bool {
		return func() bool {
			n := 0
			for _, code := range codes {
				if newestState(t, db, code) == state {
					n++
				}
			}
			return n == ponds
		}
	}
	for night := range nights {
		for i := range ponds {
			g.say(i, 2)
		}
		strike(kills / 2)
		parttest.Await(t, fmt.Sprintf("night %d: every pond rings", night), standing(alarm.Firing))
		for i := range ponds {
			g.say(i, 6)
		}
		strike(kills - kills/2)
		parttest.Await(t, fmt.Sprintf("morning %d: all is well", night), standing(alarm.Normal))
	}
	parttest.Await(t, "all is told", func() bool {
		n, err := db.MessagesDue(t.Context(), time.Now().Add(time.Hour))
		on, onErr := db.Messages(t.Context(), notify.Filter{State: string(notify.Sending), Limit: 1}) // taken by the mail server, and not kept yet
		return err == nil && n == 0 && onErr == nil && len(on) == 0 && caughtUp(t, db)
	})
	cancel()
	alive.Wait()
	p.stop()
	rang := judgeNights(t, db, codes, nights)
	again := judgeLetters(t, db, rang, post.Letters())
	if again > killed {
		t.Errorf("%d letters came again after %d kills", again, killed)
	}
	t.Logf("%d kills, %d nights of %d ponds, %d batches, %d letters, %d of them again: sent, and killed before that was kept", killed, nights, ponds, len(g.sealed), len(post.Letters()), again)
}

func levels(n int, v float64) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = v
	}
	return out
}

// newestState is where the newest alarm of a pond's oxygen stands; empty where there was none, or the database did not answer.
func newestState(t *testing.T, db *sqldb.DB, place string) alarm.State {
	list, err := db.AlarmHistory(t.Context(), alarm.Query{Place: place, Topic: "dissolved_oxygen", From: time.Now().Add(-24 * time.Hour), To: time.Now().Add(time.Hour), Limit: 1})
	if err != nil || len(list) == 0 {
		return ""
	}
	return list[0].State
}

// caughtUp reports whether all changes have been made into messages.
func caughtUp(t *testing.T, db *sqldb.DB) bool {
	standing, err := db.Planned(t.Context())
	if err != nil {
		return false
	}
	more, err := db.AlarmChanges(t.Context(), standing.Cursor, 1)
	return err == nil && len(more) == 0
}

// judgeLetters checks that every alarm was told, and how often: that it began once, by one message, whatever was killed. It returns how many
// letters are copies of one that had come: the at-least-once window of a message that was on its way.
func judgeLetters(t *testing.T, db *sqldb.DB, alarms []string, letters []smtptest.Letter) (again int) {
	t.Helper()
	came := map[string]int{}
	for _, l := range letters {
		came[l.Header.Get("Message-ID")]++
	}
	for _, n := range came {
		again += n - 1
	}
	messages, err := db.MessagesOf(t.Context(), alarms)
	if err != nil {
		t.Fatal(err)
	}
	began, told := map[string]int{}, map[string]int{}
	for _, m := range messages {
		if m.State == notify.Merged {
			continue
		}
		arrived := false
		for id, n := range came {
			if strings.Contains(strings.ToUpper(id), m.ID) {
				arrived = true
				if n > m.Attempts {
					t.Errorf("message %s came %d times in %d attempts", m.ID, n, m.Attempts)
				}
			}
		}
		if m.State != notify.Sent || !arrived {
			t.Errorf("message %s (%s) is %s, arrived: %v: %s", m.ID, m.Kind, m.State, arrived, m.Err)
			continue
		}
		for _, i := range m.Items {
			told[i.Alarm]++
			if i.Kind == notify.Opened {
				began[i.Alarm]++
			}
		}
	}
	for _, id := range alarms {
		if told[id] == 0 {
			t.Errorf("alarm %s was told to nobody", id)
		}
		if began[id] > 1 {
			t.Errorf("that alarm %s began was told in %d messages", id, began[id])
		}
	}
	return again
}

// judgeNights checks what was kept of a week, and returns the alarms.
func judgeNights(t *testing.T, db *sqldb.DB, codes []string, nights int) (rang []string) {
	t.Helper()
	changes, err := db.AlarmChanges(t.Context(), 0, 100_000)
	if err != nil {
		t.Fatal(err)
	}
	fired, last := map[string]map[string]int{}, map[string]alarm.State{}
	for i, c := range changes {
		if c.N != int64(i+1) {
			t.Fatalf("change %d has number %d", i+1, c.N)
		}
		if c.Alarm.Topic != "dissolved_oxygen" {
			continue
		}
		if before, known := last[c.Alarm.ID]; known && before != c.From || !known && c.From != alarm.Normal {
			t.Errorf("change %d of %s goes from %s, it stood at %s", c.N, c.Alarm.ID, c.From, before)
		}
		last[c.Alarm.ID] = c.Alarm.State
		if c.Alarm.State == alarm.Firing && c.From == alarm.Pending {
			if fired[c.Alarm.Place] == nil {
				fired[c.Alarm.Place] = map[string]int{}
			}
			fired[c.Alarm.Place][c.Alarm.ID]++
		}
	}
	for _, code := range codes {
		if len(fired[code]) != nights {
			t.Errorf("%s: %d alarms in %d nights", code, len(fired[code]), nights)
		}
		for id, n := range fired[code] {
			rang = append(rang, id)
			if n != 1 || last[id] != alarm.Normal {
				t.Errorf("%s: alarm %s began to ring %d times and stands at %s", code, id, n, last[id])
			}
		}
	}
	var seen bytes.Buffer
	for _, c := range changes {
		fmt.Fprintf(&seen, "%d %s %s %s from %s %s\n", c.N, c.At.Format(time.TimeOnly), c.Alarm.Place, c.Alarm.Topic, c.From, c.Alarm.State)
	}
	if t.Failed() {
		t.Log("\n" + seen.String())
	}
	return rang
}
