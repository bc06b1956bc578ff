package uplink

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/mod/sumdb/note"

	"aovuon/gateway/spool"
	"aovuon/gateway/wire"
)

// Store is the part of the spool the uplink needs; see spool.Spool for what each promises.
type Store interface {
	After(ctx context.Context, epoch string, seq uint64, limit int) ([]spool.Sealed, error)
	Release(ctx context.Context, epoch string, upto uint64) error
	Stats(ctx context.Context) (spool.Stats, error)
}

// Options say where the server is and how patient to be. Zero durations and numbers take the defaults.
type Options struct {
	Gateway  string        // user name, client id and topic
	URL      string        // tcp://host:port or ssl://host:port, see CheckURL
	Password string        //
	TLS      *tls.Config   // for ssl://, see TLSConfig
	Server   note.Verifier // the key receipts are signed with

	Sealed <-chan struct{}                              // receives a value after batches were sealed
	Link   func(up bool)                                // is told whether batches reach the server
	Renew  func(ctx context.Context, cause error) error // gives the spool a new epoch (spool.ErrDamaged, spool.ErrAhead)
	Status func(ctx context.Context) wire.Status        // what the gateway says about itself; State and Time are set here
	// Desired takes settings that the server signed for this gateway, as they came and as they read; it must not block.
	// nil: the gateway takes none.
	Desired func(sealed []byte, d wire.Desired)
	// Receipt is told of every receipt of the server for this gateway, as it came and as it reads; it must not block. nil: nobody.
	Receipt func(sealed []byte, r wire.Receipt)
	Now     func() time.Time
	// Through is given every connection to the broker, above TLS, and returns what to speak MQTT over; nil: the connection
	// itself. A simulated fleet spoils its links there.
	Through func(net.Conn) net.Conn

	Window         int           // batches under way without a receipt; default 32
	ReceiptTimeout time.Duration // without progress so long: send again; twice so long: a new connection; default 15 s
	GoBackAfter    time.Duration // send again at most so often when the server asks for it; default 1 s, and twice as long each time it does not help
	BackoffMin     time.Duration // between two connections; default 1.5 s: a broker may hold one that comes sooner
	BackoffMax     time.Duration // default 5 min
	StatusEvery    time.Duration // default 5 min
	DiskRetry      time.Duration // until a spool that could not be read is asked again; default 5 s
	Log            *slog.Logger
}

// Fixed times of the MQTT connection. Keep-alive is even: some brokers cut one and a half times it to whole seconds.
const (
	keepAlive      = 30 * time.Second
	pingTimeout    = 10 * time.Second
	writeTimeout   = 10 * time.Second
	connectTimeout = 10 * time.Second
	goodbye        = 2 * time.Second
)

func (o Options) withDefaults() Options {
	def := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	def(&o.ReceiptTimeout, 15*time.Second)
	def(&o.GoBackAfter, time.Second)
	def(&o.BackoffMin, 1500*time.Millisecond)
	def(&o.BackoffMax, 5*time.Minute)
	def(&o.StatusEvery, 5*time.Minute)
	def(&o.DiskRetry, 5*time.Second)
	if o.Window <= 0 {
		o.Window = 32
	}
	return o
}

// Counters count what happened since the start.
type Counters struct {
	Sessions  uint64 // connections that were accepted
	Published uint64 // batches handed to the broker, again or for the first time
	Receipts  uint64 // that released something
	Forged    uint64 // refused: not signed by the server, or for another gateway
	Stale     uint64 // of another epoch
	Rewinds   uint64 // times the sending went back to the first batch without a receipt
	Silences  uint64 // connections given up because no receipt came
}

// Uplink sends what is in a spool. It is made by New and works while Run runs.
type Uplink struct {
	opts  Options
	store Store
	muted bool // the last connection brought no receipt: the next one is no link until it does

	sessions, published, receipts, forged, stale, rewinds, silences atomic.Uint64
	receipted                                                       atomic.Pointer[time.Time]
	failed                                                          atomic.Pointer[error]
}

// New returns an Uplink for store. It connects to nothing: call Run.
func New(store Store, opts Options) *Uplink {
	return &Uplink{opts: opts.withDefaults(), store: store}
}

// Counters returns what happened since the start.
func (u *Uplink) Counters() Counters {
	return Counters{
		Sessions: u.sessions.Load(), Published: u.published.Load(), Receipts: u.receipts.Load(), Forged: u.forged.Load(),
		Stale: u.stale.Load(), Rewinds: u.rewinds.Load(), Silences: u.silences.Load(),
	}
}

// LastReceipt is when a receipt released something last, by Options.Now; the zero time is not since the start.
func (u *Uplink) LastReceipt() time.Time {
	if at := u.receipted.Load(); at != nil {
		return *at
	}
	return time.Time{}
}

// Failure is what ended the last connection, or kept it from being made; nil: none did since the start.
func (u *Uplink) Failure() error {
	if err := u.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// errSilent: batches were sent, and no receipt came.
var errSilent = errors.New("no receipt from the server")

// Run connects, sends and waits for receipts, and again after any failure, until ctx is done; then it says goodbye and
// returns nil. A spool that cannot be read ends nothing either: the status goes on telling so, and the spool is asked again.
func (u *Uplink) Run(ctx context.Context) error {
	retry := backoff{min: u.opts.BackoffMin, max: u.opts.BackoffMax}
	for {
		progress, err := u.session(ctx)
		u.failed.Store(&err)
		u.opts.Link(false)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // being told to stop is no failure of the link
		}
		if progress {
			retry.wait = 0
		}
		pause := retry.next()
		u.opts.Log.Warn("the link to the server is down", slog.Duration("again_in", pause), slog.Any("err", err))
		t := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			t.Stop()
			return nil
		case <-t.C:
		}
	}
}

// backoff says how long to wait before the next attempt: twice as long each time, from min to max, and up to half as long
// again by chance, so that a thousand gateways do not come back in the same second.
type backoff struct{ min, max, wait time.Duration }

func (b *backoff) next() time.Duration {
	b.wait = min(max(2*b.wait, b.min), max(b.max*2/3, b.min))
	return b.wait + rand.N(b.wait/2+1)
}

// CheckURL reports what is wrong with the address of a broker, and whether it is reached over TLS.
func CheckURL(raw string) (overTLS bool, err error) {
	u, err := url.Parse(raw)
	if err != nil {
		return false, fmt.Errorf("want scheme, host and port, as in tcp://192.168.1.10:1883 or ssl://farm.example:8883 (%w)", err)
	}
	switch u.Scheme {
	case "tcp", "mqtt":
	case "ssl", "tls", "mqtts":
		overTLS = true
	default:
		return false, fmt.Errorf("scheme %q: want tcp:// or ssl://", u.Scheme)
	}
	if port, err := strconv.ParseUint(u.Port(), 10, 16); err != nil || port == 0 || u.Hostname() == "" {
		return false, fmt.Errorf("want a host and a port of 1 to 65535, as in tcp://192.168.1.10:1883 or ssl://farm.example:8883")
	}
	if u.User != nil || (u.Path != "" && u.Path != "/") || u.RawQuery != "" {
		return false, fmt.Errorf("want only scheme, host and port: the user is the gateway, the password has a file of its own")
	}
	return overTLS, nil
}
