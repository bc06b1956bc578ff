package story_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"aovuon/firmware-sim/story"
)

// patience is how long anything may take that takes a moment on an idle machine.
const patience = story.Patience

// pollEvery is how often a state is asked for that tells nobody when it changes.
const pollEvery = 20 * time.Millisecond

// await asks until state says done, and fails the story with state's last word when patience is over.
func await(t testing.TB, what string, state func() (done bool, word string)) {
	t.Helper()
	awaitWithin(t, patience, what, state)
}

func awaitWithin(t testing.TB, limit time.Duration, what string, state func() (done bool, word string)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		done, word := state()
		if done {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s: not within %v; last: %s", what, limit, word)
		case <-tick.C:
		}
	}
}

// pass lets time go by: a fault lasts, or comes at a random moment. It is no way to wait for something.
func pass(t testing.TB, d time.Duration) {
	t.Helper()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-t.Context().Done():
	case <-timer.C:
	}
}

// seeded returns the story's source of chance and says how to repeat it.
func seeded(t testing.TB) *rand.Rand {
	t.Helper()
	return rand.New(rand.NewPCG(seed(t), 0))
}

func seed(t testing.TB) uint64 {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("AOVUON_SEED"); text != "" {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatalf("AOVUON_SEED: %v", err)
		}
		seed = n
	}
	t.Logf("AOVUON_SEED=%d", seed)
	return seed
}

// between draws a duration from lo to hi.
func between(r *rand.Rand, lo, hi time.Duration) time.Duration {
	return lo + time.Duration(r.Int64N(int64(hi-lo)))
}

// freePort reserves a port until the test ends.
func freePort(t testing.TB) int {
	t.Helper()
	port, keep, err := story.ReservePort(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := keep.Close(); err != nil {
			t.Error(err)
		}
	})
	return port
}

func loopback(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }
