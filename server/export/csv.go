package export

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"time"

	"aovuon/gateway/measure"
)

// Columns are the names of the columns of every table, in their order.
func Columns() []string {
	return []string{"time", "place", "quantity", "unit", "value", "quality", "gateway", "sensor", "signed"}
}

// timeLayout is RFC 3339 with milliseconds, always, and the offset of the zone.
const timeLayout = "2006-01-02T15:04:05.000Z07:00"

type csvTable struct {
	out  *bufio.Writer
	csv  *csv.Writer
	zone *time.Location
	row  []string
}

// NewCSV returns a table of RFC 4180: UTF-8 without a mark, commas, decimal points, lines ended by \n, times in a zone. Its first line names the columns.
func NewCSV(w io.Writer, zone *time.Location) (Table, error) {
	out := bufio.NewWriterSize(w, 64<<10)
	t := &csvTable{out: out, csv: csv.NewWriter(out), zone: zone}
	if err := t.csv.Write(Columns()); err != nil {
		return nil, fmt.Errorf("export: csv: %w", err)
	}
	return t, nil
}

// Write implements Table.
func (t *csvTable) Write(r Row) error {
	value := ""
	if r.Quality != measure.Fault {
		value = strconv.FormatFloat(r.Value, 'g', -1, 64)
	}
	t.row = append(t.row[:0], r.Time.In(t.zone).Format(timeLayout), r.Place, string(r.Quantity), r.Unit, value, r.Quality.String(), r.Gateway, r.Sensor,
		strconv.FormatBool(r.Signed))
	if err := t.csv.Write(t.row); err != nil {
		return fmt.Errorf("export: csv: %w", err)
	}
	return nil
}

// Close implements Table.
func (t *csvTable) Close() error {
	t.csv.Flush()
	if err := t.csv.Error(); err != nil {
		return fmt.Errorf("export: csv: %w", err)
	}
	if err := t.out.Flush(); err != nil {
		return fmt.Errorf("export: csv: %w", err)
	}
	return nil
}
