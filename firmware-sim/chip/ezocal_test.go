package chip_test

import (
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"aovuon/firmware-sim/chip"
	"aovuon/firmware-sim/fault"
)

// beaker is what a probe stands in: it can be put into another one.
type beaker struct{ milli atomic.Int64 }

func (b *beaker) fill(v float64)       { b.milli.Store(int64(v * 1000)) }
func (b *beaker) at(time.Time) float64 { return float64(b.milli.Load()) / 1000 }

// glass is one circuit whose probe can be put into beakers.
type glass struct {
	*rig
	value, water beaker
}

const benchAddr = 0x60

// newGlass builds the circuit of a kind in value, at 25 °C.
func newGlass(t *testing.T, kind string, value float64) *glass {
	t.Helper()
	b := &glass{rig: newRig()}
	b.value.fill(value)
	b.water.fill(25)
	p := b.part(t, kind, chip.EZORTDFaults())
	switch kind {
	case "do":
		b.add(t, benchAddr, chip.NewEZODO(p, b.value.at, b.water.at, constant(0), constant(1013.25)))
	case "ph":
		b.add(t, benchAddr, chip.NewEZOPH(p, b.value.at, b.water.at))
	case "ec":
		b.add(t, benchAddr, chip.NewEZOEC(p, b.value.at, b.water.at))
	case "orp":
		b.add(t, benchAddr, chip.NewEZOORP(p, b.value.at))
	case "rtd":
		b.add(t, benchAddr, chip.NewEZORTD(p, b.value.at))
	}
	return b
}

// ask says a command and wants it done.
func (b *glass) ask(t *testing.T, command string) string {
	t.Helper()
	code, text := b.say(t, benchAddr, command, 1300*time.Millisecond)
	if code != 1 {
		t.Fatalf("%s: code %d", command, code)
	}
	return text
}

// reads wants the circuit to read v.
func (b *glass) reads(t *testing.T, when string, v, tolerance float64) {
	t.Helper()
	first, _, _ := strings.Cut(b.ask(t, "R"), ",")
	got, err := strconv.ParseFloat(first, 64)
	if err != nil {
		t.Fatal(err)
	}
	near(t, when, got, v, tolerance)
}

func (b *glass) powerCycle(t *testing.T, name string) {
	t.Helper()
	b.set(t, name, fault.Unplug)
	b.noAck(t, benchAddr, []byte("R"), 0)
	b.set(t, name, fault.None)
}

func TestEZOPH_CalibrationChangesReadings(t *testing.T) {
	b := newGlass(t, "ph", 7.4)
	b.reads(t, "as it came", 7.4, 0.01)
	b.ask(t, "Cal,clear")
	b.reads(t, "not calibrated", 7.415, 0.02) // -0.89 mV
	b.value.fill(7)
	b.ask(t, "Cal,mid,7.00")
	b.value.fill(4)
	b.reads(t, "one point", 7-3*0.997, 0.01)
	b.ask(t, "Cal,low,4.00")
	b.reads(t, "two points", 4, 0.01)
	b.value.fill(10)
	b.ask(t, "Cal,high,10.00")
	b.reads(t, "three points", 10, 0.01)
	slope := strings.Split(strings.TrimPrefix(b.ask(t, "Slope,?"), "?Slope,"), ",")
	for i, want := range []float64{99.7, 100.3, -0.89} {
		got, err := strconv.ParseFloat(slope[i], 64)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "slope and offset", got, want, 0.5)
	}
	if got := b.ask(t, "Cal,?"); got != "?Cal,3" {
		t.Error(got)
	}
	b.powerCycle(t, "ph")
	b.reads(t, "after a power cut", 10, 0.01)
	b.value.fill(7.4)
	b.reads(t, "back in the pond", 7.4, 0.01)

	b.value.fill(7) // the wrong order: 4, 7, 10 deletes the first point (Mycodo issue 861)
	b.ask(t, "Cal,mid,7.00")
	if got := b.ask(t, "Cal,?"); got != "?Cal,1" {
		t.Errorf("after mid: %s", got)
	}
	b.ask(t, "Cal,mid,7.50") // somebody calibrates in the wrong buffer
	b.reads(t, "wrong buffer", 7.5, 0.01)
}

func TestEZODO_CalibrationChangesReadings(t *testing.T) {
	b := newGlass(t, "do", 6)
	b.ask(t, "T,25")
	b.reads(t, "as it came", 6, 0.04)
	b.ask(t, "Cal,clear")
	if got := b.ask(t, "Cal,?"); got != "?Cal,0" {
		t.Error(got)
	}
	b.value.fill(8.263) // air, at 25 °C
	b.ask(t, "Cal")
	b.reads(t, "in air", 8.263, 0.04)
	b.value.fill(0)
	b.ask(t, "Cal,0")
	b.reads(t, "without oxygen", 0, 0.04)
	b.powerCycle(t, "do")
	b.ask(t, "T,25")
	b.value.fill(8.263)
	b.reads(t, "in air again", 8.263, 0.06)
	b.value.fill(4)
	b.ask(t, "Cal") // in the pond instead of in air
	b.reads(t, "calibrated in the wrong place", 8.263, 0.06)
	b.powerCycle(t, "do")
	for _, text := range []string{"?S,0.00,ppt", "?,P,101.3", "?T,20.0"} {
		question := strings.Trim(text[:3], "?,") + ",?"
		if got := b.ask(t, question); got != text {
			t.Errorf("%s after a power cut: %s", question, got)
		}
	}
}

