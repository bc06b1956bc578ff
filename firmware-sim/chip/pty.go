package chip

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"aovuon/gateway/sense/rtu"
	"aovuon/gateway/sense/serial"
)

// PTY shows a serial line to other processes as a device file: a link to a pseudo-terminal. While the line's adapter is
// unplugged there is none. Only Linux has what it takes.
//
// A pseudo-terminal carries bytes without taking time for them and knows no parity; speed and stop bits are those its user
// has set, so that a unit that is set otherwise does not understand him.
type PTY struct {
	line *SerialLine
	path string

	mu      sync.Mutex
	closed  bool
	end     *terminal     // nil while unplugged
	changed chan struct{} // has one when end may have changed
}

// OpenPTY makes the device file at path. What is there and no link is an error.
func OpenPTY(line *SerialLine, path string) (*PTY, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("chip: serial line: %w", err)
	}
	if info, err := os.Lstat(path); err == nil && info.Mode().Type() != fs.ModeSymlink {
		return nil, fmt.Errorf("chip: serial line: %s is there and is no link: move it away or name another path", path)
	}
	p := &PTY{line: line, path: path, changed: make(chan struct{}, 1)}
	if err := p.Refresh(); err != nil {
		return nil, err
	}
	return p, nil
}

// Refresh makes the device file come or go as the adapter does. After Close it does nothing.
func (p *PTY) Refresh() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil
	}
	var err error
	switch unplugged := p.line.Unplugged(); {
	case unplugged && p.end != nil:
		err = p.pull()
	case !unplugged && p.end == nil:
		err = p.plug()
	default:
		return nil
	}
	select {
	case p.changed <- struct{}{}:
	default:
	}
	if err != nil {
		return fmt.Errorf("chip: serial line %s: %w", p.path, err)
	}
	return nil
}

func (p *PTY) plug() error {
	end, err := openTerminal()
	if err != nil {
		return err
	}
	// Made beside the path and renamed: whoever opens it sees the old device or the new one.
	fresh := p.path + ".fresh"
	if err := os.Remove(fresh); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(err, end.close())
	}
	if err := errors.Join(os.Symlink(end.name, fresh), os.Rename(fresh, p.path)); err != nil {
		return errors.Join(err, end.close())
	}
	p.end = end
	return nil
}

func (p *PTY) pull() error {
	end := p.end
	p.end = nil
	err := os.Remove(p.path)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, end.close())
}

// Run carries bytes between the line and the device file until ctx is done. A terminal that fails is logged; the next one
// comes with the next change of the adapter.
func (p *PTY) Run(ctx context.Context, log *slog.Logger) {
	for {
		if end := p.current(); end != nil {
			if err := p.carry(ctx, end); err != nil && ctx.Err() == nil && end == p.current() {
				log.Warn("serial line failed", slog.String("path", p.path), slog.Any("err", err))
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-p.changed:
		}
	}
}

func (p *PTY) current() *terminal {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.end
}

// carry serves one terminal until it is closed.
func (p *PTY) carry(ctx context.Context, end *terminal) error {
	stop := context.AfterFunc(ctx, end.wake)
	defer stop()
	var heard []byte
	buf := make([]byte, 512)
	for ctx.Err() == nil {
		set, err := end.settings()
		if err != nil {
			return err
		}
		now := p.line.now()
		wait := time.Second
		if len(heard) > 0 {
			wait = rtu.Silence(set)
		}
		next, comes := p.line.Next(now.Add(wait))
		if comes {
			wait = max(0, next.Sub(now))
		}
		n, err := end.read(buf, wait)
		switch {
		case err != nil:
			return err
		case n > 0:
			heard = append(heard, buf[:n]...)
		case comes:
			if err := end.write(p.line.Take(next, set)); err != nil {
				return err
			}
		case len(heard) > 0:
			p.line.Send(set, heard)
			heard = nil
		}
	}
	return nil
}

// Close takes the device file away. Run ends with its ctx.
func (p *PTY) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil
	}
	p.closed = true
	if p.end == nil {
		return nil
	}
	return p.pull()
}

// readable is how a terminal's settings are told: the parity of a pseudo-terminal cannot be known.
func readable(baud uint32, twoStops bool) serial.Line {
	l := serial.Line{Baud: max(serial.MinBaud, int(baud)), StopBits: 1}
	if twoStops {
		l.StopBits = 2
	}
	return l
}
