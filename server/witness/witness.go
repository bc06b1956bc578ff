package witness

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"aovuon/server/ledger"
)

// The refusals. The answers of tlog-witness belong to them.
var (
	ErrUnknownLog = errors.New("witness: this log is not known here")                              // 404
	ErrUnsigned   = errors.New("witness: not signed by the log's key")                             // 403
	ErrOldTooBig  = errors.New("witness: the old size is larger than the head's")                  // 400
	ErrRewritten  = errors.New("witness: the head does not extend the one that was seen: refused") // 422
	ErrMalformed  = errors.New("witness: the request is not what tlog-witness says it should be")  // 400
)

// Store keeps the newest head seen of each log.
type Store interface {
	// Update calls f with the checkpoint seen last of a log (nil: none) and keeps what f returns, durably, before it returns nil. No other
	// Update of the same log runs between the two. An error of f is returned as it is, and nothing is changed.
	Update(ctx context.Context, origin string, f func(old []byte) (checkpoint []byte, err error)) error
}

// Witness cosigns heads of the logs it knows.
type Witness struct {
	store  Store
	signer note.Signer // of timestamped cosignatures (0x04)
	logs   map[string]note.Verifier
}

// New returns a witness for some logs.
func New(store Store, signer note.Signer, logs ...note.Verifier) *Witness {
	w := &Witness{store: store, signer: signer, logs: make(map[string]note.Verifier, len(logs))}
	for _, v := range logs {
		w.logs[v.Name()] = v
	}
	return w
}

// Add checks a head against the one seen before it and returns the witness's signature line, once the new head is kept. The error is one
// of this package, or a *ledger.StaleError where old is not the size seen last.
func (w *Witness) Add(ctx context.Context, old int64, proof []tlog.Hash, checkpoint []byte) (line []byte, err error) {
	origin, _, _ := bytes.Cut(checkpoint, []byte("\n"))
	log, ok := w.logs[string(origin)]
	if !ok {
		return nil, ErrUnknownLog
	}
	h, n, err := ledger.OpenHead(checkpoint, log)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnsigned, err)
	}
	if old > h.Size {
		return nil, ErrOldTooBig
	}
	err = w.store.Update(ctx, log.Name(), func(seen []byte) ([]byte, error) {
		var last ledger.Head
		if seen != nil {
			if last, _, err = ledger.OpenHead(seen, log); err != nil {
				return nil, fmt.Errorf("witness: the head kept of %s: %w", log.Name(), err)
			}
		}
		if err := extends(last, old, h, proof); err != nil {
			return nil, err
		}
		return checkpoint, nil
	})
	if err != nil {
		return nil, err
	}
	signed, err := note.Sign(&note.Note{Text: n.Text}, w.signer)
	if err != nil {
		return nil, fmt.Errorf("witness: sign: %w", err)
	}
	_, lines, _ := bytes.Cut(signed, []byte("\n\n"))
	return lines, nil
}

// extends checks that h, by a consistency proof from old leaves, has in it the head seen last.
func extends(last ledger.Head, old int64, h ledger.Head, proof []tlog.Hash) error {
	switch {
	case old != last.Size:
		return &ledger.StaleError{Size: last.Size}
	case old == 0 || old == h.Size:
		if len(proof) > 0 || old == h.Size && old > 0 && h.Root != last.Root {
			return ErrRewritten
		}
		return nil
	}
	if err := tlog.CheckTree(proof, h.Size, h.Root, last.Size, last.Root); err != nil {
		return fmt.Errorf("%w: %w", ErrRewritten, err)
	}
	return nil
}
