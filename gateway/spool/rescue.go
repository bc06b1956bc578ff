package spool

import (
	"context"
	"database/sql"
	"errors"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
)

// Piece is one thing found while looking through a damaged spool, oldest first.
type Piece struct {
	Kind    PieceKind
	Sealed  []byte   // PieceSealed: the batch
	Records [][]byte // PieceRecords
}

// PieceKind says what a Piece is.
type PieceKind uint8

// The kinds of Piece.
const (
	PieceSealed  PieceKind = iota // a sealed batch the server has not confirmed
	PieceRecords                  // records that were not sealed yet
	PieceHole                     // something was here and cannot be read
	PieceEnd                      // nothing follows
)

// Rescuer is told every Piece and returns the records to put in its place, if any.
type Rescuer func(Piece) (records [][]byte, err error)

// Rescue is what came of looking through a damaged spool.
type Rescue struct {
	Epoch   string // the new one
	Batches int    // sealed batches that were read back
	Records int    // records now waiting to be sealed that came from there
	Holes   int    // places where something was lost
}

// Renew begins a new epoch after ErrDamaged or ErrAhead: the sealed batches that can still be read are turned back into
// records by f, before the records that wait already, and will be sealed under new numbers. All in one transaction.
func (s *Spool) Renew(ctx context.Context, f Rescuer) (Rescue, error) {
	out, err := s.renew(ctx, f)
	if err != nil {
		return Rescue{}, fail("renew", err)
	}
	s.epoch.Store(out.Epoch)
	return out, nil
}

