package chip_test

import (
	"math"
	"os/exec"
	"regexp"
	"strconv"
	"testing"
	"time"

	"aovuon/firmware-sim/chip"
	"aovuon/gateway/measure"
	"aovuon/gateway/sense/probe"
	"aovuon/hardware/probes"
	"aovuon/server/parttest"
)

// Somebody else's program reads what our encoder wrote: registers as they are counted on the wire, signs, floats.
func TestTemplates_MbpollReadsThem(t *testing.T) {
	mbpoll := parttest.Tool(t, "mbpoll")
	b := newBench(t, false)
	lib := probe.NewLibrary(probes.Files())
	add := func(id string, unit byte, values map[measure.Quantity]float64) {
		tpl, err := lib.Template(id)
		if err != nil {
			t.Fatal(err)
		}
		sw, err := b.board.Add(id, chip.TemplateFaults(tpl)...)
		if err != nil {
			t.Fatal(err)
		}
		sources := make(map[measure.Quantity]chip.Source)
		for q, v := range values {
			sources[q] = func(time.Time) float64 { return v }
		}
		p := chip.Part{Name: id, Seed: 7, Now: time.Now, Faults: sw, Ledger: chip.Silent{}}
		b.line.Add(chip.NewTemplateProbe(p, tpl, unit, tpl.Modbus.Serial(), sources))
	}
	add("soil-a-3in1", 1, map[measure.Quantity]float64{measure.SoilMoisture: 65.8, measure.SoilTemperature: -10.1, measure.SoilConductivity: 1000})
	add("xylem-odo-rtu", 3, map[measure.Quantity]float64{measure.OxygenSaturation: 95, measure.DissolvedOxygen: 7.4, measure.WaterTemperature: 28.1})
	run := func(args ...string) []float64 {
		t.Helper()
		args = append([]string{"-m", "rtu", "-0", "-1", "-o", "0.5", "-P", "none", "-b", "9600"}, append(args, b.path)...)
		out, err := exec.CommandContext(t.Context(), mbpoll, args...).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
		var list []float64
		for _, m := range regexp.MustCompile(`(?m)^\[\d+\]:\s+(-?[\d.]+)(?: \((-\d+)\))?`).FindAllStringSubmatch(string(out), -1) {
			text := m[1]
			if m[2] != "" { // mbpoll prints 65435 (-101)
				text = m[2]
			}
			v, err := strconv.ParseFloat(text, 64)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, v)
		}
		return list
	}
	near := func(name string, got []float64, tolerance float64, want ...float64) {
		t.Helper()
		if len(got) != len(want) {
			t.Fatalf("%s: %v, want %v", name, got, want)
		}
		for i := range want {
			if math.Abs(got[i]-want[i]) > tolerance {
				t.Errorf("%s: %v, want %v", name, got, want)
			}
		}
	}
	near("soil: moisture, temperature, conductivity", run("-a", "1", "-t", "4", "-r", "0", "-c", "3"), 2, 658, -101, 1000)
	near("oxygen: big-endian floats of input registers", run("-a", "3", "-t", "3:float", "-B", "-r", "0", "-c", "2"), 1, 95, 7.4)
	near("oxygen: temperature", run("-a", "3", "-t", "3:float", "-B", "-r", "6", "-c", "1"), 0.2, 28.1)

	args := []string{"-m", "rtu", "-0", "-o", "0.5", "-P", "none", "-b", "9600", "-a", "1", "-t", "4", "-r", "2000", b.path, "9"}
	if out, err := exec.CommandContext(t.Context(), mbpoll, args...).CombinedOutput(); err != nil { // 2000 is 0x07D0
		t.Fatalf("change of address: %v\n%s", err, out)
	}
	near("soil at its new address", run("-a", "9", "-t", "4", "-r", "0", "-c", "3"), 2, 658, -101, 1000)
}
