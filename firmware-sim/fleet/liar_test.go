package fleet_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"golang.org/x/mod/sumdb/note"

	"aovuon/firmware-sim/fleet"
	"aovuon/gateway/wire"
	"aovuon/server/parttest"
)

// liar is a server at the level of MQTT: it gives receipts for everything, and keeps what it likes.
type liar struct {
	t      *testing.T
	signer note.Signer
	keeps  func(seq uint64) int // how often it stores a batch
	points func(n int64) int64  // what its history makes of n readings

	mu    sync.Mutex
	count map[string]*fleet.ChainCount // by gateway
	held  map[string]int64             // readings
}

// newLiar lets a liar listen at a broker and returns a plan for a fleet of n gateways that takes it for the server.
func newLiar(t *testing.T, n int, keeps func(seq uint64) int) (*liar, fleet.Plan) {
	t.Helper()
	m := parttest.Mosquitto(t, parttest.MosquittoOptions{MaxQueued: 100_000})
	dir := t.TempDir()
	if _, err := fleet.Enlist(dir, "fl", n); err != nil {
		t.Fatal(err)
	}
	folder, err := fleet.Open(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := folder.Close(); err != nil {
		t.Fatal(err)
	}
	vkey, err := wire.CreateKey(dir+"/server.key", "htx-liar")
	if err != nil {
		t.Fatal(err)
	}
	l := &liar{
		t: t, keeps: keeps, points: func(n int64) int64 { return n }, count: map[string]*fleet.ChainCount{}, held: map[string]int64{},
	}
	if l.signer, _, err = wire.LoadKey(dir + "/server.key"); err != nil {
		t.Fatal(err)
	}
	key, err := note.NewVerifier(vkey)
	if err != nil {
		t.Fatal(err)
	}
	c := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(m.URL).SetClientID("liar"))
	if tok := c.Connect(); !tok.WaitTimeout(time.Minute) || tok.Error() != nil {
		t.Fatal(tok.Error())
	}
	t.Cleanup(func() { c.Disconnect(100) })
	if tok := c.Subscribe("aovuon/1/+/batch", 1, l.take); !tok.WaitTimeout(time.Minute) || tok.Error() != nil {
		t.Fatal(tok.Error())
	}
	return l, fleet.Plan{
		Members: folder.Members, Broker: m.URL, Server: key, Witness: l, Readings: 6, Truth: fleet.Plain{}, Rate: 200, Batches: 200,
		Late: time.Minute, Drain: 10 * time.Second, Settle: time.Second, ReceiptTimeout: 2 * time.Second, Now: time.Now,
	}
}

