package uplink

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"aovuon/gateway/spool"
	"aovuon/gateway/wire"
)

// inbox is where receipts wait for the session: the highest number, and whether it was said (again) since it was taken.
type inbox struct {
	mu    sync.Mutex
	epoch string
	upto  uint64
	news  bool
	bell  chan struct{}
}

// put reports whether the receipt is of the present epoch.
func (b *inbox) put(epoch string, upto uint64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if epoch != b.epoch {
		return false
	}
	if upto >= b.upto {
		b.upto, b.news = upto, true
	}
	select {
	case b.bell <- struct{}{}:
	default:
	}
	return true
}

// begin forgets everything and takes receipts of epoch from now on.
func (b *inbox) begin(epoch string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.epoch, b.upto, b.news = epoch, 0, false
}

// again lets the last receipt be taken once more.
func (b *inbox) again() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.upto == 0 {
		return
	}
	b.news = true
	select {
	case b.bell <- struct{}{}:
	default:
	}
}

func (b *inbox) take() (upto uint64, news bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	upto, news = b.upto, b.news
	b.news = false
	return upto, news
}

// underway is a publish whose token is not done.
type underway struct {
	seq   uint64
	token mqtt.Token
}

// ErrForgotten is the cause of a new epoch when the server has less than it once gave a receipt for.
var ErrForgotten = errors.New("the server no longer has what it signed for")

// session is one connection at work.
type session struct {
	u       *Uplink
	c       *conn
	in      *inbox
	epoch   string // of the numbers below; "" until the spool could be asked
	acked   uint64 // the server has everything up to here
	sent    uint64 // the broker was given everything up to here
	tokens  []underway
	patient *time.Timer // runs while something has no receipt
	busy    bool        // something has no receipt
	strikes int         // times patient ran out without progress
	rewinds int         // times the sending went back without progress
	rewound time.Time   // when it last did
	asked   *time.Timer // runs when the server said again how far it is although more was sent
	moved   bool        // a receipt released something
	disk    *time.Timer // runs while the spool cannot be read or written
	ill     bool        // disk runs

	goingBack bool // asked runs
}

// session connects and works until the connection is of no more use. progress says whether a receipt came.
func (u *Uplink) session(ctx context.Context) (progress bool, err error) {
	c, err := u.connect(ctx)
	if err != nil {
		return false, err
	}
	defer c.Disconnect(250)
	u.sessions.Add(1)
	s := &session{u: u, c: c, in: &inbox{bell: make(chan struct{}, 1)}, rewound: u.opts.Now()}
	if err := c.subscribe(ctx, wire.Topic(u.opts.Gateway, wire.LeafReceipt), s.receive); err != nil {
		return false, err
	}
	if u.opts.Desired != nil { // before it says that it is online: that is when the server sends them
		if err := c.subscribe(ctx, wire.Topic(u.opts.Gateway, wire.LeafDesired), s.desire); err != nil {
			return false, err
		}
	}
	if err := s.online(ctx); err != nil {
		return false, err
	}
	u.opts.Log.Info("connected", slog.String("url", u.opts.URL))
	if !u.muted {
		u.opts.Link(true)
	}
	s.patient = time.NewTimer(u.opts.ReceiptTimeout)
	defer s.patient.Stop()
	s.asked, s.disk = time.NewTimer(time.Hour), time.NewTimer(time.Hour)
	s.asked.Stop()
	s.disk.Stop()
	defer s.asked.Stop()
	defer s.disk.Stop()
	err = s.work(ctx)
	u.muted = errors.Is(err, errSilent)
	if ctx.Err() != nil {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodbye)
		defer cancel()
		bye := u.opts.Status(last)
		bye.State, bye.Reason = wire.Offline, "stopped"
		if err := u.say(last, c, bye, goodbye); err != nil {
			u.opts.Log.Warn("no goodbye", slog.Any("err", err))
		}
	}
	return s.moved, err
}

