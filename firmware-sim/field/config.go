// Package field puts a simulated field together: one YAML file comes in; chips on buses in a seeded world go out, either
// in process (for a season in virtual time) or as Unix sockets and w1 folders for gateways in other processes.
package field

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"aovuon/firmware-sim/world"
	"aovuon/gateway/sense/probe"
)

// Config is a field file. Relative paths are relative to RunDir, and RunDir to the file.
type Config struct {
	Seed    uint64        `yaml:"seed"`       // the weather, the ponds, the noise: another seed is another year
	Begin   string        `yaml:"begin"`      // the day the world begins, 2026-01-01; default: world.DefaultBegin of now
	Speed   float64       `yaml:"speed"`      // the world runs so many times faster than the clock; 1 is real. Chips keep their own time
	RunDir  string        `yaml:"run_dir"`    // where sockets and folders are made; default: the folder of this file
	Control string        `yaml:"control"`    // control socket for faults; empty: none
	Ledger  string        `yaml:"ledger"`     // file of what every chip answered; empty: none
	Journal string        `yaml:"journal"`    // file of what is done to the world, which every start goes on with; empty: none
	Panel   string        `yaml:"panel"`      // where the page of the running field is, 127.0.0.1:8070; empty: nowhere
	Product string        `yaml:"product"`    // address of the server's pages, http://127.0.0.1:8080, for that page to show what they say
	Refresh time.Duration `yaml:"w1_refresh"` // how often w1 folders show a new conversion
	Places  []Place       `yaml:"places"`
	Buses   []Bus         `yaml:"buses"`
	Devices []Device      `yaml:"devices"`
	Faults  []Fault       `yaml:"faults"` // that come by themselves

	Gateways []Gateway `yaml:"gateways"` // hosted by `firmware-sim run`
	Programs []Program `yaml:"programs"`

	Dir string `yaml:"-"` // the folder of the file
}

// Bus is an I²C bus behind a socket, a 1-Wire bus as a folder or by its master's name, a serial line as a device file, or
// pins behind a socket: exactly one of the five.
type Bus struct {
	ID      string `yaml:"id"` // of a serial line also the name of its adapter on the fault board
	Socket  string `yaml:"socket"`
	W1      string `yaml:"w1"`
	OneWire string `yaml:"onewire"` // only for a gateway in this process: a kernel's bus master has no socket
	Serial  string `yaml:"serial"`
	Pins    string `yaml:"pins"`
	Echo    bool   `yaml:"echo"` // serial: the adapter hears itself, as simple 2-wire ones do
}

// Device is a chip on a bus, or an analog probe on an input of a converter.
type Device struct {
	ID      string  `yaml:"id"`      // name on the fault board and in the ledger; by habit the gateway's sensor id
	Kind    string  `yaml:"kind"`    // one of kinds
	Bus     string  `yaml:"bus"`     // id of a bus; not for capacitive, transducer and analog
	Address uint16  `yaml:"address"` // I²C, 7 bit; modbus: 1 to 247
	ROM     string  `yaml:"rom"`     // ds18b20: name of its folder; empty: made of the seed
	ADC     string  `yaml:"adc"`     // capacitive, transducer, analog: id of the ads1115 it is wired to
	Input   int     `yaml:"input"`   // capacitive, transducer, analog: 0 to 3
	Place   string  `yaml:"place"`   // where it measures; not for ads1115 and transducer
	Dry     *Point  `yaml:"dry"`     // capacitive: two points of its voltage
	Wet     *Point  `yaml:"wet"`
	Height  float64 `yaml:"height"` // ultrasonic-uart: cm above the level that counts as 0
	Pin     string  `yaml:"pin"`    // aerator: the name of its relay's pin on the bus
	Relay   Relay   `yaml:"relay"`  // aerator
	Amps    float64 `yaml:"amps"`   // aerator: what the motor draws
	Rate    float64 `yaml:"rate"`   // aerator: how fast it brings the pond to saturation, 1/h
	Motor   string  `yaml:"motor"`  // transducer: id of the aerator whose lead it is round
	PerAmp  float64 `yaml:"volts_per_amp"`

	Template string        `yaml:"template"` // modbus, analog: id of a probe template, or the name of a file with one
	Baud     int           `yaml:"baud"`     // modbus: when it was set to another speed than it comes with
	Points   []probe.Point `yaml:"points"`   // analog: what is special about this one
}

