package uplink

import (
	"testing"
	"time"
)

// TestBackoff_DoublesWithJitterBetweenItsBounds, and never below 1.5 s: a broker may hold who comes sooner.
func TestBackoff_DoublesWithJitterBetweenItsBounds(t *testing.T) {
	o := Options{}.withDefaults()
	seen := map[time.Duration]bool{}
	for range 200 {
		b := backoff{min: o.BackoffMin, max: o.BackoffMax}
		want := o.BackoffMin
		for i := range 20 {
			got := b.next()
			if got < want || got > want+want/2 || got < 1500*time.Millisecond || got > 5*time.Minute {
				t.Fatalf("pause %d is %v, want %v and up to half as much again", i, got, want)
			}
			want = min(2*want, o.BackoffMax*2/3)
			seen[got] = true
		}
	}
	if len(seen) < 3000 {
		t.Errorf("%d different pauses of 4000: gateways would come back together", len(seen))
	}
}
