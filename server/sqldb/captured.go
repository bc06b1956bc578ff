package sqldb

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"aovuon/server/ledger"
)

// capturedRow is a row of captured, in the form of the body of its leaf: of the document the hash alone.
type capturedRow struct {
	Sum    string    `json:"sum"` // SHA-256 of the document, hex
	Made   time.Time `json:"made"`
	By     string    `json:"by"`
	Events int64     `json:"events"`
	Size   int       `json:"size"`
}

// Captured is a document of somebody else that was taken in.
type Captured struct {
	Sum    string
	Made   time.Time
	By     string // pseudonym
	Events int
}

// Capture keeps a document under the hash of its bytes; added is false where it was kept before.
func (d *DB) Capture(ctx context.Context, document []byte, events int, by ledger.By) (sum string, added bool, err error) {
	hash := sha256.Sum256(document)
	sum = hex.EncodeToString(hash[:])
	err = d.record(ctx, "capture "+sum, func(r *record) error {
		var n int
		if err := r.QueryRowContext(ctx, `SELECT COUNT(*) FROM captured WHERE sum = $1`, sum).Scan(&n); err != nil || n > 0 {
			return err
		}
		added = true
		row := capturedRow{Sum: sum, Made: millis(by.At), By: by.Actor, Events: int64(events), Size: len(document)}
		_, err := r.ExecContext(ctx, `INSERT INTO captured (sum, made_ms, made_by, events, body) VALUES ($1, $2, $3, $4, $5)`,
			sum, toMillis(row.Made), row.By, row.Events, string(document))
		if err != nil {
			return err
		}
		return r.sayChange(ctx, changed{Table: capturedTable, Key: sum, After: row}, by)
	})
	return sum, added, err
}

// CapturedDocument returns a document as it came; ok is false where there is none.
func (d *DB) CapturedDocument(ctx context.Context, sum string) (document []byte, ok bool, err error) {
	err = each(ctx, d.read, func(scan func(...any) error) error {
		var body string
		err := scan(&body)
		document, ok = []byte(body), true
		return err
	}, `SELECT body FROM captured WHERE sum = $1`, sum)
	if err != nil {
		return nil, false, fmt.Errorf("sqldb: captured %s: %w", sum, err)
	}
	return document, ok, nil
}

// CapturedList lists the newest documents.
func (d *DB) CapturedList(ctx context.Context, most int) (out []Captured, err error) {
	err = each(ctx, d.read, func(scan func(...any) error) error {
		var c Captured
		var made int64
		err := scan(&c.Sum, &made, &c.By, &c.Events)
		c.Made = fromMillis(made)
		out = append(out, c)
		return err
	}, `SELECT sum, made_ms, made_by, events FROM captured ORDER BY made_ms DESC, sum LIMIT $1`, most)
	if err != nil {
		return nil, fmt.Errorf("sqldb: captured: %w", err)
	}
	return out, nil
}

// capturedRows returns the rows as their leaves have them: the hash is that of the document as it lies there.
func capturedRows(ctx context.Context, q querier, add func(table, key string, body any) error) error {
	return each(ctx, q, func(scan func(...any) error) error {
		var key, body string
		var made int64
		var row capturedRow
		if err := scan(&key, &made, &row.By, &row.Events, &body); err != nil {
			return err
		}
		hash := sha256.Sum256([]byte(body))
		row.Sum, row.Made, row.Size = hex.EncodeToString(hash[:]), fromMillis(made), len(body)
		return add(capturedTable, key, row)
	}, `SELECT sum, made_ms, made_by, events, body FROM captured ORDER BY sum`)
}
