package wire

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"

	"aovuon/gateway/measure"
)

const (
	batchMagic   = "aovuon/batch/1"
	receiptMagic = "aovuon/receipt/1"
	anchorName   = "gateway/anchor"
	gapName      = "gateway/gap"
	docPrefix    = "gateway/"
	reservedID   = "gateway" // no sensor may bear it: it names the records about the gateway itself

	// RFC 8428 section 4.5.3: times below 2^28 s are relative, times from there on are absolute.
	absoluteFrom = (1 << 28) * 1000
	latest       = 253402300799_999 // 9999-12-31T23:59:59.999Z in ms
)

// appendText appends the text that is signed: everything above the blank line.
func (b *Batch) appendText(dst []byte) ([]byte, error) {
	if err := b.validHeader(); err != nil {
		return dst, err
	}
	dst = append(dst, batchMagic...)
	dst = append(dst, '\n')
	dst = append(dst, b.Gateway...)
	dst = append(dst, '\n')
	dst = append(dst, b.Epoch...)
	dst = append(dst, ' ')
	dst = strconv.AppendUint(dst, b.Seq, 10)
	dst = append(dst, '\n')
	dst = append(dst, b.Prev.String()...)
	dst = append(dst, '\n')
	dst = append(dst, b.Clock.String()...)
	dst = append(dst, ' ')
	dst = append(dst, b.Boot...)
	dst = append(dst, '\n')
	dst, err := b.appendRecords(dst)
	return append(dst, '\n'), err
}

func (b *Batch) validHeader() error {
	n := len(b.Gaps) + len(b.Documents) + len(b.Readings)
	if b.Anchor != nil {
		n++
	}
	switch {
	case !ValidGatewayID(b.Gateway):
		return fmt.Errorf("wire: bad gateway id %q: want [a-z0-9][a-z0-9-]{1,38}", b.Gateway)
	case !validHex(b.Epoch, MaxEpochLength, MaxEpochLength):
		return fmt.Errorf("wire: bad epoch %q: want 16 hexadecimal digits", b.Epoch)
	case b.Seq == 0 || b.Seq > math.MaxInt64:
		return fmt.Errorf("wire: seq %d: must be 1 or more", b.Seq)
	case (b.Seq == 1) != (b.Prev == Hash{}):
		return fmt.Errorf("wire: seq %d: the first batch of an epoch, and only it, has no predecessor", b.Seq)
	case b.Clock > measure.Unsynced:
		return fmt.Errorf("wire: unknown clock state %d", b.Clock)
	case !validHex(b.Boot, 8, 32):
		return fmt.Errorf("wire: bad boot id %q: want 8 to 32 hexadecimal digits", b.Boot)
	case n == 0:
		return fmt.Errorf("wire: a batch without a record")
	case n > MaxRecords:
		return fmt.Errorf("wire: %d records: at most %d", n, MaxRecords)
	case b.Anchor != nil && b.Clock == measure.Unsynced:
		return fmt.Errorf("wire: an anchor needs a wall clock, and the batch is unsynced")
	}
	return nil
}

// pack writes SenML records (RFC 8428) with times relative to the first one's.
type pack struct {
	dst      []byte
	unsynced bool
	base     int64 // ms
	started  bool
}

func (b *Batch) appendRecords(dst []byte) ([]byte, error) {
	p := pack{dst: append(dst, '['), unsynced: b.Clock == measure.Unsynced}
	if b.Anchor != nil {
		if b.Anchor.Uptime < 0 || b.Anchor.Uptime.Milliseconds() >= absoluteFrom {
			return p.dst, fmt.Errorf("wire: anchor: uptime %v out of range", b.Anchor.Uptime)
		}
		if err := p.open(anchorName, "", measure.Instant{Wall: b.Anchor.Wall}); err != nil {
			return p.dst, err
		}
		p.dst = append(p.dst, `,"v":`...)
		p.dst = append(appendSeconds(p.dst, b.Anchor.Uptime.Milliseconds()), '}')
	}
	for _, g := range b.Gaps {
		if err := p.gap(g); err != nil {
			return p.dst, err
		}
	}
	for i := range b.Documents {
		if err := p.document(&b.Documents[i]); err != nil {
			return p.dst, err
		}
	}
	for i := range b.Readings {
		if err := p.reading(&b.Readings[i]); err != nil {
			return p.dst, err
		}
	}
	return append(p.dst, ']'), nil
}

func (p *pack) gap(g Gap) error {
	if !g.Reason.Valid() {
		return fmt.Errorf("wire: unknown gap reason %q", string(g.Reason))
	}
	from, err := p.millis(g.From)
	if err != nil {
		return fmt.Errorf("wire: gap: %w", err)
	}
	if err := p.open(gapName, "", g.To); err != nil {
		return err
	}
	p.dst = append(p.dst, `,"vs":"`...)
	p.dst = append(p.dst, g.Reason...)
	p.dst = append(p.dst, `","from":`...)
	p.dst = appendSeconds(p.dst, from-p.base)
	p.dst = append(p.dst, `,"lost":`...)
	p.dst = append(strconv.AppendUint(p.dst, g.Lost, 10), '}')
	return nil
}

