package history

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"slices"
	"strconv"
	"time"

	"aovuon/gateway/measure"
)

// Digested is a history in one line: two with the same Sum hold the same points.
type Digested struct {
	Sum            string // SHA-256, hexadecimal
	Series, Points int64
}

// Whole is a history of which every series can be asked for.
type Whole interface {
	EachSeries(ctx context.Context, f func(Series) error) error
	Each(ctx context.Context, s Series, from, to time.Time, f func(Point) error) error
}

// Digest reads every point with from <= time < to and sums them up, in an order and a text that do not depend on the engine (README.md).
func Digest(ctx context.Context, h Whole, from, to time.Time) (d Digested, err error) {
	var all []Series
	if err := h.EachSeries(ctx, func(k Series) error {
		all = append(all, k)
		return nil
	}); err != nil {
		return d, err
	}
	slices.SortFunc(all, Series.Compare)
	sum := sha256.New()
	if _, err := io.WriteString(sum, "aovuon/history-digest/1\n"); err != nil {
		return d, err
	}
	for _, k := range all {
		first := true
		var line []byte
		err := h.Each(ctx, k, from, to, func(p Point) error {
			line = line[:0]
			if first { // a series without a point in that time is none
				first = false
				d.Series++
				line = append(line, k.Place+"\t"+string(k.Quantity)+"\t"+k.Gateway+"\t"+k.Sensor+"\n"...)
			}
			d.Points++
			line = appendPoint(line, p)
			_, err := sum.Write(line)
			return err
		})
		if err != nil {
			return d, err
		}
	}
	d.Sum = hex.EncodeToString(sum.Sum(nil))
	return d, nil
}

func appendPoint(line []byte, p Point) []byte {
	line = strconv.AppendInt(line, p.Time.UnixMilli(), 10)
	line = append(line, ' ')
	line = strconv.AppendUint(line, uint64(p.Quality), 10)
	if p.Quality != measure.Fault {
		v := p.Value
		if v == 0 {
			v = 0 // SQLite keeps no sign of zero
		}
		line = append(line, ' ')
		line = strconv.AppendFloat(line, v, 'g', -1, 64)
	}
	return append(line, '\n')
}
