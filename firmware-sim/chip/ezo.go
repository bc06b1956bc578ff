package chip

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"aovuon/firmware-sim/fault"
	"aovuon/firmware-sim/world"
	"aovuon/gateway/measure"
)

// First bytes of an EZO answer (Atlas Scientific EZO data sheets, I²C mode).
const (
	ezoOK      = 1
	ezoSyntax  = 2
	ezoPending = 254
	ezoNoData  = 255
)

// ezo is what EZO circuits have in common: one command at a time, its answer ready after a while, read once.
type ezo struct {
	part  Part
	board ezoBoard
	temp  float64 // compensation temperature, °C; not kept without power
	reply []byte  // nil: no command was given
	ready time.Time
	value float64 // the number in the reply, when reading
	reads bool    // the reply is a reading
	power time.Time
}

// ezoBoard is what one kind of EZO circuit does of its own.
type ezoBoard interface {
	info() ezoInfo
	// read takes a reading at t with the compensation temperature: the number as printed, and its text.
	read(p Part, t time.Time, comp float64) (v float64, text string)
	// command answers what only this board knows; ok is false for what it does not.
	command(name string, args []string) (reply string, delay time.Duration, ok bool)
	reset()
}

type ezoInfo struct {
	name     string // in the reply to I
	firmware string
	quantity measure.Quantity
	comp     float64 // compensation temperature at power-on, °C
	readTime time.Duration
}

// EZO is a simulated EZO circuit on an I²C bus.
type EZO struct{ ezo }

// Part implements Device.
func (e *EZO) Part() Part { return e.part }

// Reset implements Device.
func (e *EZO) Reset() {
	e.temp, e.reply, e.power = e.board.info().comp, nil, e.part.Now()
	e.board.reset()
}

// Tx implements Device.
func (e *EZO) Tx(w, r []byte) error {
	now := e.part.Now()
	if len(w) > 0 {
		e.take(strings.TrimRight(string(w), "\x00\r\n"), now)
	}
	if len(r) > 0 {
		e.give(r, now)
	}
	return nil
}

// take starts a command; it puts away whatever was not read before.
func (e *EZO) take(line string, now time.Time) {
	cells := strings.Split(line, ",")
	name, args := strings.ToUpper(cells[0]), cells[1:]
	info := e.board.info()
	delay := 300 * time.Millisecond
	text, ok := "", true
	e.reads = false
	switch {
	case name == "R" && len(args) == 0:
		e.reads, delay = true, info.readTime
	case name == "RT" && len(args) == 1:
		e.reads, delay = true, 900*time.Millisecond
		ok = e.compensate(args[0])
	case name == "T" && len(args) == 1 && args[0] == "?":
		text = "?T," + strconv.FormatFloat(e.temp, 'f', 1, 64)
	case name == "T" && len(args) == 1:
		ok = e.compensate(args[0])
	case name == "I" && len(args) == 0:
		text = "?I," + info.name + "," + info.firmware
	case name == "STATUS" && len(args) == 0:
		text = "?Status,P,5.03"
	default:
		text, delay, ok = e.board.command(name, args)
	}
	e.ready = now.Add(delay)
	if !ok {
		e.reads, e.reply = false, []byte{ezoSyntax}
		e.ready = now.Add(300 * time.Millisecond)
		return
	}
	if e.reads {
		e.value, text = e.board.read(e.part, e.ready, e.temp)
	}
	e.reply = append([]byte{ezoOK}, text...)
	if e.part.Faults.Kind() == fault.Stuck {
		e.part.recordFault(now, info.quantity, fault.Stuck)
	}
}

func (e *EZO) compensate(cell string) bool {
	t, err := strconv.ParseFloat(cell, 64)
	if err != nil || t < -126 || t > 1254 { // the limits of the data sheet of the RTD circuit
		return false
	}
	e.temp = t
	return true
}

// give fills r with the answer: code, text, zeros.
func (e *EZO) give(r []byte, now time.Time) {
	clear(r)
	switch {
	case e.reply == nil:
		r[0] = ezoNoData
		return
	case now.Before(e.ready), e.part.Faults.Kind() == fault.Stuck:
		r[0] = ezoPending
		return
	}
	n := copy(r, e.reply)
	q := e.board.info().quantity
	kind := e.part.Faults.Kind()
	switch {
	case kind == fault.Garbled && n > 1:
		copy(r[1:], []byte("0,0( &")) // as seen in Mycodo issue 1052: characters lost and swapped
		e.part.recordFault(now, q, kind)
	case kind == fault.Bit7:
		for i := 1; i < n; i++ {
			r[i] |= 0x80
		}
	}
	if e.reads && kind != fault.Garbled {
		e.part.record(now, q, e.value)
	}
	e.reply, e.reads = nil, false
}

// EZOFaults are the faults an EZO circuit can have.
func EZOFaults() []fault.Kind {
	return []fault.Kind{fault.Unplug, fault.Shorted, fault.Garbled, fault.Bit7, fault.Stuck, fault.Frozen, fault.Noise}
}

// NewEZODO makes a dissolved-oxygen circuit. oxygen is what the water truly holds (mg/L), water its temperature (°C): the
// probe feels the oxygen's pressure, so what the circuit prints depends on the temperature it was told.
func NewEZODO(p Part, oxygen, water Source) *EZO {
	e := &EZO{ezo{part: p, board: &ezoDO{oxygen: element{source: oxygen, noise: 0.01, wild: 1.5}, water: water}}}
	e.Reset()
	return e
}

