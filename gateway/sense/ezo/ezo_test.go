package ezo_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"periph.io/x/conn/v3/i2c/i2ctest"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
	"aovuon/gateway/sense/ezo"
	"aovuon/gateway/sense/sensetest"
)

const addr = 0x63

func write(s string) i2ctest.IO { return i2ctest.IO{Addr: addr, W: []byte(s)} }

// answer is a reply: the status byte, text, zeros.
func answer(code byte, text string) i2ctest.IO {
	b := make([]byte, ezo.ReplyLength)
	b[0] = code
	copy(b[1:], text)
	return i2ctest.IO{Addr: addr, R: b}
}

func all(b byte) i2ctest.IO {
	return i2ctest.IO{Addr: addr, R: []byte(strings.Repeat(string([]byte{b}), ezo.ReplyLength))}
}

// said is a command and its answer.
func said(command, text string) []i2ctest.IO { return []i2ctest.IO{write(command), answer(1, text)} }

// talk joins parts of a talk.
func talk(parts ...[]i2ctest.IO) []i2ctest.IO { return slices.Concat(parts...) }

// settled is the talk before the first reading of a circuit that is as it should be.
func settled(b ezo.Board) []i2ctest.IO {
	switch b {
	case ezo.DO:
		return talk(said("I", "?I,D.O.,2.16"), said("O,?", "?,O,mg"), said("Cal,?", "?Cal,2"))
	case ezo.EC:
		return talk(said("I", "?I,EC,2.16"), said("O,?", "?O,EC"), said("Cal,?", "?CAL,2"))
	case ezo.ORP:
		return talk(said("I", "?I,ORP,1.97"), said("Cal,?", "?Cal,1"))
	case ezo.RTD:
		return talk(said("I", "?I,RTD,2.10"), said("S,?", "?S,c"))
	case ezo.PH:
		return talk(said("I", "?I,pH,2.10"), said("Cal,?", "?Cal,3"))
	}
	return nil
}

// keeps is what an oxygen circuit answers that compensates already with the right salinity and pressure.
func keeps(salinity, kPa string) []i2ctest.IO {
	return talk(said("S,?", "?S,"+salinity+",ppt"), said("P,?", "?,P,"+kPa))
}

// fresh is keeps of fresh water at sea level.
func fresh() []i2ctest.IO { return keeps("0.00", "101.3") }

// pond is the state of the water around the circuit, from other sensors.
type pond struct {
	celsius, salinity, hPa float64
	stale                  measure.Quantity // this one is old
}

func (p *pond) Input(q measure.Quantity) (measure.Input, bool) {
	in, ok := map[measure.Quantity]measure.Input{
		measure.WaterTemperature: {Value: p.celsius, Sensor: "ao1-temp"},
		measure.Salinity:         {Value: p.salinity, Sensor: "ao1-mn"},
		measure.AirPressure:      {Value: p.hPa, Sensor: "kk"},
	}[q]
	if !ok {
		return measure.Input{}, false
	}
	in.Quantity, in.Age = q, 12*time.Second
	return in, q != p.stale
}

func at(celsius float64) *pond { return &pond{celsius: celsius, hPa: 1013.25} }

func reasonOf(err error) measure.FaultReason {
	f, ok := errors.AsType[*sense.Fault](err)
	if !ok {
		return ""
	}
	return f.Reason
}

func clock() *sensetest.Clock { return sensetest.NewClock(time.Unix(0, 0)) }

