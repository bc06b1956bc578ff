package scan_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/physic"

	"aovuon/firmware-sim/field"
	"aovuon/gateway/measure"
	"aovuon/gateway/scan"
	"aovuon/gateway/sense"
	"aovuon/gateway/sense/kind"
	"aovuon/gateway/sense/probe"
	"aovuon/gateway/sense/rtu"
	"aovuon/gateway/sense/sensetest"
	"aovuon/gateway/sense/serial"
	"aovuon/hardware/probes"
)

const pond = `
seed: 7
places: [{ id: ao1, kind: pond }, { id: khoai1, kind: plot }]
buses: [{ id: i2c, socket: i2c.sock }, { id: w1, w1: w1 }]
devices:
  - { id: temp, kind: ds18b20, bus: w1, rom: 28-00000a01f1a1, place: ao1 }
  - { id: do, kind: ezo-do, bus: i2c, address: 0x61, place: ao1 }
  - { id: ph, kind: ezo-ph, bus: i2c, address: 0x63, place: ao1 }
  - { id: ph2, kind: ezo-ph, bus: i2c, address: 0x70, place: ao1 }
  - { id: adc, kind: ads1115, bus: i2c, address: 0x48 }
  - { id: am, kind: capacitive, adc: adc, input: 2, place: khoai1, dry: { volts: 2.42, vwc: 5 }, wet: { volts: 1.31, vwc: 45 } }
  - { id: kk, kind: sht4x, bus: i2c, address: 0x45, place: khoai1 }
  - { id: bme, kind: bme280, bus: i2c, address: 0x77, place: khoai1 }
`

func clock() *sensetest.Clock {
	return sensetest.NewClock(time.Date(2026, 11, 25, 3, 0, 0, 0, time.UTC))
}

// buses are those of a simulated field.
func buses(t *testing.T, c *sensetest.Clock) []scan.Bus {
	t.Helper()
	cfg, err := field.Parse("field.yaml", []byte(pond), "/")
	if err != nil {
		t.Fatal(err)
	}
	f, err := field.New(cfg, field.Options{Now: func() time.Time { return c.Now().Wall }, Sleep: c.Sleep})
	if err != nil {
		t.Fatal(err)
	}
	wire, err := f.I2C("unix:/i2c.sock")
	if err != nil {
		t.Fatal(err)
	}
	tree, err := f.W1("/w1")
	if err != nil {
		t.Fatal(err)
	}
	return []scan.Bus{{Name: "i2c-1", Spec: kind.BusSpec{I2C: "1"}, I2C: wire}, {Name: "w1", Spec: kind.BusSpec{W1: "/sys/bus/w1/devices"}, W1: tree}}
}

func TestLook_NamesEveryChipOfAPond(t *testing.T) {
	c := clock()
	r, err := scan.Look(t.Context(), buses(t, c), scan.Options{Clock: c})
	if err != nil || len(r.Trouble) > 0 {
		t.Fatal(err, r.Trouble)
	}
	want := []scan.Found{
		{Bus: "i2c-1", Address: 0x45, Kind: "sht4x", Chip: "SHT4x, serial "},
		{Bus: "i2c-1", Address: 0x48, Kind: "capacitive-ads1115", Chip: "ADS1115", Inputs: []int{2}},
		{Bus: "i2c-1", Address: 0x61, Kind: "ezo-do", Chip: "EZO-D.O., firmware "},
		{Bus: "i2c-1", Address: 0x63, Kind: "ezo-ph", Chip: "EZO-pH, firmware "},
		{Bus: "i2c-1", Address: 0x70, Chip: "unknown"}, // asked nothing: it might be a switch
		{Bus: "i2c-1", Address: 0x77, Kind: "bme280", Chip: "BME280"},
		{Bus: "w1", Device: "28-00000a01f1a1", Kind: "ds18b20", Chip: "DS18B20"},
	}
	for i := range r.Found {
		if i < len(want) && strings.HasPrefix(r.Found[i].Chip, want[i].Chip) {
			r.Found[i].Chip = want[i].Chip
		}
	}
	if diff := cmp.Diff(want, r.Found, cmpopts.IgnoreFields(scan.Found{}, "Spec")); diff != "" {
		t.Error(diff)
	}
}