// Relay is how an aerator is wired.
type Relay struct {
	ActiveLow bool   `yaml:"active_low"`
	Contact   string `yaml:"contact"` // "no" (default) or "nc"
}

// Point is a soil sample and what a probe gives in it.
type Point struct {
	Volts float64 `yaml:"volts"`
	VWC   float64 `yaml:"vwc"` // volumetric water content, %
}

//go:embed sample.yaml
var sample string

// Sample returns the field file of the demo: four ponds, two potato plots and a herb plot.
func Sample() string { return sample }

// maxSocketPath is what fits a Unix socket's address on Linux, without its final zero.
const maxSocketPath = 107

// Load reads a field file. Errors name the file, the line and the mend.
func Load(path string) (Config, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Config{}, fmt.Errorf("field: no file %s: start from one made by `firmware-sim sample > field.yaml`", path)
	}
	if err != nil {
		return Config{}, fmt.Errorf("field: %w", err)
	}
	dir, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return Config{}, fmt.Errorf("field: %w", err)
	}
	return Parse(path, raw, dir)
}

// Parse reads the text of a field file. name stands in errors; dir is what relative paths are relative to.
func Parse(name string, raw []byte, dir string) (Config, error) {
	raw = bytes.TrimPrefix(raw, []byte("\ufeff")) // some editors put it before the text
	if len(bytes.TrimSpace(raw)) == 0 {
		return Config{}, fmt.Errorf("field: %s is empty: start from one made by `firmware-sim sample > field.yaml`", name)
	}
	c := Config{Speed: 1, RunDir: ".", Refresh: time.Second}
	if err := yaml.UnmarshalWithOptions(raw, &c, yaml.Strict()); err != nil {
		return Config{}, fmt.Errorf("field: %s: %s\n  mend: correct that line or remove it; firmware-sim sample prints every key", name, strings.TrimSpace(yaml.FormatError(err, false, true)))
	}
	under(&c.RunDir, dir)
	under(&c.Control, c.RunDir)
	under(&c.Ledger, c.RunDir)
	under(&c.Journal, c.RunDir)
	for i := range c.Buses {
		under(&c.Buses[i].Socket, c.RunDir)
		under(&c.Buses[i].W1, c.RunDir)
		under(&c.Buses[i].Serial, c.RunDir)
		under(&c.Buses[i].Pins, c.RunDir)
	}
	for i := range c.Devices {
		if probe.IsFile(c.Devices[i].Template) {
			under(&c.Devices[i].Template, dir)
		}
	}
	c.resolveHosting(dir)
	err := c.check()
	if err == nil {
		err = c.checkHosting()
	}
	if err == nil {
		var day time.Time
		if day, err = c.begin(epoch()); err == nil {
			_, err = New(c, Options{Now: func() time.Time { return day }})
		}
	}
	if wrong := (*keyError)(nil); errors.As(err, &wrong) {
		return Config{}, fmt.Errorf("field: %s:%d: %w", name, lineOf(raw, wrong.path), err)
	}
	if err != nil {
		return Config{}, fmt.Errorf("field: %s: %w", name, err)
	}
	return c, nil
}

// under makes *path absolute below dir, unless it is empty.
func under(path *string, dir string) {
	if *path != "" && !filepath.IsAbs(*path) {
		*path = filepath.Join(dir, *path)
	}
}

func epoch() time.Time { return time.Unix(0, 0).UTC() }

// keyError is a value that cannot be worked with: where it stands, what is wrong, how to mend it.
type keyError struct {
	path string // YAML path, such as $.devices[2].address
	err  error
}

