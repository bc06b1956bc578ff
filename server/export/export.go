// Package export writes readings as tables for other programs. Series and a period come in, with the history they lie in; rows go out as CSV or
// Parquet, one after the other: what is held in memory does not grow with what is written. FORMAT.md says what the columns mean.
package export

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/history"
)

// Row is one reading.
type Row struct {
	history.Point
	Unit   string // as people print it; empty for a number without one
	Signed bool   // the device signed it; otherwise the server sealed what it was told
}

// Table takes rows. Rows are whole when Close returned nil; without Close nothing that was written is a table.
type Table interface {
	Write(r Row) error
	Close() error
}

// The formats of a table.
const (
	CSV     = "csv"
	Parquet = "parquet"
)

// New returns an empty table of a format.
func New(format string, w io.Writer, a About) (Table, error) {
	switch format {
	case CSV:
		return NewCSV(w, a.Zone)
	case Parquet:
		return NewParquet(w, a), nil
	}
	return nil, fmt.Errorf("export: %q is no format of a table: %s or %s", format, CSV, Parquet)
}

// History is what readings are read from; history.Store is one.
type History = history.Source

// Order is what to write.
type Order struct {
	Series   []history.Series
	From, To time.Time            // From <= time < To
	Signs    func(gw string) bool // whether a gateway signs what it sends
	Each     func(written int64)  // told now and then; nil: nobody is
	Limit    int64                // rows at most; 0: no end
}

// TooManyError says that there is more than was asked for at most. What was written is no table.
type TooManyError struct{ Limit int64 }

// Error says what to do.
func (e *TooManyError) Error() string {
	return fmt.Sprintf("export: more than %d readings: ask for a shorter time or fewer quantities", e.Limit)
}

// GoneError says that some of the readings that were asked for are kept no more, and up to when. Nothing was written.
type GoneError struct{ Until time.Time }

// Error says what to do.
func (e *GoneError) Error() string {
	return fmt.Sprintf("export: single readings up to %s were let go: ask for a time after that", e.Until.Format(time.RFC3339))
}

// Unwrap is history.ErrGone.
func (*GoneError) Unwrap() error { return history.ErrGone }

// tellEvery is after how many rows progress is told.
const tellEvery = 100_000

// Write writes the readings of an order, series by series, each in the order of time, and returns how many. The table is not closed. Where some of them
// were let go nothing is written: a table must not look whole that is not.
func Write(ctx context.Context, h History, o Order, t Table) (rows int64, err error) {
	gone, err := history.GoneUntil(ctx, h, o.Series, o.From, o.To)
	if err != nil {
		return 0, fmt.Errorf("export: %w", err)
	}
	if !gone.IsZero() {
		return 0, &GoneError{gone}
	}
	for _, s := range Sorted(o.Series) {
		info, _ := s.Quantity.Info()
		signed := o.Signs(s.Gateway)
		err := h.Each(ctx, s, o.From, o.To, func(p history.Point) error {
			if o.Limit > 0 && rows == o.Limit {
				return &TooManyError{o.Limit}
			}
			rows++
			if o.Each != nil && rows%tellEvery == 0 {
				o.Each(rows)
			}
			return t.Write(Row{Point: p, Unit: info.Unit, Signed: signed})
		})
		if err != nil {
			return rows, fmt.Errorf("export: %s of %s/%s at %s: %w", s.Quantity, s.Gateway, s.Sensor, s.Place, err)
		}
	}
	return rows, nil
}

// Choice says which series of many are meant; what is empty leaves all.
type Choice struct {
	Places     []string
	Quantities []measure.Quantity
	Gateways   []string
}

// Of returns the series that are meant, each once.
func (c Choice) Of(all []history.Series) []history.Series {
	return slices.Compact(Sorted(slices.DeleteFunc(slices.Clone(all), func(s history.Series) bool {
		return len(c.Places) > 0 && !slices.Contains(c.Places, s.Place) ||
			len(c.Quantities) > 0 && !slices.Contains(c.Quantities, s.Quantity) ||
			len(c.Gateways) > 0 && !slices.Contains(c.Gateways, s.Gateway)
	})))
}

// Sorted returns series in the order of a table: by place, quantity, gateway, sensor.
func Sorted(list []history.Series) []history.Series {
	out := slices.Clone(list)
	slices.SortFunc(out, history.Series.Compare)
	return out
}