// proposed reads a proposal as a configuration is read, and builds its channels.
func proposed(t *testing.T, text string, taken []kind.Spec) (map[string]kind.BusSpec, []kind.Spec) {
	t.Helper()
	var got struct {
		Buses   map[string]kind.BusSpec `yaml:"buses"`
		Sensors []kind.Spec             `yaml:"sensors"`
	}
	if err := yaml.UnmarshalWithOptions([]byte(text), &got, yaml.Strict()); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	all := append(append([]kind.Spec{}, taken...), got.Sensors...)
	specs := map[string]kind.BusSpec{"i2c-1": {I2C: "1"}, "w1": {W1: "/sys/bus/w1/devices"}}
	if _, err := kind.Build(all, nothing{}, specs, clock()); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return got.Buses, got.Sensors
}

// nothing opens buses that nobody asks.
type nothing struct{ kind.Buses }

func (nothing) I2C(string) (i2c.Bus, error) { return nil, nil } //nolint:nilnil // never used
func (nothing) W1(string) (fs.FS, error)    { return fstest.MapFS{}, nil }

func (nothing) Serial(path string) (serial.Port, error) {
	return sensetest.NewSerial(path, clock()), nil
}

func TestPropose_IsAConfigurationTheProgramReads(t *testing.T) {
	c := clock()
	r, err := scan.Look(t.Context(), buses(t, c), scan.Options{Clock: c})
	if err != nil {
		t.Fatal(err)
	}
	text := r.Propose(nil, nil)
	b, sensors := proposed(t, text, nil)
	if b["i2c-1"].I2C != "1" || b["w1"].W1 != "/sys/bus/w1/devices" {
		t.Errorf("buses %v", b)
	}
	var ids []string
	for _, s := range sensors {
		ids = append(ids, s.ID)
		if s.Kind == "ezo-do" && s.Temperature != "temp-1" {
			t.Errorf("%s is compensated by %q", s.ID, s.Temperature)
		}
		if s.Kind == "ezo-do" && (s.Salinity == "" || s.Pressure == "") {
			t.Errorf("%s would be estimated for ever", s.ID)
		}
	}
	if got := strings.Join(ids, " "); got != "temp-1 air-1 soil-1 do-1 ph-1 air-2" {
		t.Errorf("sensors %s in\n%s", got, text)
	}
	if !strings.Contains(text, "# i2c-1, 0x70: unknown") {
		t.Errorf("no word of the stranger in\n%s", text)
	}
}

func TestPropose_LeavesAloneWhatIsConfigured(t *testing.T) {
	taken := []kind.Spec{
		{ID: "do-1", Kind: "ezo-do", Bus: "i2c-1", Address: 0x61},
		{ID: "ph-1", Kind: "ezo-ph", Bus: "i2c-1", Address: 0x70}, // set there by hand, so it may be asked
		{ID: "t", Kind: "ds18b20", Bus: "w1", Device: "28-00000a01f1a1"},
	}
	c := clock()
	r, err := scan.Look(t.Context(), buses(t, c), scan.Options{Clock: c, Sensors: taken})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.Found {
		if f.Address == 0x70 && (f.Kind != "ezo-ph" || f.Sensor != "ph-1") {
			t.Errorf("%+v", f)
		}
	}
	named := map[string]kind.BusSpec{"i2c-1": {I2C: "1"}, "w1": {W1: "/sys/bus/w1/devices"}}
	text := r.Propose(taken, named)
	b, sensors := proposed(t, text, taken)
	if len(b) != 0 || strings.Contains(text, "0x61") || strings.Contains(text, "28-") {
		t.Errorf("proposed again:\n%s", text)
	}
	if len(sensors) != 4 || sensors[2].ID != "ph-2" || sensors[2].Temperature != "t" {
		t.Errorf("%+v", sensors)
	}
	if again := (scan.Report{Found: r.Found[:0]}).Propose(taken, named); again != "" {
		t.Errorf("nothing new is %q", again)
	}
}

// wire answers an I²C bus by a function.
type wire func(addr uint16, w, r []byte) error

func (wire) String() string                      { return "wire" }
func (wire) SetSpeed(physic.Frequency) error     { return nil }
func (f wire) Tx(addr uint16, w, r []byte) error { return f(addr, w, r) }
func look(t *testing.T, w wire) (scan.Report, int) {
	t.Helper()
	n := 0
	counted := wire(func(addr uint16, wb, r []byte) error {
		n++
		if len(wb) == 0 && len(r) == 0 {
			t.Error("a transaction of no bytes never reaches the bus")
		}
		return w(addr, wb, r)
	})
	r, err := scan.Look(t.Context(), []scan.Bus{{Name: "b", I2C: counted}}, scan.Options{Clock: clock()})
	if err != nil {
		t.Fatal(err)
	}
	return r, n
}

