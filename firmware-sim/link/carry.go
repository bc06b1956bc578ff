package link

import (
	"context"
	"errors"
	"net"
	"time"
)

const (
	segment = 1400     // bytes that a packet of a mobile link carries
	chunk   = 32 << 10 // bytes that are carried at once by a good link
	inPipe  = 64       // parcels that fit into the pipe
	// Retransmission timers, RFC 6298: not below a second, doubling; the cap is what a mobile stack takes.
	minRTO, maxRTO = 1.0, 24.0 // seconds
	// given is how often in a row a segment may be lost before the connection is given up.
	given = 8
)

// errGivenUp ends a connection of which a segment never arrives.
var errGivenUp = errors.New("given up")

// parcel is what is under way.
type parcel struct {
	data []byte
	due  time.Time
	err  error // given up in place of data
}

// carry moves bytes from src to dst over the link until either ends.
func (l *Link) carry(ctx context.Context, dst, src net.Conn) {
	way := make(chan parcel, inPipe)
	go func() {
		defer close(way)
		var line line
		for {
			buf := make([]byte, l.parcelSize())
			n, err := src.Read(buf)
			if n > 0 {
				select {
				case way <- l.send(&line, buf[:n]):
				case <-ctx.Done():
					return
				}
			}
			if err != nil {
				return
			}
		}
	}()
	for p := range way {
		if !l.deliver(ctx, dst, p) {
			break
		}
	}
	end(dst, src)
	for range way { // let the reader end
	}
}

// end closes both sides: whoever closed first has said all he had to say.
func end(dst, src net.Conn) {
	if err := errors.Join(dst.Close(), src.Close()); err != nil {
		return // they were cut
	}
}

// deliver waits until a parcel is due and the link is there, and writes it; false when there is nothing left to carry.
func (l *Link) deliver(ctx context.Context, dst net.Conn, p parcel) bool {
	if wait := p.due.Sub(l.o.Now()); wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return false
		}
	}
	for {
		l.mu.Lock()
		silent, changed := l.is.HalfOpen || l.dark, l.changed
		l.mu.Unlock()
		if !silent {
			break
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
	if p.err != nil {
		reset(dst)
		return false
	}
	n, err := dst.Write(p.data)
	l.mu.Lock()
	l.stats.Bytes += int64(n)
	l.mu.Unlock()
	return err == nil
}

// line is one direction of a connection.
type line struct {
	free time.Time // when it has sent what it was given
	last time.Time // when what was sent last is due
}

func (l *Link) parcelSize() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.is.Loss > 0 || l.is.Rate > 0 {
		return segment
	}
	return chunk
}

// send says when a parcel that is sent now comes: after those before it, when the line has taken its bytes, half a round
// trip, and for each time it was lost a retransmission timer that doubles.
func (l *Link) send(line *line, data []byte) parcel {
	now := l.o.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	p := parcel{data: data}
	if line.free.Before(now) {
		line.free = now
	}
	if l.is.Rate > 0 {
		line.free = line.free.Add(time.Duration(float64(len(data)) / float64(l.is.Rate) * float64(time.Second)))
	}
	p.due = line.free.Add(l.is.Trip / 2)
	if l.is.Loss > 0 {
		late, lost := l.lose()
		p.due = p.due.Add(late)
		if lost >= given {
			p.err = errGivenUp
			l.stats.Resets++
		}
	}
	if p.due.Before(line.last) {
		p.due = line.last
	}
	line.last = p.due
	return p
}

// lose draws how often a segment is lost, and how late it comes for that. The caller holds the link.
func (l *Link) lose() (late time.Duration, lost int) {
	second := float64(l.o.Second)
	rto := max(minRTO, 1.5*float64(l.is.Trip)/second) // one round trip, and what it varies
	seconds := 0.0
	for lost < given && l.rng.Float64() < l.is.Loss {
		seconds += rto
		rto = min(2*rto, maxRTO)
		lost++
	}
	l.stats.Segments++
	l.stats.Lost += lost
	return time.Duration(seconds * second), lost
}

// flap takes the link away and brings it back while its condition says so, until ctx is done: there for a third to four
// thirds of the period, away for a thirtieth to a third. Every other time the connections do not survive it.
func (l *Link) flap(ctx context.Context) {
	for n := 0; ; {
		l.mu.Lock()
		period, changed, dark := l.is.Flap, l.changed, l.dark
		there, away := 1.0/3+l.rng.Float64(), 1.0/30+0.3*l.rng.Float64()
		l.mu.Unlock()
		var tick <-chan time.Time // never, while it does not flap
		var timer *time.Timer
		if period > 0 {
			share := there
			if dark {
				share = away
			}
			timer = time.NewTimer(time.Duration(share * float64(period)))
			tick = timer.C
		}
		select {
		case <-ctx.Done():
		case <-changed:
		case <-tick:
			cuts := false
			l.change(func() {
				if l.is.Flap != period || l.dark != dark { // somebody was faster
					return
				}
				l.dark = !dark
				if !dark {
					n++
					l.stats.Flaps++
				}
				if cuts = !dark && n%2 == 0; cuts {
					l.stats.Resets++
				}
			})
			if cuts {
				l.Cut()
			}
		}
		if timer != nil {
			timer.Stop()
		}
		if ctx.Err() != nil {
			return
		}
	}
}
