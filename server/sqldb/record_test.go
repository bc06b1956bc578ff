package sqldb

import (
	"errors"
	"path/filepath"
	"testing"
)

func TestRecord_RowsTheLedgerDoesNotSpeakOfAreNotCommitted(t *testing.T) {
	db, err := Open(t.Context(), Config{Driver: SQLite, DSN: filepath.Join(t.TempDir(), "server.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	err = db.record(t.Context(), "forget", func(r *record) error {
		_, err := r.ExecContext(t.Context(), `INSERT INTO product (gtin, name_vi, name_en) VALUES ('1', 'a', 'b')`)
		return err
	})
	if !errors.Is(err, errUnsaid) {
		t.Fatalf("error %v, want %v", err, errUnsaid)
	}
	var n int
	if err := db.read.QueryRowContext(t.Context(), `SELECT COUNT(*) FROM product`).Scan(&n); err != nil || n != 0 {
		t.Errorf("%d rows, %v", n, err)
	}
}
