package sqldb

import (
	"maps"
	"sync"

	"aovuon/server/ingest"
)

// headCache remembers chain heads on SQLite, where this process is the only one that appends. It forgets everything
// when full: heads are then read again. A nil headCache knows nothing.
type headCache struct {
	mu    sync.Mutex
	limit int
	heads map[ingest.Chain]ingest.Head
}

func newHeadCache(limit int) *headCache {
	return &headCache{limit: limit, heads: map[ingest.Chain]ingest.Head{}}
}

// known returns the heads it has, and the chains it cannot tell of.
func (c *headCache) known(chains []ingest.Chain) (heads map[ingest.Chain]ingest.Head, missing []ingest.Chain) {
	heads = make(map[ingest.Chain]ingest.Head, len(chains))
	if c == nil {
		return heads, chains
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, ch := range chains {
		if h, ok := c.heads[ch]; ok {
			heads[ch] = h
		} else {
			missing = append(missing, ch)
		}
	}
	return heads, missing
}

// learn takes the heads an append moved. After a failed append it is unknown whether the commit took place: forget.
func (c *headCache) learn(changed map[ingest.Chain]ingest.Head, failed error) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if failed != nil || len(c.heads)+len(changed) > c.limit {
		clear(c.heads)
	}
	if failed != nil {
		return
	}
	maps.Copy(c.heads, changed)
}
