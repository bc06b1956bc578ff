package ledger

import (
	"encoding/base64"
	"fmt"
	"slices"

	"github.com/transparency-dev/formats/log"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Head is what a signed checkpoint (C2SP tlog-checkpoint) says of a tree.
type Head struct {
	Origin string // name of the log, which is that of its key
	Size   int64  // leaves
	Root   tlog.Hash
}

// Sign returns the checkpoint of h as a signed note.
func (h Head) Sign(signers ...note.Signer) ([]byte, error) {
	text := log.Checkpoint{Origin: h.Origin, Size: uint64(h.Size), Hash: h.Root[:]}.Marshal()
	raw, err := note.Sign(&note.Note{Text: string(text)}, signers...)
	if err != nil {
		return nil, fmt.Errorf("ledger: sign head of %d leaves: %w", h.Size, err)
	}
	return raw, nil
}

// ParseHead reads the text of a checkpoint: three lines and nothing after them. Its errors wrap ErrMalformed.
func ParseHead(text string) (Head, error) {
	var c log.Checkpoint
	rest, err := c.Unmarshal([]byte(text))
	if err != nil {
		return Head{}, fmt.Errorf("%w checkpoint: %w", ErrMalformed, err)
	}
	h := Head{Origin: c.Origin, Size: int64(c.Size)}
	if len(rest) > 0 || len(c.Hash) != len(h.Root) || h.Size < 0 {
		return Head{}, fmt.Errorf("%w checkpoint: want an origin, a size and a hash of %d bytes, each a line, and no more", ErrMalformed, len(h.Root))
	}
	copy(h.Root[:], c.Hash)
	if again := (log.Checkpoint{Origin: c.Origin, Size: c.Size, Hash: c.Hash}).Marshal(); string(again) != text {
		return Head{}, fmt.Errorf("%w checkpoint: not in the one form it is written in", ErrMalformed)
	}
	return h, nil
}

// OpenHead reads a signed checkpoint that the log itself signed, and others perhaps: the note holds the signatures of known keys.
func OpenHead(raw []byte, origin note.Verifier, others ...note.Verifier) (Head, *note.Note, error) {
	n, err := note.Open(raw, note.VerifierList(append([]note.Verifier{origin}, others...)...))
	if err != nil {
		return Head{}, nil, fmt.Errorf("ledger: checkpoint: %w", err)
	}
	for _, sig := range slices.Concat(n.Sigs, n.UnverifiedSigs) { // one form alone, so that no bit of a proof says nothing
		if _, err := base64.StdEncoding.Strict().DecodeString(sig.Base64); err != nil {
			return Head{}, nil, fmt.Errorf("%w checkpoint: signature of %s: %w", ErrMalformed, sig.Name, err)
		}
	}
	h, err := ParseHead(n.Text)
	if err != nil {
		return Head{}, nil, err
	}
	if h.Origin != origin.Name() {
		return Head{}, nil, fmt.Errorf("ledger: checkpoint of %q, want one of %q", h.Origin, origin.Name())
	}
	for _, s := range n.Sigs {
		if s.Name == origin.Name() && s.Hash == origin.KeyHash() {
			return h, n, nil
		}
	}
	return Head{}, nil, fmt.Errorf("ledger: checkpoint: no signature of the log %q itself", origin.Name())
}
