package fleet

import (
	"encoding/base64"
	"fmt"

	"golang.org/x/mod/sumdb/note"

	"aovuon/gateway/wire"
)

// Member is one gateway of a fleet.
type Member struct {
	Gateway  string
	Signer   note.Signer
	Password string
	Saved    *Saved // where its chain stands; nil: it begins a new epoch
}

// Saved is a chain between two runs; FORMAT.md describes it.
type Saved struct {
	Gateway  string         `json:"gateway"`
	Epoch    string         `json:"epoch"`
	Sealed   uint64         `json:"sealed"`
	Released uint64         `json:"released"`
	Hash     string         `json:"hash"` // of batch Sealed
	LastRead int64          `json:"last_read_ms"`
	Waiting  []SavedWaiting `json:"waiting,omitempty"`
}

// SavedWaiting is a batch that has no receipt.
type SavedWaiting struct {
	Readings int    `json:"readings"`
	Batch    string `json:"batch"` // as it was sealed, byte for byte
}

// save returns where the chain stands.
func (c *chain) save() Saved {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := Saved{
		Gateway: c.gateway, Epoch: c.present.id, Sealed: c.present.sealed, Released: c.present.released,
		Hash: c.prev.String(), LastRead: c.lastRead,
	}
	for _, w := range c.waiting {
		s.Waiting = append(s.Waiting, SavedWaiting{w.readings, string(w.body)})
	}
	return s
}

// load lets the chain go on where it was saved.
func (c *chain) load(s *Saved) error {
	if s.Gateway != c.gateway || s.Released > s.Sealed || uint64(len(s.Waiting)) != s.Sealed-s.Released {
		return fmt.Errorf("fleet: chain of %s: it says %d sealed, %d receipted and has %d batches: remove it, a new epoch begins then",
			c.gateway, s.Sealed, s.Released, len(s.Waiting))
	}
	prev, err := parseHash(s.Hash)
	if err != nil {
		return fmt.Errorf("fleet: chain of %s: %w", c.gateway, err)
	}
	c.present = epoch{id: s.Epoch, begun: s.Sealed, sealed: s.Released, released: s.Released}
	c.lastRead, c.prev = s.LastRead, prev
	if s.Released > 0 {
		c.present.sizes = []stretch{{s.Released, 0}} // counted by the run that sent them
	}
	for i, w := range s.Waiting {
		body := []byte(w.Batch)
		c.waiting = append(c.waiting, sealed{seq: s.Released + uint64(i) + 1, body: body, readings: w.Readings, kind: carried})
		c.present.grow(w.Readings)
	}
	if n := len(s.Waiting); n > 0 && wire.HashOf(c.waiting[n-1].body) != prev {
		return fmt.Errorf("fleet: chain of %s: its last batch is not the one its hash names: remove it, a new epoch begins then", c.gateway)
	}
	return nil
}

func parseHash(text string) (h wire.Hash, err error) {
	if text == "-" {
		return h, nil
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) != len(h) {
		return h, fmt.Errorf("hash %.60q: want a SHA-256 in base64, or -", text)
	}
	copy(h[:], raw)
	return h, nil
}