func TestEZODO_FeelsTheShareOfSaturation(t *testing.T) {
	b := &glass{rig: newRig()}
	b.add(t, benchAddr, chip.NewEZODO(b.part(t, "do", chip.EZOFaults()), constant(6), constant(28), constant(15), constant(950)))
	b.ask(t, "T,28")
	wrong := b.ask(t, "R") // fresh water at sea level: more oxygen than there is
	b.ask(t, "S,15,ppt")
	b.ask(t, "P,95.0")
	b.reads(t, "told everything", 6, 0.04)
	v, err := strconv.ParseFloat(wrong, 64)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "told nothing", v, 6*7.828/7.201*1013.25/950, 0.08)
}

func TestEZOEC_OutputsAndCalibration(t *testing.T) {
	b := newGlass(t, "ec", 466.4)
	b.reads(t, "as it came", 466.4, 1.5)
	if got := b.ask(t, "O,?"); got != "?O,EC" {
		t.Errorf("firmware 2.10 and later put out one value: %s", got)
	}
	for _, o := range []string{"TDS", "s", "SG"} {
		b.ask(t, "O,"+o+",1")
	}
	// Mycodo issue 898: '466.4,252,0.23,1.000'. PSS-78 gives 0.22.
	cells := strings.Split(b.ask(t, "R"), ",")
	if b.ask(t, "O,?") != "?O,EC,TDS,S,SG" || len(cells) != 4 || cells[2] != "0.22" || cells[3] != "1.000" || !strings.HasPrefix(cells[1], "25") {
		t.Errorf("four outputs: %q", cells)
	}
	b.ask(t, "O,EC,0")
	b.powerCycle(t, "ec")
	if got := b.ask(t, "O,?"); got != "?O,TDS,S,SG" {
		t.Errorf("outputs after a power cut: %s", got)
	}
	b.ask(t, "O,EC,1")

	b.ask(t, "Cal,clear")
	b.value.fill(0)
	b.ask(t, "Cal,dry")
	b.reads(t, "dry", 0, 1.5)
	b.value.fill(1413)
	b.ask(t, "Cal,low,1413")
	b.value.fill(12880)
	b.ask(t, "Cal,high,12880")
	b.reads(t, "the higher standard", 12880, 10)
	if got := b.ask(t, "Cal,?"); got != "?CAL,2" {
		t.Error(got)
	}
	b.powerCycle(t, "ec")
	b.value.fill(500)
	b.reads(t, "after a power cut", 500, 2)
	b.water.fill(30)
	b.reads(t, "warm, told 25 °C", 500*1.0955, 2)
	b.ask(t, "T,30")
	b.reads(t, "warm, told so", 500*1.0955/1.1, 2)
	if got := b.ask(t, "K,?"); got != "?K,1.0" {
		t.Error(got)
	}
	if code, _ := b.say(t, benchAddr, "Cal,high,100", time.Second); code != 2 {
		t.Errorf("a higher standard that is lower: code %d", code)
	}
}

func TestEZOORP_IsSignedAndCalibrates(t *testing.T) {
	b := newGlass(t, "orp", -231)
	b.reads(t, "mud", -231, 1)
	b.value.fill(220)
	b.ask(t, "Cal,225")
	b.reads(t, "calibrated", 225, 1)
	b.powerCycle(t, "orp")
	b.reads(t, "after a power cut", 225, 1)
	for _, command := range []string{"RT,25", "T,?", "O,?", "Slope,?"} {
		if code, _ := b.say(t, benchAddr, command, time.Second); code != 2 {
			t.Errorf("%s: code %d", command, code)
		}
	}
}

func TestEZORTD_ScaleAndOpenProbe(t *testing.T) {
	b := newGlass(t, "rtd", 28)
	b.reads(t, "as it came", 28, 0.1)
	b.ask(t, "S,f")
	b.reads(t, "Fahrenheit", 82.4, 0.2)
	b.ask(t, "S,c")
	b.ask(t, "Cal,28.00")
	b.reads(t, "calibrated", 28, 0.01)
	b.set(t, "rtd", fault.Open)
	b.reads(t, "probe off", -1023, 0)
}

// A calibration can be taken out of a circuit and put back.
func TestEZO_ExportAndImport(t *testing.T) {
	b := newGlass(t, "ph", 7.4)
	if got := b.ask(t, "Export,?"); got != "?EXPORT,6,64" {
		t.Error(got)
	}
	var kept []string
	for {
		s := b.ask(t, "Export")
		if s == "*DONE" {
			break
		}
		if kept = append(kept, s); len(s) > 12 || len(kept) > 18 {
			t.Fatalf("%q", kept)
		}
	}
	b.value.fill(4)
	b.ask(t, "Cal,mid,7.00")
	b.reads(t, "spoilt", 7, 0.01)
	for _, s := range kept {
		b.ask(t, "Import,"+s)
	}
	b.reads(t, "brought back", 4, 0.01)
	if got := b.ask(t, "Cal,?"); got != "?Cal,3" {
		t.Error(got)
	}
	for range 5 {
		b.ask(t, "Import,abcdefabcdef")
	}
	if code, _ := b.say(t, benchAddr, "Import,zzzz", time.Second); code != 2 {
		t.Errorf("nonsense: code %d", code)
	}
	b.reads(t, "nonsense changes nothing", 4, 0.01)
}

func TestEZO_FactoryForgetsEverything(t *testing.T) {
	b := newGlass(t, "orp", 200)
	b.ask(t, "Name,ao1")
	b.ask(t, "Factory")
	if got := b.ask(t, "Cal,?") + b.ask(t, "Name,?") + b.ask(t, "Status"); got != "?Cal,0?Name,?Status,S,5.03" {
		t.Error(got)
	}
	b.powerCycle(t, "orp")
	if got := b.ask(t, "Status"); got != "?Status,P,5.03" {
		t.Error(got)
	}
}
