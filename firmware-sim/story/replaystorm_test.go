package story_test

import (
	"fmt"
	"testing"
	"time"

	"aovuon/gateway/spool"
)

// TestStorm_InTheMiddleOfAReplay kills server and gateway while a long backlog pours in, so that batches are on the way,
// half committed, or committed and not receipted whenever it happens.
func TestStorm_InTheMiddleOfAReplay(t *testing.T) {
	days := 7
	if testing.Short() {
		days = 2
	}
	long := time.Duration(days) * 24 * time.Hour
	f := newField(t, setting{devices: week(), pace: pace{commit: 200 * time.Millisecond, seal: 500 * time.Millisecond, offline: time.Second}})
	readings := f.makeBacklog(time.Now().Add(-long-time.Minute), long)
	committed := f.onDisk()
	if len(committed) != readings {
		t.Fatalf("%d readings on the gateway's disk, %d in the ledger", len(committed), readings)
	}
	f.quieten()
	held := f.waiting()
	chance, kills, began := seeded(t), map[string]int{}, time.Now()
	f.server.start()
	f.gateway.start()
	for {
		before := f.released()
		done := false
		await(t, "the replay to go on", func() (bool, string) {
			st, err := spool.ReadStats(t.Context(), f.path("gw/spool.db"))
			done = err == nil && st.Released >= held
			return done || err == nil && st.Released > before, fmt.Sprintf("%+v %v", st, err)
		})
		if done || kills["server"]+kills["gateway"] >= 2*killsEach() {
			break
		}
		pass(t, between(chance, 0, 40*time.Millisecond)) // soon: the backlog must outlast all the kills, on a busy machine too
		victim := f.server
		if chance.IntN(3) == 0 {
			victim = f.gateway
		}
		victim.kill()
		kills[victim.Bin]++
		victim.start()
	}
	t.Logf("%d batches of %d readings, killed %v in the middle, in %.1f s", held, readings, kills, time.Since(began).Seconds())
	if n := kills["server"] + kills["gateway"]; n < 2*killsEach() {
		t.Errorf("INVALID RUN: the replay was over after %d kills", n)
	}
	spared := time.Now()
	f.awaitDrained()
	f.awaitHistory()
	t.Logf("the rest took %.1f s", time.Since(spared).Seconds())
	f.countReplay(readings)
}
