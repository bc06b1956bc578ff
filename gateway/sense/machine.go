package sense

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Machine is what a simulated machine says of its clock: FORMAT.md.
type Machine struct {
	Offset time.Duration // of its wall clock from the right time
	Synced bool          // something disciplines it
	Booted time.Duration // CLOCK_BOOTTIME of the real machine when it was switched on
}

// MachineVariable is the variable of a gateway's environment that names the folder which stands for its machine: FORMAT.md.
const MachineVariable = "AOVUON_MACHINE"

// machineFile is its name below the machine's root.
const machineFile = "clock"

// String is the line of the file.
func (m Machine) String() string {
	state := "unsynced"
	if m.Synced {
		state = "synced"
	}
	return fmt.Sprintf("%s %s %s\n", m.Offset, state, m.Booted)
}

// ParseMachine reads the line of the file.
func ParseMachine(line string) (m Machine, err error) {
	words := strings.Fields(line)
	if len(words) != 3 || words[1] != "synced" && words[1] != "unsynced" {
		return m, fmt.Errorf("sense: %q is no state of a simulated machine: want OFFSET synced|unsynced BOOTED", line)
	}
	m.Synced = words[1] == "synced"
	var bad error
	m.Offset, err = time.ParseDuration(words[0])
	m.Booted, bad = time.ParseDuration(words[2])
	if err := errors.Join(err, bad); err != nil {
		return Machine{}, fmt.Errorf("sense: simulated machine: %w", err)
	}
	return m, nil
}

// readMachine asks the simulated machine below root.
func readMachine(root string) (Machine, error) {
	f, err := os.Open(filepath.Join(root, machineFile))
	if err != nil {
		return Machine{}, fmt.Errorf("sense: simulated machine: %w", err)
	}
	line, err := io.ReadAll(io.LimitReader(f, 256))
	if err := errors.Join(err, f.Close()); err != nil {
		return Machine{}, fmt.Errorf("sense: simulated machine: %w", err)
	}
	return ParseMachine(string(line))
}

// simulated is the kernel of the machine below root, on the real one. A machine that says nothing has the real one's time, and
// nobody vouches for it.
func (k kernel) simulated(root string) kernel {
	return kernel{
		now: func() time.Time {
			m, err := readMachine(root)
			if err != nil {
				return k.now() // synced tells the error
			}
			return k.now().Add(m.Offset)
		},
		uptime: func() time.Duration {
			m, err := readMachine(root)
			if err != nil {
				return k.uptime()
			}
			return max(0, k.uptime()-m.Booted)
		},
		synced: func() (bool, error) {
			m, err := readMachine(root)
			return m.Synced, err
		},
	}
}

// Uptime is CLOCK_BOOTTIME of this machine: what Machine.Booted is told in.
func Uptime() time.Duration { return systemKernel().uptime() }