func TestLook_AGroundedWireIsNoHundredChips(t *testing.T) {
	r, _ := look(t, func(_ uint16, _, r []byte) error { clear(r); return nil })
	if len(r.Found) != 0 || len(r.Trouble) != 1 || !strings.Contains(r.Trouble[0].Err, "touches ground") {
		t.Errorf("%+v", r)
	}
}

func TestLook_ABrokenBusIsAskedOnce(t *testing.T) {
	r, n := look(t, func(uint16, []byte, []byte) error { return errors.New("connection timed out") })
	if n != 1 || len(r.Trouble) != 1 || !strings.Contains(r.Trouble[0].Err, "0x08: connection timed out") {
		t.Errorf("%d transactions, %+v", n, r)
	}
}

func TestLook_WritesToNobodyThatIsNotOurs(t *testing.T) {
	wrote := map[uint16]bool{}
	look(t, func(addr uint16, w, r []byte) error {
		if len(w) > 0 {
			wrote[addr] = true
		}
		if addr%2 == 0 {
			return sense.ErrNoAck
		}
		clear(r)
		return nil
	})
	for addr := range wrote {
		ours := addr >= 0x36 && addr <= 0x39 || addr >= 0x44 && addr <= 0x4B || addr >= 0x61 && addr <= 0x67 || addr >= 0x76
		if !ours {
			t.Errorf("wrote to 0x%02x", addr)
		}
	}
}

func TestLook_KnowsTheNeighboursOfOurChips(t *testing.T) {
	// A switch at 0x76 shows the channels it was given, and must get back those it had.
	channels := byte(0x05)
	r, _ := look(t, func(addr uint16, w, r []byte) error {
		switch addr {
		case 0x76:
			if len(w) > 0 {
				channels = w[len(w)-1]
			}
			for i := range r {
				r[i] = channels
			}
		case 0x77: // a BMP280
			if len(w) == 1 && w[0] == 0xD0 {
				r[0] = 0x58
			}
		case 0x49: // a TMP102: config 0x60A0
			if len(w) == 1 && w[0] == 1 && len(r) == 2 {
				r[0], r[1] = 0x60, 0xA0
			}
		case 0x68:
		default:
			return sense.ErrNoAck
		}
		return nil
	})
	if channels != 0x05 {
		t.Errorf("the switch has channels %#x", channels)
	}
	var said []string
	for _, f := range r.Found {
		if f.Kind != "" {
			t.Errorf("%+v", f)
		}
		said = append(said, f.Chip)
	}
	for i, want := range []string{"not an ADS1115", "battery-backed clock", "a switch", "BMP280"} {
		if i >= len(said) || !strings.Contains(said[i], want) {
			t.Errorf("%q, want %q as number %d", said, want, i)
		}
	}
}

// line is a serial line with units on it.
type line map[byte]error

func (l line) Do(_ context.Context, r rtu.Request) ([]byte, error) {
	if err, ok := l[r.Unit]; ok && r.Line.Baud == 9600 {
		return []byte{3, 2, 0, 0}, err
	}
	return nil, sense.Faultf(measure.NoResponse, "nobody")
}

// A level sensor sends all the time: every question has garbage for an answer.
func TestLook_TellsOnceOfSomethingThatSpeaksUnasked(t *testing.T) {
	l := line{}
	for unit := range byte(chatterUnits) {
		l[unit+1] = sense.Faultf(measure.Garbled, "ff 02 07")
	}
	o := scan.Options{Clock: clock(), Units: [2]byte{1, chatterUnits}, Lines: []rtu.Line{{Baud: 9600, Parity: rtu.NoParity, StopBits: 1}}}
	r, err := scan.Look(t.Context(), []scan.Bus{{Name: "muc", Line: l}}, o)
	if err != nil || len(r.Found) != 0 || len(r.Trouble) != 1 || !strings.Contains(r.Trouble[0].Err, "ultrasonic-uart") {
		t.Errorf("%+v, %v", r, err)
	}
}

const chatterUnits = 32

