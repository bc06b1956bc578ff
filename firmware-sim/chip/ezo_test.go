package chip_test

import (
	"bytes"
	"regexp"
	"strconv"
	"testing"
	"time"

	"aovuon/firmware-sim/chip"
	"aovuon/firmware-sim/fault"
	"aovuon/gateway/measure"
)

const doAddr, phAddr = 0x61, 0x63

func ezoRig(t *testing.T, oxygen, ph, water float64) *rig {
	t.Helper()
	r := newRig()
	r.add(t, doAddr, chip.NewEZODO(r.part(t, "do", chip.EZOFaults()), constant(oxygen), constant(water), constant(0), constant(1013.25)))
	r.add(t, phAddr, chip.NewEZOPH(r.part(t, "ph", chip.EZOFaults()), constant(ph), constant(water)))
	return r
}

// say writes a command and returns the answer after d.
func (r *rig) say(t *testing.T, addr uint16, command string, d time.Duration) (code byte, text string) {
	t.Helper()
	r.tx(t, addr, []byte(command), 0)
	r.clock.pass(d)
	b := r.tx(t, addr, nil, 32)
	end := bytes.IndexByte(b[1:], 0)
	if end < 0 {
		t.Fatalf("%s: no end in % x", command, b)
	}
	return b[0], string(b[1 : 1+end])
}

// The golden frame of the sensors reference: 52, early FE, after 900 ms 01 and text, without a command FF.
func TestEZO_AnswersInItsOwnTime(t *testing.T) {
	r := ezoRig(t, 6.5, 7.312, 25)
	if b := r.tx(t, phAddr, nil, 8); b[0] != 255 {
		t.Errorf("without a command: % x", b)
	}
	r.tx(t, phAddr, []byte("R"), 0)
	for range 3 {
		r.clock.pass(299 * time.Millisecond)
		if b := r.tx(t, phAddr, nil, 8); b[0] != 254 {
			t.Fatalf("too early: % x", b)
		}
	}
	r.clock.pass(3 * time.Millisecond)
	b := r.tx(t, phAddr, nil, 8)
	if b[0] != 1 || !regexp.MustCompile(`^7\.\d{3}\x00\x00$`).Match(b[1:]) {
		t.Fatalf("% x (%q) is not 01 37 2E ...", b, b[1:])
	}
	v, err := strconv.ParseFloat(string(bytes.TrimRight(b[1:], "\x00")), 64)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "pH", v, 7.312, 0.02)
	if e := r.book.last(t, measure.PH); e.Value != v {
		t.Errorf("ledger says %v, the chip said %v", e.Value, v)
	}
	if b := r.tx(t, phAddr, nil, 8); b[0] != 255 {
		t.Errorf("read twice: % x", b)
	}
	if n := len(r.book.all()); n != 1 {
		t.Errorf("%d ledger entries for one answer", n)
	}
}

func TestEZO_Commands(t *testing.T) {
	r := ezoRig(t, 6.5, 7.3, 28)
	const tick = 300 * time.Millisecond
	for _, tc := range []struct {
		addr    uint16
		command string
		wait    time.Duration
		code    byte
		text    string // a pattern
	}{
		{doAddr, "i", tick, 1, `\?I,D\.O\.,2\.16`},
		{phAddr, "I\x00", tick, 1, `\?I,pH,2\.10`},
		{phAddr, "Status", tick, 1, `\?Status,P,5\.03`},
		{phAddr, "T,?", tick, 1, `\?T,25\.0`},
		{doAddr, "T,?", tick, 1, `\?T,20\.0`},
		{doAddr, "T,28.5", tick, 1, ``},
		{doAddr, "T,?", tick, 1, `\?T,28\.5`},
		{doAddr, "RT,28.0", 900 * time.Millisecond, 1, `6\.[45]\d`},
		{doAddr, "T,?", tick, 1, `\?T,28\.0`},
		{doAddr, "R", 600 * time.Millisecond, 1, `6\.[45]\d`},
		{doAddr, "RT,28.0", 899 * time.Millisecond, 254, ``},
		{doAddr, "Cal,?", tick, 1, `\?Cal,1`},
		{doAddr, "Cal,0", 1300 * time.Millisecond, 1, ``},
		{doAddr, "Cal,?", tick, 1, `\?Cal,2`},
		{doAddr, "Cal,clear", tick, 1, ``},
		{doAddr, "Cal,?", tick, 1, `\?Cal,0`},
		{doAddr, "P,?", tick, 1, `\?,P,101\.3`},
		{doAddr, "P,100.1", tick, 1, ``},
		{doAddr, "S,1.5,ppt", tick, 1, ``},
		{doAddr, "S,?", tick, 1, `\?S,1\.50,ppt`},
		{doAddr, "S,5000", tick, 1, ``},
		{doAddr, "O,?", tick, 1, `\?,O,mg`},
		{doAddr, "S,?", tick, 1, `\?S,5000,uS`},
		{doAddr, "O,%,1", tick, 1, ``},
		{doAddr, "O,?", tick, 1, `\?,O,%,mg`},
		{doAddr, "RT,28.0", 900 * time.Millisecond, 1, `\d+\.\d\d,\d+\.\d`},
		{doAddr, "O,mg,0", tick, 1, ``},
		{doAddr, "R", 600 * time.Millisecond, 1, `\d+\.\d`},
		{doAddr, "O,mg,2", tick, 2, ``},
		{doAddr, "S,50,ppt", tick, 2, ``},
		{phAddr, "Cal,?", tick, 1, `\?Cal,3`},
		{phAddr, "Slope,?", tick, 1, `\?Slope,99\.7,100\.3,-0\.89`},
		{phAddr, "Name,ao1", tick, 1, ``},
		{phAddr, "Name,?", tick, 1, `\?Name,ao1`},
		{phAddr, "Name,a-name-longer-than-16", tick, 2, ``},
		{phAddr, "L,0", tick, 1, ``},
		{phAddr, "L,?", tick, 1, `\?L,0`},
		{phAddr, "Find", tick, 1, ``},
		{phAddr, "Sleep", tick, 255, ``},
		{phAddr, "Cal,low,8", tick, 2, ``},
		{phAddr, "Cal,high,6", tick, 2, ``},
		{phAddr, "Cal,mid,7.00", 900 * time.Millisecond, 1, ``},
		{phAddr, "Cal,low,4.00", 900 * time.Millisecond, 1, ``},
		{phAddr, "Cal,?", tick, 1, `\?Cal,2`},
		{phAddr, "RT", tick, 2, ``},
		{phAddr, "RT,warm", tick, 2, ``},
		{phAddr, "Cal,seven,7", tick, 2, ``},
		{phAddr, "love", tick, 2, ``},
		{doAddr, "P,-1", tick, 2, ``},
	} {
		code, text := r.say(t, tc.addr, tc.command, tc.wait)
		if code != tc.code || !regexp.MustCompile("^"+tc.text+"$").MatchString(text) {
			t.Errorf("%q: code %d, %q; want %d, %s", tc.command, code, text, tc.code, tc.text)
		}
	}
}

