package printjob

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// Draw makes the file of a job; it tells how many labels are done.
type Draw func(ctx context.Context, id string, progress func(done, all int)) ([]byte, error)

// Bounds of what a Room keeps. A file that is forgotten is made again when it is asked for.
const (
	mostFiles = 8
	mostBytes = 64 << 20
)

// errEnding is told to who waits for a file while the server stops.
var errEnding = errors.New("printjob: the server is ending")

// Room makes the files of jobs, one at a time and each once, and keeps the newest. It is safe for concurrent use.
type Room struct {
	draw Draw
	done <-chan struct{}
	turn chan struct{} // holds one value: who takes it makes a file

	mu    sync.Mutex
	files map[string]*file
	order []string // as they were begun
}

type file struct {
	ready chan struct{} // closed when it is made
	state Progress
	body  []byte
}

// Progress says how far a file is.
type Progress struct {
	Done, All int  // labels; All is 0 while it waits for its turn
	Ready     bool // or failed
	Err       error
}

// NewRoom makes a room. Its work ends when done is closed; nil never is.
func NewRoom(done <-chan struct{}, draw Draw) *Room {
	r := &Room{draw: draw, done: done, turn: make(chan struct{}, 1), files: map[string]*file{}}
	r.turn <- struct{}{}
	return r
}

// begin returns the file of a job, and begins it where nobody did; one that failed is begun once more if again is set.
func (r *Room) begin(id string, again bool) *file {
	r.mu.Lock()
	defer r.mu.Unlock()
	if f := r.files[id]; f != nil && (!again || f.state.Err == nil) {
		return f
	}
	f := &file{ready: make(chan struct{})}
	r.order = append(slices.DeleteFunc(r.order, func(o string) bool { return o == id }), id)
	r.files[id] = f
	go r.make(id, f)
	return f
}

func (r *Room) make(id string, f *file) {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	go func() {
		select {
		case <-r.done:
			cancel(errEnding)
		case <-ctx.Done():
		}
	}()
	var body []byte
	err := errEnding
	select {
	case <-r.turn:
		body, err = r.draw(ctx, id, func(done, all int) {
			r.mu.Lock()
			defer r.mu.Unlock()
			f.state.Done, f.state.All = done, all
		})
		r.turn <- struct{}{}
	case <-ctx.Done():
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	f.body, f.state.Ready, f.state.Err = body, true, err
	close(f.ready)
	r.tidy(id)
}

// tidy drops the oldest files while there are too many; what is being made stays.
func (r *Room) tidy(newest string) {
	size := 0
	for _, f := range r.files {
		size += len(f.body)
	}
	r.order = slices.DeleteFunc(r.order, func(id string) bool {
		f := r.files[id]
		if id == newest || !f.state.Ready || size <= mostBytes && len(r.files) <= mostFiles {
			return false
		}
		size -= len(f.body)
		delete(r.files, id)
		return true
	})
}

// Progress says how far the file of a job is, and begins it where nobody did.
func (r *Room) Progress(id string) Progress {
	f := r.begin(id, false)
	r.mu.Lock()
	defer r.mu.Unlock()
	return f.state
}

// File returns the file of a job, and waits until it is made. One that failed before is tried again.
func (r *Room) File(ctx context.Context, id string) ([]byte, error) {
	f := r.begin(id, true)
	select {
	case <-f.ready:
		return f.body, f.state.Err
	case <-ctx.Done():
		return nil, fmt.Errorf("printjob: file of %.26q: %w", id, context.Cause(ctx))
	}
}