func TestLook_FindsUnitsOnASerialLine(t *testing.T) {
	l := line{1: nil, 5: sense.Faultf(measure.Refused, "no such register"), 7: sense.Faultf(measure.CRC, "crc")}
	o := scan.Options{
		Clock: clock(), Units: [2]byte{1, 20}, Sensors: []kind.Spec{{ID: "ao1-do", Bus: "ao-485", Address: 5}},
		Lines: []rtu.Line{{Baud: 4800, Parity: rtu.NoParity, StopBits: 1}, {Baud: 9600, Parity: rtu.NoParity, StopBits: 1}},
	}
	r, err := scan.Look(t.Context(), []scan.Bus{{Name: "ao-485", Line: l}}, o)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range r.Found {
		got = append(got, f.Place()+" "+f.Sensor)
	}
	want := []string{"unit 1, 9600 8N1 ", "unit 5, 9600 8N1 ao1-do", "unit 7, 9600 8N1 "}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(r.Found[2].Chip, "garbled") {
		t.Errorf("%+v", r.Found[2])
	}
	broken, err := scan.Look(t.Context(), []scan.Bus{{Name: "ao-485", Line: line{1: sense.Faultf(measure.BusDown, "unplugged")}}}, o)
	if err != nil || len(broken.Trouble) != 1 || !strings.Contains(broken.Trouble[0].Err, "unplugged") {
		t.Errorf("%+v, %v", broken, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := scan.Look(ctx, []scan.Bus{{Name: "ao-485", Line: l}}, o); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
}

// registers is a unit that answers like a template.
type registers struct {
	t *probe.Template
}

func (u registers) Do(_ context.Context, r rtu.Request) ([]byte, error) {
	if r.Unit != 7 || r.Line != u.t.Modbus.Serial() {
		return nil, sense.Faultf(measure.NoResponse, "nobody")
	}
	for i := range u.t.Modbus.Reads {
		if read := &u.t.Modbus.Reads[i]; bytes.Equal(read.PDU(), r.PDU) {
			image := u.t.Modbus.Image(i)
			return append([]byte{r.PDU[0], byte(len(image))}, image...), nil
		}
	}
	return nil, sense.Faultf(measure.Refused, "no such register")
}

func TestLook_RecognisesProbesByTheirRegisters(t *testing.T) {
	library := probe.NewLibrary(probes.Files())
	ids, err := library.IDs()
	if err != nil {
		t.Fatal(err)
	}
	var all []*probe.Template
	for _, id := range ids {
		tpl, err := library.Template(id)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, tpl)
	}
	known := 0
	for _, tpl := range all {
		if tpl.Modbus == nil || tpl.Modbus.Start != nil {
			continue
		}
		known++
		line := tpl.Modbus.Serial()
		r, err := scan.Look(t.Context(), []scan.Bus{{Name: "ao-485", Spec: kind.BusSpec{Serial: "/dev/ttyUSB0"}, Line: registers{tpl}}},
			scan.Options{Clock: clock(), Lines: []rtu.Line{line}, Units: [2]byte{6, 8}, Templates: all})
		if err != nil || len(r.Found) != 1 {
			t.Fatalf("%s: %+v, %v", tpl.ID, r, err)
		}
		f := r.Found[0]
		if !slices.Contains(f.Templates, tpl.ID) {
			t.Errorf("%s is taken for %v", tpl.ID, f.Templates)
		}
		text := r.Propose(nil, map[string]kind.BusSpec{"ao-485": {Serial: "/dev/ttyUSB0"}})
		if len(f.Templates) > 1 {
			if f.Kind != "" || !strings.Contains(text, "the label on the probe tells which") {
				t.Errorf("%s, of %v: %s", tpl.ID, f.Templates, text)
			}
			continue
		}
		var got struct {
			Sensors []kind.Spec `yaml:"sensors"`
		}
		if err := yaml.UnmarshalWithOptions([]byte(text), &got, yaml.Strict()); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		if _, err := kind.Build(got.Sensors, nothing{}, map[string]kind.BusSpec{"ao-485": {Serial: "/dev/ttyUSB0"}}, clock()); err != nil {
			t.Errorf("%s: %v in %s", tpl.ID, err, text)
		}
		if len(got.Sensors) != 1 || got.Sensors[0].Template != tpl.ID || got.Sensors[0].Address != 7 {
			t.Errorf("%s: proposed %s", tpl.ID, text)
		}
	}
	if known < 8 {
		t.Errorf("only %d templates were tried", known)
	}
}
