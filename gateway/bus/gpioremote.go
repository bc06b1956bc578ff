package bus

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"

	"periph.io/x/conn/v3/gpio"
)

// remotePin is the asking half of the remote pin protocol.
type remotePin struct {
	path, name string
	conn       net.Conn
}

func dialPin(path, name string) (levels, error) {
	d := net.Dialer{Timeout: remoteDial}
	conn, err := d.DialContext(context.Background(), "unix", path) // gpio.PinOut.Out knows no context
	if err != nil {
		return nil, fmt.Errorf("nobody serves pins there: start the program that does (firmware-sim serve): %w", err)
	}
	return &remotePin{path: path, name: name, conn: conn}, nil
}

// Out puts the pin to a level. After an error the connection is of no use: the Output dials anew.
func (p *remotePin) Out(l gpio.Level) error {
	resp, asked, err := exchange(p.conn, pinRequest{name: p.name, high: bool(l)}.append(nil), 0)
	if err != nil && !asked { // the other side restarted since the last time
		again, err := dialPin(p.path, p.name)
		if err != nil {
			return err
		}
		old := p.conn
		p.conn = again.(*remotePin).conn
		if err := old.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			return err
		}
		resp, _, err = exchange(p.conn, pinRequest{name: p.name, high: bool(l)}.append(nil), 0)
		if err != nil {
			return fmt.Errorf("remote pin: %w", err)
		}
		return resp.err()
	}
	if err != nil {
		return fmt.Errorf("remote pin: %w", err)
	}
	return resp.err()
}

// Close ends the connection; the pin stays as it is.
func (p *remotePin) Close() error {
	if err := p.conn.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// Level is the part of a periph pin that ServePins needs.
type Level interface {
	Out(l gpio.Level) error
}

// ServePins puts pins to the levels that peers on l ask for, until ctx is done or l fails; then it closes l and every
// connection, waits for them, and returns nil or l's error. Pins are called one at a time. A name that is not in pins is
// an error for who asked.
func ServePins(ctx context.Context, l net.Listener, pins map[string]Level) error {
	var one sync.Mutex
	s := &server{conns: make(map[net.Conn]struct{}), answer: func(conn io.ReadWriter) {
		for {
			req, err := readPinRequest(conn)
			if err != nil {
				return
			}
			one.Lock()
			err = outOf(pins, req)
			one.Unlock()
			if _, err := conn.Write(pinResponse(err)); err != nil {
				return
			}
		}
	}}
	return s.serve(ctx, l, "pins")
}

func outOf(pins map[string]Level, req pinRequest) error {
	p, ok := pins[req.name]
	if !ok {
		return fmt.Errorf("%w as %q; there are: %s", errNoPin, req.name, strings.Join(slices.Sorted(maps.Keys(pins)), ", "))
	}
	return p.Out(gpio.Level(req.high))
}
