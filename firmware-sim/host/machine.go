package host

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"aovuon/firmware-sim/control"
	"aovuon/gateway/sense"
	"aovuon/gateway/wire"
)

// machine is the folder that stands for a gateway's machine: gateway/sense/FORMAT.md.
type machine struct {
	root string
	rtc  bool
	now  func() time.Time
	is   sense.Machine
}

// The files of a machine.
const (
	clockFile  = "clock"
	bootFile   = "proc/sys/kernel/random/boot_id"
	rtcFile    = "sys/class/rtc/rtc0/since_epoch"
	supplyFile = "sys/devices/platform/soc/soc:firmware/get_throttled"
)

// What the firmware says of the supply (gateway/health): good; too low now, and since the start; it was too low.
const (
	supplyGood = "0"
	supplyLow  = "50005"
	supplyWas  = "50000"
)

// newMachine makes a machine that has its clock right and is off.
func newMachine(root string, rtc bool, now func() time.Time) (*machine, error) {
	m := &machine{root: root, rtc: rtc, now: now, is: sense.Machine{Synced: true}}
	if err := os.MkdirAll(filepath.Join(root, "proc"), 0o755); err != nil {
		return nil, fmt.Errorf("machine: %w", err)
	}
	if err := os.Remove(filepath.Join(root, rtcFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("machine: %w", err)
	}
	// What the program is in the kernel's eyes is true of it here, too.
	if err := os.Symlink("/proc/self", filepath.Join(root, "proc", "self")); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("machine: %w", err)
	}
	return m, m.boot()
}

// boot is what switching it on does: another boot, an uptime of nothing. Without a battery, a clock that nothing disciplines
// begins in 1970.
func (m *machine) boot() error {
	var id [16]byte
	rand.Read(id[:]) // never fails: it ends the program first
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	m.is.Booted = sense.Uptime()
	if !m.is.Synced && !m.rtc {
		m.unset()
	}
	return errors.Join(
		m.put(bootFile, fmt.Sprintf("%x-%x-%x-%x-%x\n", id[:4], id[4:6], id[6:8], id[8:10], id[10:])),
		m.put(supplyFile, supplyGood+"\n"), m.tick(), m.tell(),
	)
}

// unset makes the clock one that was never set.
func (m *machine) unset() {
	m.is.Synced, m.is.Offset = false, time.Unix(0, 0).Sub(m.now())
}

// tell has the machine's clock be what it is.
func (m *machine) tell() error { return m.put(clockFile, m.is.String()) }

// tick moves the battery-backed clock on, which is always right; who reads it expects it within minutes.
func (m *machine) tick() error {
	if !m.rtc {
		return nil
	}
	return m.put(rtcFile, strconv.FormatInt(m.now().Unix(), 10)+"\n")
}

func (m *machine) put(name, text string) error {
	path := filepath.Join(m.root, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("machine: %w", err)
	}
	if err := wire.WriteFile(path, []byte(text), 0o644); err != nil {
		return fmt.Errorf("machine: %w", err)
	}
	return nil
}

// set changes the clock as a command says.
func (m *machine) set(what string) error {
	switch what {
	case "ok":
		m.is.Offset, m.is.Synced = 0, true
	case "unsynced":
		m.is.Synced = false
	case "unset":
		m.unset()
	default:
		off, err := parseOffset(what)
		if err != nil {
			return err
		}
		m.is.Offset = off
	}
	return m.tell()
}

// clock is how the clock is, in the words of the command.
func (m *machine) clock() string {
	var list []string
	switch {
	case !m.is.Synced && m.now().Add(m.is.Offset).Year() < 2000:
		return "unset"
	case m.is.Offset != 0:
		list = append(list, fmt.Sprintf("%+.0fs", m.is.Offset.Seconds()))
	}
	if !m.is.Synced {
		list = append(list, "unsynced")
	}
	if len(list) == 0 {
		return "ok"
	}
	return strings.Join(list, "+")
}

// parseOffset reads how far a clock is off: +3h, -1y, +90s, -2d.
func parseOffset(text string) (time.Duration, error) {
	bad := fmt.Errorf("%w: a clock that is %q: want how far it is off, such as +3h, -90s, +2d or -1y, at most 100 years; or unsynced, unset or ok",
		control.ErrUsage, text)
	number, unit := strings.TrimRight(text, "smhdy"), ""
	if len(number) < len(text) {
		unit = text[len(number):]
	}
	value, err := strconv.ParseFloat(number, 64)
	if err != nil || !strings.HasPrefix(text, "+") && !strings.HasPrefix(text, "-") {
		return 0, bad
	}
	units := map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "y": 365 * 24 * time.Hour}
	of, ok := units[unit]
	const most = 100 * 365 * 24 * time.Hour
	if v := value * float64(of); ok && v >= -float64(most) && v <= float64(most) {
		return time.Duration(v), nil
	}
	return 0, bad
}
