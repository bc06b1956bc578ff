package ledger

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// ErrRewritten says that the tree on disk is not the one that was signed before: somebody changed what had been recorded.
var ErrRewritten = errors.New("the recorded tree is not the one that was signed")

// Tree is where leaves, hashes and signed heads are kept.
type Tree interface {
	LedgerSize(ctx context.Context) (int64, error)
	LedgerHashes(ctx context.Context) tlog.HashReader
	// Checkpoint returns the newest signed head of at least size leaves, nil where there is none.
	Checkpoint(ctx context.Context, size int64) ([]byte, error)
	SaveCheckpoint(ctx context.Context, size int64, note []byte, at time.Time) error
	// Enter appends a leaf, unless the newest of its kind and subject says the same.
	Enter(ctx context.Context, e Entry) (added bool, err error)
}

// Publisher signs the tree's head when the tree has grown. A head that does not extend the one signed before is never signed.
type Publisher struct {
	o        PublisherOptions
	verifier note.Verifier

	size  int64 // of the tree that was found signed last
	named bool  // the log's key is known to be in the tree

	mu    sync.Mutex
	fault error
}

// PublisherOptions are what a Publisher works with.
type PublisherOptions struct {
	Tree   Tree
	Signer note.Signer // its name is the log's origin
	VKey   string      // the signer's public half
	Every  time.Duration
	Now    func() time.Time
	Log    *slog.Logger
}

// NewPublisher returns a publisher; Run does the work.
func NewPublisher(o PublisherOptions) (*Publisher, error) {
	v, err := note.NewVerifier(o.VKey)
	if err != nil {
		return nil, fmt.Errorf("ledger: key of the log: %w", err)
	}
	if v.Name() != o.Signer.Name() || v.KeyHash() != o.Signer.KeyHash() {
		return nil, fmt.Errorf("ledger: key of the log: the public half is not that of %s", o.Signer.Name())
	}
	return &Publisher{o: o, verifier: v}, nil
}

// Verifier checks heads of this log.
func (p *Publisher) Verifier() note.Verifier { return p.verifier }

// VKey is the log's public key, as policies and people name it.
func (p *Publisher) VKey() string { return p.o.VKey }

// SignStatement signs what is no head of the tree: the signing input of a JSON Web Signature, which is one line without an end. A head, as all
// that notes say, ends its lines, so the one can never be taken for the other.
func (p *Publisher) SignStatement(input []byte) ([]byte, error) {
	if bytes.ContainsAny(input, "\r\n") || len(input) == 0 {
		return nil, errors.New("ledger: a statement is one line")
	}
	return p.o.Signer.Sign(input)
}

// Fault returns why no head is signed, nil while all is well.
func (p *Publisher) Fault() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.fault
}

// keySaid is the body of a LedgerKey leaf.
type keySaid struct {
	Origin string `json:"origin"`
	VKey   string `json:"vkey"`
}

// Run enters the log's key, checks that the tree still extends the newest signed head, and then signs a head whenever the tree has
// grown, until ctx is done. What fails is logged once and tried again; a rewritten tree stays unsigned, and Fault says so.
func (p *Publisher) Run(ctx context.Context) error {
	tick := time.NewTicker(p.o.Every)
	defer tick.Stop()
	for {
		err := p.Step(ctx)
		if ctx.Err() != nil {
			return nil
		}
		p.mu.Lock()
		news := err != nil && (p.fault == nil || p.fault.Error() != err.Error())
		p.fault = err
		p.mu.Unlock()
		if news {
			p.o.Log.Error("the head of the ledger is not signed", slog.Any("err", err))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Step signs the head of the tree as it is, unless it was signed already.
func (p *Publisher) Step(ctx context.Context) error {
	size, err := p.o.Tree.LedgerSize(ctx)
	if err != nil {
		return err
	}
	if size == p.size && p.Fault() == nil && p.size > 0 {
		return nil
	}
	hashes := p.o.Tree.LedgerHashes(ctx)
	old, err := p.extended(ctx, size, hashes)
	if err != nil {
		return err
	}
	if !p.named { // not before the tree has been found to be the one that was signed
		if size, err = p.enterKey(ctx); err != nil {
			return err
		}
		p.named = true
	}
	if size > old {
		if err := p.sign(ctx, size, hashes); err != nil {
			return err
		}
	}
	p.size = size
	return nil
}

func (p *Publisher) sign(ctx context.Context, size int64, hashes tlog.HashReader) error {
	root, err := tlog.TreeHash(size, hashes)
	if err != nil {
		return fmt.Errorf("ledger: root of %d leaves: %w", size, err)
	}
	raw, err := Head{Origin: p.o.Signer.Name(), Size: size, Root: root}.Sign(p.o.Signer)
	if err != nil {
		return err
	}
	return p.o.Tree.SaveCheckpoint(ctx, size, raw, p.o.Now())
}

// enterKey enters the log's key, unless it is there, and returns the size of the tree.
func (p *Publisher) enterKey(ctx context.Context) (size int64, err error) {
	body, err := json.Marshal(keySaid{Origin: p.o.Signer.Name(), VKey: p.o.VKey})
	if err != nil {
		return 0, fmt.Errorf("ledger: %w", err)
	}
	e := Entry{Kind: LedgerKey, Subject: p.o.Signer.Name(), Body: body, By: By{Actor: Server, At: p.o.Now()}}
	if _, err := p.o.Tree.Enter(ctx, e); err != nil {
		return 0, err
	}
	return p.o.Tree.LedgerSize(ctx)
}

// extended checks that a tree of size leaves has in it the one of the newest signed head, and returns the size of that; 0: none was signed.
func (p *Publisher) extended(ctx context.Context, size int64, hashes tlog.HashReader) (signed int64, err error) {
	raw, err := p.o.Tree.Checkpoint(ctx, 0)
	if err != nil || raw == nil {
		return 0, err
	}
	old, _, err := OpenHead(raw, p.verifier)
	if err != nil {
		return 0, fmt.Errorf("%w (the newest signed head cannot be read; was the log's key replaced?)", err)
	}
	if old.Size > size {
		return 0, fmt.Errorf("ledger: %w: %d leaves were signed, %d are there", ErrRewritten, old.Size, size)
	}
	was, err := tlog.TreeHash(old.Size, hashes)
	if err != nil {
		return 0, fmt.Errorf("ledger: root of %d leaves: %w", old.Size, err)
	}
	if was != old.Root {
		return 0, fmt.Errorf("ledger: %w: the first %d leaves are others", ErrRewritten, old.Size)
	}
	return old.Size, nil
}