func (e *keyError) Error() string { return e.err.Error() }
func (e *keyError) Unwrap() error { return e.err }

func wrong(path, format string, args ...any) error {
	return &keyError{path: path, err: fmt.Errorf(format, args...)}
}

// check finds what no chip would complain about.
func (c Config) check() error {
	if err := CheckSpeed(c.Speed); err != nil {
		return &keyError{path: "$.speed", err: err}
	}
	if c.Refresh < 50*time.Millisecond || c.Refresh > time.Hour {
		return wrong("$.w1_refresh", "w1_refresh %s: want 50ms to 1h", c.Refresh)
	}
	if len(c.Devices) == 0 {
		return wrong("$", "no devices: a field without chips has nothing to say; see `firmware-sim sample`")
	}
	if err := short("$.control", c.Control); err != nil {
		return err
	}
	if err := c.checkPanel(); err != nil {
		return err
	}
	seen := make(map[string]bool)
	for i, b := range c.Buses {
		at := fmt.Sprintf("$.buses[%d]", i)
		switch {
		case b.ID == "":
			return wrong(at, "a bus without id: give it one, such as ao-i2c")
		case seen[b.ID]:
			return wrong(at+".id", "bus %q is there twice: give every bus its own id", b.ID)
		case b.sorts() != 1:
			return wrong(at, "bus %s: want exactly one of socket (I²C), w1 (a folder), onewire (a name), serial (a device file) and pins (a socket)", b.ID)
		case b.Echo && b.Serial == "":
			return wrong(at+".echo", "bus %s: only the adapter of a serial line echoes: remove it", b.ID)
		}
		seen[b.ID] = true
		if err := errors.Join(short(at+".socket", b.Socket), short(at+".pins", b.Pins)); err != nil {
			return err
		}
	}
	return nil
}

// CheckSpeed reports a speed that no world can have, with the mend.
func CheckSpeed(v float64) error {
	if v > 0 && v <= 100_000 { // and not NaN
		return nil
	}
	return fmt.Errorf("speed %g: want more than 0, at most 100000; 1 is real time", v)
}

// begin is when the world begins in a field that is started at now.
func (c Config) begin(now time.Time) (time.Time, error) {
	if c.Begin == "" {
		return world.DefaultBegin(now), nil
	}
	day, err := time.ParseInLocation(time.DateOnly, c.Begin, world.DefaultBegin(now).Location())
	if err != nil {
		return time.Time{}, wrong("$.begin", "begin %q: want a day, such as 2026-01-01", c.Begin)
	}
	return day, nil
}

// checkPanel finds addresses that cannot be.
func (c Config) checkPanel() error {
	if _, port, err := net.SplitHostPort(c.Panel); c.Panel != "" && (err != nil || port == "") {
		return wrong("$.panel", "panel %q: want an address and a port, such as 127.0.0.1:8070", c.Panel)
	}
	if u, err := url.Parse(c.Product); c.Product != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
		return wrong("$.product", "product %q: want the address of the server's pages, such as http://127.0.0.1:8080", c.Product)
	}
	return nil
}

// sorts counts the sorts of bus that b says it is.
func (b Bus) sorts() (n int) {
	for _, place := range []string{b.Socket, b.W1, b.OneWire, b.Serial, b.Pins} {
		if place != "" {
			n++
		}
	}
	return n
}

func short(path, socket string) error {
	if len(socket) > maxSocketPath {
		return wrong(path, "%s is %d bytes long; a Unix socket's path has at most %d: set run_dir to a short folder, such as /tmp/field", socket, len(socket), maxSocketPath)
	}
	return nil
}

// lineOf returns the line of a YAML path, or of the nearest thing above it that the file has.
func lineOf(raw []byte, path string) int {
	for path != "" && path != "$" {
		if p, err := yaml.PathString(path); err == nil {
			if node, err := p.ReadNode(strings.NewReader(string(raw))); err == nil && node != nil {
				return node.GetToken().Position.Line
			}
		}
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
	}
	return 1
}