func (s *Spool) renew(ctx context.Context, f Rescuer) (out Rescue, err error) {
	if out.Epoch, err = newEpoch(); err != nil {
		return out, err
	}
	err = s.inTx(ctx, func(tx *sql.Tx) (int, error) {
		st, err := s.loadState(ctx, tx)
		if err != nil {
			return 0, err
		}
		w, err := s.rescueInto(ctx, tx, f, &out)
		if err != nil {
			return 0, err
		}
		if err := s.walkSealed(ctx, tx, st, w); err != nil {
			return 0, err
		}
		if err := w.put(Piece{Kind: PieceEnd}); err != nil {
			return 0, err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM sealed`); err != nil {
			return 0, err
		}
		if err := s.saveState(ctx, tx, state{epoch: out.Epoch, next: 1, aside: st.aside}); err != nil {
			return 0, err
		}
		return s.recount(ctx, tx)
	})
	return out, err
}

// Salvage looks through the file that Open set aside, puts what f makes of it before the records that wait, and ends
// Opening.SetAside's mention. The file itself stays where it is, for people. All in one transaction.
func (s *Spool) Salvage(ctx context.Context, f Rescuer) (Rescue, error) {
	out := Rescue{Epoch: s.Epoch()}
	err := s.inTx(ctx, func(tx *sql.Tx) (int, error) {
		st, err := s.loadState(ctx, tx)
		if err != nil || st.aside == "" {
			return 0, err
		}
		w, err := s.rescueInto(ctx, tx, f, &out)
		if err != nil {
			return 0, err
		}
		if err := s.salvageFrom(ctx, filepath.Join(filepath.Dir(s.path), st.aside), w); err != nil {
			return 0, err
		}
		if err := w.put(Piece{Kind: PieceEnd}); err != nil {
			return 0, err
		}
		st.aside = ""
		if err := s.saveState(ctx, tx, st); err != nil {
			return 0, err
		}
		return s.recount(ctx, tx)
	})
	if err != nil {
		return Rescue{}, fail("salvage", err)
	}
	return out, nil
}

// rescue writes what a Rescuer returns into pending, in front of what is there.
type rescue struct {
	put func(Piece) error
	out *Rescue
}

// front is more rows than one spool ever holds.
const front = 1 << 32

func (s *Spool) rescueInto(ctx context.Context, tx *sql.Tx, f Rescuer, out *Rescue) (*rescue, error) {
	var first int64
	if err := tx.QueryRowContext(ctx, `SELECT COALESCE(MIN(id), 1) FROM pending`).Scan(&first); err != nil {
		return nil, err
	}
	s.forgetThinned()
	id := first - front
	return &rescue{out: out, put: func(p Piece) error {
		switch p.Kind {
		case PieceSealed:
			out.Batches++
		case PieceHole:
			out.Holes++
		case PieceRecords, PieceEnd:
		}
		records, err := f(p)
		if err != nil || len(records) == 0 {
			return err
		}
		id++
		out.Records += len(records)
		return s.putPending(ctx, tx, id, records)
	}}, nil
}

// walkSealed puts every batch between the receipt and the head, reading each by its own number, so that a damaged page
// costs only what is on it.
func (s *Spool) walkSealed(ctx context.Context, q querier, st state, w *rescue) error {
	hole := false
	for seq := st.released + 1; seq < st.next; seq++ {
		var sum int64
		var body []byte
		err := q.QueryRowContext(ctx, `SELECT body, crc FROM sealed WHERE seq = $1`, int64(seq)).Scan(&body, &sum)
		if err != nil && ctx.Err() != nil {
			return err
		}
		if err != nil || sum != s.sealedSum(seq, body) {
			if !hole {
				if err := w.put(Piece{Kind: PieceHole}); err != nil {
					return err
				}
			}
			hole = true
			continue
		}
		hole = false
		if err := w.put(Piece{Kind: PieceSealed, Sealed: body}); err != nil {
			return err
		}
	}
	return nil
}

// scanSealed puts the batches of a file whose state is lost: what is there is what was not released.
func (s *Spool) scanSealed(ctx context.Context, q querier, w *rescue) error {
	if err := w.put(Piece{Kind: PieceHole}); err != nil {
		return err
	}
	_, err := each(ctx, q, `SELECT seq, body, crc FROM sealed ORDER BY seq`, func(rows *sql.Rows) error {
		var seq, sum int64
		var body []byte
		if err := rows.Scan(&seq, &body, &sum); err != nil || sum != s.sealedSum(uint64(seq), body) {
			return nil //nolint:nilerr // a row that cannot be read is part of the hole declared above
		}
		return w.put(Piece{Kind: PieceSealed, Sealed: body})
	})
	return err
}

// walkPending puts the rows of records until one cannot be reached.
func (s *Spool) walkPending(ctx context.Context, q querier, w *rescue) error {
	hole := false
	whole, err := each(ctx, q, `SELECT id, n, skip, body, crc FROM pending ORDER BY id`, func(rows *sql.Rows) error {
		c := s.scanChunk(rows)
		p := Piece{Kind: PieceRecords, Records: c.records}
		if c.damaged {
			if hole {
				return nil
			}
			p = Piece{Kind: PieceHole}
		}
		hole = p.Kind == PieceHole
		return w.put(p)
	})
	if err == nil && !whole && !hole {
		return w.put(Piece{Kind: PieceHole})
	}
	return err
}

// each calls f for the rows of a damaged table as far as they can be reached; whole says whether that was all of them.
// Only f's errors and ctx's are errors.
func each(ctx context.Context, q querier, query string, f func(*sql.Rows) error) (whole bool, err error) {
	rows, err := q.QueryContext(ctx, query)
	if err != nil {
		return false, ctx.Err()
	}
	defer func() { whole = rows.Close() == nil && whole }()
	for rows.Next() {
		if err := f(rows); err != nil {
			return false, err
		}
	}
	return rows.Err() == nil, ctx.Err()
}

// salvageFrom walks a corrupt file. What cannot be read is a hole, never an error.
func (s *Spool) salvageFrom(ctx context.Context, path string, w *rescue) error {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return w.put(Piece{Kind: PieceHole}) // somebody took it away
	}
	db, err := sql.Open("sqlite", dsn(path, "&_pragma=query_only(1)"))
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	old := &Spool{read: db, tables: crc32.MakeTable(crc32.Castagnoli)}
	st, err := old.loadState(ctx, db)
	if err != nil {
		err = old.scanSealed(ctx, db, w)
	} else {
		err = old.walkSealed(ctx, db, st, w)
	}
	if err == nil {
		err = old.walkPending(ctx, db, w)
	}
	return errors.Join(err, db.Close())
}
