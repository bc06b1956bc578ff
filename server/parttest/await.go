package parttest

import (
	"testing"
	"time"
)

// patience is how long anything may take that takes a moment on an idle machine.
const patience = 3 * time.Minute

// Await waits for what another goroutine or process brings about and does not announce; what says it when it never happens.
func Await(t testing.TB, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%s: not within %v", what, patience)
		}
	}
}
