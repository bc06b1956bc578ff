package boards_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"aovuon/hardware/boards"
)

// config is what a board has to do with a gateway's configuration.
type config struct {
	Sensors []struct {
		ID, Kind, Bus string
		Address       int
		Input         *int
	}
	Aerators []struct{ Relay pin }
	Alarms   []struct{ Siren pin }
	Buses    map[string]struct{ I2C, W1, Serial string }
}

type pin struct {
	Pin       string
	ActiveLow bool `yaml:"active_low"`
}

func sample(t *testing.T) (c config) {
	t.Helper()
	raw, err := os.ReadFile("gateway.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(raw, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

func all(t *testing.T) (list []boards.Board) {
	t.Helper()
	for _, name := range boards.Names() {
		b, err := boards.Load(os.DirFS("."), name)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, b)
	}
	return list
}

// Every probe, relay and siren of the configuration hangs in a box, at the address and the pin the drawing shows; and every box is in the configuration.
func TestGateway_IsWiredAsItIsConfigured(t *testing.T) {
	c, want := sample(t), map[string]bool{}
	for _, s := range c.Sensors {
		switch s.Kind {
		case "ds18b20":
			want["1-wire"] = true
		case "modbus": // hangs on the cable that leaves the gateway box
			if !wired(all(t), "rs485", "A") {
				t.Errorf("%s: no RS485 leaves the gateway box", s.ID)
			}
		default:
			want[fmt.Sprintf("i2c 0x%02x", s.Address)] = true
			if s.Input != nil && !wiredAt(all(t), fmt.Sprintf("i2c 0x%02x", s.Address), fmt.Sprintf("A%d", *s.Input)) {
				t.Errorf("%s: nothing hangs at input %d of the converter at 0x%02x", s.ID, *s.Input, s.Address)
			}
		}
	}
	for _, pin := range []string{c.Aerators[0].Relay.Pin, c.Alarms[0].Siren.Pin} {
		want["gpio "+strings.TrimPrefix(pin, "GPIO")] = true
		if !slices.ContainsFunc(all(t)[0].Wires, func(w boards.Wire) bool { return w.From == boards.PiRef && strings.HasSuffix(w.FromPin, " "+pin) }) {
			t.Errorf("%s leads nowhere from the Pi", pin)
		}
	}
	has := map[string]string{}
	for _, b := range all(t) {
		for _, p := range b.Parts {
			if p.Address == "" {
				continue
			}
			if other := has[p.Address]; other != "" && p.Address != "1-wire" {
				t.Errorf("%s is the address of %s and of %s/%s", p.Address, other, b.Name, p.Ref)
			}
			has[p.Address] = b.Name + "/" + p.Ref
			if !want[p.Address] && p.Ref != "rtc" { // the clock is the kernel's
				t.Errorf("%s/%s at %s is not in gateway.yaml", b.Name, p.Ref, p.Address)
			}
		}
	}
	for address := range want {
		if has[address] == "" {
			t.Errorf("gateway.yaml has something at %s, no box has", address)
		}
	}
}

func wired(list []boards.Board, ref, pin string) bool {
	return slices.ContainsFunc(list, func(b boards.Board) bool {
		return slices.ContainsFunc(b.Wires, func(w boards.Wire) bool { return w.From == ref && w.FromPin == pin })
	})
}

func wiredAt(list []boards.Board, address, pin string) bool {
	return slices.ContainsFunc(list, func(b boards.Board) bool {
		i := slices.IndexFunc(b.Parts, func(p boards.Part) bool { return p.Address == address })
		return i >= 0 && wired([]boards.Board{b}, b.Parts[i].Ref, pin)
	})
}

// What the boxes need of the machine is switched on in config.txt: buses, the clock, and each relay at rest from power-on.
func TestPi_IsSetUpForTheBoxes(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("..", "pi", "config.txt"))
	if err != nil {
		t.Fatal(err)
	}
	sections, at := map[string][]string{}, "all"
	for line := range strings.Lines(string(raw)) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			at = strings.Trim(line, "[]")
		} else if line != "" && !strings.HasPrefix(line, "#") {
			if strings.ContainsAny(line, " \t") || !strings.Contains(line, "=") || len(line) > 98 { // the firmware reads 98 characters of a line, and takes spaces as they stand
				t.Errorf("the firmware would not read %q", line)
			}
			sections[at] = append(sections[at], line)
		}
	}
	want := map[string][]string{
		"all": {"dtparam=i2c_arm=on", "dtparam=i2c_arm_baudrate=10000", "dtoverlay=w1-gpio", "dtoverlay=i2c-rtc,ds3231", "enable_uart=1", "dtoverlay=disable-bt", "dtparam=watchdog=on"},
		"pi5": {"dtparam=uart0=on", "usb_max_current_enable=1"},
	}
	// Each relay of the configuration rests from power-on: high where it pulls in at a low level.
	c := sample(t)
	for _, relay := range []pin{c.Aerators[0].Relay, c.Alarms[0].Siren} {
		level := map[bool]string{true: "dh", false: "dl"}[relay.ActiveLow]
		want["all"] = append(want["all"], "gpio="+strings.TrimPrefix(relay.Pin, "GPIO")+"=op,"+level)
	}
	for section, lines := range want {
		for _, line := range lines {
			if !slices.Contains(sections[section], line) {
				t.Errorf("hardware/pi/config.txt misses %s in [%s]", line, section)
			}
		}
	}
	// What the configuration opens is there: the buses of those lines, and no pin that one of them takes.
	for name, b := range c.Buses {
		if b.I2C != "" && b.I2C != "1" || b.W1 != "" && b.W1 != "/sys/bus/w1/devices" {
			t.Errorf("bus %s (%+v) is not one that config.txt switches on", name, b)
		}
	}
	for _, relay := range []string{c.Aerators[0].Relay.Pin, c.Alarms[0].Siren.Pin} {
		if slices.Contains([]string{"GPIO2", "GPIO3", "GPIO4", "GPIO14", "GPIO15"}, relay) {
			t.Errorf("%s is a bus's own", relay)
		}
	}
}

