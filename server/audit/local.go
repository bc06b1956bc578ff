package audit

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"aovuon/server/ledger"
	"aovuon/server/sqldb"
	"aovuon/server/trace/flow"
)

// Local is a server's own database, audited where it lies. It shows what the database holds, batches included.
type Local struct{ DB *sqldb.DB }

// Checkpoint implements Source.
func (s *Local) Checkpoint(ctx context.Context) ([]byte, error) {
	raw, err := s.DB.Checkpoint(ctx, 0)
	if err == nil && raw == nil {
		err = fmt.Errorf("no head was ever signed: %w", ErrAbsent)
	}
	return raw, err
}

// Tile implements Source.
func (s *Local) Tile(ctx context.Context, path string) ([]byte, error) {
	t, err := ledger.ParseTile(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAbsent, err)
	}
	return ledger.ReadTile(ctx, s.DB, t)
}

// Body implements Source.
func (s *Local) Body(ctx context.Context, n int64) (salt, body []byte, err error) {
	salt, body, err = s.DB.LedgerBody(ctx, n)
	if errors.Is(err, ledger.ErrNoLeaf) || err == nil && salt == nil && body == nil {
		return nil, nil, fmt.Errorf("body %d: %w", n, ErrAbsent)
	}
	return salt, body, err
}

// Batches implements Source.
func (s *Local) Batches(ctx context.Context, n int64) ([][]byte, error) {
	list, err := s.DB.SealedBatches(ctx, n*tileWidth+1, (n+1)*tileWidth+1)
	if err == nil && len(list) == 0 {
		err = ErrAbsent
	}
	return list, err
}

// Rows implements Source.
func (s *Local) Rows(ctx context.Context) ([]ledger.Row, error) { return s.DB.LedgerRows(ctx) }

// Accounts shows who may do what.
func (s *Local) Accounts(ctx context.Context) ([]ledger.Row, error) { return s.DB.AccountRows(ctx) }

// AccountMarks shows salted hashes of what lets somebody in.
func (s *Local) AccountMarks(ctx context.Context, id string, salt []byte) (map[string]string, error) {
	return s.DB.AccountMarks(ctx, id, salt)
}

// Changes shows what is kept of people, of gateways' settings, of the farm's register, of the diary and of goods.
func (s *Local) Changes(ctx context.Context) ([]ledger.Row, []string, error) {
	rows, err := s.DB.ChangeRows(ctx)
	book, errB := s.DB.BookRows(ctx)
	goods, errG := s.DB.GoodsRows(ctx)
	tables := append(sqldb.ChangeTables(), string(ledger.RecordSaved), string(ledger.EntryKept), string(ledger.GoodsMoved))
	return slices.Concat(rows, book, goods), tables, errors.Join(err, errB, errG)
}

// Goods shows all there is of goods.
func (s *Local) Goods(ctx context.Context) (flow.Books, error) {
	return s.DB.GoodsBooks(ctx)
}

// LedgerSize shows how many leaves there are, signed or not.
func (s *Local) LedgerSize(ctx context.Context) (int64, error) { return s.DB.LedgerSize(ctx) }

// LedgerHashes shows every hash that is kept.
func (s *Local) LedgerHashes(ctx context.Context) tlog.HashReader { return s.DB.LedgerHashes(ctx) }

// EdgeFaults shows whose edges are not what the diary and the goods events stand for.
func (s *Local) EdgeFaults(ctx context.Context, most int) ([]string, error) {
	return s.DB.EdgeFaults(ctx, most)
}
