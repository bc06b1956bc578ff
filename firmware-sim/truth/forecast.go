package truth

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"aovuon/gateway/measure"
)

// Forecast is one value that somebody foretold.
type Forecast struct {
	Made, For time.Time
	Column
	Value float64
}

// ReadForecasts reads a file of forecasts: FORMAT.md. Errors name the line.
func ReadForecasts(in io.Reader) (list []Forecast, err error) {
	lines := bufio.NewScanner(in)
	for n := 1; lines.Scan(); n++ {
		if strings.HasPrefix(lines.Text(), "#") || lines.Text() == "" {
			continue
		}
		f, err := parseForecast(lines.Text())
		if err != nil {
			return nil, fmt.Errorf("truth: line %d of the forecasts: %w", n, err)
		}
		list = append(list, f)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("truth: forecasts: %w", err)
	}
	return list, nil
}

func parseForecast(line string) (f Forecast, err error) {
	cells := strings.Split(line, "\t")
	if len(cells) != 5 {
		return f, fmt.Errorf("%q: want five cells with tabs between: made, for, place, quantity, value", line)
	}
	if f.Made, err = time.Parse(time.RFC3339, cells[0]); err != nil {
		return f, fmt.Errorf("made %q: want a time such as 2026-03-01T18:00:00+07:00", cells[0])
	}
	if f.For, err = time.Parse(time.RFC3339, cells[1]); err != nil {
		return f, fmt.Errorf("for %q: want a time such as 2026-03-02T06:00:00+07:00", cells[1])
	}
	if ahead := f.For.Sub(f.Made); ahead < 0 || ahead > maxSpan {
		return f, errors.New("want a time it is for that is later than when it was made, by ten years at most")
	}
	f.Column = Column{cells[2], measure.Quantity(cells[3])}
	if _, ok := f.Quantity.Info(); !ok || f.Place == "" {
		return f, fmt.Errorf("place %q, quantity %q: want a place of the field and a quantity such as dissolved_oxygen", cells[2], cells[3])
	}
	if f.Value, err = strconv.ParseFloat(cells[4], 64); err != nil || math.IsNaN(f.Value) || math.IsInf(f.Value, 0) {
		return f, fmt.Errorf("value %q: want a number", cells[4])
	}
	return f, nil
}

// Lead is how good forecasts of a quantity of a place are that were made up to so many hours ahead.
type Lead struct {
	Place    string           `json:"place"`
	Quantity measure.Quantity `json:"quantity"`
	Hours    float64          `json:"lead_h"` // the upper end of the class: more than the class before, at most this
	Errors   Errors           `json:"errors"`
}

// leads are the upper ends of the classes of lead time, in hours; what is further ahead is in the last.
func leads() []float64 { return []float64{1, 3, 6, 12, 24, 48, maxSpan.Hours()} }

// Score compares forecasts with what came, by place, quantity and lead time.
func Score(w World, list []Forecast) (out []Lead, err error) {
	type class struct {
		Column
		hours float64
	}
	off := map[class][]float64{}
	for _, f := range list {
		v, err := w.Value(f.Place, f.Quantity, f.For)
		if err != nil {
			return nil, fmt.Errorf("truth: a forecast for %s: %w", stamp(f.For), err)
		}
		ahead := f.For.Sub(f.Made).Hours()
		all := leads()
		c := class{f.Column, all[slices.IndexFunc(all, func(h float64) bool { return ahead <= h })]}
		off[c] = append(off[c], f.Value-v)
	}
	for c, errs := range off {
		out = append(out, Lead{c.Place, c.Quantity, c.hours, ErrorsOf(errs)})
	}
	slices.SortFunc(out, func(a, b Lead) int {
		return cmp.Or(cmp.Compare(a.Place, b.Place), cmp.Compare(a.Quantity, b.Quantity), cmp.Compare(a.Hours, b.Hours))
	})
	return out, nil
}
