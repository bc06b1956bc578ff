package intake

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"
)

// senmlRecord is one record of RFC 8428 in JSON. What is not understood and must be, has a name that ends in _ .
type senmlRecord struct {
	BaseName    *string  `json:"bn"`
	BaseTime    *float64 `json:"bt"`
	BaseUnit    *string  `json:"bu"`
	BaseValue   *float64 `json:"bv"`
	BaseSum     *float64 `json:"bs"`
	BaseVersion *int     `json:"bver"`
	Name        string   `json:"n"`
	Unit        string   `json:"u"`
	Value       *float64 `json:"v"`
	Text        *string  `json:"vs"`
	Bool        *bool    `json:"vb"`
	Data        *string  `json:"vd"`
	Sum         *float64 `json:"s"`
	Time        float64  `json:"t"`
}

// The numbers of RFC 8428: below relativeTime a time is relative to now (4.5.3); 10 is the version of the format (4.4).
const (
	relativeTime = 1 << 28
	senmlVersion = 10
)

// readSenML resolves a pack (RFC 8428 section 4.6). A name is device and value, split at its last : or /, as in urn:dev:ow:10e2073a01080063:voltage.
func readSenML(m Message) ([]Value, error) {
	var raws []json.RawMessage
	if err := json.Unmarshal(m.Body, &raws); err != nil {
		return nil, fmt.Errorf("%w: no JSON array of SenML records: %w", ErrMessage, err)
	}
	if len(raws) == 0 || len(raws) > maxValues {
		return nil, fmt.Errorf("%w: %d records: want 1 to %d", ErrMessage, len(raws), maxValues)
	}
	var b senmlBase
	var out []Value
	for i, raw := range raws {
		var keys map[string]json.RawMessage
		var r senmlRecord
		if err := json.Unmarshal(raw, &keys); err != nil {
			return nil, fmt.Errorf("%w: record %d: %w", ErrMessage, i+1, err)
		}
		for k := range keys {
			if strings.HasSuffix(k, "_") {
				return nil, fmt.Errorf("%w: record %d: %q must be understood, and is not", ErrMessage, i+1, k)
			}
		}
		if err := json.Unmarshal(raw, &r); err != nil {
			return nil, fmt.Errorf("%w: record %d: %w", ErrMessage, i+1, err)
		}
		v, ok, err := b.resolve(r, m.Received)
		if err != nil {
			return nil, fmt.Errorf("%w: record %d: %w", ErrMessage, i+1, err)
		}
		if ok {
			out = append(out, v)
		}
	}
	if len(out) == 0 {
		return nil, ErrNothing
	}
	return out, nil
}

// senmlBase is what holds for the records that follow.
type senmlBase struct {
	name, unit  string
	time, value float64
}

// resolve is one record by itself; ok is false where it carries no number.
func (b *senmlBase) resolve(r senmlRecord, now time.Time) (v Value, ok bool, err error) {
	if r.BaseVersion != nil && *r.BaseVersion > senmlVersion {
		return v, false, fmt.Errorf("version %d: this program knows %d", *r.BaseVersion, senmlVersion)
	}
	if r.BaseName != nil {
		b.name = *r.BaseName
	}
	if r.BaseTime != nil {
		b.time = *r.BaseTime
	}
	if r.BaseUnit != nil {
		b.unit = *r.BaseUnit
	}
	if r.BaseValue != nil {
		b.value = *r.BaseValue
	}
	name := b.name + r.Name
	switch {
	case name == "":
		return v, false, fmt.Errorf("neither bn nor n: it has no name")
	case r.Value == nil && r.Bool == nil && r.BaseValue == nil:
		return v, false, nil // a text, data, a sum, or base values alone
	case r.Value == nil && r.Bool == nil && (r.Text != nil || r.Data != nil || r.Sum != nil || r.Name == ""):
		return v, false, nil
	}
	switch {
	case r.Bool != nil && *r.Bool:
		v.Number = 1
	case r.Bool == nil && r.Value != nil:
		v.Number = b.value + *r.Value
	case r.Bool == nil:
		v.Number = b.value
	}
	if v.Unit = r.Unit; v.Unit == "" {
		v.Unit = b.unit
	}
	v.Device, v.Name = "-", name
	if i := strings.LastIndexAny(name, ":/"); i > 0 && i < len(name)-1 {
		v.Device, v.Name = name[:i], name[i+1:]
	}
	at := b.time + r.Time
	if math.Abs(at) < relativeTime {
		v.Time = now.Add(time.Duration(at * float64(time.Second)))
	} else {
		v.Time = time.UnixMilli(int64(math.Round(at * 1000))).UTC()
	}
	return v, true, nil
}
