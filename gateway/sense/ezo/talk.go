package ezo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
)

const (
	pollEvery = 100 * time.Millisecond
	pollMost  = 10
)

// ask writes a command, waits for the time it takes, and reads until the circuit is done or the bound is reached.
func (d *Dev) ask(ctx context.Context, command string) (string, error) {
	if err := d.dev.Tx([]byte(command), nil); err != nil {
		return "", sense.BusFault(err)
	}
	wait := d.board.wait(command)
	if err := d.clock.Sleep(ctx, wait); err != nil {
		return "", err
	}
	for range pollMost {
		var b [ReplyLength]byte
		if err := d.dev.Tx(nil, b[:]); err != nil {
			return "", sense.BusFault(err)
		}
		answer, err := ParseReply(b)
		if !errors.Is(err, errBusy) {
			return answer, about(command, err)
		}
		if err := d.clock.Sleep(ctx, pollEvery); err != nil {
			return "", err
		}
	}
	return "", sense.Faultf(measure.NotReady, "ezo: %q: still processing after %v", command, wait+pollMost*pollEvery)
}

// about says in an error which command it is about.
func about(command string, err error) error {
	fault, ok := errors.AsType[*sense.Fault](err)
	if !ok {
		return err
	}
	return &sense.Fault{Reason: fault.Reason, Err: fmt.Errorf("asked %q: %w", command, fault.Err)}
}
