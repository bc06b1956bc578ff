package flow_test

import (
	"crypto/rand"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"aovuon/server/trace"
	"aovuon/server/trace/flow"
)

// TestAtOnce has several desks, as of several servers on one database, pack the same lot and fill boxes at once: together they take what there
// is, and no more.
func TestAtOnce(t *testing.T) {
	each(t, func(r *rig) {
		const desks, orders = 4, 5
		var wg sync.WaitGroup
		var mu sync.Mutex
		taken, boxes := 0, map[string]bool{}
		for range desks {
			wg.Go(func() {
				d := flow.New(r.db, r.db, flow.Defaults(), rand.Reader, func() time.Time { return morning }, slog.New(slog.DiscardHandler))
				for range orders {
					_, err := d.Take(r.Context(), lan, trace.Goods{Kind: trace.Pack, In: part(r.lot, 8), Out: []trace.Part{{Count: 8}}, NetG: 1000})
					bad, refused := errors.AsType[*flow.RefusedError](err)
					if err != nil && (!refused || bad.Code != flow.TooMuch) {
						r.Error(err)
						return
					}
					if err != nil {
						continue
					}
					box, err := d.Take(r.Context(), lan, trace.Goods{Kind: trace.FillBox, In: []trace.Part{{Ref: r.lot, Count: 1}}})
					if err != nil {
						r.Error(err)
						return
					}
					mu.Lock()
					taken++
					boxes[box.Out[0].Ref.ID] = true
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		if taken != 12 || len(boxes) != 12 {
			r.Errorf("%d of 12 packs were taken, %d boxes", taken, len(boxes))
		}
		r.remaining(r.lot, 4)
		books, err := r.db.GoodsBooks(r.Context())
		if err != nil || len(books.Faults()) > 0 {
			r.Errorf("%+v %v", books.Faults(), err)
		}
	})
}
