package bus

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/i2c/i2creg"
	"periph.io/x/conn/v3/physic"
)

const (
	remoteDial = time.Second
	// remoteTx bounds one transaction: more than any chip may stretch the clock, less than a schedule can bear.
	remoteTx = 2 * time.Second
)

// remoteName is the name under which a remote bus stands in periph's registry, where a colon is forbidden.
func remoteName(path string) string {
	return "unix-" + strings.NewReplacer("%", "%25", ":", "%3A").Replace(path)
}

// openRemote opens the bus behind a socket through periph's registry, so that it is there for whoever lists the buses.
// The registry is the process's and the opener has no state: it is registered once and stays.
func openRemote(path string) (i2c.BusCloser, error) {
	name := remoteName(path)
	err := i2creg.Register(name, nil, -1, func() (i2c.BusCloser, error) { return dialRemote(path) })
	if err != nil {
		registered := false
		for _, r := range i2creg.All() {
			registered = registered || r.Name == name
		}
		if !registered {
			return nil, err
		}
	}
	return i2creg.Open(name)
}

// remoteBus is the asking half of the remote I²C protocol. It is not safe for concurrent use: lazyBus locks.
type remoteBus struct {
	path string
	conn net.Conn
}

func dialRemote(path string) (*remoteBus, error) {
	d := net.Dialer{Timeout: remoteDial}
	conn, err := d.DialContext(context.Background(), "unix", path) // i2c.Bus.Tx knows no context
	if err != nil {
		return nil, fmt.Errorf("nobody serves an I²C bus there: start the program that does (firmware-sim serve): %w", err)
	}
	return &remoteBus{path: path, conn: conn}, nil
}

// String implements i2c.Bus.
func (b *remoteBus) String() string { return remoteName(b.path) }

// Tx implements i2c.Bus. An error that does not come from the other side leaves the connection unusable.
func (b *remoteBus) Tx(addr uint16, w, r []byte) error {
	req := request{addr: addr, write: w, read: len(r)}
	if err := req.check(); err != nil {
		return err
	}
	frame := req.append(nil)
	resp, asked, err := exchange(b.conn, frame, len(r))
	if err != nil && !asked {
		// A socket whose other end went away refuses the write as a whole, so nothing was asked yet: a served bus that
		// restarted between two polls costs no reading.
		if err := b.redial(); err != nil {
			return err
		}
		resp, _, err = exchange(b.conn, frame, len(r))
	}
	if err != nil {
		return fmt.Errorf("remote bus: %w", err)
	}
	if err := resp.err(); err != nil {
		return err
	}
	copy(r, resp.data)
	return nil
}

// redial replaces the connection.
func (b *remoteBus) redial() error {
	again, err := dialRemote(b.path)
	if err != nil {
		return err
	}
	old := b.conn
	b.conn = again.conn
	if err := old.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("remote bus: close the broken connection: %w", err)
	}
	return nil
}

// exchange sends a request and waits for its response, at most remoteTx; asked is false when not a byte of it went out.
// A connection that let the time pass is closed: its late response must not be taken for the next one's.
func exchange(conn net.Conn, frame []byte, want int) (resp response, asked bool, err error) {
	closed := make(chan error, 1)
	t := time.AfterFunc(remoteTx, func() { closed <- conn.Close() })
	n, err := conn.Write(frame)
	if err == nil {
		resp, err = readResponse(conn, want)
	}
	if !t.Stop() {
		return response{}, true, errors.Join(fmt.Errorf("no response in %v", remoteTx), err, <-closed)
	}
	return resp, n > 0, err
}

// SetSpeed implements i2c.Bus. The speed belongs to the side that has the wires.
func (b *remoteBus) SetSpeed(physic.Frequency) error {
	return errors.New("remote bus: the speed is set where the bus is served")
}

// Close closes the connection.
func (b *remoteBus) Close() error {
	if err := b.conn.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}
