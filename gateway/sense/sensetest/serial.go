package sensetest

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"time"

	"aovuon/gateway/sense"
	"aovuon/gateway/sense/serial"
)

// Talk is one exchange on a Serial: what its user writes, and what he hears because of it.
type Talk struct {
	Line  serial.Line // how the line must be set; the zero Line: in any way
	Write []byte      // nil: the first writes nothing, and hears what comes unasked
	Hear  []Chunk
	Err   error // Write fails with it
}

// Chunk is bytes that arrive some time after what was before them.
type Chunk struct {
	After time.Duration
	Bytes []byte
}

// Serial is a serial.Port that expects the writes of its talks, in order and byte by byte. Time passes by the clock it was
// given.
type Serial struct {
	name  string
	clock sense.Clock
	turn  sync.Mutex

	talks  []Talk
	coming []arrival
}

type arrival struct {
	at    time.Duration // uptime
	bytes []byte
}

// NewSerial returns a port with nothing said yet.
func NewSerial(name string, clock sense.Clock, talks ...Talk) *Serial {
	s := &Serial{name: name, clock: clock, talks: talks}
	s.unasked()
	return s
}

// Left is how many talks were not begun.
func (s *Serial) Left() int {
	s.turn.Lock()
	defer s.turn.Unlock()
	return len(s.talks)
}

// String implements serial.Port.
func (s *Serial) String() string { return s.name }

// Use implements serial.Port.
func (s *Serial) Use(ctx context.Context, line serial.Line, f func(serial.Conn) error) error {
	s.turn.Lock()
	defer s.turn.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	return f(serialConn{port: s, line: line})
}

// unasked begins the talks that wait for no write.
func (s *Serial) unasked() {
	for len(s.talks) > 0 && s.talks[0].Write == nil {
		s.begin()
	}
}

// begin has what the next talk hears on its way.
func (s *Serial) begin() {
	at := s.clock.Now().Uptime
	for _, c := range s.talks[0].Hear {
		at += c.After
		s.coming = append(s.coming, arrival{at, bytes.Clone(c.Bytes)})
	}
	s.talks = s.talks[1:]
}

type serialConn struct {
	port *Serial
	line serial.Line
}

// Write implements serial.Conn.
func (c serialConn) Write(p []byte) error {
	s := c.port
	switch {
	case len(s.talks) == 0:
		return fmt.Errorf("sensetest: % x written, and nothing more was expected", p)
	case !bytes.Equal(p, s.talks[0].Write):
		return fmt.Errorf("sensetest: % x written, want % x", p, s.talks[0].Write)
	case s.talks[0].Line != (serial.Line{}) && s.talks[0].Line != c.line:
		return fmt.Errorf("sensetest: % x written at %s, want %s", p, c.line, s.talks[0].Line)
	}
	err := s.talks[0].Err
	s.begin()
	s.unasked()
	return err
}

// Read implements serial.Conn.
func (c serialConn) Read(ctx context.Context, p []byte, wait time.Duration) (int, error) {
	s := c.port
	now := s.clock.Now().Uptime
	if len(s.coming) == 0 || s.coming[0].at > now+wait {
		return 0, s.clock.Sleep(ctx, wait)
	}
	if ahead := s.coming[0].at - now; ahead > 0 {
		if err := s.clock.Sleep(ctx, ahead); err != nil {
			return 0, err
		}
	}
	n := copy(p, s.coming[0].bytes)
	if s.coming[0].bytes = s.coming[0].bytes[n:]; len(s.coming[0].bytes) == 0 {
		s.coming = s.coming[1:]
	}
	return n, nil
}