func (p *pack) document(d *Document) error {
	if err := d.Validate(); err != nil {
		return err
	}
	if err := p.open(docPrefix+string(d.Kind), "", d.Time); err != nil {
		return err
	}
	p.dst = append(p.dst, `,"vd":"`...)
	p.dst = base64.RawURLEncoding.AppendEncode(p.dst, []byte(d.Body))
	p.dst = append(p.dst, `"}`...)
	return nil
}

// Validate reports why d cannot stand in a batch.
func (d *Document) Validate() error {
	switch {
	case !d.Kind.Valid():
		return fmt.Errorf("wire: unknown kind of document %q", string(d.Kind))
	case len(d.Body) == 0 || len(d.Body) > MaxDocument:
		return fmt.Errorf("wire: document of %d bytes: want 1 to %d", len(d.Body), MaxDocument)
	case d.Body[0] != '{' || !json.Valid([]byte(d.Body)):
		return fmt.Errorf("wire: a document's body is not a JSON object")
	}
	return nil
}

func (p *pack) reading(r *measure.Reading) error {
	if err := r.Validate(); err != nil {
		return fmt.Errorf("wire: %w", err)
	}
	if r.Sensor == reservedID {
		return fmt.Errorf("wire: sensor id %q is reserved", reservedID)
	}
	if err := p.open(r.Sensor, r.Quantity, r.Time); err != nil {
		return err
	}
	if r.Quality == measure.Fault {
		p.dst = append(p.dst, `,"vs":"`...)
		p.dst = append(p.dst, r.Reason...)
		p.dst = append(p.dst, `"}`...)
		return nil
	}
	p.dst = append(p.dst, `,"v":`...)
	p.dst = appendNumber(p.dst, r.Value)
	if r.Filtered {
		p.dst = append(p.dst, `,"raw":`...)
		p.dst = appendNumber(p.dst, r.Raw)
	}
	if r.Quality != measure.Good {
		p.dst = append(p.dst, `,"q":"`...)
		p.dst = append(p.dst, r.Quality.String()...)
		p.dst = append(p.dst, '"')
	}
	if r.Inputs != "" { // only letters, digits and =@+?;.- : nothing that JSON would escape
		p.dst = append(p.dst, `,"by":"`...)
		p.dst = append(p.dst, r.Inputs...)
		p.dst = append(p.dst, '"')
	}
	p.dst = append(p.dst, '}')
	return nil
}

// open writes the head of a record: base time once, name, time unless it equals the base.
func (p *pack) open(name string, q measure.Quantity, at measure.Instant) error {
	ms, err := p.millis(at)
	if err != nil {
		return fmt.Errorf("wire: %s: %w", name, err)
	}
	if p.started {
		p.dst = append(p.dst, `,{"n":"`...)
	} else {
		p.started, p.base = true, ms
		p.dst = append(p.dst, `{"bt":`...)
		p.dst = appendSeconds(p.dst, ms)
		p.dst = append(p.dst, `,"n":"`...)
	}
	p.dst = append(p.dst, name...)
	if q != "" {
		p.dst = append(p.dst, '/')
		p.dst = append(p.dst, q...)
	}
	p.dst = append(p.dst, '"')
	if ms != p.base {
		p.dst = append(p.dst, `,"t":`...)
		p.dst = appendSeconds(p.dst, ms-p.base)
	}
	return nil
}

func (p *pack) millis(at measure.Instant) (int64, error) {
	if p.unsynced {
		ms := at.Uptime.Milliseconds()
		if !at.Wall.IsZero() || ms < 0 || ms >= absoluteFrom {
			return 0, fmt.Errorf("unsynced time must be an uptime below 2^28 s, got uptime %v wall %v", at.Uptime, at.Wall)
		}
		return ms, nil
	}
	ms := at.Wall.UnixMilli()
	if ms < absoluteFrom || ms > latest {
		return 0, fmt.Errorf("wall time %v out of range", at.Wall)
	}
	return ms, nil
}

// appendSeconds writes ms as seconds with at most three decimals and no trailing zero.
func appendSeconds(dst []byte, ms int64) []byte {
	if ms < 0 {
		dst, ms = append(dst, '-'), -ms
	}
	dst = strconv.AppendInt(dst, ms/1000, 10)
	if frac := ms % 1000; frac != 0 {
		dst = append(dst, '.', byte('0'+frac/100))
		if frac%100 != 0 {
			dst = append(dst, byte('0'+frac/10%10))
		}
		if frac%10 != 0 {
			dst = append(dst, byte('0'+frac%10))
		}
	}
	return dst
}

// appendNumber writes the shortest decimal that reads back as v; never a negative zero.
func appendNumber(dst []byte, v float64) []byte {
	if v == 0 {
		return append(dst, '0')
	}
	return strconv.AppendFloat(dst, v, 'g', -1, 64)
}

func wallTime(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
