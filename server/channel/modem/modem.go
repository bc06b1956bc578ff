// Package modem sends alarms as short messages by a modem at a serial port (USB sticks, HATs): no cloud, no contract but a SIM.
//
// Messages come in; AT commands (3GPP 27.005, PDU mode) go to the modem, and the network's reports of delivery come back as receipts. GSM 7-bit
// where that can say the text, UCS-2 where not. The modem is opened when it is needed, and again when it was unplugged.
package modem

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"aovuon/server/channel/number"
	"aovuon/server/watch/notify"
)

// Name is the channel's. It is that of the HTTP gateway too: one of the two is set up, and contacts need not know which.
const Name = "sms"

// Options are the settings of New.
type Options struct {
	Open    func() (io.ReadWriteCloser, error)
	PIN     string // of the SIM; empty: it asks for none
	Refused string // file that remembers a PIN the SIM refused: the third wrong one locks it, over restarts too
	Centre  string // number of the message centre; empty: the SIM knows it
	Now     func() time.Time
	Log     *slog.Logger
	Poll    time.Duration // how often a modem that seeks its network is asked; 0: 1 s
	Seek    time.Duration // for how long; 0: 30 s
	Quiet   time.Duration // how long a modem that was just opened must say nothing: answers to questions of before come late; 0: 200 ms
	Watch   time.Duration // how often an idle modem is looked after; 0: 30 s
}

// Channel sends by a modem.
type Channel struct {
	o        Options
	turn     chan struct{} // holds one: whose turn it is
	k        *conn
	next     byte // reference of a text's parts
	receipts chan notify.Receipt
}

// New returns the channel. Nothing is opened yet.
func New(o Options) *Channel {
	for _, d := range []struct {
		at    *time.Duration
		usual time.Duration
	}{{&o.Poll, time.Second}, {&o.Seek, 30 * time.Second}, {&o.Watch, 30 * time.Second}, {&o.Quiet, 200 * time.Millisecond}} {
		if *d.at == 0 {
			*d.at = d.usual
		}
	}
	return &Channel{o: o, turn: make(chan struct{}, 1), receipts: make(chan notify.Receipt, 256)}
}

// Name is "sms".
func (c *Channel) Name() string { return Name }

// CheckAddress takes a telephone number as people write it.
func (c *Channel) CheckAddress(to string) (string, error) {
	n, err := number.Parse(to)
	if err != nil {
		return "", fmt.Errorf("sms: %w", err)
	}
	return n, nil
}

// Send gives m to the network. Its reference is the number and the network's reference for the last part: those repeat after 256 messages, and
// a report is about the newest.
func (c *Channel) Send(ctx context.Context, m notify.Message) (string, error) {
	to, err := c.CheckAddress(m.To)
	if err != nil {
		return "", fmt.Errorf("%w: %w", notify.ErrPermanent, err)
	}
	text := m.Short
	if text == "" {
		text = m.Text
	}
	var ref string
	err = c.use(ctx, func(k *conn) error {
		if err := c.registered(ctx, k); err != nil {
			return err
		}
		c.next++
		for _, pdu := range pdus(to, text, c.valid(m), c.next) {
			mr, err := send(ctx, k, pdu)
			if err != nil {
				return err
			}
			ref = refOf(to, mr)
		}
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("sms: %w", judge(err))
	}
	return ref, nil
}

func refOf(to string, reference byte) string {
	return strings.TrimPrefix(to, "+") + "/" + strconv.Itoa(int(reference))
}

// valid is for how long the network may try.
func (c *Channel) valid(m notify.Message) time.Duration {
	if m.Expires.IsZero() {
		return 24 * time.Hour
	}
	return m.Expires.Sub(c.o.Now())
}

// send gives one PDU to the modem and returns the network's reference.
func send(ctx context.Context, k *conn, pdu []byte) (byte, error) {
	lines, err := k.submit(ctx, "AT+CMGS="+strconv.Itoa(len(pdu)), "00"+strings.ToUpper(hex.EncodeToString(pdu)))
	if err != nil {
		return 0, err
	}
	for _, line := range lines {
		if f := fields(line); strings.HasPrefix(line, "+CMGS:") && len(f) > 0 {
			if n, err := strconv.ParseUint(f[0], 10, 8); err == nil {
				return byte(n), nil
			}
		}
	}
	return 0, fmt.Errorf("%w: the modem says OK and no reference: %q", notify.ErrPermanent, lines) // sending again would be one too many
}

// use gives f the open modem, to itself.
func (c *Channel) use(ctx context.Context, f func(*conn) error) error {
	select {
	case c.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-c.turn }()
	if c.k == nil || !c.k.alive() {
		port, err := c.o.Open()
		if err != nil {
			return fmt.Errorf("%w (%w)", errGone, err)
		}
		k := newConn(port, c.report)
		if err := c.prepare(ctx, k); err != nil {
			k.end(err)
			return err
		}
		c.k = k
	}
	return f(c.k)
}

// Close lets the modem go.
func (c *Channel) Close() error {
	c.turn <- struct{}{}
	defer func() { <-c.turn }()
	if c.k != nil {
		c.k.end(errors.New("closed"))
		c.k = nil
	}
	return nil
}

// report makes a receipt of a status report.
func (c *Channel) report(line string) {
	r, err := parseReport(line)
	if err != nil {
		c.o.Log.Warn("a report of the modem is passed over", slog.Any("err", err))
		return
	}
	final, delivered := r.outcome()
	if !final {
		return
	}
	out := notify.Receipt{Ref: refOf(r.number, r.reference), Delivered: delivered, At: c.o.Now()}
	if !delivered {
		out.Err = fmt.Sprintf("the network gave up delivering it (status %#02x)", r.status)
	}
	select {
	case c.receipts <- out:
	default: // nobody listens
		c.o.Log.Warn("a report of the modem is passed over", slog.String("ref", out.Ref))
	}
}

// Receipts calls f for every report, and looks after the modem, so that reports come in when nothing is sent.
func (c *Channel) Receipts(ctx context.Context, f func(notify.Receipt)) error {
	t := time.NewTicker(c.o.Watch)
	defer t.Stop()
	trouble := ""
	for {
		err := c.use(ctx, func(k *conn) error {
			_, err := k.ask(ctx, "AT", ownPatience)
			return err
		})
		if ctx.Err() != nil {
			return nil
		}
		c.tell(err, &trouble)
		for again := false; !again; {
			select {
			case <-ctx.Done():
				return nil
			case r := <-c.receipts:
				f(r)
			case <-t.C:
				again = true
			}
		}
	}
}

// tell logs what is new about the modem's state.
func (c *Channel) tell(err error, trouble *string) {
	now := ""
	if err != nil {
		now = err.Error()
	}
	switch now {
	case *trouble:
	case "":
		c.o.Log.Info("the modem works again")
	default:
		c.o.Log.Warn("the modem does not work", slog.Any("err", err))
	}
	*trouble = now
}
