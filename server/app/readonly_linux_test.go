package app_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aovuon/server/parttest"
	"aovuon/server/sqldb/sqldbtest"
)

// A disk that turns read-only under a server, as ext4 makes it when it finds an error: nothing more is receipted, the pages go on and say
// so; and once the machine was started again, everything that was receipted is there, and what was not comes from its gateway.
func TestServer_DiskThatTurnsReadOnlyLosesNothing(t *testing.T) {
	sqldbtest.OnSQLiteOnly(t, "PostgreSQL's disk is its own business")
	image := parttest.NewImage(t, "64M")
	p := newProcess(t, "{ engine: sqlite }", "")
	data := filepath.Join(image.Dir, "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	p.amend("data_dir: " + data)
	p.once("init")
	p.once("farm", "demo")
	const batches = 4000
	fleet := p.fleetOf(batches, "gw-ao-phukhe")
	p.start()
	wait := p.deliverAll(fleet)
	parttest.Await(t, "load before the fault", func() bool { return fleet[0].upto.Load() >= 300 })
	image.Abort()
	p.awaitPage("/healthz says so", "/healthz", http.StatusServiceUnavailable, "cannot be committed")
	receipted := fleet[0].upto.Load()
	p.awaitPage("pages say so, and that nothing is lost", "/", http.StatusOK, "Số liệu vẫn nằm ở thiết bị ngoài ao, không mất")
	if now := fleet[0].upto.Load(); now != receipted || now == batches {
		t.Errorf("receipts up to %d, then %d of %d on a read-only disk", receipted, now, batches)
	}
	p.kill() // the machine is started again
	image.Mend()
	p.start()
	wait()
	p.awaitHistory(batches)
	p.awaitPage("healthy again", "/healthz", http.StatusOK, "ok")
	p.stop()
	if out := p.once("log", "count"); !strings.Contains(out, fmt.Sprintf("%d batches in the log", batches)) {
		t.Errorf("receipted %d, %s", fleet[0].upto.Load(), out)
	}
	t.Logf("read-only at batch %d, nothing receipted was lost, %d in the log at the end", receipted, batches)
}
