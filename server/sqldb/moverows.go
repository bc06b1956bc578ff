package sqldb

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
)

func list(columns []column) string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.name
	}
	return strings.Join(names, ", ")
}

// rowReader reads rows, and sums up what it read.
type rowReader struct {
	*sql.Rows
	columns []column
	values  []any
	into    []any
	n       int64
	sum     digest
}

func rowsOf(ctx context.Context, q querier, t table, columns []column, after, upto int64) (*rowReader, error) {
	query, args := `SELECT `+list(columns)+` FROM `+t.name+keepMarks(t), []any(nil)
	if t.key != "" {
		query, args = query+` WHERE `+t.key+` > $1 AND `+t.key+` <= $2 ORDER BY `+t.key, []any{after, upto}
	}
	rows, err := q.QueryContext(ctx, query, args...) //nolint:rowserrcheck // next looks at it
	if err != nil {
		return nil, err
	}
	r := &rowReader{Rows: rows, columns: columns, values: make([]any, len(columns)), into: make([]any, len(columns))}
	for i := range r.values {
		r.into[i] = &r.values[i]
	}
	return r, nil
}

// next returns the next row, which holds until the one after it is read; nil at the end.
func (r *rowReader) next() ([]any, error) {
	if !r.Next() {
		return nil, r.Err()
	}
	if err := r.Scan(r.into...); err != nil {
		return nil, err
	}
	for i, c := range r.columns {
		v, err := c.fit(r.values[i])
		if err != nil {
			return nil, fmt.Errorf("column %s of row %.200q: %w", c.name, r.values, err)
		}
		r.values[i] = v
	}
	r.n++
	r.sum.add(r.values)
	return r.values, nil
}

// fit gives a value the type of its column: SQLite keeps what it is given.
func (c column) fit(v any) (any, error) {
	switch x := v.(type) {
	case nil:
		return nil, nil
	case int64:
		if c.class == decimal {
			return float64(x), nil
		}
		if c.class == number {
			return x, nil
		}
	case float64:
		if c.class == decimal {
			return x, nil
		}
	case string:
		if c.class == raws {
			return []byte(x), nil
		}
		if c.class == words {
			return x, nil
		}
	case []byte:
		if c.class == raws {
			return x, nil
		}
		if c.class == words {
			return string(x), nil
		}
	}
	return nil, fmt.Errorf("a %T stands where another kind of value belongs", v)
}

// sumOf reads rows and sums them up.
func sumOf(ctx context.Context, q querier, t table, columns []column, after, upto int64) (sum digest, n int64, err error) {
	rows, err := rowsOf(ctx, q, t, columns, after, upto)
	if err != nil {
		return sum, 0, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for {
		row, err := rows.next()
		if err != nil || row == nil {
			return rows.sum, rows.n, err
		}
	}
}

// digest is the sum of the SHA-256 of rows, each word of it modulo 2^64: the same rows in any order have the same. It finds what went wrong
// on the way; it is no proof against somebody who chooses rows.
type digest [4]uint64

func (d *digest) add(row []any) {
	h := sha256.New()
	var head [9]byte
	put := func(kind byte, n uint64) {
		head[0] = kind
		binary.BigEndian.PutUint64(head[1:], n)
		h.Write(head[:])
	}
	for _, v := range row {
		switch x := v.(type) {
		case nil:
			put('0', 0)
		case int64:
			put('i', uint64(x))
		case float64:
			put('f', math.Float64bits(x))
		case string:
			put('s', uint64(len(x)))
			h.Write([]byte(x))
		case []byte:
			put('b', uint64(len(x)))
			h.Write(x)
		}
	}
	sum := h.Sum(nil)
	for i := range d {
		d[i] += binary.BigEndian.Uint64(sum[8*i:])
	}
}
