package chip_test

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"aovuon/firmware-sim/chip"
	"aovuon/firmware-sim/fault"
	"aovuon/gateway/measure"
	"aovuon/gateway/sense/rtu"
	"aovuon/gateway/sense/serial"
)

// lineOf is a serial line in process with probes at addresses 1 and 2, and the gateway's master on it.
func lineOf(t *testing.T) (*fault.Board, func(unit byte) ([]byte, error)) {
	t.Helper()
	clock := &virtual{now: time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)}
	board := fault.NewBoard()
	own, err := board.Add("rs485", chip.LineFaults()...)
	if err != nil {
		t.Fatal(err)
	}
	l := chip.NewSerialLine(clock.wall, false, own)
	for i, name := range []string{"am", "khac"} {
		sw, err := board.Add(name, chip.RTUFaults()...)
		if err != nil {
			t.Fatal(err)
		}
		m := new(registers)
		m.words[0] = uint16(100 * (i + 1))
		l.Add(chip.NewRTUUnit(chip.Part{Name: name, Now: clock.wall, Faults: sw, Ledger: chip.Silent{}}, byte(1+i), line(9600), m))
	}
	m := rtu.New(chip.NewSerialPort("rs485", l, clock.Sleep), clock)
	return board, func(unit byte) ([]byte, error) {
		return m.Do(t.Context(), rtu.Request{Line: line(9600), Unit: unit, PDU: []byte{3, 0, 0, 0, 1}})
	}
}

// Two units that answer at once are not understood: neither frame nor number comes of it.
func TestLine_TwoUnitsAtOneAddress(t *testing.T) {
	board, ask := lineOf(t)
	good := func(what string, unit byte, value byte) {
		t.Helper()
		if got, err := ask(unit); err != nil || !bytes.Equal(got, []byte{3, 2, 0, value}) {
			t.Errorf("%s: unit %d: % x, %v", what, unit, got, err)
		}
	}
	good("at first", 1, 100)
	for what, params := range map[fault.Kind][]float64{fault.Twin: nil, fault.WrongAddress: {2}} {
		if err := board.Set("am", what, params...); err != nil {
			t.Fatal(err)
		}
		unit := byte(1)
		if what == fault.WrongAddress {
			unit = 2
			if _, err := ask(1); reason(err) != measure.NoResponse {
				t.Errorf("%s: nobody is at 1: %v", what, err)
			}
		}
		for range 20 {
			if got, err := ask(unit); err == nil {
				t.Errorf("%s: % x", what, got)
			}
		}
		board.HealAll()
		good("healed", 1, 100)
		good("healed", 2, 200)
	}
}

// sayer answers whatever it hears with bursts that were prepared.
type sayer struct{ bursts []chip.Burst }

func (s sayer) Hear(time.Time, serial.Line, []byte) []chip.Burst { return s.bursts }
func (sayer) Talk(_, _ time.Time) []chip.Burst                   { return nil }
func (sayer) Part() chip.Part                                    { return chip.Part{} }

// Who talks while two others answer one after the other spoils both.
func TestLine_OneOverTwo(t *testing.T) {
	clock := &virtual{now: time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)}
	var lost, sent []string
	burst := func(name string, end time.Duration, n int) chip.Burst {
		return chip.Burst{
			At: clock.wall().Add(end), Bytes: bytes.Repeat([]byte{0x55}, n), Line: line(9600),
			Sent: func(time.Time) { sent = append(sent, name) }, Lost: func(time.Time) { lost = append(lost, name) },
		}
	}
	l := chip.NewSerialLine(clock.wall, false, new(fault.Switch))
	l.Add(sayer{[]chip.Burst{burst("first", 10*time.Millisecond, 4), burst("second", 20*time.Millisecond, 4)}})
	l.Add(sayer{[]chip.Burst{burst("over both", 25*time.Millisecond, 20)}})
	l.Send(line(9600), []byte{1})
	if got := l.Take(clock.wall().Add(24*time.Millisecond), line(9600)); len(got) != 0 {
		t.Errorf("% x came while the last one talked", got)
	}
	l.Take(clock.wall().Add(time.Second), line(9600))
	if slices.Sort(lost); !slices.Equal(lost, []string{"first", "over both", "second"}) || len(sent) != 0 {
		t.Errorf("lost %q, sent %q", lost, sent)
	}
}

func TestLine_WithoutPowerAndShorted(t *testing.T) {
	board, ask := lineOf(t)
	for _, k := range []fault.Kind{fault.PowerCut, fault.Shorted} {
		if err := board.Set("rs485", k); err != nil {
			t.Fatal(err)
		}
		for unit := byte(1); unit <= 2; unit++ {
			if _, err := ask(unit); reason(err) != measure.NoResponse {
				t.Errorf("%s: unit %d: %v", k, unit, err)
			}
		}
		board.HealAll()
		if _, err := ask(1); err != nil {
			t.Errorf("%s, healed: %v", k, err)
		}
	}
}
