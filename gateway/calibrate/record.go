package calibrate

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"aovuon/gateway/measure"
	"aovuon/gateway/wire"
)

// Format is the first thing a record says.
const Format = "aovuon/calibration/1"

// Record is what is written down of a calibration: FORMAT.md specifies it.
type Record struct {
	Format       string             `json:"format"`
	ID           string             `json:"id"` // 16 hexadecimal digits, random
	Sensor       string             `json:"sensor"`
	Quantity     measure.Quantity   `json:"quantity"`
	Kind         string             `json:"kind"` // of the sensor, as in the configuration
	Method       Method             `json:"method"`
	Who          string             `json:"who"`
	Time         *time.Time         `json:"time,omitempty"` // absent where the gateway did not know the time; the document's own time is dated later
	Serial       string             `json:"serial,omitempty"`
	NewProbe     bool               `json:"new_probe,omitempty"`
	Points       []Point            `json:"points"`
	SlopePercent *float64           `json:"slope_percent,omitempty"`
	Offset       *float64           `json:"offset,omitempty"`
	OffsetUnit   string             `json:"offset_unit,omitempty"`
	Verdict      Verdict            `json:"verdict"`
	Reasons      []string           `json:"reasons,omitempty"`
	Coefficients map[string]float64 `json:"coefficients,omitempty"`
	EverySeconds int64              `json:"every_s,omitempty"` // 0: no next one is asked for
	Due          *time.Time         `json:"due,omitempty"`
	Note         string             `json:"note,omitempty"`
}

// The longest texts of a record, in bytes: together they stay far below wire.MaxDocument.
const (
	maxWho    = 80
	maxShort  = 40
	maxNote   = 500
	maxReason = 300
	maxPoints = 8
)

// Validate says the first thing that keeps r from being a record.
func (r Record) Validate() error {
	_, known := r.Quantity.Info()
	switch {
	case r.Format != Format:
		return fmt.Errorf("calibrate: record of format %.40q: this program reads %s", r.Format, Format)
	case !validID(r.ID):
		return fmt.Errorf("calibrate: record id %.40q: want 16 hexadecimal digits", r.ID)
	case !measure.ValidID(r.Sensor, wire.MaxSensorLength):
		return fmt.Errorf("calibrate: record of sensor %.60q: no name of a sensor", r.Sensor)
	case !known:
		return fmt.Errorf("calibrate: record of quantity %.60q: unknown", string(r.Quantity))
	case r.Verdict != Good && r.Verdict != Worn && r.Verdict != Bad:
		return fmt.Errorf("calibrate: record with verdict %.40q: want good, worn or bad", string(r.Verdict))
	case r.EverySeconds < 0 || len(r.Points) > maxPoints:
		return fmt.Errorf("calibrate: record with %d points, due after %d s", len(r.Points), r.EverySeconds)
	}
	if err := checkText("who", r.Who, 1, maxWho); err != nil {
		return err
	}
	for name, v := range r.Coefficients {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("calibrate: coefficient %s is no number", name)
		}
	}
	return nil
}

// ParseRecord reads a record; keys it does not know are passed over.
func ParseRecord(body []byte) (Record, error) {
	var r Record
	if err := json.Unmarshal(body, &r); err != nil {
		return Record{}, fmt.Errorf("calibrate: record: %w", err)
	}
	return r, r.Validate()
}

// document is the record as it travels.
func (r Record) document(at measure.Instant) (wire.Document, error) {
	body, err := json.Marshal(r)
	if err != nil {
		return wire.Document{}, fmt.Errorf("calibrate: record: %w", err)
	}
	d := wire.Document{Time: at, Kind: wire.DocCalibration, Body: string(body)}
	if err := d.Validate(); err != nil {
		return wire.Document{}, fmt.Errorf("calibrate: record: %w", err)
	}
	return d, nil
}

func validID(s string) bool {
	return len(s) == 16 && strings.Trim(s, "0123456789abcdef") == ""
}

// checkText refuses what does not fit a line of a record.
func checkText(what, s string, least, most int) error {
	switch {
	case len(s) < least:
		return refuse("malformed", "say %s", what)
	case len(s) > most:
		return refuse("malformed", "%s: %d bytes are too long: at most %d", what, len(s), most)
	case !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl):
		return refuse("malformed", "%s: plain text in one line, please", what)
	}
	return nil
}

// expired reports whether a bottle of that expiry (YYYY-MM, to the end of the month, or YYYY-MM-DD) is past it. Without a
// wall clock nothing is.
func expired(expiry string, now measure.Instant) (bool, error) {
	if expiry == "" {
		return false, nil
	}
	end, err := time.Parse("2006-01-02", expiry)
	if err == nil {
		end = end.AddDate(0, 0, 1)
	} else {
		if end, err = time.Parse("2006-01", expiry); err != nil {
			return false, refuse("expiry", "expiry %.20q: write it as 2027-03 or 2027-03-31", expiry)
		}
		end = end.AddDate(0, 1, 0)
	}
	return now.Clock != measure.Unsynced && !now.Wall.Before(end), nil
}