// What the circuit prints depends on the temperature it was told, as with the real probe.
func TestEZO_WrongCompensationGivesTheWrongNumber(t *testing.T) {
	r := ezoRig(t, 7.559, 8.0, 30) // 100 % saturation at 30 °C
	read := func(addr uint16, command string, wait time.Duration) float64 {
		t.Helper()
		_, text := r.say(t, addr, command, wait)
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	near(t, "oxygen told 30 °C", read(doAddr, "RT,30", 900*time.Millisecond), 7.559, 0.05)
	near(t, "oxygen told 20 °C", read(doAddr, "RT,20", 900*time.Millisecond), 9.092, 0.06)
	near(t, "pH told 30 °C", read(phAddr, "RT,30", 900*time.Millisecond), 8.0, 0.02)
	near(t, "pH told 5 °C", read(phAddr, "RT,5", 900*time.Millisecond), 7+303.15/278.15, 0.02)
}

func TestEZO_Faults(t *testing.T) {
	r := ezoRig(t, 6.5, 7.3, 25)
	reading := regexp.MustCompile(`^7\.\d{3}$`)
	good := func(when string) {
		t.Helper()
		if code, text := r.say(t, phAddr, "RT,25", 900*time.Millisecond); code != 1 || !reading.MatchString(text) {
			t.Errorf("%s: %d %q", when, code, text)
		}
	}
	good("at first")

	r.set(t, "ph", fault.Stuck)
	if code, _ := r.say(t, phAddr, "R", time.Hour); code != 254 {
		t.Errorf("stuck: code %d", code)
	}
	r.set(t, "ph", fault.Garbled)
	if code, text := r.say(t, phAddr, "R", time.Second); code != 1 || text[:6] != "0,0( &" {
		t.Errorf("garbled: %d %q", code, text)
	}
	if e := r.book.last(t, measure.PH); e.Fault != "garbled" {
		t.Errorf("ledger of a garbled answer: %+v", e)
	}
	r.set(t, "ph", fault.Bit7)
	code, text := r.say(t, phAddr, "R", time.Second)
	clean := []byte(text)
	for i := range clean {
		if clean[i]&0x80 == 0 {
			t.Errorf("bit 7 is clear in % x", text)
		}
		clean[i] &^= 0x80
	}
	if code != 1 || !reading.Match(clean) {
		t.Errorf("bit7: %d % x", code, text)
	}
	r.set(t, "ph", fault.Frozen)
	_, first := r.say(t, phAddr, "R", time.Second)
	for range 5 {
		if _, again := r.say(t, phAddr, "R", time.Minute); again != first {
			t.Errorf("frozen: %s after %s", again, first)
		}
	}
	r.say(t, phAddr, "T,31", time.Second)
	r.set(t, "ph", fault.Unplug)
	r.noAck(t, phAddr, []byte("R"), 0)
	r.noAck(t, phAddr, nil, 32)
	good2 := func() { r.set(t, "ph", fault.None); good("healed") }
	good2()
	r.set(t, "ph", fault.Unplug)
	r.noAck(t, phAddr, nil, 32)
	r.set(t, "ph", fault.None)
	if _, text := r.say(t, phAddr, "T,?", time.Second); text != "?T,25.0" {
		t.Errorf("compensation after losing power: %s", text)
	}
}

func TestEZO_NoiseJumpsButStaysANumber(t *testing.T) {
	r := ezoRig(t, 6.5, 7.3, 25)
	r.set(t, "do", fault.Noise)
	low, high := 99.0, 0.0
	for range 50 {
		code, text := r.say(t, doAddr, "RT,25", time.Second)
		v, err := strconv.ParseFloat(text, 64)
		if code != 1 || err != nil {
			t.Fatalf("%d %q", code, text)
		}
		low, high = min(low, v), max(high, v)
	}
	if high-low < 2 || low < 0 {
		t.Errorf("noise between %v and %v", low, high)
	}
}