func (s *session) online(ctx context.Context) error {
	st := s.u.opts.Status(ctx)
	st.State, st.Reason = wire.Online, ""
	return s.u.say(ctx, s.c, st, writeTimeout)
}

// receive runs in a goroutine of paho's and must not block.
func (s *session) receive(payload []byte) {
	r, err := wire.OpenReceipt(payload, s.u.opts.Server)
	if err == nil && r.Gateway != s.u.opts.Gateway {
		err = fmt.Errorf("receipt for %q", r.Gateway)
	}
	if err != nil {
		s.u.forged.Add(1)
		s.u.opts.Log.Warn("a receipt was refused", slog.Any("err", err))
		return
	}
	if s.u.opts.Receipt != nil {
		s.u.opts.Receipt(payload, r)
	}
	if !s.in.put(r.Epoch, r.Upto) {
		s.u.stale.Add(1)
	}
}

// desire runs in a goroutine of paho's and must not block.
func (s *session) desire(payload []byte) {
	d, err := wire.OpenDesired(payload, s.u.opts.Server)
	if err == nil && d.Gateway != s.u.opts.Gateway {
		err = fmt.Errorf("desired settings for %q", d.Gateway)
	}
	if err != nil {
		s.u.forged.Add(1)
		s.u.opts.Log.Warn("desired settings were refused", slog.Any("err", err))
		return
	}
	s.u.opts.Desired(payload, d)
}

func (s *session) work(ctx context.Context) error {
	status := time.NewTicker(s.u.opts.StatusEvery)
	defer status.Stop()
	for {
		if err := s.tolerate(ctx, s.fill(ctx)); err != nil {
			return err
		}
		var first <-chan struct{}
		if len(s.tokens) > 0 {
			first = s.tokens[0].token.Done()
		}
		var err error
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err = <-s.c.lost:
			err = fmt.Errorf("connection lost: %w", err)
		case <-first:
			if err = s.tokens[0].token.Error(); err != nil {
				err = fmt.Errorf("publish batch %d: %w", s.tokens[0].seq, err)
			}
			s.tokens = s.tokens[1:]
		case <-s.u.opts.Sealed:
		case <-s.in.bell:
			err = s.tolerate(ctx, s.receipt(ctx))
		case <-s.asked.C:
			s.rewind()
		case <-s.patient.C:
			err = s.impatient()
		case <-s.disk.C:
			s.ill = false
			s.in.again()
		case <-status.C:
			err = s.online(ctx)
		}
		if err != nil {
			return err
		}
	}
}

// tolerate is given what the spool said. A spool that began another epoch meanwhile is asked anew; one that cannot be
// read is no reason to give up the connection, which is how anybody learns of it: it is asked again later.
func (s *session) tolerate(ctx context.Context, err error) error {
	switch {
	case err == nil || ctx.Err() != nil:
		return err
	case errors.Is(err, errSpeak):
		return err
	case errors.Is(err, spool.ErrEpoch):
		s.forget()
		return s.tolerate(ctx, s.fill(ctx))
	case s.ill:
		return nil
	}
	s.ill = true
	s.disk.Reset(s.u.opts.DiskRetry)
	s.u.opts.Log.Error("the spool cannot be used", slog.Any("err", err), slog.Duration("again_in", s.u.opts.DiskRetry))
	return s.online(ctx) // with what is wrong
}

// start asks the spool where the numbering stands, once for each epoch.
func (s *session) start(ctx context.Context) error {
	if s.epoch != "" {
		return nil
	}
	st, err := s.u.store.Stats(ctx)
	if err != nil {
		return err
	}
	s.epoch, s.acked, s.sent = st.Epoch, st.Released, st.Released
	s.in.begin(st.Epoch)
	return nil
}

// forget lets the next start begin anew.
func (s *session) forget() {
	s.epoch = ""
	s.strikes, s.rewinds, s.busy, s.goingBack = 0, 0, false, false
	s.asked.Stop()
}

