package story

import (
	"encoding/hex"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"aovuon/gateway/sense"
	"aovuon/gateway/wire"
)

// lostClock is how far off the wall clock of a machine is that nobody told the time: as a Pi's that was last on years ago.
const lostClock = -3 * 365 * 24 * time.Hour

// machine has a gateway run on a simulated machine (gateway/sense/FORMAT.md) whose clock nobody set, or that has been set right; said
// of one that runs, it changes at once.
func machine(ts *testscript.TestScript, neg bool, args []string) {
	castOf(ts, neg, args, 2, "machine PROGRAM unsynced|synced")
	m := sense.Machine{}
	switch args[1] {
	case "unsynced":
		m.Offset = lostClock
	case "synced":
		m.Synced = true
	default:
		ts.Fatalf("machine: %q: want unsynced or synced", args[1])
	}
	root := machineOf(ts, args[0])
	boot := filepath.Join(root, "proc", "sys", "kernel", "random", "boot_id")
	if _, err := os.Stat(boot); err != nil {
		ts.Check(os.MkdirAll(filepath.Dir(boot), 0o755))
		ts.Check(os.WriteFile(boot, []byte(bootID()), 0o600))
	}
	ts.Check(wire.WriteFile(filepath.Join(root, "clock"), []byte(m.String()), 0o600)) // renamed into place
}

// machineOf is the folder of a program's simulated machine, whether there is one or not.
func machineOf(ts *testscript.TestScript, program string) string {
	return ts.MkAbs(filepath.Join("machines", program))
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// bootID is what the kernel would say: 16 random bytes in groups.
func bootID() string {
	var raw [16]byte
	for i := range raw {
		raw[i] = byte(rand.UintN(256))
	}
	x := hex.EncodeToString(raw[:])
	return x[:8] + "-" + x[8:12] + "-" + x[12:16] + "-" + x[16:20] + "-" + x[20:] + "\n"
}
