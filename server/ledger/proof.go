package ledger

import (
	"fmt"

	"github.com/transparency-dev/formats/proof"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Prove returns the C2SP tlog-proof of leaf n in the tree of a signed checkpoint. The leaf itself travels as its extra data, so that the
// file is checked with no server; what makes it true is that it hashes into the tree.
func Prove(n int64, leaf, checkpoint []byte, h Head, hashes tlog.HashReader) ([]byte, error) {
	path, err := tlog.ProveRecord(h.Size, n, hashes)
	if err != nil {
		return nil, fmt.Errorf("ledger: prove leaf %d in %d: %w", n, h.Size, err)
	}
	p := proof.TLogProof{Index: uint64(n), Checkpoint: checkpoint, ExtraData: leaf}
	for _, x := range path {
		p.Hashes = append(p.Hashes, x)
	}
	return p.Marshal(), nil
}

// Proven is what a checked proof says.
type Proven struct {
	Index int64
	Leaf  Leaf
	Head  Head
	Note  *note.Note // the checkpoint with the signatures that were checked
}

// CheckProof checks a tlog-proof offline: the leaf it carries is in the tree that the log signed. others are keys of witnesses whose
// signatures are looked for; how many are enough is the caller's to say.
func CheckProof(raw []byte, origin note.Verifier, others ...note.Verifier) (Proven, error) {
	var p proof.TLogProof
	if err := p.Unmarshal(raw); err != nil {
		return Proven{}, fmt.Errorf("%w proof: %w", ErrMalformed, err)
	}
	if string(p.Marshal()) != string(raw) {
		return Proven{}, fmt.Errorf("%w proof: not in the one form it is written in", ErrMalformed)
	}
	leaf, err := ParseLeaf(p.ExtraData)
	if err != nil {
		return Proven{}, err
	}
	h, n, err := OpenHead(p.Checkpoint, origin, others...)
	if err != nil {
		return Proven{}, err
	}
	path := make(tlog.RecordProof, 0, len(p.Hashes))
	for _, x := range p.Hashes {
		path = append(path, x)
	}
	if p.Index >= uint64(h.Size) {
		return Proven{}, fmt.Errorf("%w proof: leaf %d in a tree of %d", ErrMalformed, p.Index, h.Size)
	}
	if err := tlog.CheckRecord(path, h.Size, h.Root, int64(p.Index), leaf.Hash()); err != nil {
		return Proven{}, fmt.Errorf("ledger: leaf %d is not in the tree that was signed: %w", p.Index, err)
	}
	return Proven{Index: int64(p.Index), Leaf: leaf, Head: h, Note: n}, nil
}