// fill hands batches to the broker until the window is full or there are no more.
func (s *session) fill(ctx context.Context) error {
	for !s.ill {
		if err := s.start(ctx); err != nil {
			return err
		}
		room := s.u.opts.Window - int(s.sent-s.acked)
		if room <= 0 {
			return nil
		}
		batches, err := s.u.store.After(ctx, s.epoch, s.sent, room)
		if errors.Is(err, spool.ErrDamaged) {
			if s.sent > s.acked { // those before it are good and may still be confirmed
				return nil
			}
			if err := s.renew(ctx, err); err != nil {
				return err
			}
			continue
		}
		if err != nil || len(batches) == 0 {
			return err
		}
		for _, b := range batches {
			if !s.busy {
				s.busy = true
				s.patient.Reset(s.u.opts.ReceiptTimeout)
			}
			t := s.c.Publish(wire.Topic(s.u.opts.Gateway, wire.LeafBatch), 1, false, b.Body)
			s.tokens = append(s.tokens, underway{b.Seq, t})
			s.sent = b.Seq
			s.u.published.Add(1)
		}
	}
	return nil
}

// receipt acts on what the server says it has.
func (s *session) receipt(ctx context.Context) error {
	upto, news := s.in.take()
	switch {
	case !news:
		return nil
	case upto > s.acked:
		err := s.u.store.Release(ctx, s.epoch, upto)
		if errors.Is(err, spool.ErrAhead) {
			return s.renew(ctx, err)
		}
		if err != nil {
			return err
		}
		s.u.receipts.Add(1)
		at := s.u.opts.Now()
		s.u.receipted.Store(&at)
		s.acked, s.sent = upto, max(s.sent, upto)
		s.moved, s.strikes, s.rewinds, s.busy = true, 0, 0, s.sent > upto
		s.patient.Reset(s.u.opts.ReceiptTimeout)
		s.asked.Stop()
		s.goingBack = false
		s.u.opts.Link(true)
	case upto == s.acked && s.sent > s.acked && !s.goingBack:
		// The server has no more than before although more was sent: unless what is still on its way brings it forward,
		// something was lost.
		s.goingBack = true
		since := s.u.opts.Now().Sub(s.rewound)
		s.asked.Reset(max(s.u.opts.GoBackAfter<<min(s.rewinds, 8)-since, 0))
	case upto < s.acked && s.strikes > 0:
		// Sent again, and the server still stands before what it signed for: an old backup of it was put back. What it
		// forgot is gone from here too; what waits here goes on under numbers that it can accept.
		return s.renew(ctx, fmt.Errorf("%w: it has batch %d, its receipt was for %d", ErrForgotten, upto, s.acked))
	}
	return nil
}

// rewind sends everything without a receipt again.
func (s *session) rewind() {
	s.u.rewinds.Add(1)
	s.rewinds++
	s.u.opts.Log.Info("sending again", slog.Uint64("seq", s.acked+1), slog.Uint64("to", s.sent))
	s.sent = s.acked
	s.rewound = s.u.opts.Now()
	s.goingBack = false
}

// impatient runs when no receipt came for a while.
func (s *session) impatient() error {
	if !s.busy {
		return nil
	}
	s.asked.Stop()
	s.strikes++
	if s.strikes >= 2 {
		s.u.silences.Add(1)
		return fmt.Errorf("%w for %v", errSilent, 2*s.u.opts.ReceiptTimeout)
	}
	s.rewind()
	s.patient.Reset(s.u.opts.ReceiptTimeout)
	return nil
}

// errSpeak: the broker was not told.
var errSpeak = errors.New("the status could not be sent")

// renew begins a new epoch and starts over in it.
func (s *session) renew(ctx context.Context, cause error) error {
	if err := s.u.opts.Renew(ctx, cause); err != nil {
		return err
	}
	s.forget()
	if err := s.start(ctx); err != nil {
		return err
	}
	if err := s.online(ctx); err != nil { // the status names the epoch
		return fmt.Errorf("%w: %w", errSpeak, err)
	}
	return nil
}
