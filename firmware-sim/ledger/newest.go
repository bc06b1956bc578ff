package ledger

import (
	"slices"
	"sync"
	"time"

	"aovuon/gateway/measure"
)

// Newest remembers the newest answer of every device and quantity, and hands every answer on. It is safe for concurrent use.
type Newest struct {
	next func(Entry)

	mu    sync.Mutex
	seen  map[answered]Entry
	order []answered
	hit   map[string]time.Time // when a device had a fault before it was clear what was asked
	why   map[string]string
}

type answered struct {
	device   string
	quantity measure.Quantity
}

// NewNewest returns one that has seen nothing. next is given every answer, too; it may be nil.
func NewNewest(next func(Entry)) *Newest {
	return &Newest{next: next, seen: make(map[answered]Entry), hit: make(map[string]time.Time), why: make(map[string]string)}
}

// Record takes an answer.
func (n *Newest) Record(e Entry) {
	if n.next != nil {
		n.next(e)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if e.Quantity == "" { // nobody answered: neither to this question nor to any other of the device
		n.hit[e.Device], n.why[e.Device] = e.Time, e.Fault
		return
	}
	at := answered{e.Device, e.Quantity}
	if _, known := n.seen[at]; !known {
		n.order = append(n.order, at)
	}
	n.seen[at] = e
}

// Newest returns the newest answers, by device in the order in which they first answered. A device that has answered to no
// question yet, but had a fault, has an entry without a quantity.
func (n *Newest) Newest() []Entry {
	n.mu.Lock()
	defer n.mu.Unlock()
	list := make([]Entry, 0, len(n.order))
	known := map[string]bool{}
	for _, at := range n.order {
		e := n.seen[at]
		known[e.Device] = true
		if t, ok := n.hit[e.Device]; ok && t.After(e.Time) {
			e.Time, e.Value, e.Fault = t, 0, n.why[e.Device]
		}
		list = append(list, e)
	}
	for device, t := range n.hit {
		if !known[device] {
			list = append(list, Entry{Time: t, Device: device, Fault: n.why[device]})
		}
	}
	slices.SortStableFunc(list[len(n.order):], func(a, b Entry) int { return a.Time.Compare(b.Time) })
	return list
}