// The gateway itself takes the sample.
func TestGateway_TakesTheSample(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the gateway")
	}
	dir := t.TempDir()
	program, file := filepath.Join(dir, "gateway"), filepath.Join(dir, "gateway.yaml")
	run := func(name string, a ...string) string {
		out, err := exec.CommandContext(t.Context(), name, a...).CombinedOutput()
		if err != nil {
			t.Fatalf("%s %v: %v\n%s", filepath.Base(name), a, err, out)
		}
		return string(out)
	}
	run("go", "build", "-o", program, "aovuon/gateway")
	raw, err := os.ReadFile("gateway.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	run(program, "init", "--config", file)
	card := run(program, "card", "--config", file)
	if err := os.WriteFile(filepath.Join(dir, "server.vkey"), []byte(strings.Split(card, "\n")[2]+"\n"), 0o600); err != nil { // any key of the right form
		t.Fatal(err)
	}
	run(program, "check", "--config", file)
}

// Every sort of fault is found: a table that nobody checks is no table.
func TestCheck_FindsFaults(t *testing.T) {
	good := all(t)[0]
	for name, f := range map[string]func(b *boards.Board){
		"a pin that is none":       func(b *boards.Board) { b.Wires[7].FromPin = "1 5V" },
		"a part that is not there": func(b *boards.Board) { b.Wires[0].From = "spd2" },
		"a pin used twice":         func(b *boards.Board) { b.Wires[8].FromPin = b.Wires[9].FromPin },
		"a short circuit":          func(b *boards.Board) { b.Wires[5].ToPin = "6 GND" },
		"an address twice":         func(b *boards.Board) { b.Parts[6].Address = "i2c 0x68" },
		"a part listed twice":      func(b *boards.Board) { b.Parts[1].Ref = b.Parts[0].Ref },
		"no price day, no class":   func(b *boards.Board) { b.Parts[2].Class = "friend" },
		"something not wired":      func(b *boards.Board) { b.Parts[len(b.Parts)-1].Kind = boards.Module },
		"no colour":                func(b *boards.Board) { b.Wires[3].Colour = "" },
		"a colour unheard of":      func(b *boards.Board) { b.Wires[3].Colour = "mauve" },
	} {
		b := good
		b.Parts, b.Wires = slices.Clone(good.Parts), slices.Clone(good.Wires)
		f(&b)
		if len(b.Check()) == 0 {
			t.Errorf("%s: nothing is said", name)
		}
	}
}
