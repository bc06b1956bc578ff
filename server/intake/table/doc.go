// Package table reads measurements that another system wrote as CSV: a file and a map of its columns come in, readings go out, or every row that is wrong
// with its line. Nothing is guessed: which column is a time in which form and zone, and which is what quantity in which unit, is said by the map.
package table

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"aovuon/gateway/measure"
	"aovuon/gateway/wire"
	"aovuon/server/farm"
	"aovuon/server/intake"
)

// Map says what stands in a file.
type Map struct {
	Source    string                `yaml:"source"`    // name of the source in the register, kind import
	Delimiter string                `yaml:"delimiter"` // one of , ; and tab; empty: the one that the header line has most of
	Decimal   string                `yaml:"decimal"`   // , or . ; empty: , where the delimiter is ; and . elsewhere
	Header    int                   `yaml:"header"`    // line of the headings; 0: 1
	Time      When                  `yaml:"time"`
	Name      []string              `yaml:"name"`   // a row is one value: columns that say of what, joined by / ; empty: a row has many values, each in a column of its own
	Value     string                `yaml:"value"`  // a row is one value: its column
	Series    map[string]intake.Use `yaml:"series"` // by heading, or by what Name says
	Ignore    []string              `yaml:"ignore"` // of a row with one value: names that are of no interest
	Absent    []string              `yaml:"absent"` // texts that say that there is no value; empty cells always do

	comma   rune
	point   byte
	layouts []string
	zone    *time.Location
}

// When says where the time of a row stands and how it is written.
type When struct {
	Column string `yaml:"column"`
	Clock  string `yaml:"clock"`  // a second column with the time of day, where Column has the day alone
	Format string `yaml:"format"` // iso, unix, unix_ms, or dd/mm/yyyy HH:MM:SS in any order
	Zone   string `yaml:"zone"`   // of times that name none; empty: the co-op's
}

// ParseMap reads and checks a map. Its errors name the line and the mend.
func ParseMap(name string, raw []byte) (*Map, error) {
	m := &Map{}
	if err := intake.Strictly(name, bytes.TrimPrefix(raw, []byte("\ufeff")), m); err != nil {
		return nil, err
	}
	if path, err := m.check(); err != nil {
		return nil, fmt.Errorf("%s:%d: %s: %w", name, intake.LineAt(raw, path), strings.Join(path, "."), err)
	}
	return m, nil
}

func (m *Map) check() (path []string, err error) {
	if !wire.ValidGatewayID(m.Source) {
		return []string{"source"}, fmt.Errorf("%q: name where the file is from: small letters, digits, hyphens, 2 to 39, such as so-do-cu", m.Source)
	}
	switch m.Delimiter {
	case "", ",", ";", "\t":
	case "tab":
		m.Delimiter = "\t"
	default:
		return []string{"delimiter"}, fmt.Errorf(`%q: want , or ; or tab`, m.Delimiter)
	}
	if m.Decimal != "" && m.Decimal != "," && m.Decimal != "." {
		return []string{"decimal"}, fmt.Errorf("%q: want a comma or a point", m.Decimal)
	}
	if m.Header == 0 {
		m.Header = 1
	}
	if m.Header < 1 || m.Header > 1000 {
		return []string{"header"}, fmt.Errorf("line %d: want the line of the headings, from 1", m.Header)
	}
	if m.Time.Column == "" {
		return []string{"time", "column"}, errors.New("missing: name the heading of the column with the time")
	}
	if m.layouts, err = layoutsOf(m.Time.Format); err != nil {
		return []string{"time", "format"}, err
	}
	m.zone = farm.Time()
	if m.Time.Zone != "" {
		if m.zone, err = time.LoadLocation(m.Time.Zone); err != nil {
			return []string{"time", "zone"}, fmt.Errorf("%q is no time zone: write one such as Asia/Ho_Chi_Minh", m.Time.Zone)
		}
	}
	if (len(m.Name) == 0) != (m.Value == "") {
		return []string{"value"}, errors.New("name and value belong together: columns that say of what, and the column with the value")
	}
	return m.checkSeries()
}

func (m *Map) checkSeries() (path []string, err error) {
	if len(m.Series) == 0 {
		return []string{"series"}, errors.New("missing: say for each column what it is: { sensor: ao1-do, quantity: dissolved_oxygen }")
	}
	type channel struct {
		sensor   string
		quantity measure.Quantity
	}
	whose := map[channel]string{}
	for _, name := range slices.Sorted(maps.Keys(m.Series)) {
		u := m.Series[name]
		if key, err := u.Check(); err != nil {
			return []string{"series", name, key}, err
		}
		c := channel{u.Sensor, u.Quantity}
		if first, twice := whose[c]; twice {
			return []string{"series", name}, fmt.Errorf("%s of sensor %s is %q already", c.quantity, c.sensor, first)
		}
		whose[c] = name
	}
	return nil, nil
}

// The forms of times that are no pattern.
const (
	formISO    = "iso"
	formUnix   = "unix"
	formUnixMS = "unix_ms"
)

// layoutsOf turns a pattern of dd, d, mm, m, yyyy, HH, H, MM, SS into Go's.
func layoutsOf(format string) ([]string, error) {
	switch format {
	case formISO:
		return []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02 15:04:05Z07:00"}, nil
	case formUnix, formUnixMS:
		return nil, nil
	}
	out := strings.NewReplacer("yyyy", "2006", "dd", "02", "mm", "01", "HH", "15", "MM", "04", "SS", "05", "d", "2", "m", "1", "H", "15").Replace(format)
	if rest := strings.Trim(out, "0123456789/-.: T"); format == "" || rest != "" || !strings.Contains(out, "2006") || !strings.Contains(format, "m") || !strings.Contains(format, "d") {
		return nil, fmt.Errorf("%q: want iso, unix, unix_ms, or a pattern such as dd/mm/yyyy HH:MM:SS or d/m/yyyy H:MM", format)
	}
	return []string{out}, nil
}
