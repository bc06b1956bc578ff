package ingest

import (
	"cmp"
	"slices"
	"time"
)

const (
	// holdEach is how often batches that came too early are looked at again.
	holdEach = 25 * time.Millisecond
	// holdLimit bounds how many wait for the one before them; those beyond are left for their gateways to send again.
	holdLimit = 500
)

// hold has the batches of a group wait that came before the one that they name, while another process may have that in its hands: they are
// decided on again with the next group. Their messages are not settled, so the broker holds back what comes after them.
func (n *Ingest) hold(group []*item) {
	now, held := n.Now(), 0
	for _, it := range group {
		if it.verdict == ahead && now.Sub(it.received) < n.Hold && held < holdLimit {
			it.verdict = waiting
			held++
		}
	}
}

// inOrder puts the batches of each chain into the order of their numbers: what was held stands before what came since.
func inOrder(group []*item) {
	slices.SortStableFunc(group, func(a, b *item) int {
		return cmp.Or(cmp.Compare(a.row.Gateway, b.row.Gateway), cmp.Compare(a.row.Epoch, b.row.Epoch), cmp.Compare(a.row.Seq, b.row.Seq))
	})
}
