package enrol

import (
	"sync"
	"time"
)

// How many tries there are in a minute: of one address, and of all. A code has 75 random bits, so this keeps the log readable and the
// database unbothered; it is not what keeps strangers out.
const (
	perPeer = 10
	perAll  = 120
)

// limit counts tries by the minute.
type limit struct {
	now func() time.Time

	mu    sync.Mutex
	since time.Time
	all   int
	peers map[string]int
}

func newLimit(now func() time.Time) *limit { return &limit{now: now, peers: map[string]int{}} }

func (l *limit) allow(peer string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := l.now(); now.Sub(l.since) >= time.Minute || now.Before(l.since) {
		l.since, l.all, l.peers = now, 0, map[string]int{}
	}
	if l.all >= perAll || l.peers[peer] >= perPeer {
		return false
	}
	l.all++
	l.peers[peer]++
	return true
}
