package spool

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
)

// The errors callers tell apart with errors.Is.
var (
	// ErrDamaged: the next sealed batch cannot be read back. Renew the spool.
	ErrDamaged = errors.New("a sealed batch does not match its checksum")
	// ErrAhead: a receipt covers a batch that was never sealed here, so the file is older than what was sent from it.
	// Renew the spool: its next numbers were used before.
	ErrAhead = errors.New("the receipt is ahead of the spool")
	// ErrCorrupt: the file is damaged beyond a single batch. Close the Spool; the next Open sets the file aside.
	ErrCorrupt = errors.New("the spool file is corrupt")
	// ErrFull: the disk is full but for a reserve, which is kept so that batches can still be sealed and released.
	ErrFull = errors.New("the disk is full")
	// ErrQuota: the file is as large as it may be but for a reserve. Thin it.
	ErrQuota = errors.New("the spool has reached its quota")
	// ErrEpoch: the numbering that was asked about ended; Stats names the present one.
	ErrEpoch = errors.New("the spool has another epoch now")
	// ErrAside: a corrupt file was set aside and not looked through yet. Salvage it: what is in it comes first.
	ErrAside = errors.New("a file that was set aside waits to be salvaged")
	// ErrNewer: the file was made by a later version of the program.
	ErrNewer = errors.New("the spool file was made by a newer gateway")
)

// Spool is an open spool file. Its methods may be called from several goroutines.
type Spool struct {
	path   string
	write  *sql.DB // one connection
	read   *sql.DB
	tables *crc32.Table
	epoch  atomic.Value  // string
	quota  atomic.Uint64 // bytes; 0 is none

	writing sync.Mutex   // held over a write transaction and what follows from it
	waiting atomic.Int64 // records in pending; less than 0: nobody counted

	mu      sync.Mutex
	thinned map[int]int64 // by level: rows of pending up to this id have been thinned
}

// Next names the batch that is being sealed.
type Next struct {
	Epoch   string
	Seq     uint64
	Prev    [sha256.Size]byte // SHA-256 of batch Seq-1; zero when Seq is 1
	Waiting uint64            // batches sealed before this one and not released yet
	Damaged int               // rows of records that stood before these and failed their checksum: lost, to be declared
}

// Sealed is a sealed batch as it was stored.
type Sealed struct {
	Epoch string
	Seq   uint64
	Body  []byte
}

// Stats is what the spool holds.
type Stats struct {
	Epoch    string `json:"epoch"`
	Pending  uint64 `json:"pending"`   // records committed and not yet sealed
	Sealed   uint64 `json:"sealed"`    // batches sealed and not yet released
	FirstSeq uint64 `json:"first_seq"` // of the oldest batch held; 0 when none is
	NextSeq  uint64 `json:"next_seq"`  // of the batch that will be sealed next
	Released uint64 `json:"released"`  // the server has everything up to here
	Bytes    uint64 `json:"bytes"`     // size of the database
	Free     uint64 `json:"free"`      // of these, bytes inside the file that new records will fill
}

// Epoch returns the random name of the present numbering: 16 hexadecimal digits.
func (s *Spool) Epoch() string {
	e, ok := s.epoch.Load().(string)
	if !ok {
		return ""
	}
	return e
}

// Close closes the file. What was added is in it.
func (s *Spool) Close() error {
	if err := errors.Join(s.read.Close(), s.write.Close()); err != nil {
		return fmt.Errorf("spool: close: %w", err)
	}
	return nil
}

// fail wraps an error once and marks damage of the file.
func fail(what string, err error) error {
	if isCorrupt(err) && !errors.Is(err, ErrCorrupt) {
		return fmt.Errorf("spool: %s: %w: %w", what, ErrCorrupt, err)
	}
	return fmt.Errorf("spool: %s: %w", what, err)
}

// state is the one row that says where the numbering stands.
type state struct {
	epoch    string
	next     uint64
	released uint64
	prev     [sha256.Size]byte
	aside    string // a corrupt file whose contents were not looked through yet
}

