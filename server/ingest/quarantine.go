package ingest

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// Bounds of what waits in memory to be written down.
const (
	notesEvery       = 200 * time.Millisecond
	samplesPerKey    = 8   // between two writes, of one gateway and reason; the counters count the rest
	samplesInMemory  = 256 // between two writes, in all
	goodbyeToTheDisk = 2 * time.Second
)

type countKey struct {
	gateway string
	reason  Reason
}

// Notebook gathers refusals and gateway states in memory and writes them behind the log. Taking a note never waits for
// the database, so that no flood of bad messages holds up good ones; Run writes what has gathered five times a second.
type Notebook struct {
	store    Notes
	registry *Registry
	metrics  *Metrics
	log      *slog.Logger

	mu      sync.Mutex
	counts  map[countKey]*Count
	kept    map[countKey]int
	samples []Refusal
	states  map[string]State
}

// NewNotebook returns an empty Notebook. It forgets nothing that was counted; of the samples it keeps a few.
func NewNotebook(store Notes, registry *Registry, metrics *Metrics, log *slog.Logger) *Notebook {
	return &Notebook{
		store: store, registry: registry, metrics: metrics, log: log,
		counts: map[countKey]*Count{}, kept: map[countKey]int{}, states: map[string]State{},
	}
}

// Refuse notes one refused message. It keeps no reference to the sample. Names nobody enrolled are counted together.
func (n *Notebook) Refuse(r Refusal) {
	if n.registry.member(r.Gateway) == nil {
		if r.Gateway != "" {
			r.Detail = "gateway " + r.Gateway + ": " + r.Detail
		}
		r.Gateway = ""
	}
	n.metrics.refused.WithLabelValues(string(r.Reason)).Inc()
	k := countKey{r.Gateway, r.Reason}
	n.mu.Lock()
	defer n.mu.Unlock()
	c := n.counts[k]
	if c == nil {
		c = &Count{Gateway: r.Gateway, Reason: r.Reason, First: r.Received}
		n.counts[k] = c
	}
	c.N++
	c.Last = r.Received
	if n.kept[k] >= samplesPerKey || len(n.samples) >= samplesInMemory {
		return
	}
	n.kept[k]++
	r.Sample = bytes.Clone(r.Sample[:min(len(r.Sample), MaxSample)])
	if r.Sample == nil {
		r.Sample = []byte{}
	}
	r.Detail = printable(r.Detail)
	n.samples = append(n.samples, r)
}

// printable makes any text fit for a TEXT column and a page.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	if len(s) > MaxDetail {
		s = strings.ToValidUTF8(s[:MaxDetail], "")
	}
	return s
}

// State notes what a gateway said of itself.
func (n *Notebook) State(s State) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.states[s.Gateway] = s
}

// Run writes the notes until ctx ends, and then once more.
func (n *Notebook) Run(ctx context.Context) error {
	tick := time.NewTicker(notesEvery)
	defer tick.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodbyeToTheDisk)
			defer cancel()
			return n.flush(last)
		case <-tick.C:
		}
		err := n.flush(ctx)
		if err != nil && !failing && ctx.Err() == nil {
			n.log.Warn("quarantine cannot be written, it waits in memory", slog.Any("err", err))
		}
		failing = err != nil
	}
}

func (n *Notebook) flush(ctx context.Context) error {
	n.mu.Lock()
	counts, samples, states := n.counts, n.samples, n.states
	n.counts, n.samples, n.states = map[countKey]*Count{}, nil, map[string]State{}
	clear(n.kept)
	n.mu.Unlock()
	if len(counts) > 0 {
		list := make([]Count, 0, len(counts))
		for _, c := range counts {
			list = append(list, *c)
		}
		if err := n.store.SaveRefusals(ctx, list, samples); err != nil {
			n.putBack(counts, samples, states)
			return err
		}
	}
	if len(states) > 0 {
		list := make([]State, 0, len(states))
		for _, s := range states {
			list = append(list, s)
		}
		if err := n.store.SaveStates(ctx, list); err != nil {
			n.putBack(nil, nil, states)
			return err
		}
	}
	return nil
}

// putBack returns what could not be written to what has gathered since.
func (n *Notebook) putBack(counts map[countKey]*Count, samples []Refusal, states map[string]State) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for k, c := range counts {
		if since := n.counts[k]; since != nil {
			c.N += since.N
			c.Last = since.Last
		}
		n.counts[k] = c
	}
	for _, s := range samples {
		if k := (countKey{s.Gateway, s.Reason}); n.kept[k] < samplesPerKey && len(n.samples) < samplesInMemory {
			n.kept[k]++
			n.samples = append(n.samples, s)
		}
	}
	for id, s := range states {
		if _, newer := n.states[id]; !newer {
			n.states[id] = s
		}
	}
}
