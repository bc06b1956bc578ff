package probe

import (
	"time"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense/serial"
)

// Template is everything the product knows of one sort of probe. The doc tags are what an editor shows (schema.json).
type Template struct {
	ID       string   `yaml:"id" doc:"Name of the template and of its file: a-z, 0-9 and -."`
	Kind     Kind     `yaml:"kind" doc:"How the probe is wired: modbus (registers on an RS485 line) or analog (volts at an ADS1115 input)."`
	Maker    string   `yaml:"maker" doc:"Who makes it."`
	Models   []string `yaml:"models" doc:"Models that have this map."`
	Measures string   `yaml:"measures" doc:"What it measures and how, in a few words."`
	Source   Source   `yaml:"source" doc:"Where the facts in this file are from."`
	Accuracy string   `yaml:"accuracy" doc:"Accuracy as the maker states it, or that he does not."`
	Wiring   []string `yaml:"wiring" doc:"What a person must know to wire it."`
	Upkeep   []string `yaml:"upkeep" doc:"What a person must do so that it stays right."`
	Modbus   *Modbus  `yaml:"modbus" doc:"Of a Modbus probe."`
	Analog   *Analog  `yaml:"analog" doc:"Of an analog probe."`
}

// Kind is how a probe is wired.
type Kind string

// The kinds of template.
const (
	KindModbus Kind = "modbus"
	KindAnalog Kind = "analog"
)

// Source says where facts are from and how sure they are.
type Source struct {
	Document string    `yaml:"document" doc:"The document, driver or device, so that another can find it."`
	Sure     Certainty `yaml:"sure" doc:"device: read from a real probe; document: the maker's document was read; driver: a public driver's code was read; unrecorded: the document behind the rows was not recorded, confirm them on a real device."`
	Note     string    `yaml:"note" doc:"What is not sure."`
}

// Certainty is how sure a fact is.
type Certainty string

// The certainties, surest first.
const (
	FromDevice   Certainty = "device"
	FromDocument Certainty = "document"
	FromDriver   Certainty = "driver"
	Unrecorded   Certainty = "unrecorded"
)

// Modbus is a probe with registers.
type Modbus struct {
	Unit     int           `yaml:"unit" doc:"Address the probe comes with, 1 to 247."`
	Line     Line          `yaml:"line" doc:"How its line is set when it comes."`
	Quiet    time.Duration `yaml:"quiet" doc:"Silence it wants before a question; left out: 3.5 characters."`
	Timeout  time.Duration `yaml:"timeout" doc:"How long its answer may take to begin; left out: 500ms."`
	WarmUp   time.Duration `yaml:"warm_up" doc:"How long after its start (or after power) it has no measurement."`
	Start    *Command      `yaml:"start" doc:"What makes it measure; sent once, and again after it lost its power."`
	Stop     *Command      `yaml:"stop" doc:"What makes it rest."`
	Commands []Command     `yaml:"commands" doc:"What else it can be told."`
	Reads    []Read        `yaml:"reads" doc:"The questions that give its values."`
	Change   Change        `yaml:"change" doc:"How its address and speed are changed."`
	Settings []Setting     `yaml:"settings" doc:"Registers that a person sets, such as the salinity it compensates with."`
	Golden   []Frame       `yaml:"golden" doc:"Whole frames: the test of this file, and what the simulator's probe begins with. At least one for each read, and for start and stop."`
}

// Line is how a serial line is set.
type Line struct {
	Baud     int           `yaml:"baud" doc:"Bits per second."`
	Parity   serial.Parity `yaml:"parity" doc:"none, even or odd."`
	StopBits int           `yaml:"stop_bits" doc:"1 or 2."`
}

// Command is a question that does something.
type Command struct {
	Name   string `yaml:"name" doc:"What it does."`
	Ask    Hex    `yaml:"ask" doc:"Function code and data in hexadecimal, without address and checksum."`
	Answer Hex    `yaml:"answer" doc:"Function code and data of the right answer."`
}

// Read is one question for registers.
type Read struct {
	Function  int     `yaml:"function" doc:"3 (holding registers) or 4 (input registers)."`
	Register  int     `yaml:"register" doc:"First register as it is on the wire, from 0: 40001 in some books is 0."`
	Registers int     `yaml:"registers" doc:"How many, 1 to 125."`
	PowerUp   Hex     `yaml:"power_up" doc:"The registers while nothing was measured since power came; they are no values then."`
	Values    []Value `yaml:"values" doc:"What stands in them."`
}

