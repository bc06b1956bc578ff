package sqldb_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"aovuon/server/parttest"
)

// TestTorture_PowerCuts writes trace rows and batches on a disk of its own and cuts the power at random moments: nothing that was
// acknowledged is lost or moved, and the head of the tree extends the last one that was seen.
func TestTorture_PowerCuts(t *testing.T) {
	image := parttest.NewImage(t, "64M")
	cuts := parttest.Effort(t, 2, 5, 60, 500)
	x := recorded{heads: map[int64]string{}}
	for cut := range cuts {
		lines := recordAndKill(t, filepath.Join(image.Dir, "server.db"), 20+rand.IntN(120))
		seen := image.Cut()
		x.listen(lines)
		if len(lines) < 20 {
			t.Fatalf("cut %d: only %d steps before it", cut, len(lines))
		}
		x.settle(t, filepath.Join(seen, "server.db"), fmt.Sprintf("cut %d", cut))
		image.Heal()
	}
	t.Logf("%d power cuts, %d transactions acknowledged (%d leaves, %d batches at the end), 0 lost, 0 moved", cuts, x.acks, x.size, x.position)
}
