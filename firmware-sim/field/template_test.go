package field_test

import (
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aovuon/firmware-sim/fault"
	"aovuon/firmware-sim/field"
	"aovuon/firmware-sim/ledger"
	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
	"aovuon/gateway/sense/kind"
)

const templateField = `
seed: 7
w1_refresh: 1s
places:
  - { id: ao1, kind: pond }
  - { id: khoai1, kind: plot }
buses:
  - { id: rs485, serial: rs485, echo: true }
  - { id: ao, socket: ao.sock }
devices:
  - { id: ao1-do, kind: modbus, template: yosemitech-y504, bus: rs485, address: 5, place: ao1 }
  - { id: ao1-nh4, kind: modbus, template: boqu-bh485-nh, bus: rs485, address: 10, place: ao1 }
  - { id: ao1-muc, kind: modbus, template: level-qdy30a, bus: rs485, address: 7, place: ao1 }
  - { id: khoai1-dat, kind: modbus, template: soil-a-7in1, bus: rs485, address: 1, baud: 2400, place: khoai1 }
  - { id: khoai1-rieng, kind: modbus, template: my-soil.yaml, bus: rs485, address: 2, place: khoai1 }
  - { id: adc, kind: ads1115, bus: ao, address: 0x48 }
  - { id: ao1-ph, kind: analog, template: dfrobot-sen0161-v2, adc: adc, input: 0, place: ao1, points: [{ volts: 1.53, value: 7 }] }
  - { id: ao1-duc, kind: analog, template: dfrobot-sen0189, adc: adc, input: 1, place: ao1 }
`

// userTemplate writes a template of the user's beside the field file.
func userTemplate(t *testing.T, dir string) {
	t.Helper()
	raw, err := os.ReadFile("../../hardware/probes/soil-e-miceuz.yaml")
	if err != nil {
		t.Fatal(err)
	}
	raw = []byte(strings.Replace(string(raw), "id: soil-e-miceuz", "id: my-soil", 1))
	if err := os.WriteFile(filepath.Join(dir, "my-soil.yaml"), raw, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestTemplates_ManyOnOneLineAtMixedSpeeds(t *testing.T) {
	dir := t.TempDir()
	userTemplate(t, dir)
	c, err := field.Parse("field.yaml", []byte(templateField), dir)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 3, 10, 2, 0, 0, 0, time.UTC)
	clock := &virtual{begin: at.Add(-time.Hour), now: at}
	book := &last{m: make(map[string]ledger.Entry)}
	f, err := field.New(c, field.Options{Now: clock.wall, Sleep: clock.Sleep, Ledger: book})
	if err != nil {
		t.Fatal(err)
	}
	var list []kind.Spec
	for _, d := range c.Devices {
		if d.Template == "" {
			continue
		}
		s := kind.Spec{ID: d.ID, Kind: d.Kind, Bus: d.Bus, Address: d.Address, Template: d.Template, Baud: d.Baud, Points: d.Points}
		if d.Kind == "analog" {
			s.Bus, s.Address, s.Input = "ao", 0x48, &d.Input
			if d.ID == "ao1-ph" {
				s.Temperature = "ao1-do"
			}
		}
		list = append(list, s)
	}
	channels, err := kind.Build(list, f, map[string]kind.BusSpec{
		"rs485": {Serial: filepath.Join(dir, "rs485")}, "ao": {I2C: "unix:" + filepath.Join(dir, "ao.sock")},
	}, clock)
	if err != nil {
		t.Fatal(err)
	}
	st := sense.NewStation(clock, channels, slog.New(slog.DiscardHandler))
	poll := func() sink {
		s := make(sink)
		if err := st.PollAll(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		if err := clock.Sleep(t.Context(), time.Minute); err != nil {
			t.Fatal(err)
		}
		return s
	}
	poll() // the oxygen probe is started
	for range 30 {
		before := clock.wall()
		got := poll()
		if took := clock.wall().Sub(before) - time.Minute; took > 3*time.Second {
			t.Errorf("a round takes %v", took)
		}
		if len(got) != 3+3+1+7+2+2 {
			t.Fatalf("%d readings", len(got))
		}
		for name, g := range got {
			want, ok := book.get(name)
			tolerance := 1e-9
			if name == "ao1-ph ph" { // the gateway's temperature is a little older than the board's
				tolerance = 0.005
			}
			if !ok || want.Fault != "" || g.Quality == measure.Fault || math.Abs(g.Value-want.Value) > tolerance {
				t.Errorf("%s: %+v, the ledger says %+v", name, g, want)
			}
		}
	}
	if err := f.Board().Set("ao1-do", fault.Unplug); err != nil {
		t.Fatal(err)
	}
	if g := poll(); g["ao1-do dissolved_oxygen"].Reason != measure.NoResponse || g["khoai1-dat soil_ph"].Quality != measure.Good {
		t.Errorf("one probe unplugged: %+v, %+v", g["ao1-do dissolved_oxygen"], g["khoai1-dat soil_ph"])
	}
	f.Board().HealAll()
	if g := poll(); g["ao1-do dissolved_oxygen"].Reason != measure.NotReady {
		t.Errorf("it was started again: %+v", g["ao1-do dissolved_oxygen"])
	}
	if g := poll(); g["ao1-do dissolved_oxygen"].Quality != measure.Good {
		t.Errorf("healed: %+v", g["ao1-do dissolved_oxygen"])
	}
}

func TestTemplates_ErrorsOfTheFile(t *testing.T) {
	dir := t.TempDir()
	userTemplate(t, dir)
	good := templateField
	for name, tc := range map[string]struct{ old, text, want string }{
		"no template":     {"template: yosemitech-y504, ", "", "needs template"},
		"unknown":         {"yosemitech-y504", "yosemitech-y999", "gateway probe list"},
		"no such file":    {"my-soil.yaml", "your-soil.yaml", "your-soil.yaml"},
		"other kind":      {"template: yosemitech-y504", "template: dfrobot-sen0189", "is of kind analog"},
		"no place":        {"address: 5, place: ao1", "address: 5, place: ao9", "name one of places"},
		"address":         {"address: 5", "address: 250", "1 to 247"},
		"baud":            {"baud: 2400", "baud: 1", "1 baud"},
		"baud of analog":  {"input: 1,", "input: 1, baud: 9600,", "remove it"},
		"points of other": {"address: 5,", "address: 5, points: [{ volts: 1, value: 1 }],", "remove them"},
		"bad points":      {"value: 7 }", "value: 7 }, { volts: 1.5, value: 7 }", "the same"},
		"input taken":     {"input: 1", "input: 0", "taken"},
		"template on adc": {"kind: ads1115,", "kind: ads1115, template: soil-b,", "has no template"},
		"no line":         {"bus: rs485, address: 7", "bus: ao, address: 7", "that has serial"},
	} {
		if !strings.Contains(good, tc.old) {
			t.Fatalf("%s: the file has no %q", name, tc.old)
		}
		_, err := field.Parse("field.yaml", []byte(strings.Replace(good, tc.old, tc.text, 1)), dir)
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v does not say %q", name, err, tc.want)
		}
	}
}
