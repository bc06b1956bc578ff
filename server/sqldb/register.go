package sqldb

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"aovuon/server/farm"
	"aovuon/server/form"
	"aovuon/server/ledger"
)

// recordRow is a row of farm_record, in the form of the body of its leaf.
type recordRow struct {
	Kind     farm.RecordKind `json:"kind"`
	ID       string          `json:"id"`
	Values   json.RawMessage `json:"values"` // as the text stands: a member that nobody knows is an edit, too
	Retired  bool            `json:"retired,omitempty"`
	Revision int64           `json:"revision"`
	Changed  time.Time       `json:"changed"`
	Erased   *time.Time      `json:"erased,omitempty"` // what said something of a person was taken out
}

func (w recordRow) subject() string { return string(w.Kind) + "/" + w.ID }

func (w recordRow) record() (farm.Record, error) {
	v, err := form.Read(w.Values)
	if err != nil {
		return farm.Record{}, fmt.Errorf("%s %s: %w", w.Kind, w.ID, err)
	}
	return farm.Record{Kind: w.Kind, ID: w.ID, Values: v, Retired: w.Retired, Revision: w.Revision, Changed: w.Changed}, nil
}

// SaveRecord adds a record to the farm's register (Revision 0; without an ID it is given one), or changes the one it was made from, and
// returns it as it is kept. What changes nothing is not kept again. The errors wrap a form.InvalidError, farm.ErrChanged or farm.ErrNoRecord.
func (d *DB) SaveRecord(ctx context.Context, rec farm.Record, by ledger.By) (out farm.Record, err error) {
	err = d.record(ctx, "save "+string(rec.Kind)+" "+rec.ID, func(r *record) (err error) {
		out, err = r.saveRecord(ctx, rec, by)
		return err
	})
	return out, err
}

// SaveRecords saves all of a list, in its order, or none of it.
func (d *DB) SaveRecords(ctx context.Context, list []farm.Record, by ledger.By) (out []farm.Record, err error) {
	err = d.record(ctx, fmt.Sprintf("save %d records", len(list)), func(r *record) error {
		out = make([]farm.Record, 0, len(list))
		for i, rec := range list {
			kept, err := r.saveRecord(ctx, rec, by)
			if err != nil {
				return fmt.Errorf("record %d of %d: %w", i+1, len(list), err)
			}
			out = append(out, kept)
		}
		return nil
	})
	return out, err
}

func (r *record) saveRecord(ctx context.Context, rec farm.Record, by ledger.By) (farm.Record, error) {
	var err error
	if rec.ID == "" && rec.Revision == 0 {
		if rec.ID, err = farm.NewID(rand.Reader); err != nil {
			return rec, err
		}
	}
	if !farm.ValidID(rec.ID) {
		return rec, &form.InvalidError{Problems: form.Problems{{Key: "id", Code: form.BadText, Given: rec.ID}}}
	}
	if rec.Values, err = r.checkRecord(ctx, rec); err != nil {
		return rec, err
	}
	raw, err := json.Marshal(rec.Values)
	if err != nil {
		return rec, err
	}
	before, there, err := oneRecord(ctx, r, rec.Kind, rec.ID)
	switch {
	case err != nil:
		return rec, err
	case !there && rec.Revision != 0:
		return rec, farm.ErrNoRecord
	case there && sameRecord(before, rec, raw):
		return before.record()
	case there && (before.Revision != rec.Revision || before.Erased != nil):
		return rec, farm.ErrChanged
	}
	row := recordRow{Kind: rec.Kind, ID: rec.ID, Values: raw, Retired: rec.Retired, Revision: rec.Revision + 1, Changed: by.At.UTC().Truncate(time.Millisecond)}
	write := `UPDATE farm_record SET body = $3, retired = $4, revision = $5, changed_ms = $6 WHERE kind = $1 AND id = $2`
	if !there {
		write = `INSERT INTO farm_record (kind, id, body, retired, revision, changed_ms, erased_ms) VALUES ($1, $2, $3, $4, $5, $6, 0)`
	}
	if _, err := r.ExecContext(ctx, write, string(row.Kind), row.ID, string(raw), flag(row.Retired), row.Revision, toMillis(row.Changed)); err != nil {
		return rec, err
	}
	if err := bump(ctx, r, "register"); err != nil {
		return rec, err
	}
	if err := r.say(ctx, ledger.RecordSaved, row.subject(), row, by); err != nil {
		return rec, err
	}
	if rec, err = row.record(); err != nil {
		return rec, err
	}
	return rec, r.publish(ctx, rec, by)
}

