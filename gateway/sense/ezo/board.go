package ezo

import (
	"strings"
	"time"

	"aovuon/gateway/measure"
)

// Board is a kind of EZO circuit.
type Board uint8

// The boards.
const (
	DO  Board = iota // dissolved oxygen, mg/L; factory address 0x61
	PH               // pH; factory address 0x63
	EC               // conductivity at 25 °C, µS/cm; factory address 0x64
	ORP              // oxidation-reduction potential, mV; factory address 0x62
	RTD              // temperature of the water, °C; factory address 0x66
)

// traits is what boards differ in.
type traits struct {
	name       string // in the answer to I
	quantity   measure.Quantity
	read       time.Duration // R
	calibrate  time.Duration // Cal with a point
	compensate bool          // takes the water temperature with RT
	outputs    []string      // what O can switch on, in the order in which values come; the first is what is wanted
	calibrated bool          // its values are worth something only after a calibration
}

const (
	waitCommand  = 300 * time.Millisecond
	waitReadTemp = 900 * time.Millisecond // RT, on every board
)

func (b Board) traits() traits {
	const ms = time.Millisecond
	switch b {
	case DO:
		return traits{"D.O.", measure.DissolvedOxygen, 600 * ms, 1300 * ms, true, []string{"mg", "%"}, true}
	case PH:
		return traits{"pH", measure.PH, 900 * ms, 900 * ms, true, nil, true}
	case EC:
		return traits{"EC", measure.Conductivity, 600 * ms, 1200 * ms, true, []string{"EC", "TDS", "S", "SG"}, true}
	case ORP:
		return traits{"ORP", measure.ORP, 1000 * ms, 900 * ms, false, nil, true}
	case RTD:
		return traits{"RTD", measure.WaterTemperature, 600 * ms, 600 * ms, false, nil, false}
	}
	return traits{name: "unknown board"}
}

// String is the board's name as it gives it itself.
func (b Board) String() string { return b.traits().name }

// is reports whether name, from the answer to I, is that of b. Oxygen circuits write D.O. or DO.
func (b Board) is(name string) bool {
	plain := func(s string) string { return strings.ToUpper(strings.ReplaceAll(s, ".", "")) }
	return plain(name) == plain(b.traits().name)
}

// wait is how long a circuit works on a command before its answer can be read.
func (b Board) wait(command string) time.Duration {
	name, argument, _ := strings.Cut(strings.ToUpper(command), ",")
	switch {
	case name == "R":
		return b.traits().read
	case name == "RT":
		return waitReadTemp
	case name == "CAL" && argument != "?" && argument != "CLEAR":
		return b.traits().calibrate
	}
	return waitCommand
}
