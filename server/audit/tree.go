package audit

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"aovuon/server/ledger"
)

const (
	tileHeight = ledger.TileHeight
	tileWidth  = 1 << tileHeight
)

// tree is the ledger as it was downloaded and recomputed.
type tree struct {
	leaves []ledger.Leaf
	stored []tlog.Hash // by tlog's index, computed from the leaves alone
	bodies map[int64][]byte
	newest map[key]int64 // leaf, by kind and subject
}

type key struct {
	kind    ledger.Kind
	subject string
}

// ReadHashes implements tlog.HashReader.
func (t *tree) ReadHashes(at []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(at))
	for i, x := range at {
		if x < 0 || x >= int64(len(t.stored)) {
			return nil, fmt.Errorf("audit: hash %d of %d", x, len(t.stored))
		}
		out[i] = t.stored[x]
	}
	return out, nil
}

// readTree downloads every leaf of the tree that the policy's log signed, and compares every tile of hashes.
func (a *auditor) readTree(ctx context.Context) error {
	raw, err := a.src.Checkpoint(ctx)
	if err != nil {
		return fmt.Errorf("audit: the signed head: %w", err)
	}
	if err := a.openHead(raw); err != nil {
		return err
	}
	a.tree = &tree{bodies: map[int64][]byte{}, newest: map[key]int64{}}
	for n := int64(0); n*tileWidth < a.report.Head.Size; n++ {
		if err := a.readEntries(ctx, n); err != nil {
			return err
		}
	}
	a.report.Leaves = int64(len(a.tree.leaves))
	root, err := tlog.TreeHash(a.report.Head.Size, a.tree)
	if err != nil {
		return fmt.Errorf("audit: root: %w", err)
	}
	if root != a.report.Head.Root {
		a.report.find("tree", "its %d leaves have the root %s, the signed head says %s", a.report.Head.Size, root, a.report.Head.Root)
	}
	a.checkOldHead()
	if s, ok := a.src.(stored); ok {
		if err := a.compareStored(s.LedgerHashes(ctx)); err != nil {
			return err
		}
	}
	return a.compareTiles(ctx)
}

// stored is a source that shows every hash it keeps, also those within tiles that nobody is served.
type stored interface {
	LedgerHashes(ctx context.Context) tlog.HashReader
}

func (a *auditor) compareStored(r tlog.HashReader) error {
	for i, want := range a.tree.stored {
		got, err := r.ReadHashes([]int64{int64(i)})
		if err != nil {
			return fmt.Errorf("audit: %w", err)
		}
		if got[0] != want {
			a.report.find(fmt.Sprintf("stored hash %d", i), "is not what the leaves come to")
		}
	}
	return nil
}

func (a *auditor) openHead(raw []byte) error {
	witnesses := make([]note.Verifier, 0, len(a.policy.Witnesses))
	for _, w := range a.policy.Witnesses {
		witnesses = append(witnesses, w.Verifier)
	}
	err := errors.New("audit: the policy names no log")
	for _, l := range a.policy.Logs {
		var n *note.Note
		if a.report.Head, n, err = ledger.OpenHead(raw, l.Verifier, witnesses...); err == nil {
			a.log, a.report.Signed = l, raw
			a.report.Seen = a.policy.SeenBy(n)
			a.report.Enough = a.policy.Enough(a.report.Seen)
			return nil
		}
	}
	return fmt.Errorf("audit: the signed head: %w", err)
}

// checkOldHead compares the tree with a head that was kept from before: what was signed then must be in it.
func (a *auditor) checkOldHead() {
	if a.old == nil {
		return
	}
	old, _, err := ledger.OpenHead(a.old, a.log.Verifier)
	switch {
	case err != nil:
		a.report.find("head kept from before", "%v", err)
	case old.Size > a.report.Head.Size:
		a.report.find("tree", "%d leaves, but %d had been signed before: its end is cut off", a.report.Head.Size, old.Size)
	default:
		if root, err := tlog.TreeHash(old.Size, a.tree); err != nil || root != old.Root {
			a.report.find("tree", "its first %d leaves are not those that had been signed before: its past was rewritten", old.Size)
		}
	}
}

