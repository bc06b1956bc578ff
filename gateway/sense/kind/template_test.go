package kind_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense/kind"
	"aovuon/gateway/sense/probe"
	"aovuon/hardware/probes"
)

func TestBuild_TemplatesSayWhatIsMeasured(t *testing.T) {
	_, raw, err := probe.NewLibrary(probes.Files()).Text("soil-b")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "mine.yaml")
	write := func(old, text string) {
		t.Helper()
		mine := strings.Replace(strings.Replace(string(raw), "id: soil-b", "id: mine", 1), old, text, 1)
		if err := os.WriteFile(path, []byte(mine), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("", "")
	input, other := 0, 1
	specs := []kind.Spec{
		{ID: "dat", Kind: "modbus", Bus: "rs485", Address: 1, Template: path},
		{ID: "oxy", Kind: "modbus", Bus: "rs485", Address: 2, Template: "yosemitech-y504"},
		{ID: "ph", Kind: "analog", Bus: "i2c", Address: 0x48, Input: &input, Template: "dfrobot-sen0161-v2", Temperature: "oxy"},
		{ID: "duc", Kind: "analog", Bus: "i2c", Address: 0x48, Input: &other, Template: "dfrobot-sen0189"},
	}
	buses := map[string]kind.BusSpec{"rs485": {Serial: "/dev/ttyUSB0"}, "i2c": {I2C: "1"}}
	works := kind.NewWorks(clock())
	build := func() map[string]string {
		t.Helper()
		channels, err := works.Build(specs, newField(), buses)
		if err != nil {
			t.Fatal(err)
		}
		keys := make(map[string]string)
		for _, c := range channels {
			keys[c.ID] = c.Key
			want := map[string][]measure.Quantity{
				"dat": {measure.SoilTemperature, measure.SoilMoisture, measure.SoilConductivity, measure.SoilPermittivity},
				"oxy": {measure.WaterTemperature, measure.OxygenSaturation, measure.DissolvedOxygen}, "ph": {measure.PH}, "duc": {measure.Turbidity},
			}[c.ID]
			if !slices.Equal(c.Quantities, want) {
				t.Errorf("%s: %v", c.ID, c.Quantities)
			}
		}
		return keys
	}
	first, again := build(), build()
	write("max: 80", "max: 70") // a template that is edited is another probe, and nobody else's
	changed := build()
	for id := range first {
		if first[id] != again[id] || (changed[id] == first[id]) != (id != "dat") {
			t.Errorf("%s: the channel was made anew, or not", id)
		}
	}
	specs[2].Salinity = "3" // pH does not depend on it
	if _, err := works.Build(specs, newField(), buses); err == nil || !strings.Contains(err.Error(), "salinity") {
		t.Error(err)
	}
}
