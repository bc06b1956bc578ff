// Package calibration reads what gateways write down of calibrations (gateway/calibrate/FORMAT.md) and judges it.
//
// Documents of the batch log come in, signed by a gateway and otherwise believed in nothing; an Entry goes out that keeps the
// document as it was, and of it what is safe to show. The package holds rules only: no SQL, no HTTP.
package calibration

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"

	"aovuon/gateway/measure"
	"aovuon/gateway/wire"
)

// Format is what a document begins with that this package reads.
const Format = "aovuon/calibration/1"

// Verdict judges a probe by its calibration.
type Verdict string

// The verdicts.
const (
	Good Verdict = "good"
	Worn Verdict = "worn" // measures right; clean it or get the next one
	Bad  Verdict = "bad"  // its values are uncalibrated
)

// Verdicts lists them all.
func Verdicts() []Verdict { return []Verdict{Good, Worn, Bad} }

// Methods lists the ways to calibrate that pages have a word for; a gateway may know others.
func Methods() []string {
	return []string{"ezo-ph", "ezo-do", "ezo-ec", "ezo-orp", "ezo-rtd", "soil-ends", "soil-samples", "linear"}
}

// Steps lists the names of points that pages have a word for.
func Steps() []string {
	return []string{"mid", "low", "high", "air", "zero", "dry", "wet", "water", "single", "first", "second"}
}

// Point is one step that was done.
type Point struct {
	Name    string   `json:"name"`
	Nominal *float64 `json:"nominal,omitempty"`
	// Expected is what was right at the temperature of the point, Before what the probe said, After what it said afterwards.
	Expected float64  `json:"expected"`
	Before   float64  `json:"before"`
	After    *float64 `json:"after,omitempty"`
	Celsius  *float64 `json:"celsius,omitempty"`
	Lot      string   `json:"lot,omitempty"`
	Expiry   string   `json:"expiry,omitempty"`
	Expired  bool     `json:"expired,omitempty"`
}

// Record is what an Entry says, safe to show: texts are short, printable and in one line, numbers are numbers.
type Record struct {
	ID           string           `json:"id"`
	Sensor       string           `json:"sensor"`
	Quantity     measure.Quantity `json:"quantity"`
	Kind         string           `json:"kind"`
	Method       string           `json:"method"`
	Who          string           `json:"who"`
	Serial       string           `json:"serial,omitempty"`
	Points       []Point          `json:"points"`
	SlopePercent *float64         `json:"slope_percent,omitempty"`
	Offset       *float64         `json:"offset,omitempty"`
	OffsetUnit   string           `json:"offset_unit,omitempty"`
	Verdict      Verdict          `json:"verdict"`
	Reasons      []string         `json:"reasons,omitempty"`
	EverySeconds int64            `json:"every_s,omitempty"`
	Note         string           `json:"note,omitempty"`
}

// Entry is one document as the server keeps it.
type Entry struct {
	Gateway  string
	Key      string    // of its bytes: a document that was sent twice is one entry
	Position int64     // of its batch in the log
	Ordinal  int       // within the batch
	Time     time.Time // zero: of a boot without a clock, which nothing has dated yet
	Boot     string
	Uptime   time.Duration // since boot, where Time was not known
	Received time.Time
	Body     string // as it was signed
	Sensor   string // empty where the document does not say one
	Quantity measure.Quantity
}

// New makes the entry of a document. It never fails: what cannot be read is kept all the same.
func New(gateway string, d wire.Document) Entry {
	sum := sha256.Sum256([]byte(d.Body))
	e := Entry{Gateway: gateway, Key: hex.EncodeToString(sum[:16]), Boot: d.Time.Boot, Uptime: d.Time.Uptime, Body: d.Body}
	if r, err := Read(d.Body); err == nil {
		e.Sensor, e.Quantity = r.Sensor, r.Quantity
	}
	return e
}

// The longest texts shown, in letters, and the longest lists.
const (
	maxWord, maxLine      = 60, 320
	maxPoints, maxReasons = 8, 8
	maxEvery              = 10 * 366 * 24 * 3600
)

