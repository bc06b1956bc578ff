package wire

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"

	"aovuon/gateway/measure"
)

// parseText reads the signed text of a batch. It accepts what appendText writes and nothing else: the caller compares
// by writing it again, so the parser only has to be total, not to police every digit.
func parseText(text []byte, known names) (*Batch, error) {
	lines := bytes.SplitN(text, []byte("\n"), 7)
	if len(lines) != 7 || len(lines[6]) != 0 {
		return nil, fmt.Errorf("%w: want six lines", ErrMalformed)
	}
	if string(lines[0]) != batchMagic {
		return nil, fmt.Errorf("%w: first line is not %q", ErrMalformed, batchMagic)
	}
	b := &Batch{Gateway: string(lines[1])}
	epoch, seq, ok := bytes.Cut(lines[2], []byte(" "))
	n, err := strconv.ParseUint(string(seq), 10, 63)
	if !ok || err != nil {
		return nil, fmt.Errorf("%w: line 3 is not \"epoch seq\"", ErrMalformed)
	}
	b.Epoch, b.Seq = string(epoch), n
	if b.Prev, err = parseHash(lines[3]); err != nil {
		return nil, err
	}
	clock, boot, _ := bytes.Cut(lines[4], []byte(" "))
	if b.Clock, ok = measure.ParseClockState(string(clock)); !ok {
		return nil, fmt.Errorf("%w: unknown clock state", ErrMalformed)
	}
	b.Boot = string(boot)
	return b, b.parseRecords(lines[5], known)
}

