package project

import (
	"context"
	"sync"

	"aovuon/server/ingest"
)

// recentSize bounds what Recent holds, in readings and gaps: about 30 MB.
const recentSize = 150_000

// Recent keeps the newest records of the log in memory, as ingest opened them, so that the projections of the same
// process need not read, unpack and parse them again. What it does not have it reads from the log behind it.
type Recent struct {
	behind Source

	mu      sync.Mutex
	records []ingest.Record // positions without holes
	size    int             // of all records, and one for each
	wakes   []chan struct{}
}

// NewRecent returns an empty Recent before a log.
func NewRecent(behind Source) *Recent { return &Recent{behind: behind} }

// Wake returns a channel that is told, without being waited for, that the log has grown.
func (r *Recent) Wake() <-chan struct{} {
	c := make(chan struct{}, 1)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wakes = append(r.wakes, c)
	return c
}

// Add takes records that have just been committed, in order. Where another process appended in between, it begins anew.
func (r *Recent) Add(records []ingest.Record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.records); n > 0 && r.records[n-1].Position+1 != records[0].Position {
		r.records, r.size = nil, 0
	}
	r.records = append(r.records, records...)
	for i := range records {
		r.size += records[i].Size() + 1
	}
	drop := 0
	for r.size > recentSize {
		r.size -= r.records[drop].Size() + 1
		r.records[drop] = ingest.Record{}
		drop++
	}
	r.records = r.records[drop:]
	for _, c := range r.wakes {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

// After implements Source.
func (r *Recent) After(ctx context.Context, position int64, records, size int) ([]ingest.Record, error) {
	if out := r.after(position, records, size); out != nil {
		return out, nil
	}
	return r.behind.After(ctx, position, records, size)
}

func (r *Recent) after(position int64, records, size int) []ingest.Record {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.records) == 0 || position+1 < r.records[0].Position {
		return nil
	}
	from := int(position + 1 - r.records[0].Position)
	if from >= len(r.records) {
		return nil
	}
	n := 0
	for got := 0; from+n < len(r.records) && n < records && got < size; n++ {
		got += r.records[from+n].Size()
	}
	return append([]ingest.Record(nil), r.records[from:from+n]...)
}

// LogEnd implements Source.
func (r *Recent) LogEnd(ctx context.Context) (int64, error) { return r.behind.LogEnd(ctx) }
