package ledger

import (
	"context"
	"encoding/binary"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// TileHeight is that of tlog-tiles: a tile is 256 hashes or leaves wide.
const TileHeight = 8

// Leaves is where tiles are read from.
type Leaves interface {
	LedgerHashes(ctx context.Context) tlog.HashReader
	LedgerLeaves(ctx context.Context, from, to int64) ([][]byte, error)
}

// ParseTile reads the path of a C2SP tlog-tiles resource, as in "0/000" or "entries/001.p/44"; the level of entries is -1. Its error
// wraps ErrNoLeaf.
func ParseTile(path string) (tlog.Tile, error) {
	rest, entries := strings.CutPrefix(path, "entries/")
	if entries {
		rest = "data/" + rest
	}
	t, err := tlog.ParseTilePath(fmt.Sprintf("tile/%d/%s", TileHeight, rest))
	if err != nil || entries != (t.L < 0) {
		return tlog.Tile{}, fmt.Errorf("%w: tile %q", ErrNoLeaf, path)
	}
	return t, nil
}

// ReadTile returns the bytes of a tile.
func ReadTile(ctx context.Context, from Leaves, t tlog.Tile) ([]byte, error) {
	if t.L >= 0 {
		return tlog.ReadTileData(t, from.LedgerHashes(ctx))
	}
	first := t.N << TileHeight
	leaves, err := from.LedgerLeaves(ctx, first, first+int64(t.W))
	if err != nil {
		return nil, err
	}
	if len(leaves) != t.W {
		return nil, fmt.Errorf("ledger: leaves %d to %d: %d are there", first, first+int64(t.W)-1, len(leaves))
	}
	var out []byte
	for _, l := range leaves {
		out = binary.BigEndian.AppendUint16(out, uint16(len(l)))
		out = append(out, l...)
	}
	return out, nil
}
