package seal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"aovuon/gateway/measure"
	"aovuon/gateway/wire"
)

// The first byte of a record says what it is. FORMAT.md specifies the rest.
const (
	kindReading = 0x01
	kindAnchor  = 0x02
	kindGap     = 0x03
)

const maxRecord = 1024

var errRecord = errors.New("not a record of this format")

// record is one thing that will stand in a batch: exactly one of reading, anchor and gap.
type record struct {
	kind    byte
	at      measure.Instant // when; of a gap, its end. Clock and boot decide which batch it can go into
	reading measure.Reading
	gap     wire.Gap
}

func readingRecord(r measure.Reading) record {
	return record{kind: kindReading, at: r.Time, reading: r}
}

func anchorRecord(at measure.Instant) record { return record{kind: kindAnchor, at: at} }

func gapRecord(g wire.Gap) record { return record{kind: kindGap, at: g.To, gap: g} }

// encode returns the record's bytes, or why it cannot stand in any batch.
func (r record) encode() ([]byte, error) {
	if err := fits(r.at); err != nil {
		return nil, err
	}
	b := append(make([]byte, 0, 96), r.kind)
	b = appendInstant(b, r.at)
	switch r.kind {
	case kindReading:
		if err := r.reading.Validate(); err != nil {
			return nil, err
		}
		b = appendText(b, r.reading.Sensor)
		b = appendText(b, string(r.reading.Quantity))
		b = append(b, byte(r.reading.Quality))
		if r.reading.Quality == measure.Fault {
			return appendText(b, string(r.reading.Reason)), nil
		}
		return binary.BigEndian.AppendUint64(b, math.Float64bits(r.reading.Value)), nil
	case kindAnchor:
		if r.at.Clock == measure.Unsynced {
			return nil, fmt.Errorf("an anchor without a wall clock")
		}
		return b, nil
	case kindGap:
		if !r.gap.Reason.Valid() {
			return nil, fmt.Errorf("unknown gap reason %q", string(r.gap.Reason))
		}
		if r.gap.From.Clock != r.at.Clock || r.gap.From.Boot != r.at.Boot {
			return nil, fmt.Errorf("a gap across clocks")
		}
		if err := fits(r.gap.From); err != nil {
			return nil, err
		}
		b = appendInstant(b, r.gap.From)
		b = appendText(b, string(r.gap.Reason))
		return binary.AppendUvarint(b, r.gap.Lost), nil
	}
	return nil, errRecord
}

// The times a batch can carry, see gateway/wire/FORMAT.md.
const (
	lowestWall = (1 << 28) * 1000        // ms; below it a SenML time would be relative
	latestWall = 253402300799_999        // ms; 9999-12-31
	maxUptime  = (1 << 28) * time.Second // 8.5 years
)

// fits reports whether a batch can carry at.
func fits(at measure.Instant) error {
	switch ms := at.Wall.UnixMilli(); {
	case at.Clock > measure.Unsynced:
		return fmt.Errorf("unknown clock state %d", at.Clock)
	case at.Uptime < 0 || at.Uptime >= maxUptime:
		return fmt.Errorf("uptime %v out of range", at.Uptime)
	case at.Clock != measure.Unsynced && (ms < lowestWall || ms > latestWall):
		return fmt.Errorf("wall time %v out of range for a clock that is %s", at.Wall, at.Clock)
	case !validBoot(at.Boot):
		return fmt.Errorf("bad boot id %q: want 8 to 32 hexadecimal digits", at.Boot)
	}
	return nil
}

func validBoot(s string) bool {
	if len(s) < 8 || len(s) > 32 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

func appendInstant(b []byte, at measure.Instant) []byte {
	b = append(b, byte(at.Clock))
	b = appendText(b, at.Boot)
	b = binary.AppendUvarint(b, uint64(at.Uptime.Milliseconds()))
	if at.Clock != measure.Unsynced {
		b = binary.AppendUvarint(b, uint64(at.Wall.UnixMilli()))
	}
	return b
}

func appendText(b []byte, s string) []byte {
	b = append(b, byte(len(s)))
	return append(b, s...)
}

// reader takes a record apart; after the first thing that does not fit bad is true and everything read is zero.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) take(n int) []byte {
	if r.bad || n > len(r.b) {
		r.bad = true
		return nil
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) text() string { return string(r.take(int(r.byte()))) }

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.bad = true
		return 0
	}
	r.take(n)
	return v
}

func (r *reader) instant() measure.Instant {
	at := measure.Instant{Clock: measure.ClockState(r.byte()), Boot: r.text()}
	up := r.uvarint()
	if up >= uint64(maxUptime.Milliseconds()) {
		r.bad = true
		return at
	}
	at.Uptime = time.Duration(up) * time.Millisecond
	if at.Clock != measure.Unsynced {
		ms := r.uvarint()
		if ms > latestWall {
			r.bad = true
			return at
		}
		at.Wall = time.UnixMilli(int64(ms)).UTC()
	}
	return at
}

// decode is the inverse of encode and accepts nothing else.
func decode(raw []byte) (record, error) {
	if len(raw) > maxRecord {
		return record{}, fmt.Errorf("record of %d bytes: %w", len(raw), errRecord)
	}
	in := &reader{b: raw}
	r := record{kind: in.byte()}
	r.at = in.instant()
	switch r.kind {
	case kindReading:
		r.reading = measure.Reading{Sensor: in.text(), Quantity: measure.Quantity(in.text()), Time: r.at, Quality: measure.Quality(in.byte())}
		if r.reading.Quality == measure.Fault {
			r.reading.Reason = measure.FaultReason(in.text())
		} else if b := in.take(8); b != nil {
			r.reading.Value = math.Float64frombits(binary.BigEndian.Uint64(b))
		}
	case kindGap:
		r.gap = wire.Gap{To: r.at, From: in.instant(), Reason: wire.GapReason(in.text()), Lost: in.uvarint()}
	}
	if in.bad || len(in.b) != 0 {
		return record{}, errRecord
	}
	again, err := r.encode()
	if err != nil {
		return record{}, fmt.Errorf("%w: %w", errRecord, err)
	}
	if !bytes.Equal(again, raw) {
		return record{}, errRecord
	}
	return r, nil
}
