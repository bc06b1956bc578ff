package chip

import (
	"bytes"
	"slices"
	"sync"
	"time"

	"aovuon/firmware-sim/fault"
	"aovuon/gateway/sense/serial"
)

// SerialDevice is one thing on a serial line. The line calls it from one goroutine at a time.
type SerialDevice interface {
	// Hear tells the device what was sent on a line set as heard says, up to the silence that ended it at t. It returns
	// what the device sends because of it.
	Hear(t time.Time, heard serial.Line, frame []byte) []Burst
	// Talk returns what the device sends unasked after from and not after to.
	Talk(from, to time.Time) []Burst
	// Part returns what the device is made of.
	Part() Part
}

// Burst is what a device sends at one go.
type Burst struct {
	At    time.Time // when its last byte is there
	Bytes []byte
	Line  serial.Line // how its sender is set
	// unasked is said into the blue: its sender has the line to itself, and it is kept for long when nobody listens.
	unasked bool
	Sent    func(t time.Time) // called when it is there; nil: nobody wants to know
	Lost    func(t time.Time) // called in its place when another sender spoiled it
}

// begins is when its first bit goes out.
func (b Burst) begins() time.Time { return b.At.Add(-b.Line.Time(len(b.Bytes))) }

// collision is what is heard of two bursts of which b begins while a is sent, or the other way round. Drivers that differ meet
// somewhere between high and low, which a receiver takes for low; the bytes are not in step, so the start bits of one fall into the
// other.
func collision(a, b Burst) Burst {
	if b.begins().Before(a.begins()) {
		a, b = b, a
	}
	char := a.Line.Time(1)
	lag := b.begins().Sub(a.begins())
	whole, bit := int(lag/char), min(7, int(10*(lag%char)/char))
	heard := bytes.Clone(a.Bytes)
	for len(heard) < whole+len(b.Bytes)+1 {
		heard = append(heard, 0xFF) // the line rests
	}
	for i, x := range b.Bytes {
		low := x<<bit | (1<<bit - 1)
		if bit > 0 {
			low &^= 1 << (bit - 1) // its start bit
		}
		heard[whole+i] &= low
		heard[whole+i+1] &= x>>(8-bit) | 0xFF<<bit
	}
	sent := func(t time.Time) {
		for _, x := range []Burst{a, b} {
			if x.Lost != nil {
				x.Lost(t)
			}
		}
	}
	end := a.At
	if b.At.After(end) {
		end = b.At
	}
	return Burst{At: end, Bytes: heard, Line: a.Line, Sent: sent, Lost: sent}
}

// SerialLine is a simulated serial line and what hangs on it, in whatever order the bytes come. It is safe for concurrent
// use.
type SerialLine struct {
	now    func() time.Time
	echo   bool
	faults *fault.Switch // of the line

	mu      sync.Mutex
	devices []SerialDevice
	coming  []Burst   // by At
	talked  time.Time // until when devices that talk unasked have been asked
}

// kept is how much of an unasked talk a port keeps that nobody reads.
const kept = time.Second

// NewSerialLine returns a line with nothing on it. echo makes it one whose adapter hears itself. own is the switch
// of the line's own faults (LineFaults).
func NewSerialLine(now func() time.Time, echo bool, own *fault.Switch) *SerialLine {
	return &SerialLine{now: now, echo: echo, faults: own, talked: now()}
}

// LineFaults are the faults a serial line can have: its adapter pulled out, its two wires touching each other, nothing on it with
// power.
func LineFaults() []fault.Kind { return []fault.Kind{fault.Unplug, fault.Shorted, fault.PowerCut} }

// Add puts a device on the line.
func (l *SerialLine) Add(d SerialDevice) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.devices = append(l.devices, d)
}

// Unplugged reports whether the adapter is out.
func (l *SerialLine) Unplugged() bool { return l.faults.Kind() == fault.Unplug }

// Send is what the port's user sends, as its line is set: everything on the line hears it. A parity of "" is one that
// cannot be known, as on a pseudo-terminal.
func (l *SerialLine) Send(line serial.Line, frame []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	if l.echo {
		l.add(Burst{At: now, Bytes: bytes.Clone(frame), Line: line})
	}
	kind := l.faults.Kind()
	for _, d := range l.devices {
		if u, ok := d.(*RTUUnit); ok {
			u.dead = kind == fault.Shorted || kind == fault.PowerCut
			u.cut = l.faults.Losses().Times
		}
		for _, b := range d.Hear(now, line, frame) {
			l.add(b)
		}
	}
}

// add has a burst come. Senders at once drive the wires against each other: what they say at a time is neither.
func (l *SerialLine) add(b Burst) {
	meets := func(a Burst) bool {
		return !a.unasked && !b.unasked && b.begins().Before(a.At) && a.begins().Before(b.At)
	}
	for i := slices.IndexFunc(l.coming, meets); i >= 0; i = slices.IndexFunc(l.coming, meets) {
		b = collision(l.coming[i], b)
		l.coming = slices.Delete(l.coming, i, i+1)
	}
	l.coming = append(l.coming, b)
	slices.SortStableFunc(l.coming, func(a, b Burst) int { return a.At.Compare(b.At) })
}

// Next returns when the next bytes arrive; ok is false when none do until then.
func (l *SerialLine) Next(until time.Time) (at time.Time, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.listen(until)
	if len(l.coming) == 0 || l.coming[0].At.After(until) {
		return time.Time{}, false
	}
	return l.coming[0].At, true
}

// listen collects what devices say unasked until then.
func (l *SerialLine) listen(until time.Time) {
	if !until.After(l.talked) {
		return
	}
	from := l.talked
	if now := l.now(); from.Before(now.Add(-kept)) {
		from = now.Add(-kept)
	}
	if kind := l.faults.Kind(); kind != fault.Shorted && kind != fault.PowerCut {
		for _, d := range l.devices {
			for _, b := range d.Talk(from, until) {
				b.unasked = true
				l.add(b)
			}
		}
	}
	l.talked = until
}

// Take returns what has arrived by t at a port set as line says. Bytes of a sender that is set otherwise arrive as rubbish.
func (l *SerialLine) Take(t time.Time, line serial.Line) []byte { return l.take(t, line, true) }

// take tells the senders, or does not: what a port has kept of the time nobody listened is no answer to anybody.
func (l *SerialLine) take(t time.Time, line serial.Line, tell bool) []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.listen(t)
	var got []byte
	for len(l.coming) > 0 && !l.coming[0].At.After(t) {
		b := l.coming[0]
		l.coming = l.coming[1:]
		if agree(b.Line, line) {
			got = append(got, b.Bytes...)
		} else {
			got = append(got, rubbish(b.Bytes)...)
		}
		if b.Sent != nil && tell {
			b.Sent(b.At)
		}
	}
	return got
}

// agree reports whether two ends of a line understand each other.
func agree(a, b serial.Line) bool {
	if a.Parity == "" || b.Parity == "" {
		a.Parity, b.Parity = "", ""
	}
	return a == b
}

// rubbish is what comes of bytes at a receiver that is set otherwise: fewer, and others.
func rubbish(p []byte) []byte {
	r := make([]byte, 0, len(p))
	for i, b := range p {
		if i%3 != 2 {
			r = append(r, b<<1^0xB5)
		}
	}
	return r
}
