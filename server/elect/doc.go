// Package elect lets one of several processes do what only one may do. Leases come in through a port; the work is run while, and only
// while, this process holds the lease of its name.
//
// Nobody compares clocks. Who holds a lease counts its beat up; who wants it watches the beat, and takes the lease only after it saw the
// same beat for a whole TTL of its own time. The holder stops its work when a part less than the TTL has passed since it began the last
// renewal that succeeded, which is earlier than anybody could have begun to wait. A process that was frozen in between may still wake
// within a write: what it writes through a database that knows Fence is refused by the term, which grows with every taking.
package elect

import (
	"context"
	"errors"
	"time"
)

// Lease is one row: who does what is named.
type Lease struct {
	Name   string
	Holder string // the process; empty: nobody, it was given back
	Term   int64  // grows by one with every taking, starting at 1; 0: never taken
	Beat   int64  // grows with every renewal
	// When the term began and when it was renewed last, by the holder's clock. For people only.
	Taken, Renewed time.Time
}

// Held reports whether l is in somebody's hands, as far as the row knows.
func (l Lease) Held() bool { return l.Holder != "" }

// Leases keeps leases where all processes see them.
type Leases interface {
	// Lease returns a lease as it stands; the zero Lease with its name where there never was one.
	Lease(ctx context.Context, name string) (Lease, error)
	// TakeLease makes holder the holder, in the next term, if the lease still stands at the term and beat of seen; ok is false where it does not.
	TakeLease(ctx context.Context, seen Lease, holder string, at time.Time) (l Lease, ok bool, err error)
	// RenewLease counts the beat of held up; ok is false where another has taken it.
	RenewLease(ctx context.Context, held Lease, at time.Time) (ok bool, err error)
	// ReleaseLease gives held back, unless another has taken it already.
	ReleaseLease(ctx context.Context, held Lease, at time.Time) error
}

// ErrLost says that a write was refused because another process leads by now. Nothing was written.
var ErrLost = errors.New("another process leads by now")

// Fence is what a write is checked against: the term in which it was decided on.
type Fence struct {
	Name, Holder string
	Term         int64
}

type fenceKey struct{}

// FenceOf returns the fence of work that Run runs; ok is false elsewhere, and where a process is alone.
func FenceOf(ctx context.Context) (f Fence, ok bool) {
	f, ok = ctx.Value(fenceKey{}).(Fence)
	return f, ok
}

func withFence(ctx context.Context, l Lease) context.Context {
	return context.WithValue(ctx, fenceKey{}, Fence{Name: l.Name, Holder: l.Holder, Term: l.Term})
}