// Read takes the record out of a document. The error says why there is none.
func Read(body string) (Record, error) {
	var in struct {
		Format string `json:"format"`
		Record
	}
	if err := json.Unmarshal([]byte(body), &in); err != nil {
		return Record{}, fmt.Errorf("calibration: no record: %w", err)
	}
	r := in.Record
	_, known := r.Quantity.Info()
	switch {
	case in.Format != Format:
		return Record{}, fmt.Errorf("calibration: a document of format %.40q", in.Format)
	case !measure.ValidID(r.Sensor, wire.MaxSensorLength):
		return Record{}, fmt.Errorf("calibration: %.60q is no sensor", r.Sensor)
	case !known:
		return Record{}, fmt.Errorf("calibration: %.60q is no quantity", string(r.Quantity))
	case !slices.Contains(Verdicts(), r.Verdict):
		return Record{}, fmt.Errorf("calibration: %.40q is no verdict", string(r.Verdict))
	case r.EverySeconds < 0 || r.EverySeconds > maxEvery || len(r.Points) > maxPoints || len(r.Reasons) > maxReasons:
		return Record{}, fmt.Errorf("calibration: %d points, %d reasons, due after %d s", len(r.Points), len(r.Reasons), r.EverySeconds)
	}
	for _, text := range []*string{&r.ID, &r.Kind, &r.Method, &r.Who, &r.Serial, &r.OffsetUnit} {
		*text = printable(*text, maxWord)
	}
	r.Note = printable(r.Note, maxLine)
	for i := range r.Reasons {
		r.Reasons[i] = printable(r.Reasons[i], maxLine)
	}
	for i := range r.Points {
		p := &r.Points[i]
		p.Name, p.Lot, p.Expiry = printable(p.Name, maxWord), printable(p.Lot, maxWord), printable(p.Expiry, maxWord)
		if !plausible(p.Nominal, &p.Expected, &p.Before, p.After, p.Celsius) {
			return Record{}, fmt.Errorf("calibration: point %q has numbers no probe gives", p.Name)
		}
	}
	if !plausible(r.SlopePercent, r.Offset) {
		return Record{}, fmt.Errorf("calibration: slope and offset are such as no probe has")
	}
	return r, nil
}

// plausible keeps numbers off the page that are longer than it.
func plausible(numbers ...*float64) bool {
	for _, v := range numbers {
		if v != nil && !(math.Abs(*v) < 1e9) {
			return false
		}
	}
	return true
}

// printable leaves of a text what can be read in one line: no control characters, none that turn the direction of writing.
func printable(s string, most int) string {
	var b strings.Builder
	n := 0
	for _, c := range s {
		if !unicode.IsPrint(c) && c != ' ' || unicode.Is(unicode.Cf, c) {
			continue
		}
		if n++; n > most {
			b.WriteRune('…')
			break
		}
		b.WriteRune(c)
	}
	return b.String()
}

// Standing says what an entry is worth at a time.
type Standing string

// The standings.
const (
	InForce Standing = "in-force"
	Overdue Standing = "overdue"
	Unfit   Standing = "unfit"   // the probe was found bad
	Undated Standing = "undated" // nobody knows yet when it was
)

// Standings lists them all.
func Standings() []Standing { return []Standing{InForce, Overdue, Unfit, Undated} }

// Standing judges e, whose record is r, at now. due is zero where no next calibration is asked for, or e is not dated.
func (e Entry) Standing(r Record, now time.Time) (s Standing, due time.Time) {
	if e.Time.IsZero() {
		return Undated, time.Time{}
	}
	if r.EverySeconds > 0 {
		due = e.Time.Add(time.Duration(r.EverySeconds) * time.Second)
	}
	switch {
	case r.Verdict == Bad:
		return Unfit, due
	case !due.IsZero() && !now.Before(due):
		return Overdue, due
	}
	return InForce, due
}
