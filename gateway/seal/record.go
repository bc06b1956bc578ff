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
	kindDoc     = 0x04
	kindTraced  = 0x05 // a reading with its raw value, its inputs or both
)

// The second byte of a traced reading says what follows its value.
const (
	hasRaw    = 0x01
	hasInputs = 0x02
)

const maxRecord = wire.MaxDocument + 256

var errRecord = errors.New("not a record of this format")

// record is one thing that will stand in a batch: exactly one of reading, anchor, gap and document.
type record struct {
	kind    byte
	at      measure.Instant // when; of a gap, its end. Clock and boot decide which batch it can go into
	reading measure.Reading
	gap     wire.Gap
	doc     wire.Document
}

func readingRecord(r measure.Reading) record {
	kind := byte(kindReading)
	if r.Filtered || r.Inputs != "" {
		kind = kindTraced
	}
	return record{kind: kind, at: r.Time, reading: r}
}

func docRecord(d wire.Document) record { return record{kind: kindDoc, at: d.Time, doc: d} }

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
	case kindReading, kindTraced:
		return r.appendReading(b)
	case kindDoc:
		if err := r.doc.Validate(); err != nil {
			return nil, err
		}
		b = appendText(b, string(r.doc.Kind))
		b = binary.AppendUvarint(b, uint64(len(r.doc.Body)))
		return append(b, r.doc.Body...), nil
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

func (r record) appendReading(b []byte) ([]byte, error) {
	if err := r.reading.Validate(); err != nil {
		return nil, err
	}
	b = appendText(b, r.reading.Sensor)
	b = appendText(b, string(r.reading.Quantity))
	b = append(b, byte(r.reading.Quality))
	if r.reading.Quality == measure.Fault {
		return appendText(b, string(r.reading.Reason)), nil
	}
	b = appendFloat(b, r.reading.Value)
	if r.kind == kindReading {
		return b, nil
	}
	var flags byte
	if r.reading.Filtered {
		flags |= hasRaw
	}
	if r.reading.Inputs != "" {
		flags |= hasInputs
	}
	if flags == 0 {
		return nil, errRecord // it has a shorter spelling
	}
	b = append(b, flags)
	if r.reading.Filtered {
		b = appendFloat(b, r.reading.Raw)
	}
	if r.reading.Inputs != "" {
		b = appendText(b, r.reading.Inputs)
	}
	return b, nil
}

func appendFloat(b []byte, v float64) []byte {
	return binary.BigEndian.AppendUint64(b, math.Float64bits(v))
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

func (r *reader) float() float64 {
	if b := r.take(8); b != nil {
		return math.Float64frombits(binary.BigEndian.Uint64(b))
	}
	return 0
}

func (r *reader) reading(at measure.Instant, traced bool) measure.Reading {
	out := measure.Reading{Sensor: r.text(), Quantity: measure.Quantity(r.text()), Time: at, Quality: measure.Quality(r.byte())}
	if out.Quality == measure.Fault {
		out.Reason = measure.FaultReason(r.text())
		return out
	}
	out.Value = r.float()
	if !traced {
		return out
	}
	flags := r.byte()
	if flags&hasRaw != 0 {
		out.Raw, out.Filtered = r.float(), true
	}
	if flags&hasInputs != 0 {
		out.Inputs = r.text()
	}
	return out
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
	case kindReading, kindTraced:
		r.reading = in.reading(r.at, r.kind == kindTraced)
	case kindDoc:
		r.doc = wire.Document{Time: r.at, Kind: wire.DocumentKind(in.text())}
		if n := in.uvarint(); n <= wire.MaxDocument {
			r.doc.Body = string(in.take(int(n)))
		} else {
			in.bad = true
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
