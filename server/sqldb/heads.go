package sqldb

import "sync"

// headCache remembers chain heads on SQLite, where this process is the only one that appends. It forgets everything
// when full: heads are then read again.
type headCache struct {
	mu    sync.Mutex
	limit int
	heads map[chainKey]chainHead
}

type chainKey struct{ gateway, epoch string }

type chainHead struct {
	seq  uint64
	hash [32]byte
}

func newHeadCache(limit int) *headCache {
	return &headCache{limit: limit, heads: map[chainKey]chainHead{}}
}
