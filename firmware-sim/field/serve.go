package field

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"aovuon/firmware-sim/chip"
	"aovuon/gateway/bus"
)

// ErrTaken is wrapped by the error of a socket on which another simulator answers.
var ErrTaken = errors.New("another simulator answers on this socket: stop it first")

// Serve opens every bus and the control socket to other processes, calls ready once all of them are there, and answers
// until ctx is done. Nothing is left open when it returns. When one cannot be opened none stays open.
func (f *Field) Serve(ctx context.Context, log *slog.Logger, ready func()) (err error) {
	s := &service{field: f}
	f.world.Reach(f.WorldTime(f.opts.Now())) // months are behind it: no chip shall think so long over its first answer
	if err := s.open(ctx); err != nil {
		return errors.Join(fmt.Errorf("field: %w", err), s.abandon())
	}
	g, ctx := errgroup.WithContext(ctx)
	for id, l := range s.i2c {
		g.Go(func() error { return bus.ServeI2C(ctx, l, f.i2c[id]) })
	}
	for id, l := range s.pins {
		g.Go(func() error { return bus.ServePins(ctx, l, f.pins[id]) })
	}
	if s.control != nil {
		g.Go(func() error { return f.desk.Serve(ctx, s.control) })
	}
	f.board.OnChange(func() {
		f.turned()
		s.refresh(log)
	})
	s.refresh(log) // every folder is there when ready is called
	g.Go(func() error {
		f.board.Run(ctx, f.cfg.Speed)
		return nil
	})
	for _, w := range s.w1 {
		g.Go(func() error {
			w.Run(ctx, f.cfg.Refresh, log)
			return w.Close()
		})
	}
	for _, p := range s.serial {
		g.Go(func() error {
			p.Run(ctx, log)
			return p.Close()
		})
	}
	for _, b := range f.cfg.Buses {
		if b.OneWire != "" {
			log.Warn("no other process reaches this bus: give it w1, a folder", slog.String("bus", b.ID))
		}
	}
	ready()
	return g.Wait()
}

// service is what Serve has open.
type service struct {
	field   *Field
	i2c     map[string]net.Listener
	pins    map[string]net.Listener
	control net.Listener
	w1      []*chip.Folder
	serial  []*chip.PTY
}

func (s *service) open(ctx context.Context) error {
	s.i2c, s.pins = make(map[string]net.Listener), make(map[string]net.Listener)
	for _, b := range s.field.cfg.Buses {
		path, to := b.Socket, s.i2c
		if b.Pins != "" {
			path, to = b.Pins, s.pins
		}
		if path == "" {
			continue
		}
		l, err := listen(ctx, path)
		if err != nil {
			return err
		}
		to[b.ID] = l
	}
	if s.field.cfg.Control != "" {
		l, err := listen(ctx, s.field.cfg.Control)
		if err != nil {
			return err
		}
		s.control = l
	}
	for _, b := range s.field.cfg.Buses { // last: it clears what another simulator, had it answered, would be using
		if b.W1 == "" {
			continue
		}
		w, err := chip.NewFolder(s.field.w1[b.ID], b.W1)
		if err != nil {
			return err
		}
		s.w1 = append(s.w1, w)
	}
	for _, b := range s.field.cfg.Buses {
		if b.Serial == "" {
			continue
		}
		p, err := chip.OpenPTY(s.field.lines[b.ID], b.Serial)
		if err != nil {
			return err
		}
		s.serial = append(s.serial, p)
	}
	return nil
}

// abandon closes what a failed open left.
func (s *service) abandon() error {
	var errs []error
	for _, listeners := range []map[string]net.Listener{s.i2c, s.pins} {
		for _, l := range listeners {
			errs = append(errs, l.Close())
		}
	}
	if s.control != nil {
		errs = append(errs, s.control.Close())
	}
	for _, w := range s.w1 {
		errs = append(errs, w.Close())
	}
	for _, p := range s.serial {
		errs = append(errs, p.Close())
	}
	return errors.Join(errs...)
}

func (s *service) refresh(log *slog.Logger) {
	for _, w := range s.w1 {
		if err := w.Refresh(); err != nil {
			log.Warn("w1 folder not refreshed", slog.Any("err", err))
		}
	}
	for _, p := range s.serial {
		if err := p.Refresh(); err != nil {
			log.Warn("serial line not refreshed", slog.Any("err", err))
		}
	}
}

// listen opens a Unix socket, in place of one that a killed simulator left behind.
func listen(ctx context.Context, path string) (net.Listener, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	dialing, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	var d net.Dialer
	if conn, err := d.DialContext(dialing, "unix", path); err == nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, ErrTaken), conn.Close())
	}
	if info, err := os.Lstat(path); err == nil && info.Mode().Type() != fs.ModeSocket {
		return nil, fmt.Errorf("%s is there and is no socket: move it away or name another path", path)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var lc net.ListenConfig
	return lc.Listen(ctx, "unix", path)
}