func parseHash(line []byte) (h Hash, err error) {
	if string(line) == "-" {
		return h, nil
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(string(line))
	if err != nil || len(raw) != len(h) {
		return h, fmt.Errorf("%w: line 4 is not a SHA-256 in base64", ErrMalformed)
	}
	copy(h[:], raw)
	return h, nil
}

// cursor walks one line of canonical SenML. Every method reports false at the first byte that does not fit.
type cursor struct {
	s  []byte
	at int
}

func (c *cursor) lit(s string) bool {
	if len(c.s)-c.at < len(s) || string(c.s[c.at:c.at+len(s)]) != s {
		return false
	}
	c.at += len(s)
	return true
}

// maxInputsText is longer than any text of inputs (measure.FormatInputs), maxDocText than any document in base64.
const (
	maxInputsText = 256
	maxDocText    = (MaxDocument*4 + 2) / 3
)

// text reads a short text.
func (c *cursor) text() ([]byte, bool) { return c.textUpTo(64) }

// textUpTo reads up to the closing quote; canonical strings hold no escape.
func (c *cursor) textUpTo(most int) ([]byte, bool) {
	end := bytes.IndexByte(c.s[c.at:], '"')
	if end < 0 || end > most {
		return nil, false
	}
	t := c.s[c.at : c.at+end]
	c.at += end + 1
	return t, true
}

// number reads the characters of a JSON number.
func (c *cursor) number() []byte {
	from := c.at
	for c.at < len(c.s) {
		switch ch := c.s[c.at]; {
		case ch >= '0' && ch <= '9', ch == '-', ch == '+', ch == '.', ch == 'e':
			c.at++
		default:
			return c.s[from:c.at]
		}
	}
	return c.s[from:c.at]
}

// seconds reads decimal seconds as milliseconds.
func (c *cursor) seconds() (int64, bool) {
	n := c.number()
	neg := len(n) > 0 && n[0] == '-'
	if neg {
		n = n[1:]
	}
	whole, frac, _ := bytes.Cut(n, []byte("."))
	if len(whole) == 0 || len(whole) > 12 || len(frac) > 3 {
		return 0, false
	}
	var ms int64
	for i := range len(whole) + 3 {
		d := byte('0')
		if i < len(whole) {
			d = whole[i]
		} else if i-len(whole) < len(frac) {
			d = frac[i-len(whole)]
		}
		if d < '0' || d > '9' {
			return 0, false
		}
		ms = ms*10 + int64(d-'0')
	}
	if neg {
		ms = -ms
	}
	return ms, true
}

func (b *Batch) parseRecords(line []byte, known names) error {
	c := cursor{s: line}
	if !c.lit(`[{"bt":`) {
		return fmt.Errorf("%w: line 6 does not begin a pack with a base time", ErrMalformed)
	}
	base, ok := c.seconds()
	if !ok || !c.lit(`,"n":"`) {
		return fmt.Errorf("%w: base time", ErrMalformed)
	}
	b.Readings = make([]measure.Reading, 0, min(MaxRecords, 1+bytes.Count(line, []byte(`},{`))))
	for i := 0; ; i++ {
		if i >= MaxRecords {
			return fmt.Errorf("%w: more than %d records", ErrMalformed, MaxRecords)
		}
		if !b.parseRecord(&c, known, base) {
			return fmt.Errorf("%w: record %d, byte %d of line 6", ErrMalformed, i, c.at)
		}
		if c.lit(`]`) {
			break
		}
		if !c.lit(`,{"n":"`) {
			return fmt.Errorf("%w: after record %d", ErrMalformed, i)
		}
	}
	if c.at != len(c.s) {
		return fmt.Errorf("%w: bytes after the pack", ErrMalformed)
	}
	return nil
}

func (b *Batch) parseRecord(c *cursor, known names, base int64) bool {
	name, ok := c.text()
	if !ok {
		return false
	}
	at := base
	if c.lit(`,"t":`) {
		d, ok := c.seconds()
		if !ok {
			return false
		}
		at += d
	}
	switch string(name) {
	case anchorName:
		return b.parseAnchor(c, at)
	case gapName:
		return b.parseGap(c, base, at)
	}
	if kind, ok := bytes.CutPrefix(name, []byte(docPrefix)); ok {
		return b.parseDocument(c, at, DocumentKind(kind))
	}
	channel, ok := known.channel(name)
	if !ok {
		return false
	}
	b.Readings = append(b.Readings, measure.Reading{Sensor: channel.sensor, Quantity: channel.quantity, Time: b.instant(at)})
	return b.parseValue(c, &b.Readings[len(b.Readings)-1])
}

// parseValue reads what follows the name and time of a reading.
func (b *Batch) parseValue(c *cursor, r *measure.Reading) bool {
	if c.lit(`,"vs":"`) {
		why, ok := c.text()
		r.Quality, r.Reason = measure.Fault, measure.FaultReason(why)
		return ok && c.lit(`}`)
	}
	if !c.lit(`,"v":`) {
		return false
	}
	v, err := strconv.ParseFloat(string(c.number()), 64)
	if err != nil {
		return false
	}
	r.Value = v
	if c.lit(`,"raw":`) {
		r.Filtered = true
		if r.Raw, err = strconv.ParseFloat(string(c.number()), 64); err != nil {
			return false
		}
	}
	if c.lit(`,"q":"`) {
		q, ok := c.text()
		if !ok {
			return false
		}
		if r.Quality, ok = measure.ParseQuality(string(q)); !ok {
			return false
		}
	}
	if c.lit(`,"by":"`) {
		by, ok := c.textUpTo(maxInputsText)
		if !ok {
			return false
		}
		r.Inputs = string(by)
	}
	return c.lit(`}`)
}

func (b *Batch) parseDocument(c *cursor, at int64, kind DocumentKind) bool {
	if !c.lit(`,"vd":"`) {
		return false
	}
	text, ok := c.textUpTo(maxDocText)
	if !ok {
		return false
	}
	body, err := base64.RawURLEncoding.Strict().DecodeString(string(text))
	b.Documents = append(b.Documents, Document{Time: b.instant(at), Kind: kind, Body: string(body)})
	return err == nil && c.lit(`}`)
}

func (b *Batch) parseAnchor(c *cursor, at int64) bool {
	if b.Anchor != nil || !c.lit(`,"v":`) {
		return false
	}
	up, ok := c.seconds()
	b.Anchor = &Anchor{Uptime: time.Duration(up) * time.Millisecond, Wall: wallTime(at)}
	return ok && c.lit(`}`)
}

func (b *Batch) parseGap(c *cursor, base, at int64) bool {
	if !c.lit(`,"vs":"`) {
		return false
	}
	why, ok := c.text()
	if !ok || !c.lit(`,"from":`) {
		return false
	}
	from, ok := c.seconds()
	if !ok || !c.lit(`,"lost":`) {
		return false
	}
	lost, err := strconv.ParseUint(string(c.number()), 10, 64)
	b.Gaps = append(b.Gaps, Gap{From: b.instant(base + from), To: b.instant(at), Lost: lost, Reason: GapReason(why)})
	return err == nil && c.lit(`}`)
}

func (b *Batch) instant(ms int64) measure.Instant {
	at := measure.Instant{Clock: b.Clock, Boot: b.Boot}
	if b.Clock == measure.Unsynced {
		at.Uptime = time.Duration(ms) * time.Millisecond
	} else {
		at.Wall = wallTime(ms)
	}
	return at
}

// names spares allocations: the same few channels are named again and again, and every reading that is kept in memory would hold a
// copy of the name of its sensor. A channel that falls into the place of another one costs an allocation, nothing else.
type names []channelName

// How many names are known: of one batch, and of the many that one reader opens.
const (
	namesOfBatch  = 64
	namesOfReader = 4096
)

type channelName struct {
	name     string // as it stands in the record
	sensor   string
	quantity measure.Quantity
}

// channel returns sensor and quantity of a record's name; ok is false where it has no slash.
func (n names) channel(name []byte) (c *channelName, ok bool) {
	h := uint32(2166136261) // FNV-1a
	for _, b := range name {
		h = (h ^ uint32(b)) * 16777619
	}
	c = &n[(h^h>>16)%uint32(len(n))]
	if c.name == string(name) && c.name != "" {
		return c, true
	}
	text := string(name)
	sensor, quantity, ok := strings.Cut(text, "/")
	if ok {
		*c = channelName{name: text, sensor: sensor, quantity: measure.Quantity(quantity)}
	}
	return c, ok
}
