package parttest

import (
	"testing"
	"time"
)

// Patience is how long anything may take that takes a moment on an idle machine: a busy one loses seconds to its disk, and to what else it tests.
const Patience = 3 * time.Minute

// Await asks often at first, what takes longer ever less often: whoever asks takes the processor from who is asked.
const (
	firstAsk = 5 * time.Millisecond
	lastAsk  = 100 * time.Millisecond
)

// Await waits for what another goroutine or process brings about and does not announce; what says it when it never happens.
func Await(t testing.TB, what string, ok func() bool) {
	t.Helper()
	if !Comes(ok) {
		t.Fatalf("%s: not within %v", what, Patience)
	}
}

// Comes is Await for a test that goes on, or says more, where it never happens.
func Comes(ok func() bool) bool {
	wait := firstAsk
	again := time.NewTimer(wait)
	defer again.Stop()
	deadline := time.After(Patience)
	for !ok() {
		select {
		case <-again.C:
			wait = min(wait+wait/4, lastAsk)
			again.Reset(wait)
		case <-deadline:
			return false
		}
	}
	return true
}