// Value is one quantity in registers: (number × scale + offset), times the factor of the unit, less the decimals.
type Value struct {
	Quantity     measure.Quantity `yaml:"quantity" doc:"What it is; fixes the unit it must come out in."`
	Register     int              `yaml:"register" doc:"Its first register."`
	Type         Number           `yaml:"type" doc:"s16, u16, s32, u32 or f32; the 32-bit ones with the order of their bytes on the wire: abcd is big-endian, dcba little-endian, cdab and badc mixed."`
	Scale        float64          `yaml:"scale" doc:"Times this, into the quantity's unit; left out: 1."`
	Offset       float64          `yaml:"offset" doc:"Plus this."`
	Min          *float64         `yaml:"min" doc:"Least it can measure, in the quantity's unit; below is out of range."`
	Max          *float64         `yaml:"max" doc:"Most it can measure."`
	Absent       []int64          `yaml:"absent" doc:"Numbers that say: no value. A float that is no number always says so."`
	Indicative   string           `yaml:"indicative" doc:"Why it is no measurement, such as: derived from conductivity. It is then graded uncalibrated."`
	UnitRegister *UnitRegister    `yaml:"unit_register" doc:"A register of the same read that says in which unit the number is."`
	Decimals     *int             `yaml:"decimals_register" doc:"A register of the same read that says how many decimals the number has."`
}

// UnitRegister is a register whose code says which unit another register is in.
type UnitRegister struct {
	Register int             `yaml:"register" doc:"Where the code stands."`
	Factors  map[int]float64 `yaml:"factors" doc:"By code: times this, into the quantity's unit."`
}

// Change is how a probe's address and speed are changed.
type Change struct {
	Address *AddressChange `yaml:"address" doc:"The register of its address."`
	Baud    *BaudChange    `yaml:"baud" doc:"The register of its speed."`
	AnyUnit int            `yaml:"any_unit" doc:"An address it answers to whatever its own is: only with one probe on the line."`
	Steps   []string       `yaml:"steps" doc:"What a person does, in order."`
}

// AddressChange is the register of an address.
type AddressChange struct {
	Function int `yaml:"function" doc:"6 (one register) or 16 (several) writes it."`
	Register int `yaml:"register" doc:"The register."`
	Times    int `yaml:"times" doc:"The number written is the address times this (256: it stands in the high byte); left out: 1."`
	Max      int `yaml:"max" doc:"Highest address it takes; left out: 247."`
}

// BaudChange is the register of a speed.
type BaudChange struct {
	Function int         `yaml:"function" doc:"6 (one register) or 16 (several) writes it."`
	Register int         `yaml:"register" doc:"The register."`
	Codes    map[int]int `yaml:"codes" doc:"By speed: the number written."`
}

// Setting is a register a person sets.
type Setting struct {
	Name     string  `yaml:"name" doc:"What it sets."`
	Register int     `yaml:"register" doc:"Its first register, a holding register."`
	Type     Number  `yaml:"type" doc:"As of a value."`
	Scale    float64 `yaml:"scale" doc:"Times this, into the unit; left out: 1."`
	Unit     string  `yaml:"unit" doc:"The unit."`
	Note     string  `yaml:"note" doc:"What to write."`
}

// Frame is a question and its answer as they are on the wire, with checksums.
type Frame struct {
	Name   string                                   `yaml:"name" doc:"What it shows."`
	Origin Origin                                   `yaml:"origin" doc:"published: printed by the maker; device: taken from a wire; derived: worked out from the map with its checksum."`
	Ask    Hex                                      `yaml:"ask" doc:"The whole question."`
	Answer Hex                                      `yaml:"answer" doc:"The whole answer."`
	Values map[measure.Quantity]float64             `yaml:"values" doc:"What it must give."`
	Faults map[measure.Quantity]measure.FaultReason `yaml:"faults" doc:"What has no value in it, and why."`
}

// Origin is where a golden frame is from.
type Origin string

// The origins.
const (
	Published Origin = "published"
	Recorded  Origin = "device"
	Derived   Origin = "derived"
)

// Serial returns the line of a probe as it comes.
func (m *Modbus) Serial() serial.Line {
	return serial.Line{Baud: m.Line.Baud, Parity: m.Line.Parity, StopBits: m.Line.StopBits}
}

// Frames is the number of golden frames.
func (t *Template) Frames() int {
	if t.Modbus != nil {
		return len(t.Modbus.Golden)
	}
	return len(t.Analog.Golden)
}

// Quantities lists what the probe measures, in the order of the file.
func (t *Template) Quantities() []measure.Quantity {
	var list []measure.Quantity
	switch {
	case t.Modbus != nil:
		for _, r := range t.Modbus.Reads {
			for _, v := range r.Values {
				list = append(list, v.Quantity)
			}
		}
	case t.Analog != nil:
		list = append(list, t.Analog.Quantity)
	}
	return list
}
