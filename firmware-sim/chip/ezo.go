package chip

import (
	"strconv"
	"strings"
	"time"

	"aovuon/firmware-sim/fault"
	"aovuon/gateway/measure"
)

// First bytes of an EZO answer (Atlas Scientific EZO data sheets, I²C mode).
const (
	ezoOK      = 1
	ezoSyntax  = 2
	ezoPending = 254
	ezoNoData  = 255
)

// ezoQuick is how long a circuit works on a command that does not say otherwise.
const ezoQuick = 300 * time.Millisecond

// EZO is a simulated EZO circuit on an I²C bus: one command at a time, its answer ready after a while, read once.
type EZO struct {
	part  Part
	board ezoBoard
	temp  float64 // compensation temperature, °C; not kept without power
	reply []byte  // nil: no command was given
	ready time.Time
	value float64 // the number in the reply, when reading
	reads bool    // the reply is a reading

	restart byte   // why it started last
	name    string // kept without power, as all below
	led     bool
	locked  bool   // Plock: it stays in I²C mode at its address
	address uint16 // I2C,n; 0: as it was wired
	moved   bool   // by the command in hand
	copying ezoCopy
}

// ezoBoard is what one kind of EZO circuit does of its own.
type ezoBoard interface {
	info() ezoInfo
	// read takes a reading at t with the compensation temperature: the first number as printed, and the whole text.
	read(p Part, t time.Time, comp float64) (v float64, text string)
	// command answers what only this board knows; ok is false for what it does not.
	command(c ezoCommand) (reply string, delay time.Duration, ok bool)
	// memory is the calibration, as its EEPROM keeps it without power.
	memory() []*float64
	// reset forgets what is not kept without power, or everything when factory is true.
	reset(factory bool)
}

// ezoCommand is a command and the circumstances it is given in.
type ezoCommand struct {
	name string // in capitals
	args []string
	part Part
	now  time.Time
	comp float64 // compensation temperature, °C
}

// is reports whether the command is name with these arguments, capitals or not.
func (c ezoCommand) is(name string, args ...string) bool {
	if c.name != name || len(c.args) != len(args) {
		return false
	}
	for i := range args {
		if !strings.EqualFold(c.args[i], args[i]) {
			return false
		}
	}
	return true
}

type ezoInfo struct {
	name     string // in the reply to I
	firmware string
	quantity measure.Quantity
	readTime time.Duration
	comp     float64 // compensation temperature at power-on, °C
	takesT   bool    // knows T and RT
}

func newEZO(p Part, board ezoBoard) *EZO {
	e := &EZO{part: p, board: board, led: true}
	e.board.reset(true)
	e.Reset()
	return e
}

// Part implements Device.
func (e *EZO) Part() Part { return e.part }

// Reset implements Device: what a loss of power does. The calibration stays.
func (e *EZO) Reset() {
	e.temp, e.reply, e.reads, e.restart, e.copying = e.board.info().comp, nil, false, 'P', ezoCopy{}
	e.board.reset(false)
}

// BrownOut says that the circuit started because its supply dipped; the bus calls it after Reset.
func (e *EZO) BrownOut() { e.restart = 'B' }

// Address is the address the circuit was told; 0: none but the one it was wired with.
func (e *EZO) Address() uint16 { return e.address }

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

// take starts a command; it puts away whatever was not read before. Any command wakes a circuit that sleeps.
func (e *EZO) take(line string, now time.Time) {
	cells := strings.Split(line, ",")
	c := ezoCommand{name: strings.ToUpper(cells[0]), args: cells[1:], part: e.part, now: now, comp: e.temp}
	info := e.board.info()
	e.reads = false
	text, delay, ok := e.common(c)
	if !ok {
		text, delay, ok = e.board.command(c)
	}
	e.ready = now.Add(delay)
	switch {
	case !ok:
		e.reads, e.reply = false, []byte{ezoSyntax}
		e.ready = now.Add(ezoQuick)
		return
	case c.is("SLEEP"): // no answer
		e.reply = nil
		return
	case e.moved:
		e.moved = false
		e.Reset()
		e.restart = 'S'
		return
	case e.reads:
		e.value, text = e.board.read(e.part, e.ready, e.temp)
	}
	e.reply = append([]byte{ezoOK}, text...)
	if e.part.Faults.Kind() == fault.Stuck {
		e.part.recordFault(now, info.quantity, fault.Stuck)
	}
}

// common answers what every circuit knows.
func (e *EZO) common(c ezoCommand) (text string, delay time.Duration, ok bool) {
	info := e.board.info()
	switch {
	case c.is("R"):
		e.reads = true
		return "", info.readTime, true
	case c.is("T", "?") && info.takesT:
		return "?T," + strconv.FormatFloat(e.temp, 'f', 1, 64), ezoQuick, true
	case (c.name == "T" || c.name == "RT") && len(c.args) == 1 && info.takesT:
		if !number(c.args[0], -126, 1254, &e.temp) { // the limits of the data sheet of the RTD circuit
			return "", 0, false
		}
		if e.reads = c.name == "RT"; e.reads {
			return "", 900 * time.Millisecond, true
		}
		return "", ezoQuick, true
	case c.is("I"):
		return "?I," + info.name + "," + info.firmware, ezoQuick, true
	case c.is("STATUS"):
		return "?Status," + string(e.restart) + ",5.03", ezoQuick, true
	case c.is("NAME", "?"):
		return "?Name," + e.name, ezoQuick, true
	case c.name == "NAME" && len(c.args) == 1 && len(c.args[0]) <= 16:
		e.name = c.args[0]
		return "", ezoQuick, true
	case c.name == "L":
		return ezoSwitch(c, "L", &e.led)
	case c.name == "PLOCK":
		return ezoSwitch(c, "Plock", &e.locked)
	case c.name == "I2C" && len(c.args) == 1 && !e.locked:
		return e.move(c.args[0])
	case c.is("FIND"), c.is("SLEEP"):
		return "", ezoQuick, true
	case c.is("FACTORY"): // its address stays
		e.name, e.led, e.locked = "", true, false
		e.board.reset(true)
		e.Reset()
		for _, p := range e.board.memory() {
			*p = 0
		}
		e.restart = 'S'
		return "", ezoQuick, true
	case c.name == "EXPORT", c.name == "IMPORT":
		return e.copying.command(c, e.board.memory())
	}
	return "", 0, false
}

// ezoSwitch answers a command that takes 0, 1 and ?.
func ezoSwitch(c ezoCommand, spelt string, on *bool) (text string, delay time.Duration, ok bool) {
	switch {
	case c.is(c.name, "?") && *on:
		return "?" + spelt + ",1", ezoQuick, true
	case c.is(c.name, "?"):
		return "?" + spelt + ",0", ezoQuick, true
	case c.is(c.name, "0"), c.is(c.name, "1"):
		*on = c.args[0] == "1"
		return "", ezoQuick, true
	}
	return "", 0, false
}

// move gives the circuit another address: it starts anew there and says nothing.
func (e *EZO) move(cell string) (text string, delay time.Duration, ok bool) {
	n, err := strconv.ParseUint(cell, 10, 8)
	if err != nil || n < 1 || n > 127 {
		return "", 0, false
	}
	e.address, e.moved = uint16(n), true
	return "", ezoQuick, true
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
	return i2cFaults(fault.Garbled, fault.Bit7, fault.Stuck, fault.Frozen, fault.Noise)
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
	if err != nil || !(v >= low && v <= high) {
		return false
	}
	*to = v
	return true
}