// querier is what a transaction and a pool have in common.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func (s *Spool) loadState(ctx context.Context, q querier) (st state, err error) {
	var next, released, sum int64
	var prev []byte
	err = q.QueryRowContext(ctx, `SELECT epoch, next_seq, released, prev, aside, crc FROM state WHERE id = 1`).
		Scan(&st.epoch, &next, &released, &prev, &st.aside, &sum)
	if err != nil {
		return st, fmt.Errorf("state: %w", err)
	}
	st.next, st.released = uint64(next), uint64(released)
	if copy(st.prev[:], prev); len(prev) != len(st.prev) || sum != s.stateSum(st) || st.next == 0 || st.released >= st.next {
		return st, fmt.Errorf("state: %w", ErrCorrupt)
	}
	return st, nil
}

func (s *Spool) saveState(ctx context.Context, q querier, st state) error {
	_, err := q.ExecContext(ctx, `INSERT INTO state (id, epoch, next_seq, released, prev, aside, crc) VALUES (1, $1, $2, $3, $4, $5, $6)
		ON CONFLICT (id) DO UPDATE SET epoch = excluded.epoch, next_seq = excluded.next_seq, released = excluded.released,
			prev = excluded.prev, aside = excluded.aside, crc = excluded.crc`,
		st.epoch, int64(st.next), int64(st.released), st.prev[:], st.aside, s.stateSum(st))
	if err != nil {
		return fmt.Errorf("state: %w", err)
	}
	return nil
}

// inTx runs f in one write transaction and commits it: durable when nil. f returns how many records more wait in pending.
func (s *Spool) inTx(ctx context.Context, f func(tx *sql.Tx) (more int, err error)) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	more, err := f(tx)
	if err != nil {
		if undo := tx.Rollback(); undo != nil && !errors.Is(undo, sql.ErrTxDone) {
			return errors.Join(err, undo)
		}
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	s.waiting.Add(int64(more))
	return nil
}

// recount is what f of inTx returns when it does not know: it looks at every row.
func (s *Spool) recount(ctx context.Context, q querier) (more int, err error) {
	n, err := countPending(ctx, q)
	return int(n - s.waiting.Load()), err
}

func countPending(ctx context.Context, q querier) (n int64, err error) {
	err = q.QueryRowContext(ctx, `SELECT CAST(COALESCE(SUM(n - skip), 0) AS INTEGER) FROM pending`).Scan(&n)
	return n, err
}

// Stats counts what the spool holds.
func (s *Spool) Stats(ctx context.Context) (Stats, error) {
	tx, err := s.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return Stats{}, fail("stats", err)
	}
	st, err := s.stats(ctx, tx)
	if err := errors.Join(err, tx.Rollback()); err != nil {
		return Stats{}, fail("stats", err)
	}
	return st, nil
}

func (s *Spool) stats(ctx context.Context, q querier) (Stats, error) {
	st, err := s.loadState(ctx, q)
	if err != nil {
		return Stats{}, err
	}
	out := Stats{Epoch: st.epoch, NextSeq: st.next, Released: st.released}
	var first int64
	var total, free uint64
	err = errors.Join(
		q.QueryRowContext(ctx, `SELECT COUNT(*), COALESCE(MIN(seq), 0) FROM sealed`).Scan(&out.Sealed, &first),
		size(ctx, q, &total, &free),
	)
	waiting := s.waiting.Load()
	if waiting < 0 && err == nil {
		waiting, err = countPending(ctx, q)
	}
	out.FirstSeq, out.Bytes, out.Free, out.Pending = uint64(first), total, free, uint64(max(waiting, 0))
	return out, err
}

// ReadStats reads the file at path without changing it, also while a gateway is running on it.
func ReadStats(ctx context.Context, path string) (st Stats, err error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return Stats{}, fmt.Errorf("spool: %w (no gateway ran here yet)", err)
	} else if err != nil {
		return Stats{}, fmt.Errorf("spool: %w", err)
	}
	db, err := sql.Open("sqlite", dsn(path, "&mode=ro"))
	if err != nil {
		return Stats{}, fail("stats", err)
	}
	s := &Spool{path: path, read: db, write: db, tables: crc32.MakeTable(crc32.Castagnoli)}
	s.waiting.Store(-1)
	st, err = s.Stats(ctx)
	return st, errors.Join(err, db.Close())
}

func newEpoch() (string, error) {
	var b [8]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", fmt.Errorf("epoch: %w", err)
	}
	return hex.EncodeToString(b[:]), nil
}