// tilePath names tile n of a level with a number of entries in the tree; level "entries" for the leaves.
func tilePath(level string, n, total int64) (path string, width int) {
	width = int(min(total-n*tileWidth, tileWidth))
	t := tlog.Tile{H: tileHeight, L: 0, N: n, W: width}
	return level + t.Path()[len("tile/8/0"):], width
}

// readEntries reads leaves n*256 and on.
func (a *auditor) readEntries(ctx context.Context, n int64) error {
	path, width := tilePath("entries", n, a.report.Head.Size)
	raw, err := a.src.Tile(ctx, path)
	if err != nil {
		return fmt.Errorf("audit: tile %s: %w", path, err)
	}
	a.report.Tiles++
	for i := range width {
		if len(raw) < 2 || len(raw)-2 < int(binary.BigEndian.Uint16(raw)) {
			return fmt.Errorf("audit: tile %s: cut off at leaf %d", path, i)
		}
		size := int(binary.BigEndian.Uint16(raw))
		text := raw[2 : 2+size]
		raw = raw[2+size:]
		at := int64(len(a.tree.leaves))
		leaf, err := ledger.ParseLeaf(text)
		if err != nil {
			a.report.find(fmt.Sprintf("leaf %d", at), "%v", err)
		}
		hashes, err := tlog.StoredHashes(at, text, a.tree)
		if err != nil {
			return fmt.Errorf("audit: leaf %d: %w", at, err)
		}
		a.tree.leaves, a.tree.stored = append(a.tree.leaves, leaf), append(a.tree.stored, hashes...)
		a.link(at, leaf)
	}
	if len(raw) > 0 {
		a.report.find("tile "+path, "%d bytes after its leaves", len(raw))
	}
	return nil
}

// link checks that a leaf names the one before it of its kind and subject.
func (a *auditor) link(n int64, l ledger.Leaf) {
	k := key{l.Kind, l.Subject}
	before, ok := a.tree.newest[k]
	a.tree.newest[k] = n
	switch {
	case !ok && l.Previous != nil:
		a.report.find(fmt.Sprintf("leaf %d", n), "names a leaf before it, and there is none of %s %s", l.Kind, l.Subject)
	case ok && (l.Previous == nil || *l.Previous != a.tree.leaves[before].Hash()):
		a.report.find(fmt.Sprintf("leaf %d", n), "does not name leaf %d, the one before it of %s %s", before, l.Kind, l.Subject)
	}
}

// compareTiles compares the tiles of hashes with what the leaves come to.
func (a *auditor) compareTiles(ctx context.Context) error {
	for level := 0; ; level++ {
		total := a.report.Head.Size >> (tileHeight * level)
		if total == 0 {
			return nil
		}
		for n := int64(0); n*tileWidth < total; n++ {
			path, width := tilePath(fmt.Sprint(level), n, total)
			got, err := a.src.Tile(ctx, path)
			if err != nil {
				return fmt.Errorf("audit: tile %s: %w", path, err)
			}
			a.report.Tiles++
			want, err := tlog.ReadTileData(tlog.Tile{H: tileHeight, L: level, N: n, W: width}, a.tree)
			if err != nil {
				return fmt.Errorf("audit: tile %s: %w", path, err)
			}
			if !bytes.Equal(got, want) {
				a.report.find("tile "+path, "is not what its leaves come to")
			}
		}
	}
}

// readBodies fetches what public leaves are hashes of.
func (a *auditor) readBodies(ctx context.Context) error {
	for n, l := range a.tree.leaves {
		if !l.Kind.Public() {
			continue
		}
		salt, body, err := a.src.Body(ctx, int64(n))
		switch {
		case errors.Is(err, ErrAbsent):
			a.report.Erased++
			continue
		case err != nil:
			return fmt.Errorf("audit: body of leaf %d: %w", n, err)
		}
		a.report.Bodies++
		if ledger.ContentHash(salt, body) != l.Content {
			a.report.find(fmt.Sprintf("body of leaf %d (%s %s)", n, l.Kind, l.Subject), "is not what was recorded")
			continue
		}
		a.tree.bodies[int64(n)] = body
	}
	return nil
}
