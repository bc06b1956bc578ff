package fleet

import (
	"context"
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	"aovuon/gateway/uplink"
)

// gateway is one of the fleet at work: a chain, the real uplink, and a link that can be spoiled.
type gateway struct {
	*chain
	up    *uplink.Uplink
	wake  chan struct{}
	away  time.Duration
	link  atomic.Pointer[link]
	there atomic.Bool // batches reach the server, as the uplink sees it
	leave atomic.Pointer[context.CancelFunc]
}

func (r *run) newGateway(c *chain, password string) *gateway {
	g := &gateway{chain: c, wake: make(chan struct{}, 1), away: r.plan.Away}
	seed := r.plan.Seed ^ hash(c.gateway)
	o := uplink.Options{
		Gateway: c.gateway, URL: r.plan.Broker, Password: password, TLS: r.plan.TLS, Server: r.plan.Server,
		Sealed: g.wake, Link: g.there.Store, Renew: c.renew, Status: c.status, Now: r.plan.Now,
		ReceiptTimeout: r.plan.ReceiptTimeout, Log: slog.New(&r.trouble),
		Through: func(conn net.Conn) net.Conn {
			seed++
			l := newLink(conn, &r.plan.Faults, &r.faults, r.tally, seed, r.plan.Now)
			g.link.Store(l)
			return l
		},
	}
	g.up = uplink.New(c, o)
	return g
}

// work runs the uplink until ctx ends, and again when the gateway was sent away and has come back.
func (g *gateway) work(ctx context.Context) error {
	for {
		stay, leave := context.WithCancel(ctx)
		g.leave.Store(&leave)
		err := g.up.Run(stay)
		leave()
		if err != nil || ctx.Err() != nil {
			return err
		}
		t := time.NewTimer(g.away)
		select {
		case <-ctx.Done():
			t.Stop()
			return nil
		case <-t.C:
		}
	}
}

// go away, with a goodbye, and come back.
func (g *gateway) churn() {
	if leave := g.leave.Load(); leave != nil {
		(*leave)()
	}
}

// drop cuts the connection without a word; it reports whether there was one.
func (g *gateway) drop() bool {
	l := g.link.Swap(nil)
	if l == nil {
		return false
	}
	if tcp, ok := l.Conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) //nolint:errcheck // a reset rather than an end, where it can be had
	}
	return l.Close() == nil
}

// connected reports whether the uplink takes the server for reachable.
func (g *gateway) connected() bool { return g.there.Load() }

// nudge tells the uplink that something is owed.
func (g *gateway) nudge() {
	select {
	case g.wake <- struct{}{}:
	default:
	}
}

// trouble is the log of the uplinks: it keeps the last thing that went wrong, for who asks why nothing comes.
type trouble struct{ last atomic.Pointer[string] }

// Enabled implements slog.Handler.
func (*trouble) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelWarn }

// Handle implements slog.Handler.
func (t *trouble) Handle(_ context.Context, r slog.Record) error {
	text := r.Message
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "err" {
			text += ": " + a.Value.String()
		}
		return true
	})
	t.last.Store(&text)
	return nil
}

// WithAttrs implements slog.Handler.
func (t *trouble) WithAttrs([]slog.Attr) slog.Handler { return t }

// WithGroup implements slog.Handler.
func (t *trouble) WithGroup(string) slog.Handler { return t }

func (t *trouble) String() string {
	if s := t.last.Load(); s != nil {
		return *s
	}
	return "nothing was said"
}
