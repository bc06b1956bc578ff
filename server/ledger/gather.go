package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Asker asks a witness to cosign; witness.Client is one.
type Asker interface {
	// Ask sends a head and the proof that it extends the one of old leaves. It returns signature lines of notes; the error is a StaleError
	// where the witness saw another size last.
	Ask(ctx context.Context, url string, old int64, proof []tlog.Hash, checkpoint []byte) (lines []byte, err error)
}

// StaleError says that a witness saw a tree of another size last.
type StaleError struct{ Size int64 }

func (e *StaleError) Error() string { return fmt.Sprintf("the witness saw %d leaves last", e.Size) }

// Gatherer has the witnesses of a policy cosign every new head. Heads are published without them: a witness that does not answer holds
// nothing up.
type Gatherer struct {
	tree   Tree
	log    note.Verifier
	policy *Policy
	asker  Asker
	now    func() time.Time
	slog   *slog.Logger
	last   map[string]int64 // size each witness saw last, by its name in the policy
	failed map[string]string
}

// NewGatherer returns a gatherer; Run does the work.
func NewGatherer(tree Tree, log note.Verifier, p *Policy, a Asker, now func() time.Time, l *slog.Logger) *Gatherer {
	return &Gatherer{tree: tree, log: log, policy: p, asker: a, now: now, slog: l, last: map[string]int64{}, failed: map[string]string{}}
}

// gatherEvery is how often a new head is looked for.
const gatherEvery = 5 * time.Second

// Run asks until ctx is done.
func (g *Gatherer) Run(ctx context.Context) error {
	tick := time.NewTicker(gatherEvery)
	defer tick.Stop()
	for {
		if err := g.Step(ctx); err != nil && ctx.Err() == nil {
			g.slog.Warn("witnesses are not asked", slog.Any("err", err))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Step asks every witness that has not seen the newest head, and keeps what they sign.
func (g *Gatherer) Step(ctx context.Context) error {
	raw, err := g.tree.Checkpoint(ctx, 0)
	if err != nil || raw == nil {
		return err
	}
	verifiers := make([]note.Verifier, 0, len(g.policy.Witnesses))
	for _, w := range g.policy.Witnesses {
		verifiers = append(verifiers, w.Verifier)
	}
	h, n, err := OpenHead(raw, g.log, verifiers...)
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, s := range g.policy.SeenBy(n) {
		seen[s.Name] = true
		g.last[s.Name] = h.Size
	}
	all := raw
	for _, w := range g.policy.Witnesses {
		if w.URL == "" || seen[w.Name] {
			continue
		}
		lines, err := g.ask(ctx, w, h, raw)
		g.tell(w, err)
		if err == nil {
			all = append(bytes.Clone(all), lines...)
		}
	}
	if bytes.Equal(all, raw) {
		return nil
	}
	return g.tree.SaveCheckpoint(ctx, h.Size, all, g.now())
}

// tell logs a failure once, and its end.
func (g *Gatherer) tell(w PolicyWitness, err error) {
	switch was := g.failed[w.Name]; {
	case err == nil && was != "":
		g.slog.Info("witness signs again", slog.String("witness", w.Name))
		delete(g.failed, w.Name)
	case err != nil && err.Error() != was:
		g.slog.Warn("witness does not sign", slog.String("witness", w.Name), slog.String("url", w.URL), slog.Any("err", err))
		g.failed[w.Name] = err.Error()
	}
}

// ask returns the signature lines of one witness, each checked. A witness that saw another size is asked again from there.
func (g *Gatherer) ask(ctx context.Context, w PolicyWitness, h Head, raw []byte) ([]byte, error) {
	for range 2 {
		old := min(g.last[w.Name], h.Size)
		var proof []tlog.Hash
		if old > 0 && old < h.Size {
			p, err := tlog.ProveTree(h.Size, old, g.tree.LedgerHashes(ctx))
			if err != nil {
				return nil, err
			}
			proof = p
		}
		lines, err := g.asker.Ask(ctx, w.URL, old, proof, raw)
		if stale, ok := errors.AsType[*StaleError](err); ok && stale.Size != old && stale.Size <= h.Size {
			g.last[w.Name] = stale.Size
			continue
		}
		if err != nil {
			return nil, err
		}
		kept, err := own(raw, lines, w.Verifier)
		if err == nil {
			g.last[w.Name] = h.Size
		}
		return kept, err
	}
	return nil, errors.New("the witness does not say which size it saw last")
}

// own returns, of signature lines, the one of a witness on a checkpoint, checked.
func own(checkpoint, lines []byte, v note.Verifier) ([]byte, error) {
	text, _, _ := bytes.Cut(checkpoint, []byte("\n\n"))
	n, err := note.Open(append(bytes.Clone(checkpoint), lines...), note.VerifierList(v))
	if err == nil && n.Text != string(text)+"\n" { // an empty line in the answer makes a longer text of the note, and that is what was signed
		err = errors.New("it is of another text")
	}
	if err != nil {
		return nil, fmt.Errorf("what the witness answered is no signature of its key on the head: %w", err)
	}
	s := n.Sigs[0]
	return fmt.Appendf(nil, "— %s %s\n", s.Name, s.Base64), nil
}
