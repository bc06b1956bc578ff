package bus

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"

	"periph.io/x/conn/v3/i2c"
)

// ServeI2C answers the transactions that arrive on l from b until ctx is done or l fails; then it closes l and every
// connection, waits for them, and returns nil or l's error. Transactions of all connections are passed to b one at a
// time. An error of b that wraps sense.ErrNoAck (or has the kernel's text for it, "remote I/O error") travels as "no
// acknowledge", every other as "bus error", each with its text. A peer that does not speak the protocol loses its
// connection and nobody else's.
func ServeI2C(ctx context.Context, l net.Listener, b i2c.Bus) error {
	w := &wires{bus: b}
	s := &server{answer: w.answer, conns: make(map[net.Conn]struct{})}
	return s.serve(ctx, l, "i2c")
}

// wires is the answering half of the remote I²C protocol.
type wires struct {
	tx  sync.Mutex // one transaction at a time, as on the wires
	bus i2c.Bus
}

// answer serves one connection until its peer ends, or speaks another protocol.
func (w *wires) answer(conn io.ReadWriter) {
	for {
		req, err := readRequest(conn)
		if err != nil {
			return
		}
		data := make([]byte, req.read)
		resp := newResponse(data, w.do(req, data))
		if _, err := conn.Write(resp.append(nil)); err != nil {
			return
		}
	}
}

func (w *wires) do(req request, data []byte) error {
	w.tx.Lock()
	defer w.tx.Unlock()
	return w.bus.Tx(req.addr, req.write, data)
}

// server answers connections, each in a goroutine of its own.
type server struct {
	answer func(conn io.ReadWriter)

	mu    sync.Mutex
	ended bool
	conns map[net.Conn]struct{}
	errs  []error
}

// serve works until ctx is done or l fails.
func (s *server) serve(ctx context.Context, l net.Listener, what string) error {
	stop := context.AfterFunc(ctx, func() { s.end(l) })
	var wg sync.WaitGroup
	err := s.accept(l, &wg)
	if stop() { // ctx is not done: l failed by itself
		s.end(l)
	}
	wg.Wait()
	if ctx.Err() != nil {
		err = nil
	}
	if err != nil {
		err = fmt.Errorf("bus: serve %s: %w", what, err)
	}
	return errors.Join(err, s.err())
}

func (s *server) accept(l net.Listener, wg *sync.WaitGroup) error {
	for {
		conn, err := l.Accept()
		if err != nil {
			return err
		}
		if !s.add(conn) {
			s.note(conn.Close())
			continue
		}
		wg.Go(func() {
			s.answer(conn)
			s.remove(conn)
		})
	}
}

func (s *server) add(conn net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return false
	}
	s.conns[conn] = struct{}{}
	return true
}

func (s *server) remove(conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, open := s.conns[conn]; !open {
		return
	}
	delete(s.conns, conn)
	s.noteLocked(conn.Close())
}

// end closes the listener and every connection.
func (s *server) end(l net.Listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return
	}
	s.ended = true
	s.noteLocked(l.Close())
	for conn := range s.conns {
		delete(s.conns, conn)
		s.noteLocked(conn.Close())
	}
}

func (s *server) note(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.noteLocked(err)
}

func (s *server) noteLocked(err error) {
	if err != nil && !errors.Is(err, net.ErrClosed) {
		s.errs = append(s.errs, err)
	}
}

func (s *server) err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return errors.Join(s.errs...)
}