func (l *liar) take(c mqtt.Client, m mqtt.Message) {
	b, err := wire.OpenUnverified(m.Payload())
	if err != nil {
		l.t.Error(err)
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	one := l.count[b.Gateway]
	if one == nil {
		one = &fleet.ChainCount{Gateway: b.Gateway, Epoch: b.Epoch}
		l.count[b.Gateway] = one
	}
	if n := l.keeps(b.Seq); n > 0 {
		one.Batches += int64(n)
		one.Seq = max(one.Seq, b.Seq)
		l.held[b.Gateway] += int64(len(b.Readings))
	}
	sealed, err := wire.SealReceipt(wire.Receipt{Gateway: b.Gateway, Epoch: b.Epoch, Upto: b.Seq, Time: time.Now()}, l.signer)
	if err != nil {
		l.t.Error(err)
		return
	}
	c.Publish(wire.Topic(b.Gateway, wire.LeafReceipt), 0, false, sealed)
}

// Count implements fleet.Witness: what it keeps, it does not hide.
func (l *liar) Count(context.Context) (fleet.Count, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := fleet.Count{Points: map[string]int64{}}
	for gateway, one := range l.count {
		c.Chains = append(c.Chains, *one)
		c.Points[gateway] = l.points(l.held[gateway])
		c.Log += one.Batches
	}
	c.Drawn = c.Log
	return c, nil
}

func lied(t *testing.T, p fleet.Plan, want string) fleet.Result {
	t.Helper()
	r, _, err := fleet.Run(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	found := slices.DeleteFunc(slices.Clone(r.Failures), func(f string) bool { // how fast this machine is today is no matter here
		return strings.HasPrefix(f, "rate not kept") && !strings.HasPrefix(want, "rate")
	})
	if all := strings.Join(found, "\n"); (want == "") != (all == "") || !strings.Contains(all, want) {
		t.Errorf("found: %s\nwant: %s", all, want)
	}
	return r
}

// TestFleet_FindsOutAServerThatLies is why the tool can be believed: a server that says what is not so does not pass.
func TestFleet_FindsOutAServerThatLies(t *testing.T) {
	t.Run("honest", func(t *testing.T) {
		_, p := newLiar(t, 10, func(uint64) int { return 1 })
		if r := lied(t, p, ""); *r.Batches.Stored != 200 || r.Batches.Receipted != 200 || *r.Readings.InHistory != 1200 {
			t.Errorf("%+v", r.Batches)
		}
	})
	t.Run("loses every tenth", func(t *testing.T) {
		_, p := newLiar(t, 10, func(seq uint64) int {
			if seq%10 == 5 {
				return 0
			}
			return 1
		})
		lied(t, p, "lost: 20 batches are not in the server's log")
	})
	t.Run("stores nothing", func(t *testing.T) {
		_, p := newLiar(t, 10, func(uint64) int { return 0 })
		lied(t, p, "lost: 200 batches")
	})
	t.Run("stores one twice", func(t *testing.T) {
		_, p := newLiar(t, 10, func(seq uint64) int {
			if seq == 7 {
				return 2
			}
			return 1
		})
		lied(t, p, "duplicated: 10 batches")
	})
	t.Run("forgets history", func(t *testing.T) {
		l, p := newLiar(t, 10, func(uint64) int { return 1 })
		l.points = func(n int64) int64 { return max(n-1, 0) }
		lied(t, p, "lost: 10 readings")
	})
	t.Run("invents history", func(t *testing.T) {
		l, p := newLiar(t, 10, func(uint64) int { return 1 })
		l.points = func(n int64) int64 { return n + n/120 }
		lied(t, p, "duplicated: 10 points")
	})
	t.Run("signs with another key", func(t *testing.T) {
		l, p := newLiar(t, 10, func(uint64) int { return 1 })
		other, err := wire.CreateKey(t.TempDir()+"/key", "htx-liar")
		if err != nil {
			t.Fatal(err)
		}
		if p.Server, err = note.NewVerifier(other); err != nil {
			t.Fatal(err)
		}
		p.Drain = 3 * time.Second
		r := lied(t, p, "200 batches had no receipt")
		if r.Batches.Receipted != 0 || r.Batches.Waiting != 200 || r.Links.Forged == 0 {
			t.Errorf("%+v %+v of %d", r.Batches, r.Links, len(l.count))
		}
	})
	t.Run("cannot be asked", func(t *testing.T) {
		_, p := newLiar(t, 1, func(uint64) int { return 1 })
		p.Witness = &mute{}
		if _, _, err := fleet.Run(t.Context(), p); !errors.Is(err, errMute) {
			t.Error(err)
		}
	})
	t.Run("cannot be asked any more", func(t *testing.T) {
		_, p := newLiar(t, 1, func(uint64) int { return 1 })
		p.Witness, p.Batches = &mute{after: 1}, 10
		if r := lied(t, p, "what was stored is unknown: no"); r.Batches.Receipted != 10 || r.Batches.Stored != nil {
			t.Errorf("%+v", r.Batches)
		}
	})
	t.Run("is too slow", func(t *testing.T) {
		_, p := newLiar(t, 10, func(uint64) int { time.Sleep(20 * time.Millisecond); return 1 })
		p.Batches, p.For = 0, 1500*time.Millisecond
		lied(t, p, "rate not kept: ")
	})
}

var errMute = errors.New("no")

// mute is a witness that answers so many times, and then no more.
type mute struct{ after int }

// Count implements fleet.Witness.
func (m *mute) Count(context.Context) (fleet.Count, error) {
	if m.after--; m.after >= 0 {
		return fleet.Count{}, nil
	}
	return fleet.Count{}, fmt.Errorf("%w", errMute)
}