func TestSense_Talks(t *testing.T) {
	_, golden, _ := sensetest.EZOReply()
	const by = ";s=0@ao1-mn+12;p=1013.25@kk+12"
	for name, tc := range map[string]struct {
		board  ezo.Board
		inputs sense.Inputs
		ops    []i2ctest.IO
		want   sense.Sample
		by     string // its inputs
	}{
		"pH, golden frame, not compensated": {
			ezo.PH,
			sense.NoInputs{},
			talk(settled(ezo.PH), said("RT,25.00", golden)),
			sense.Sample{Quantity: measure.PH, Value: 7.312, Quality: measure.Estimated},
			"t=25?",
		},
		"pH, compensated": {
			ezo.PH, at(27.3), talk(settled(ezo.PH), said("RT,27.30", golden)),
			sense.Sample{Quantity: measure.PH, Value: 7.312},
			"t=27.3@ao1-temp+12",
		},
		"DO, nobody knows anything": {
			ezo.DO,
			sense.NoInputs{},
			talk(settled(ezo.DO), fresh(), said("RT,25.00", "6.41")),
			sense.Sample{Quantity: measure.DissolvedOxygen, Value: 6.41, Quality: measure.Estimated},
			"t=25?;s=0?;p=1013.25?",
		},
		"DO, thermometer silent": {
			ezo.DO, &pond{celsius: 31, hPa: 1013.25, stale: measure.WaterTemperature}, talk(settled(ezo.DO), fresh(), said("RT,31.00", "6.41")),
			sense.Sample{Quantity: measure.DissolvedOxygen, Value: 6.41, Quality: measure.Estimated},
			"t=31@ao1-temp+12?" + by,
		},
		"DO, barometer silent": {
			ezo.DO, &pond{celsius: 31, hPa: 1013.25, stale: measure.AirPressure}, talk(settled(ezo.DO), fresh(), said("RT,31.00", "6.41")),
			sense.Sample{Quantity: measure.DissolvedOxygen, Value: 6.41, Quality: measure.Estimated},
			"t=31@ao1-temp+12;s=0@ao1-mn+12;p=1013.25@kk+12?",
		},
		"DO, two outputs": {
			ezo.DO, at(-1.254),
			talk(said("I", "?I,DO,1.98"), said("O,?", "?,O,%,mg"), said("Cal,?", "?Cal,1"), fresh(), said("RT,-1.25", "6.41,81.3")),
			sense.Sample{Quantity: measure.DissolvedOxygen, Value: 6.41},
			"t=-1.254@ao1-temp+12" + by,
		},
		"DO, only per cent came out": {
			ezo.DO, at(25),
			talk(said("I", "?I,D.O.,2.16"), said("O,?", "?,O,%"), said("O,mg,1", ""), said("O,?", "?,O,mg,%"), said("Cal,?", "?Cal,1"), fresh(), said("RT,25.00", "6.41,81.3")),
			sense.Sample{Quantity: measure.DissolvedOxygen, Value: 6.41},
			"t=25@ao1-temp+12" + by,
		},
		"DO, firmware without O": {
			ezo.DO, at(25),
			talk(said("I", "?I,D.O.,1.0"), []i2ctest.IO{write("O,?"), answer(2, "")}, said("Cal,?", "?Cal,1"), fresh(), said("RT,25.00", "6.41,81.3")),
			sense.Sample{Quantity: measure.DissolvedOxygen, Value: 6.41},
			"t=25@ao1-temp+12" + by,
		},
		"DO, brackish water in the hills": {
			ezo.DO, &pond{celsius: 28, salinity: 12.5, hPa: 951.3},
			talk(settled(ezo.DO), fresh(), said("S,12.50,ppt", ""), said("P,95.13", ""), keeps("12.50", "95.1"), said("RT,28.00", "5.12")),
			sense.Sample{Quantity: measure.DissolvedOxygen, Value: 5.12},
			"t=28@ao1-temp+12;s=12.5@ao1-mn+12;p=951.3@kk+12",
		},
		"DO, was told a conductivity": {
			ezo.DO, at(28),
			talk(settled(ezo.DO), said("S,?", "?S,50000,\xCE\xBCS"), said("P,?", "?,P,101.3"), said("S,0.00,ppt", ""), said("P,101.33", ""), fresh(), said("RT,28.00", "5.12")),
			sense.Sample{Quantity: measure.DissolvedOxygen, Value: 5.12},
			"t=28@ao1-temp+12" + by,
		},
		"early read": {
			ezo.PH, at(25), talk(settled(ezo.PH), []i2ctest.IO{write("RT,25.00"), answer(254, ""), answer(254, ""), answer(1, golden)}),
			sense.Sample{Quantity: measure.PH, Value: 7.312},
			"t=25@ao1-temp+12",
		},
		"bit 7 came out wrong": {
			ezo.PH, at(25), talk(said("I", "\xBFI,\xF0H,2.10"), said("Cal,?", "\xBFCal\xAC1"), said("RT,25.00", "\xB7\x2E\xB3\x31\xB2\x80\x80")),
			sense.Sample{Quantity: measure.PH, Value: 7.312},
			"t=25@ao1-temp+12",
		},
		"not calibrated": {
			ezo.PH, at(25),
			talk(said("I", "?I,pH,2.10"), said("Cal,?", "?Cal,0"), said("RT,25.00", "6.41")),
			sense.Sample{Quantity: measure.PH, Value: 6.41, Quality: measure.Uncalibrated},
			"t=25@ao1-temp+12",
		},
		"not calibrated nor compensated": {
			ezo.PH,
			sense.NoInputs{},
			talk(said("I", "?i,ph,2.10"), said("Cal,?", "?CAL,0"), said("RT,25.00", "6.41")),
			sense.Sample{Quantity: measure.PH, Value: 6.41, Quality: measure.Estimated},
			"t=25?",
		},
		"does not know Cal,?": {
			ezo.PH, at(25),
			talk(said("I", "?I,pH,1.0"), []i2ctest.IO{write("Cal,?"), answer(2, "")}, said("RT,25.00", "6.41")),
			sense.Sample{Quantity: measure.PH, Value: 6.41, Quality: measure.Uncalibrated},
			"t=25@ao1-temp+12",
		},
		"beyond its limits is not cut off": {
			ezo.PH, at(25), talk(settled(ezo.PH), said("RT,25.00", "-1.250")),
			sense.Sample{Quantity: measure.PH, Value: -1.25},
			"t=25@ao1-temp+12",
		},
		"EC": {
			ezo.EC, at(31), talk(settled(ezo.EC), said("RT,31.00", "466.4")),
			sense.Sample{Quantity: measure.Conductivity, Value: 466.4},
			"t=31@ao1-temp+12",
		},
		"EC, all outputs, Mycodo": {
			ezo.EC, at(31),
			talk(said("I", "?I,EC,1.95"), said("O,?", "?O,EC,TDS,S,SG"), said("Cal,?", "?CAL,2"), said("RT,31.00", "466.4,252,0.23,1.000")),
			sense.Sample{Quantity: measure.Conductivity, Value: 466.4},
			"t=31@ao1-temp+12",
		},
		"EC, output was off": {
			ezo.EC, at(31),
			talk(said("I", "?I,EC,2.10"), said("O,?", "?O,S"), said("O,EC,1", ""), said("O,?", "?O,EC,S"), said("Cal,?", "?CAL,1"), said("RT,31.00", "466.4,0.23")),
			sense.Sample{Quantity: measure.Conductivity, Value: 466.4},
			"t=31@ao1-temp+12",
		},
		"EC, every output was off": {
			ezo.EC,
			sense.NoInputs{},
			talk(said("I", "?I,EC,2.10"), said("O,?", "?O,"), said("O,EC,1", ""), said("O,?", "?O,EC"), said("Cal,?", "?Cal,1"), said("RT,25.00", "466.4")),
			sense.Sample{Quantity: measure.Conductivity, Value: 466.4, Quality: measure.Estimated},
			"t=25?",
		},
		"ORP": {
			ezo.ORP, at(31), talk(settled(ezo.ORP), said("R", "209.6")),
			sense.Sample{Quantity: measure.ORP, Value: 209.6},
			"",
		},
		"ORP, mud": {
			ezo.ORP,
			sense.NoInputs{},
			talk(settled(ezo.ORP), said("R", "-231.0")),
			sense.Sample{Quantity: measure.ORP, Value: -231},
			"",
		},
		"RTD": {
			ezo.RTD,
			sense.NoInputs{},
			talk(settled(ezo.RTD), said("R", "28.312")),
			sense.Sample{Quantity: measure.WaterTemperature, Value: 28.312},
			"",
		},
		"RTD, was set to Fahrenheit": {
			ezo.RTD,
			sense.NoInputs{},
			talk(said("I", "?I,RTD,2.10"), said("S,?", "?S,f"), said("S,c", ""), said("S,?", "?S,C"), said("R", "28.312")),
			sense.Sample{Quantity: measure.WaterTemperature, Value: 28.312},
			"",
		},
	} {
		bus := sensetest.NewBus(tc.ops...)
		got, err := ezo.New(bus, addr, tc.board, tc.inputs, clock()).Sense(t.Context())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if by := measure.FormatInputs(got[0].Inputs); by != tc.by {
			t.Errorf("%s: computed with %q; want %q", name, by, tc.by)
		}
		got[0].Inputs = nil
		if diff := cmp.Diff([]sense.Sample{tc.want}, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if err := bus.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSense_GivesEachCommandItsTime(t *testing.T) {
	const ms = time.Millisecond
	for board, tc := range map[ezo.Board]struct {
		ops  []i2ctest.IO
		want time.Duration
	}{
		ezo.PH:  {talk(settled(ezo.PH), said("RT,25.00", "7.0")), 2*300*ms + 900*ms},
		ezo.DO:  {talk(settled(ezo.DO), fresh(), said("RT,25.00", "7.0")), 5*300*ms + 900*ms},
		ezo.EC:  {talk(settled(ezo.EC), said("RT,25.00", "7.0")), 3*300*ms + 900*ms},
		ezo.ORP: {talk(settled(ezo.ORP), said("R", "7.0")), 2*300*ms + 1000*ms},
		ezo.RTD: {talk(settled(ezo.RTD), said("R", "7.0")), 2*300*ms + 600*ms},
	} {
		c := clock()
		before := c.Now().Uptime
		if _, err := ezo.New(sensetest.NewBus(tc.ops...), addr, board, sense.NoInputs{}, c).Sense(t.Context()); err != nil {
			t.Fatal(err)
		}
		if waited := c.Now().Uptime - before; waited != tc.want {
			t.Errorf("%s: waited %v; want %v", board, waited, tc.want)
		}
	}
}

func TestSense_FaultsAreReasonsNeverNumbers(t *testing.T) {
	busy := func(ops []i2ctest.IO) []i2ctest.IO {
		for range 10 {
			ops = append(ops, answer(254, ""))
		}
		return ops
	}
	asked := func(op i2ctest.IO) []i2ctest.IO { return talk(settled(ezo.PH), []i2ctest.IO{write("RT,25.00"), op}) }
	says := func(text string) []i2ctest.IO { return asked(answer(1, text)) }
	of := sensetest.NewBus
	for name, tc := range map[string]struct {
		board ezo.Board
		bus   *sensetest.Bus
		want  measure.FaultReason
	}{
		"nobody there":        {ezo.PH, of(write("I")).Fail(0, sense.ErrNoAck), measure.NoResponse},
		"gone while working":  {ezo.PH, of(asked(answer(0, ""))...).Fail(5, sense.ErrNoAck), measure.NoResponse},
		"bus broken":          {ezo.PH, of(write("I")).Fail(0, errors.New("connection timed out")), measure.BusDown},
		"busy for ever":       {ezo.PH, of(busy(talk(settled(ezo.PH), []i2ctest.IO{write("RT,25.00")}))...), measure.NotReady},
		"busy from the start": {ezo.PH, of(busy([]i2ctest.IO{write("I")})...), measure.NotReady},
		"syntax error":        {ezo.PH, of(asked(answer(2, ""))...), measure.Refused},
		"no data":             {ezo.PH, of(asked(answer(255, ""))...), measure.Refused},
		"shorted":             {ezo.PH, of(asked(all(0))...), measure.Shorted},
		"all ones":            {ezo.PH, of(asked(all(0xFF))...), measure.NoResponse},
		"unknown status":      {ezo.PH, of(asked(answer(0x81, "7.312"))...), measure.Garbled},
		"no end":              {ezo.PH, of(asked(i2ctest.IO{Addr: addr, R: []byte("\x01" + strings.Repeat("7", ezo.ReplyLength-1))})...), measure.Garbled},
		"no text":             {ezo.PH, of(says("")...), measure.Garbled},
		"damaged, Mycodo":     {ezo.PH, of(says("0.00,0( &")...), measure.Garbled},
		"a letter":            {ezo.PH, of(says("7.3l2")...), measure.Garbled},
		"two points":          {ezo.PH, of(says("7.3.2")...), measure.Garbled},
		"two signs":           {ezo.PH, of(says("--7.3")...), measure.Garbled},
		"what Go would read":  {ezo.PH, of(says("0x1p4")...), measure.Garbled},
		"not a number":        {ezo.PH, of(says("NaN")...), measure.Garbled},
		"another answer":      {ezo.PH, of(says("?Cal,3")...), measure.Garbled},
		"garbled calibration": {ezo.PH, of(talk(said("I", "?I,pH,2.10"), said("Cal,?", "?Cbl,1"))...), measure.Garbled},
		"odd calibration":     {ezo.PH, of(talk(said("I", "?I,pH,2.10"), said("Cal,?", "?Cal,x"))...), measure.Garbled},

		"another board":            {ezo.DO, of(said("I", "?I,pH,2.10")...), measure.Refused},
		"a board nobody knows":     {ezo.DO, of(said("I", "?I,DC,2.10")...), measure.Refused},
		"no identity":              {ezo.DO, of(said("I", "?I")...), measure.Garbled},
		"an identity without name": {ezo.DO, of(said("I", "?I,,2.10")...), measure.Garbled},
		"values lost on the way":   {ezo.EC, of(talk(said("I", "?I,EC,1.95"), said("O,?", "?O,EC,TDS"), said("Cal,?", "?CAL,2"), said("RT,25.00", "466.4"))...), measure.Garbled},
		"values nobody asked for":  {ezo.EC, of(talk(settled(ezo.EC), said("RT,25.00", "466.4,252"))...), measure.Garbled},
		"an output nobody knows":   {ezo.EC, of(talk(said("I", "?I,EC,1.95"), said("O,?", "?O,EC,XX"))...), measure.Garbled},
		"an output twice":          {ezo.EC, of(talk(said("I", "?I,EC,1.95"), said("O,?", "?O,EC,EC"))...), measure.Garbled},
		"output stays off":         {ezo.EC, of(talk(said("I", "?I,EC,1.95"), said("O,?", "?O,S"), said("O,EC,1", ""), said("O,?", "?O,S"))...), measure.Refused},
		"scale stays":              {ezo.RTD, of(talk(said("I", "?I,RTD,2.10"), said("S,?", "?S,k"), said("S,c", ""), said("S,?", "?S,k"))...), measure.Refused},
		"no scale":                 {ezo.RTD, of(talk(said("I", "?I,RTD,2.10"), said("S,?", "?S"))...), measure.Garbled},
		"RTD without a probe":      {ezo.RTD, of(talk(settled(ezo.RTD), said("R", "-1023.000"))...), measure.NoResponse},
		"salinity garbled":         {ezo.DO, of(talk(settled(ezo.DO), said("S,?", "?S,ppt"))...), measure.Garbled},
		"pressure garbled":         {ezo.DO, of(talk(settled(ezo.DO), said("S,?", "?S,0.00,ppt"), said("P,?", "?P,1O1.3"))...), measure.Garbled},
		"does not take compensation": {
			ezo.DO, of(talk(settled(ezo.DO), keeps("0.00", "95.1"), said("S,0.00,ppt", ""), said("P,101.33", ""), keeps("0.00", "95.1"))...), measure.Refused,
		},
		"refuses compensation": {
			ezo.DO, of(talk(settled(ezo.DO), keeps("1.00", "95.1"), []i2ctest.IO{write("S,0.00,ppt"), answer(2, "")})...), measure.Refused,
		},
	} {
		got, err := ezo.New(tc.bus, addr, tc.board, sense.NoInputs{}, clock()).Sense(t.Context())
		if reasonOf(err) != tc.want || got != nil {
			t.Errorf("%s: %v, %v; want %s", name, got, err, tc.want)
		}
		if err := tc.bus.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// qualities senses n times and says what came of each.
func qualities(t *testing.T, d *ezo.Dev, n int) (got []string) {
	t.Helper()
	for range n {
		s, err := d.Sense(t.Context())
		if err != nil {
			got = append(got, string(reasonOf(err)))
			continue
		}
		got = append(got, s[0].Quality.String())
	}
	return got
}

func TestSense_AsksWhoItIsAtStartAndAfterHealing(t *testing.T) {
	who := said("I", "?I,pH,2.10")
	bus := sensetest.NewBus(talk(
		settled(ezo.PH), said("RT,25.00", "6.10"),
		said("RT,25.00", "6.20"),        // known: not asked again
		[]i2ctest.IO{write("RT,25.00")}, // fails: another circuit may be plugged in
		who, said("Cal,?", "?Cal,0"), said("RT,25.00", "6.30"),
		said("Cal,?", "?Cal,1"), said("RT,25.00", "6.40"), // somebody calibrated it
		said("RT,25.00", "6.50"),
	)...).Fail(8, sense.ErrNoAck)
	got := qualities(t, ezo.New(bus, addr, ezo.PH, at(25), clock()), 6)
	if diff := cmp.Diff([]string{"good", "good", "no-response", "uncalibrated", "good", "good"}, got); diff != "" {
		t.Error(diff)
	}
	if err := bus.Close(); err != nil {
		t.Error(err)
	}
}

// A circuit that lost its power between two polls answers as if nothing had happened, with its defaults.
func TestSense_NoticesARestartedOxygenCircuit(t *testing.T) {
	p := &pond{celsius: 25, salinity: 12, hPa: 1000}
	bus := sensetest.NewBus(talk(
		settled(ezo.DO), fresh(), said("S,12.00,ppt", ""), said("P,100.00", ""), keeps("12.00", "100.0"), said("RT,25.00", "6.10"),
		keeps("12.00", "100.0"), said("RT,25.00", "6.10"), // nothing changed: nothing is set
		keeps("12.00", "100.0"), said("S,12.00,ppt", ""), said("P,100.80", ""), keeps("12.00", "100.8"), said("RT,25.00", "6.10"), // weather
		fresh(), settled(ezo.DO), said("S,12.00,ppt", ""), said("P,100.80", ""), keeps("12.00", "100.8"), said("RT,25.00", "6.10"), // restarted
	)...)
	d := ezo.New(bus, addr, ezo.DO, p, clock())
	got := qualities(t, d, 2)
	p.hPa = 1008
	got = append(got, qualities(t, d, 2)...)
	if diff := cmp.Diff([]string{"good", "good", "good", "good"}, got); diff != "" {
		t.Error(diff)
	}
	if err := bus.Close(); err != nil {
		t.Error(err)
	}
}

func TestSense_EndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := ezo.New(sensetest.NewBus(write("I")), addr, ezo.PH, sense.NoInputs{}, clock()).Sense(ctx)
	if !errors.Is(err, context.Canceled) || reasonOf(err) != "" {
		t.Errorf("Sense = %v", err)
	}
}
