package uplink_test

import (
	"errors"
	"io"
	"net"
	"sync"
	"testing"
)

// proxy is a network in between that can be cut.
type proxy struct {
	l      net.Listener
	target string
	carry  func(dst, src net.Conn)
	mu     sync.Mutex
	conns  []net.Conn
	wg     sync.WaitGroup
}

func newProxy(tb testing.TB, target string) *proxy { return newProxyOf(tb, target, pump) }

// newProxyOf is a proxy that carries bytes in a way of its own.
func newProxyOf(tb testing.TB, target string, carry func(dst, src net.Conn)) *proxy {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	p := &proxy{l: l, target: target, carry: carry}
	p.wg.Go(p.serve)
	tb.Cleanup(func() {
		if err := l.Close(); err != nil {
			tb.Error(err)
		}
		p.cut()
		p.wg.Wait()
	})
	return p
}

func (p *proxy) serve() {
	for {
		in, err := p.l.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", p.target)
		if err != nil {
			_ = in.Close() //nolint:errcheck // nothing was said yet
			continue
		}
		p.mu.Lock()
		p.conns = append(p.conns, in, out)
		p.mu.Unlock()
		p.wg.Go(func() { p.carry(in, out) })
		p.wg.Go(func() { p.carry(out, in) })
	}
}

func pump(dst, src net.Conn) {
	_, err := io.Copy(dst, src)
	if err := errors.Join(err, dst.Close(), src.Close()); err != nil {
		return // a cut line, that is what it is for
	}
}

// cut breaks every connection, in the middle of whatever it carries.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		if err := c.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			panic(err)
		}
	}
	p.conns = nil
}
