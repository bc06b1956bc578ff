package kind_test

import (
	"errors"
	"log/slog"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
	"aovuon/gateway/sense/kind"
	"aovuon/gateway/sense/sensetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func clock() *sensetest.Clock {
	return sensetest.NewClock(time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC))
}

// config is what these tests read their specs from: the form in which people write them.
type config struct {
	Buses   map[string]kind.BusSpec `yaml:"buses"`
	Sensors []kind.Spec             `yaml:"sensors"`
}

func parse(t *testing.T, text string) config {
	t.Helper()
	var c config
	if err := yaml.UnmarshalWithOptions([]byte(text), &c, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	return c
}

const good = `
buses:
  ao-i2c: { i2c: "1" }
  vuon: { i2c: "unix:/run/vuon.sock" }
  ao-w1: { w1: /sys/bus/w1/devices }
  muc: { serial: /dev/ttyUSB0 }
sensors:
  - { id: ao1-do, kind: ezo-do, bus: ao-i2c, address: 0x61, every: 30s, temperature: ao1-temp, salinity: 0, pressure: 1013 }
  - { id: ao1-ph, kind: ezo-ph, bus: ao-i2c, address: 0x63, temperature: ao1-temp }
  - { id: khoai1-am, kind: capacitive-ads1115, bus: vuon, address: 0x48, input: 0 }
  - { id: khoai2-am, kind: capacitive-ads1115, bus: vuon, address: 0x48, input: 3,
      calibration: { dry: { volts: 2.3, vwc: 5 }, wet: { volts: 1.5, vwc: 42 } } }
  - { id: khoai1-kk, kind: sht4x, bus: vuon, address: 0x44 }
  - { id: thuoc1-kk, kind: bme280, bus: vuon, address: 0x76, every: 100ms }
  - { id: ao1-temp, kind: ds18b20, bus: ao-w1, device: 28-000000000001 }
  - { id: ao1-muc, kind: ultrasonic-uart, bus: muc, height: 180, temperature: khoai1-kk }
`

func TestBuild_EveryKindFromYAML(t *testing.T) {
	c := parse(t, good)
	channels, err := kind.Build(c.Sensors, newField(), c.Buses, clock())
	if err != nil {
		t.Fatal(err)
	}
	type line struct {
		ID, Bus    string
		Every      time.Duration
		Quantities []measure.Quantity
	}
	var got []line
	for _, c := range channels {
		got = append(got, line{c.ID, c.Bus, c.Every, c.Quantities})
	}
	air := []measure.Quantity{measure.AirTemperature, measure.RelativeHumidity}
	want := []line{
		// Those that compensate others come first.
		{"khoai1-kk", "vuon", time.Minute, air},
		{"ao1-temp", "ao-w1", time.Minute, []measure.Quantity{measure.WaterTemperature}},
		{"ao1-do", "ao-i2c", 30 * time.Second, []measure.Quantity{measure.DissolvedOxygen}},
		{"ao1-ph", "ao-i2c", time.Minute, []measure.Quantity{measure.PH}},
		{"khoai1-am", "vuon", time.Minute, []measure.Quantity{measure.SoilMoisture}},
		{"khoai2-am", "vuon", time.Minute, []measure.Quantity{measure.SoilMoisture}},
		{"thuoc1-kk", "vuon", 100 * time.Millisecond, append(slices.Clone(air), measure.AirPressure)},
		{"ao1-muc", "muc", time.Minute, []measure.Quantity{measure.WaterLevel, measure.SurfaceDistance}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, err := kind.Build(nil, newField(), nil, clock()); err != nil {
		t.Errorf("no sensor: %v", err)
	}
}

func TestTable_EveryKindIsWhole(t *testing.T) {
	for _, name := range kind.Names() {
		info, ok := kind.Lookup(name)
		templates := name == "modbus" || name == "analog" // what they measure a template says
		if !ok || info.Name != name || (len(info.Quantities) == 0) != templates || !slices.Contains([]kind.Wiring{kind.I2C, kind.W1, kind.Serial}, info.Wiring) {
			t.Errorf("%s: %+v", name, info)
		}
		if info.Wiring == kind.I2C && (info.Usual < info.Lowest || info.Usual > info.Highest) {
			t.Errorf("%s: usual address 0x%02x", name, info.Usual)
		}
	}
	if _, ok := kind.Lookup("hx711"); ok {
		t.Error("an unknown kind is known")
	}
}

func TestBuild_NamesTheSensorTheFieldAndTheMend(t *testing.T) {
	// Each case changes one sensor of the good configuration.
	for name, tc := range map[string]struct {
		old, new    string
		index       int
		field, says string
	}{
		"no id":             {"id: ao1-ph,", "", 1, "id", "write one such as"},
		"bad id":            {"id: ao1-ph", "id: AO1_pH", 1, "id", "a-z, 0-9 and -"},
		"id twice":          {"id: ao1-ph", "id: ao1-do", 1, "id", "sensor 1 of the list"},
		"no kind":           {"kind: sht4x,", "", 4, "kind", strings.Join(kind.Names(), ", ")},
		"unknown kind":      {"kind: sht4x", "kind: sht2x", 4, "kind", strings.Join(kind.Names(), ", ")},
		"no bus":            {"bus: ao-w1, ", "", 6, "bus", "write one of ao-i2c, ao-w1, muc, vuon"},
		"unknown bus":       {"ezo-ph, bus: ao-i2c", "ezo-ph, bus: ao-i2d", 1, "bus", "write one of ao-i2c, ao-w1, muc, vuon"},
		"wrong sort of bus": {"ezo-ph, bus: ao-i2c", "ezo-ph, bus: ao-w1", 1, "bus", "write one of ao-i2c, vuon"},
		"i2c for w1":        {"bus: ao-w1", "bus: vuon", 6, "bus", "write one of ao-w1"},
		"no address":        {", address: 0x44", "", 4, "address", "0x44 to 0x46"},
		"address too low":   {"address: 0x44", "address: 0x43", 4, "address", "0x44 to 0x46; it comes with 0x44"},
		"address too high":  {"address: 0x76", "address: 0x78", 5, "address", "0x76 to 0x77"},
		"reserved address":  {"address: 0x63", "address: 0x78", 1, "address", "0x08 to 0x77"},
		"address on w1":     {"device: 28", "address: 0x61, device: 28", 6, "address", "remove it"},
		"no device":         {", device: 28-000000000001", "", 6, "device", "ls /sys/bus/w1/devices"},
		"bad device":        {"28-000000000001", "28-00000000001", 6, "device", "28-0123456789ab"},
		"device on i2c":     {"address: 0x44", "address: 0x44, device: 28-000000000002", 4, "device", "remove it"},
		"no input":          {", input: 0", "", 2, "input", "write 0 to 3"},
		"input 4":           {"input: 3", "input: 4", 3, "input", "write 0 to 3"},
		"input -1":          {"input: 3", "input: -1", 3, "input", "write 0 to 3"},
		"input on sht4x":    {"address: 0x44", "address: 0x44, input: 0", 4, "input", "remove it"},
		"too often":         {"every: 100ms", "every: 99ms", 5, "every", "at least 100ms"},
		"negative interval": {"every: 100ms", "every: -1s", 5, "every", "at least 100ms"},
		"too seldom":        {"every: 100ms", "every: 999999h", 5, "every", "at most 24h"},
		"same address":      {"address: 0x63", "address: 0x61", 1, "address", `sensor "ao1-do" is there already`},
		"same input":        {"input: 3", "input: 0", 3, "input", `sensor "khoai1-am" is there already`},
		"no such thermometer": {
			"0x63, temperature: ao1-temp", "0x63, temperature: ao9-temp", 1, "temperature", `no sensor "ao9-temp"`,
		},
		"thermometer of air":   {"0x63, temperature: ao1-temp", "0x63, temperature: khoai1-kk", 1, "temperature", "temperature of water"},
		"its own":              {"0x63, temperature: ao1-temp", "0x63, temperature: ao1-ph", 1, "temperature", "temperature of water"},
		"not compensated":      {"address: 0x44", "address: 0x44, temperature: ao1-temp", 4, "temperature", "remove it"},
		"bad calibration":      {"volts: 1.5, vwc: 42", "volts: 2.5, vwc: 42", 3, "calibration", "dry volts must be above"},
		"half a calibration":   {", wet: { volts: 1.5, vwc: 42 }", "", 3, "calibration", "dry: { volts:"},
		"thermometer of water": {"temperature: khoai1-kk", "temperature: ao1-temp", 7, "temperature", "temperature of air"},
		"no height":            {"height: 180, ", "", 7, "height", "above the pond's floor"},
		"height of zero":       {"height: 180", "height: 0", 7, "height", "write 1 to 750"},
		"height of no number":  {"height: 180", "height: .nan", 7, "height", "write 1 to 750"},
		"height on sht4x":      {"address: 0x44", "address: 0x44, height: 180", 4, "height", "remove it"},
		"address of a level":   {"height: 180", "height: 180, address: 1", 7, "address", "remove it"},
		"a level on i2c":       {"bus: muc", "bus: vuon", 7, "bus", "write one of muc"},
		"no soil":              {"address: 0x44", "address: 0x44, calibration: { dry: { volts: 2, vwc: 1 }, wet: { volts: 1, vwc: 2 } }", 4, "calibration", "remove it"},
	} {
		text := strings.Replace(good, tc.old, tc.new, 1)
		if text == good {
			t.Fatalf("%s: nothing changed", name)
		}
		c := parse(t, text)
		channels, err := kind.Build(c.Sensors, newField(), c.Buses, clock())
		var list kind.SpecErrors
		if channels != nil || !errors.As(err, &list) || len(list) == 0 {
			t.Errorf("%s: %v, %v", name, channels, err)
			continue
		}
		e := list[0]
		// The thermometer's own fault leaves those that name it alone: one mistake, one error.
		if len(list) != 1 && name != "no id" {
			t.Errorf("%s: %d errors:\n%v", name, len(list), err)
		}
		if e.Index != tc.index || e.Field != tc.field || e.ID != c.Sensors[tc.index].ID {
			t.Errorf("%s: sensors[%d].%s %q; want sensors[%d].%s", name, e.Index, e.Field, e.ID, tc.index, tc.field)
		}
		if !strings.Contains(e.Error(), tc.says) || e.Mend == "" || e.Problem == "" {
			t.Errorf("%s: error does not say %q: %v", name, tc.says, e)
		}
		if e.ID != "" && !strings.Contains(e.Error(), e.ID) {
			t.Errorf("%s: error does not name the sensor: %v", name, e)
		}
	}
}

func TestBuild_NamesTheBusThatIsWrong(t *testing.T) {
	for name, tc := range map[string]struct{ old, new, bus, field, says string }{
		"one wire twice": {"{ w1: /sys/bus/w1/devices }", `{ w1: /sys/bus/w1/devices }
  day: { onewire: "1" }`, "day", "onewire", "either w1: /sys/bus/w1/devices or onewire"},
		"one master twice": {"{ w1: /sys/bus/w1/devices }", `{ onewire: "1" }
  day: { onewire: OneWire1 }`, "day", "onewire", `bus "ao-w1" once more`},
		"impossible wire": {"{ w1: /sys/bus/w1/devices }", `{ onewire: never }`, "ao-w1", "onewire", "no name of a 1-Wire bus"},
		"neither":         {`{ i2c: "1" }`, `{}`, "ao-i2c", "", "either I²C, 1-Wire or serial"},
		"both":            {`{ i2c: "1" }`, `{ i2c: "1", w1: /x }`, "ao-i2c", "", "either I²C, 1-Wire or serial"},
		"one bus twice":   {"unix:/run/vuon.sock", "/dev/i2c-1", "vuon", "i2c", `bus "ao-i2c" once more`},
		"serial and i2c":  {"{ serial: /dev/ttyUSB0 }", `{ serial: /dev/ttyUSB0, i2c: "2" }`, "muc", "", "either I²C, 1-Wire or serial"},
		"no serial line":  {"/dev/ttyUSB0", "/dev/never", "muc", "serial", "serial: /dev/ttyUSB0"},
		"impossible name": {"unix:/run/vuon.sock", "never", "vuon", "i2c", "no name of an I²C bus"},
	} {
		c := parse(t, strings.Replace(good, tc.old, tc.new, 1))
		_, err := kind.Build(c.Sensors, newField(), c.Buses, clock())
		e, ok := errors.AsType[*kind.SpecError](err)
		if !ok {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if e.Index != -1 || e.Bus != tc.bus || e.Field != tc.field || !strings.Contains(e.Error(), tc.says) || !strings.Contains(e.Error(), tc.bus) {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

func TestBuild_ALevelSensorHasItsLineToItself(t *testing.T) {
	c := parse(t, good+"  - { id: ao2-muc, kind: ultrasonic-uart, bus: muc, height: 150 }\n")
	_, err := kind.Build(c.Sensors, newField(), c.Buses, clock())
	if e, ok := errors.AsType[*kind.SpecError](err); !ok || e.ID != "ao2-muc" || e.Field != "bus" || !strings.Contains(e.Error(), `"ao1-muc"`) {
		t.Errorf("Build = %v", err)
	}
}

func TestBuild_ReportsEverythingAtOnce(t *testing.T) {
	c := parse(t, strings.NewReplacer("address: 0x44", "address: 0x10", "input: 3", "input: 9", "kind: bme280", "kind: bme").Replace(good))
	_, err := kind.Build(c.Sensors, newField(), c.Buses, clock())
	var list kind.SpecErrors
	if !errors.As(err, &list) {
		t.Fatal(err)
	}
	var got []string
	for _, e := range list {
		got = append(got, e.ID+" "+e.Field)
	}
	if diff := cmp.Diff([]string{"khoai2-am input", "khoai1-kk address", "thuoc1-kk kind"}, got); diff != "" {
		t.Error(diff)
	}
	if n := len(strings.Split(err.Error(), "\n")); n != 3 {
		t.Errorf("%d lines:\n%v", n, err)
	}
}

func TestBuild_ChipsOfOneAddressOnTwoBusesAreTwoChips(t *testing.T) {
	c := parse(t, strings.Replace(good, "ezo-ph, bus: ao-i2c, address: 0x63", "ezo-ph, bus: vuon, address: 0x61", 1))
	if _, err := kind.Build(c.Sensors, newField(), c.Buses, clock()); err != nil {
		t.Error(err)
	}
	c = parse(t, strings.Replace(good, "bus: vuon, address: 0x44", "bus: vuon, address: 0x44", 1))
	c.Sensors[1].Bus, c.Sensors[1].Address = "vuon", 0x48 // an EZO where the converter is
	_, err := kind.Build(c.Sensors, newField(), c.Buses, clock())
	if e, ok := errors.AsType[*kind.SpecError](err); !ok || e.ID != "khoai1-am" || e.Field != "address" {
		t.Errorf("Build = %v", err)
	}
}

// pond is a thermometer and an oxygen circuit that it compensates.
func pond(t *testing.T, temp string) (f *field, c *sensetest.Clock, st *sense.Station, said *[]string) {
	t.Helper()
	f, c, said = newField(), clock(), new([]string)
	f.thermometer(1, temp)
	f.chips[0x61] = ezoChip("D.O.", "6.41", said)
	f.chips[0x63] = ezoChip("pH", "7.3", nil)
	cfg := parse(t, good)
	channels, err := kind.Build([]kind.Spec{cfg.Sensors[0], cfg.Sensors[6]}, f, cfg.Buses, c)
	if err != nil {
		t.Fatal(err)
	}
	return f, c, sense.NewStation(c, channels, quiet()), said
}

func TestCompensation_UsesTheLastGoodValueForTenMinutes(t *testing.T) {
	f, c, st, said := pond(t, at31)
	poll := func() (do measure.Reading) {
		var sink taken
		if err := st.PollAll(t.Context(), &sink); err != nil {
			t.Fatal(err)
		}
		return sink.all[len(sink.all)-1]
	}
	sleep := func(d time.Duration) {
		if err := c.Sleep(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	last := func() string { return (*said)[len(*said)-1] }

	if r := poll(); r.Quality != measure.Good || last() != "RT,31.25" {
		t.Errorf("with a thermometer: %+v, asked %q", r, last())
	}
	for name, text := range map[string]string{"shorted": shorted, "out of range": at85} {
		f.thermometer(1, text)
		sleep(5 * time.Minute)
		if r := poll(); r.Quality != measure.Good || last() != "RT,31.25" {
			t.Errorf("%s, 5 minutes: %+v, asked %q", name, r, last())
		}
		sleep(5*time.Minute + time.Second)
		if r := poll(); r.Quality != measure.Estimated || r.Value != 6.41 || last() != "RT,31.25" {
			t.Errorf("%s, 10 minutes: %+v, asked %q", name, r, last())
		}
		f.thermometer(1, at31)
		if r := poll(); r.Quality != measure.Good || last() != "RT,31.25" {
			t.Errorf("%s, healed: %+v, asked %q", name, r, last())
		}
	}
}

func TestCompensation_BeforeTheFirstValueIsEstimated(t *testing.T) {
	_, _, st, said := pond(t, shorted)
	var sink taken
	if err := st.PollAll(t.Context(), &sink); err != nil {
		t.Fatal(err)
	}
	if r := sink.all[1]; r.Quality != measure.Estimated || (*said)[len(*said)-1] != "RT,25.00" {
		t.Errorf("%+v, asked %q", r, *said)
	}
	if r := sink.all[0]; r.Quality != measure.Fault || r.Reason != measure.Shorted || r.Value != 0 {
		t.Errorf("%+v", r)
	}
}

func TestStation_UnpluggedChipIsAFaultAndHeals(t *testing.T) {
	f := newField()
	f.chips[0x61] = ezoChip("D.O.", "6.41", nil)
	f.chips[0x63] = ezoChip("pH", "7.3", nil)
	f.chips[0x48] = adsChip()
	f.chips[0x44] = shtChip()
	f.chips[0x76] = bmeChip()
	f.thermometer(1, at31)
	cfg, c := parse(t, good), clock()
	channels, err := kind.Build(cfg.Sensors, f, cfg.Buses, c)
	if err != nil {
		t.Fatal(err)
	}
	st := sense.NewStation(c, channels, quiet())
	poll := func() map[string]measure.Reading {
		var sink taken
		if err := st.PollAll(t.Context(), &sink); err != nil {
			t.Fatal(err)
		}
		out := make(map[string]measure.Reading)
		for _, r := range sink.all {
			if err := r.Validate(); err != nil {
				t.Error(err)
			}
			out[r.Sensor+" "+string(r.Quantity)] = r
		}
		return out
	}
	want := map[string]float64{
		"ao1-temp water_temperature": 31.25, "ao1-do dissolved_oxygen": 6.41, "ao1-ph ph": 7.3,
		"khoai1-am soil_moisture": 38.84, "khoai2-am soil_moisture": 16.655,
		"khoai1-kk air_temperature": 25, "khoai1-kk relative_humidity": 56.501,
		"thuoc1-kk air_temperature": 25.08, "thuoc1-kk relative_humidity": 45.781, "thuoc1-kk air_pressure": 1006.53,
		"ao1-muc water_level": 79.151, "ao1-muc surface_distance": 100.849,
	}
	check := func(when string) {
		got := poll()
		for key, v := range want {
			if r := got[key]; math.Abs(r.Value-v) > 0.01 || r.Quality == measure.Fault {
				t.Errorf("%s: %s is %+v; want %v", when, key, r, v)
			}
		}
		if len(got) != len(want) {
			t.Errorf("%s: %d readings; want %d", when, len(got), len(want))
		}
	}
	check("at first")
	for addr := range f.chips {
		f.unplug(addr, true)
	}
	f.unplug(0, true)
	delete(f.tree, "28-000000000001/w1_slave")
	got := poll()
	for key := range want {
		if r := got[key]; r.Quality != measure.Fault || r.Reason != measure.NoResponse || r.Value != 0 {
			t.Errorf("unplugged: %s is %+v", key, r)
		}
	}
	for addr := range f.chips {
		f.unplug(addr, false)
	}
	f.unplug(0, false)
	f.thermometer(1, at31)
	check("plugged in again")
}

func TestBuild_CurrentTransducerSharesAConverterWithSoilProbes(t *testing.T) {
	amps := func(text string) string {
		return good + "  - { id: ao1-dong, kind: current-ads1115, bus: vuon, address: 0x48, " + text + " }\n"
	}
	c := parse(t, amps("input: 1, ampere: { volts_per_amp: 0.165 }"))
	if _, err := kind.Build(c.Sensors, newField(), c.Buses, clock()); err != nil {
		t.Error(err)
	}
	for text, field := range map[string]string{
		"input: 0, ampere: { volts_per_amp: 0.165 }": "input", // a soil probe is there
		"input: 1": "ampere",
		"input: 1, ampere: { volts_per_amp: 165 }":                   "ampere",
		"input: 1, ampere: { volts_per_amp: 0.1, zero_volts: -0.5 }": "ampere",
		"ampere: { volts_per_amp: 0.165 }":                           "input",
	} {
		c := parse(t, amps(text))
		_, err := kind.Build(c.Sensors, newField(), c.Buses, clock())
		if e, ok := errors.AsType[*kind.SpecError](err); !ok || e.ID != "ao1-dong" || e.Field != field || e.Mend == "" {
			t.Errorf("%s: %v", text, err)
		}
	}
	c = parse(t, strings.Replace(good, "address: 0x44 }", "address: 0x44, ampere: { volts_per_amp: 1 } }", 1))
	if _, err := kind.Build(c.Sensors, newField(), c.Buses, clock()); err == nil || !strings.Contains(err.Error(), "does not measure current") {
		t.Errorf("an air sensor with ampere: %v", err)
	}
}