// sameRecord reports whether saving would change nothing. JSON of a map has its keys in order, so its bytes can be compared.
func sameRecord(was recordRow, rec farm.Record, values []byte) bool {
	return was.Erased == nil && was.Retired == rec.Retired && string(was.Values) == string(values)
}

// checkRecord returns the values of a record in their types, or a form.InvalidError.
func (r *record) checkRecord(ctx context.Context, rec farm.Record) (form.Values, error) {
	var failed error
	g := farm.Register{
		Exists: func(kind, id string) bool {
			var n int64
			query := `SELECT COUNT(*) FROM farm_record WHERE id = $1 AND kind = $2`
			if kind == farm.RefPlace {
				query = `SELECT COUNT(*) FROM place WHERE code = $1 AND $2 <> ''`
			}
			failed = errors.Join(failed, r.QueryRowContext(ctx, query, id, kind).Scan(&n))
			return n > 0
		},
		Others: func(kind farm.RecordKind) []farm.Record {
			list, err := records(ctx, r, `kind = $1`, string(kind))
			failed = errors.Join(failed, err)
			return list
		},
	}
	values, bad := g.Check(rec)
	if failed != nil {
		return nil, failed
	}
	if len(bad) > 0 {
		return nil, &form.InvalidError{Problems: bad}
	}
	return values, nil
}

// RegisterRevision changes whenever a record is saved; "" before the first time.
func (d *DB) RegisterRevision(ctx context.Context) (string, error) { return d.Meta(ctx, "register") }

// Records returns the records of a kind, retired ones too, by name; those of every kind where it is empty.
func (d *DB) Records(ctx context.Context, kind farm.RecordKind) ([]farm.Record, error) {
	out, err := records(ctx, d.read, `$1 = '' OR kind = $1`, string(kind))
	if err != nil {
		return nil, fmt.Errorf("sqldb: records: %w", err)
	}
	return out, nil
}

// Record returns one record; ok is false where there is none.
func (d *DB) Record(ctx context.Context, kind farm.RecordKind, id string) (rec farm.Record, ok bool, err error) {
	row, ok, err := oneRecord(ctx, d.read, kind, id)
	if err == nil && ok {
		rec, err = row.record()
	}
	if err != nil {
		return rec, false, fmt.Errorf("sqldb: record: %w", err)
	}
	return rec, ok, nil
}

func oneRecord(ctx context.Context, q querier, kind farm.RecordKind, id string) (recordRow, bool, error) {
	list, err := recordRows(ctx, q, `kind = $1 AND id = $2`, string(kind), id)
	if err != nil || len(list) == 0 {
		return recordRow{}, false, err
	}
	return list[0], true, nil
}

// records returns records by what people call them, as a Vietnamese reader looks for them on a page.
func records(ctx context.Context, q querier, where string, args ...any) ([]farm.Record, error) {
	rows, err := recordRows(ctx, q, where, args...)
	if err != nil {
		return nil, err
	}
	out := make([]farm.Record, 0, len(rows))
	for _, row := range rows {
		rec, err := row.record()
		if err != nil {
			return nil, err
		}
		out = append(out, rec)
	}
	farm.SortRecords(out)
	return out, nil
}

func recordRows(ctx context.Context, q querier, where string, args ...any) (out []recordRow, err error) {
	err = each(ctx, q, func(scan func(...any) error) error {
		var w recordRow
		var body string
		var retired, changed, erased int64
		err := scan(&w.Kind, &w.ID, &body, &retired, &w.Revision, &changed, &erased)
		w.Values, w.Retired, w.Changed, w.Erased = json.RawMessage(body), retired != 0, fromMillis(changed), millisPointer(erased)
		out = append(out, w)
		return err
	}, `SELECT kind, id, body, retired, revision, changed_ms, erased_ms FROM farm_record WHERE `+where+` ORDER BY kind, id`, args...)
	return out, err
}

// millisPointer is nil for 0, a time that never was.
func millisPointer(ms int64) *time.Time {
	if ms == 0 {
		return nil
	}
	t := fromMillis(ms)
	return &t
}
