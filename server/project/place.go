package project

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// checkMounts is how often the register of sensors is asked whether it has changed.
const checkMounts = time.Second

// Places answers where a sensor was, from the register of sensors held in memory. It is safe for concurrent use.
type Places struct {
	store Mounts
	now   func() time.Time

	mu       sync.Mutex
	checked  time.Time
	revision string
	mounts   map[sensorKey][]Mount // by From
}

type sensorKey struct{ gateway, sensor string }

// NewPlaces returns Places that read the register when they are first asked.
func NewPlaces(store Mounts, now func() time.Time) *Places {
	return &Places{store: store, now: now}
}

// Refresh reads the register again where it may have changed.
func (p *Places) Refresh(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if p.mounts != nil && now.Sub(p.checked) < checkMounts && !now.Before(p.checked) {
		return nil
	}
	revision, err := p.store.MountRevision(ctx)
	if err != nil {
		return fmt.Errorf("project: register of sensors: %w", err)
	}
	if p.mounts == nil || revision != p.revision {
		list, err := p.store.Mounts(ctx)
		if err != nil {
			return fmt.Errorf("project: register of sensors: %w", err)
		}
		next := make(map[sensorKey][]Mount, len(list))
		for _, m := range list {
			k := sensorKey{m.Gateway, m.Sensor}
			next[k] = append(next[k], m)
		}
		for _, ms := range next {
			slices.SortStableFunc(ms, func(a, b Mount) int { return cmp.Or(a.From.Compare(b.From), cmp.Compare(a.Place, b.Place)) })
		}
		p.mounts, p.revision = next, revision
	}
	p.checked = now
	return nil
}

// PlaceOf returns the place of a sensor at a time, Unplaced where the register has none. Where mounts overlap, the later
// one counts.
func (p *Places) PlaceOf(gateway, sensor string, at time.Time) string {
	p.mu.Lock()
	ms := p.mounts[sensorKey{gateway, sensor}]
	p.mu.Unlock()
	for i := len(ms) - 1; i >= 0; i-- {
		if m := &ms[i]; !at.Before(m.From) && (m.To.IsZero() || at.Before(m.To)) {
			return m.Place
		}
	}
	return Unplaced
}
