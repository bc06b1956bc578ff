package story_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"testing"
	"time"

	simulated "aovuon/firmware-sim/field"
	"aovuon/firmware-sim/ledger"
	gateway "aovuon/gateway/app"
	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
	"aovuon/server/project"
)

// playback is a gateway's virtual time: it passes only while the gateway sleeps.
type playback struct {
	mu  sync.Mutex
	now time.Time
}

func (p *playback) wall() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now
}

// Now implements sense.Clock.
func (p *playback) Now() measure.Instant {
	now := p.wall()
	return measure.Instant{Wall: now, Uptime: now.Sub(now.Truncate(24 * time.Hour)), Clock: measure.Synced, Boot: "a0a1a2a3a4a5a6a7"}
}

// Sleep implements sense.Clock.
func (p *playback) Sleep(ctx context.Context, d time.Duration) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now = p.now.Add(d)
	return ctx.Err()
}

// play lets the field's gateway, with its own code, key and spool, live from one time to another without a network, in as
// little time as the machine needs. What the chips answered goes into the field's ledger.
func (f *field) play(from, to time.Time, every time.Duration) {
	f.t.Helper()
	clock := &playback{now: from.Truncate(time.Millisecond)}
	f.playOn(clock, clock.wall, to.Add(-every), every)
}

// playOn is play on a clock whose own idea of time may be wrong; outside is the field's, until the gateway's.
func (f *field) playOn(clock sense.Clock, outside func() time.Time, until time.Time, every time.Duration) {
	f.t.Helper()
	cfg, err := simulated.Load(f.path("field.yaml"))
	if err != nil {
		f.t.Fatal(err)
	}
	book, err := ledger.Open(f.path("ledger.tsv"), func(err error) { f.t.Error(err) })
	if err != nil {
		f.t.Fatal(err)
	}
	defer func() {
		if err := book.Close(); err != nil {
			f.t.Error(err)
		}
	}()
	buses, err := simulated.New(cfg, simulated.Options{Now: outside, Sleep: clock.Sleep, Ledger: book})
	if err != nil {
		f.t.Fatal(err)
	}
	if err := gateway.Offline(f.t.Context(), gateway.OfflineOptions{
		ConfigPath: f.path("gateway.yaml"), Clock: clock, Buses: buses, Every: every, Until: until, Log: slog.New(slog.DiscardHandler),
	}); err != nil {
		f.t.Fatal(err)
	}
}

// downTime is how long a part is down, in the gateway's time.
const downTime = time.Hour

// TestOutage_InfluxDBDownForAnHour: the batch log takes the hour, receipts flow, the live page does not wait; the history
// follows by itself when InfluxDB is back.
func TestOutage_InfluxDBDownForAnHour(t *testing.T) {
	t.Parallel()
	f := newField(t, setting{devices: one(), influx: true})
	now := time.Now()
	f.play(now.Add(-downTime-10*time.Minute), now.Add(-downTime), time.Second)
	f.startSim()
	f.startServer()
	f.quietly(func() { f.awaitDrained() })
	f.awaitHistory()
	f.influxd.Kill()
	f.play(time.Now().Add(-downTime+time.Minute), time.Now(), time.Second)
	f.gateway.start()
	f.awaitReceiptsAfter(f.waiting())
	at, end := f.projected()
	if at >= end {
		t.Fatalf("the history claims position %d of %d while InfluxDB is down", at, end)
	}
	f.awaitLive(channel{"nuoc", measure.WaterTemperature}, time.Now()) // a reading younger than the outage
	if again, _ := f.projected(); again != at {
		t.Errorf("the history went from %d to %d while InfluxDB is down", at, again)
	}
	f.awaitPage("/system", f.words()["system.waits"])
	began := time.Now()
	f.influxd.Start()
	f.awaitHistory()
	t.Logf("the history caught up %.1f s after InfluxDB came back", time.Since(began).Seconds())
	f.settle("an hour without InfluxDB")
}

// quietly runs a gateway that asks its sensors once, while f does something.
func (f *field) quietly(do func()) {
	f.t.Helper()
	f.quieten()
	f.gateway.start()
	do()
	f.gateway.stop()
	f.writeGateway(f.pace)
}

// waiting is the number of the newest batch on the gateway's disk.
func (f *field) waiting() uint64 {
	f.t.Helper()
	st, ok := f.spool()
	if !ok {
		f.t.Fatal("no spool")
	}
	return st.NextSeq - 1
}

// projected is how far the history is, and how far the batch log goes.
func (f *field) projected() (at, end int64) {
	f.t.Helper()
	db := f.database()
	end, err := db.LogEnd(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	if at, err = db.Cursor(f.t.Context(), project.HistoryName); err != nil {
		f.t.Fatal(err)
	}
	return at, end
}

// settle ends a story that killed no gateway: nothing may be missing but the questions that Ctrl-C interrupted, at the end
// and before.
func (f *field) settle(what string, before ...window) {
	f.t.Helper()
	a := account{dated: 1500 * time.Millisecond, losses: before}
	a.settleField(f, func(from, to time.Time) {
		a.losses = append(a.losses, interrupted(from, to))
	})
	sum := a.settle(f.t)
	f.t.Logf("%s: %d readings and %d faults in history, %d answers interrupted by Ctrl-C", what, sum.Readings, sum.Faults, sum.Lost)
	if sum.Readings == 0 {
		f.t.Error("a story without readings proves nothing")
	}
}

// interrupted is where a question may lie that Ctrl-C cut off: the chip had answered, the gateway had not noted it yet.
func interrupted(from, to time.Time) window {
	return window{from.Add(-slack / 2).UnixMilli(), to.UnixMilli()}
}

// awaitLive waits until the live values have one of a channel that is younger than since.
func (f *field) awaitLive(c channel, since time.Time) {
	f.t.Helper()
	await(f.t, fmt.Sprintf("a live value of %s", c), func() (bool, string) {
		status, body, err := f.get("/api/places")
		if err != nil || status != http.StatusOK {
			return false, fmt.Sprint(status, " ", err)
		}
		var answer struct {
			Places []struct {
				Series []struct {
					Sensor   string
					Quantity measure.Quantity
					Time     time.Time
					Value    *float64
				}
			}
		}
		if err := json.Unmarshal([]byte(body), &answer); err != nil {
			f.t.Fatalf("/api/places: %v: %s", err, body)
		}
		for _, p := range answer.Places {
			for _, s := range p.Series {
				if s.Sensor == c.sensor && s.Quantity == c.quantity && s.Value != nil && s.Time.After(since) {
					return true, ""
				}
			}
		}
		return false, body
	})
}