type ezoDO struct {
	oxygen   element
	water    Source
	cal      int
	pressure float64 // kPa
	ppt      float64 // g/kg
}

func (d *ezoDO) info() ezoInfo {
	return ezoInfo{
		name: "D.O.", firmware: "2.16", quantity: measure.DissolvedOxygen, comp: 20,
		readTime: 600 * time.Millisecond,
	}
}

func (d *ezoDO) reset() { d.cal, d.pressure, d.ppt = 1, 101.3, 0 }

func (d *ezoDO) read(p Part, t time.Time, comp float64) (float64, string) {
	share := d.oxygen.at(p, t) / world.Saturation(d.water(t), 0, 1)
	mgL := share * world.Saturation(comp, d.ppt, d.pressure/101.325)
	return printed(math.Max(0, math.Min(100, mgL)), 2)
}

func (d *ezoDO) command(name string, args []string) (string, time.Duration, bool) {
	const quick = 300 * time.Millisecond
	one := len(args) == 1
	switch {
	case name == "CAL" && (len(args) == 0 || one && args[0] == "0"):
		d.cal = 1 + len(args)
		return "", 1300 * time.Millisecond, true
	case name == "CAL" && one && args[0] == "?":
		return fmt.Sprintf("?Cal,%d", d.cal), quick, true
	case name == "CAL" && one && strings.EqualFold(args[0], "clear"):
		d.cal = 0
		return "", quick, true
	case name == "P" && one && args[0] == "?":
		return "?,P," + strconv.FormatFloat(d.pressure, 'f', 1, 64), quick, true
	case name == "P" && one:
		return "", quick, number(args[0], 30, 200, &d.pressure)
	case name == "S" && one && args[0] == "?":
		return "?S," + strconv.FormatFloat(d.ppt, 'f', 2, 64) + ",ppt", quick, true
	case name == "S" && len(args) == 2 && strings.EqualFold(args[1], "ppt"):
		return "", quick, number(args[0], 0, 42, &d.ppt)
	case name == "S" && one: // µS/cm at 25 °C; 0.56 mg/L salt each is right within 10 % from 1 to 10 mS/cm (PSS-78)
		var us float64
		ok := number(args[0], 0, 60000, &us)
		if ok {
			d.ppt = us * 0.56e-3
		}
		return "", quick, ok
	case name == "O" && one && args[0] == "?":
		return "?,O,mg", quick, true
	}
	return "", 0, false
}

// NewEZOPH makes a pH circuit. ph is the water's true pH, water its temperature (°C): the electrode's slope grows with
// temperature, so what the circuit prints depends on the temperature it was told.
func NewEZOPH(p Part, ph, water Source) *EZO {
	e := &EZO{ezo{part: p, board: &ezoPH{ph: element{source: ph, noise: 0.003, wild: 0.4}, water: water}}}
	e.Reset()
	return e
}

type ezoPH struct {
	ph    element
	water Source
	cal   int
}

func (d *ezoPH) info() ezoInfo {
	return ezoInfo{name: "pH", firmware: "2.10", quantity: measure.PH, comp: 25, readTime: 900 * time.Millisecond}
}

func (d *ezoPH) reset() { d.cal = 3 }

// read is Nernst's slope: volts go with (pH − 7) · T, and the circuit divides by the T it was told.
func (d *ezoPH) read(p Part, t time.Time, comp float64) (float64, string) {
	v := 7 + (d.ph.at(p, t)-7)*(d.water(t)+273.15)/(comp+273.15)
	return printed(math.Max(0.001, math.Min(14, v)), 3)
}

func (d *ezoPH) command(name string, args []string) (string, time.Duration, bool) {
	const quick, slow = 300 * time.Millisecond, 900 * time.Millisecond
	one := len(args) == 1
	switch {
	case name == "CAL" && one && args[0] == "?":
		return fmt.Sprintf("?Cal,%d", d.cal), quick, true
	case name == "CAL" && one && strings.EqualFold(args[0], "clear"):
		d.cal = 0
		return "", quick, true
	case name == "CAL" && len(args) == 2:
		var point float64
		if !number(args[1], 0, 14, &point) {
			return "", 0, false
		}
		switch strings.ToLower(args[0]) {
		case "mid": // clears the other points
			d.cal = 1
		case "low", "high":
			d.cal = min(3, d.cal+1)
		default:
			return "", 0, false
		}
		return "", slow, true
	case name == "SLOPE" && one && args[0] == "?":
		return "?Slope,99.7,100.3,-0.89", quick, true
	}
	return "", 0, false
}

// printed rounds v as a circuit prints it.
func printed(v float64, decimals int) (float64, string) {
	text := strconv.FormatFloat(v, 'f', decimals, 64)
	back, err := strconv.ParseFloat(text, 64)
	if err != nil { // not a number in: the world is broken, and so is the answer
		return 0, text
	}
	return back, text
}

func number(cell string, low, high float64, to *float64) bool {
	v, err := strconv.ParseFloat(cell, 64)
	if err != nil || v < low || v > high {
		return false
	}
	*to = v
	return true
}
