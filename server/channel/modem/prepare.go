package modem

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"time"

	"aovuon/gateway/wire"
	"aovuon/server/watch/notify"
)

// prepare brings a modem that was just opened to where it sends.
func (c *Channel) prepare(ctx context.Context, k *conn) error {
	var err error
	for range 3 { // the first command may meet half a line, or a modem that finds its speed
		_, err = k.ask(ctx, "AT", 2*time.Second)
		if _, said := errors.AsType[*Error](err); err == nil || !said {
			break
		}
	}
	if err != nil {
		return err
	}
	if err := k.quiet(ctx, c.o.Quiet); err != nil {
		return err
	}
	for _, step := range []struct {
		command string
		must    bool
	}{
		{"ATE0", true},      // no echo
		{"AT+CMEE=1", true}, // errors by number
	} {
		if _, err := k.ask(ctx, step.command, ownPatience); err != nil && step.must {
			return err
		}
	}
	if err := c.unlock(ctx, k); err != nil {
		return err
	}
	if _, err := k.ask(ctx, "AT+CMGF=0", ownPatience); err != nil {
		return fmt.Errorf("%w: the modem has no PDU mode: %w", notify.ErrPermanent, err)
	}
	if c.o.Centre != "" {
		if _, err := k.ask(ctx, `AT+CSCA="`+c.o.Centre+`",145`, ownPatience); err != nil {
			return err
		}
	}
	// Reports are wanted as they come; a modem that cannot do that sends without.
	if _, err := k.ask(ctx, "AT+CNMI=2,0,0,1,0", ownPatience); err != nil {
		if !k.alive() {
			return err
		}
		c.o.Log.Info("the modem tells of no deliveries", slog.Any("err", err))
	}
	return nil
}

// unlock gives the SIM its PIN, unless it refused that one before.
func (c *Channel) unlock(ctx context.Context, k *conn) error {
	state, err := c.simState(ctx, k)
	if err != nil {
		return err
	}
	switch {
	case state == "READY":
		return nil
	case state != "SIM PIN":
		return fmt.Errorf("%w: the SIM asks for %s: type it in, in a phone", notify.ErrPermanent, state)
	case c.o.PIN == "":
		return fmt.Errorf("%w: the SIM asks for its PIN: set pin_file, or switch the PIN off in a phone", notify.ErrPermanent)
	case c.refused():
		return fmt.Errorf("%w: the SIM refused this PIN before, and the third wrong one locks it: correct pin_file", notify.ErrPermanent)
	}
	if _, err := k.ask(ctx, `AT+CPIN="`+c.o.PIN+`"`, ownPatience*2); err != nil {
		if _, said := errors.AsType[*Error](err); !said {
			return err
		}
		return errors.Join(fmt.Errorf("%w: the SIM refused the PIN: correct pin_file before it is tried again: %w", notify.ErrPermanent, err), c.remember())
	}
	for range int(c.o.Seek/c.o.Poll) + 1 {
		if state, err = c.simState(ctx, k); err == nil && state == "READY" {
			return nil
		}
		if err := pause(ctx, c.o.Poll); err != nil {
			return err
		}
	}
	return fmt.Errorf("the SIM took its PIN and does not get ready: %s: %w", state, errors.Join(err))
}

// simState is what AT+CPIN? answers.
func (c *Channel) simState(ctx context.Context, k *conn) (string, error) {
	lines, err := k.ask(ctx, "AT+CPIN?", ownPatience)
	if err != nil {
		return "", err
	}
	for _, line := range lines {
		if f := fields(line); strings.HasPrefix(line, "+CPIN:") && len(f) > 0 {
			return f[0], nil
		}
	}
	return "", fmt.Errorf("the modem says of its SIM %q", lines)
}

func (c *Channel) mark() string {
	sum := sha256.Sum256([]byte("aovuon pin\n" + c.o.PIN))
	return hex.EncodeToString(sum[:])
}

// refused reports whether the SIM refused this PIN before. Where that cannot be read it counts as refused: a locked SIM costs more.
func (c *Channel) refused() bool {
	raw, err := os.ReadFile(c.o.Refused)
	if errors.Is(err, fs.ErrNotExist) {
		return false
	}
	return err != nil || strings.TrimSpace(string(raw)) == c.mark()
}

func (c *Channel) remember() error {
	return wire.WriteFile(c.o.Refused, []byte(c.mark()+"\n"), 0o600)
}

// registered waits until the modem is in a network, for a time.
func (c *Channel) registered(ctx context.Context, k *conn) error {
	state := ""
	for range int(c.o.Seek/c.o.Poll) + 1 {
		for _, command := range []string{"AT+CREG?", "AT+CEREG?"} {
			s, err := registration(ctx, k, command)
			if _, said := errors.AsType[*Error](err); err != nil && !said {
				return err
			}
			switch s {
			case "1", "5", "6", "7": // at home, roaming, and both for messages alone (3GPP 27.007 §7.2)
				return nil
			case "":
			default:
				state = s
			}
		}
		if state == "" { // it knows neither question
			return nil
		}
		if err := pause(ctx, c.o.Poll); err != nil {
			return err
		}
	}
	if state == "3" {
		return fmt.Errorf("%w: the network refuses the SIM: is it still valid, is there credit on it?", notify.ErrPermanent)
	}
	return errors.New("the modem finds no network: look at its antenna, and whether a phone has one there")
}

// registration is the state that a question is answered with.
func registration(ctx context.Context, k *conn, command string) (string, error) {
	lines, err := k.ask(ctx, command, ownPatience)
	if err != nil {
		return "", err
	}
	for _, line := range lines {
		switch f := fields(line); {
		case !strings.HasPrefix(line, strings.TrimSuffix(strings.TrimPrefix(command, "AT"), "?")+":"):
		case len(f) > 1:
			return f[1], nil
		}
	}
	return "", nil
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// Status is how a modem stands, for whoever sets it up. What it does not say is empty.
type Status struct {
	Model    string
	SIM      string // READY
	Network  string // its operator
	Signal   int    // dBm
	Measured bool   // Signal is known
}

// Status asks the modem.
func (c *Channel) Status(ctx context.Context) (Status, error) {
	var s Status
	err := c.use(ctx, func(k *conn) (err error) {
		if s.SIM, err = c.simState(ctx, k); err != nil {
			return err
		}
		first := func(command string) string {
			lines, err := k.ask(ctx, command, ownPatience)
			if err != nil || len(lines) == 0 {
				return ""
			}
			return lines[0]
		}
		s.Model = strings.TrimSpace(strings.TrimPrefix(first("AT+CGMM"), "+CGMM:"))
		if f := fields(first("AT+COPS?")); len(f) > 2 {
			s.Network = f[2]
		}
		s.Signal, s.Measured = signal(first("AT+CSQ"))
		return nil
	})
	if err != nil {
		return s, fmt.Errorf("sms: %w", err)
	}
	return s, nil
}

// signal reads +CSQ: 0 to 31 in steps of 2 dB from −113 dBm; 99 is not known (3GPP 27.007 §8.5).
func signal(line string) (dBm int, ok bool) {
	f := fields(line)
	if !strings.HasPrefix(line, "+CSQ:") || len(f) == 0 {
		return 0, false
	}
	n, err := strconv.ParseUint(f[0], 10, 8)
	if err != nil || n > 31 {
		return 0, false
	}
	return int(n)*2 - 113, true
}
