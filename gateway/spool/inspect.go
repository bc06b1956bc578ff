package spool

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
)

// Inspection is what a look into a spool file found.
type Inspection struct {
	Stats
	Oldest []byte // the oldest sealed batch without a receipt; nil when none waits
}

// Inspect reads a spool file, also while a gateway works with it, and changes nothing: it checks the file's structure, its
// state, and the oldest batch that waits. The error wraps ErrCorrupt or ErrDamaged when what is there is not what was
// written, and fs.ErrNotExist when there is no file.
func Inspect(ctx context.Context, path string) (in Inspection, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return in, fmt.Errorf("spool: inspect: %w", err)
	}
	if info.Size() == 0 {
		return in, fmt.Errorf("spool: inspect %s: an empty file: %w", path, ErrCorrupt)
	}
	db, err := sql.Open("sqlite", dsn(path, "&mode=ro"))
	if err != nil {
		return in, fail("inspect", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	s := &Spool{path: path, read: db, write: db, tables: crc32.MakeTable(crc32.Castagnoli)}
	s.waiting.Store(-1)
	st, err := s.check(ctx)
	if err != nil {
		return in, fail("inspect", err)
	}
	s.epoch.Store(st.epoch)
	if in.Stats, err = s.Stats(ctx); err != nil {
		return in, err
	}
	batches, err := s.After(ctx, st.epoch, st.released, 1)
	if err != nil {
		return in, err
	}
	if len(batches) > 0 {
		in.Oldest = batches[0].Body
	}
	return in, nil
}
