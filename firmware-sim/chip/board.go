package chip

import (
	"math"
	"time"

	"aovuon/firmware-sim/fault"
	"aovuon/gateway/measure"
	"aovuon/gateway/sense/probe"
)

// TemplateBoard is an analog probe as its template has it: the world's value through the inverse of the template's
// conversion.
type TemplateBoard struct {
	part     Part
	template *probe.Template
	points   []probe.Point // what is special about this one; nil: as it comes
	feels    element
	water    func(t time.Time) probe.Water
	last     probe.Water // behind the newest volts
}

// NewTemplateBoard makes an analog probe from a checked template. water is what it stands in; where the template needs
// none of it, it does not matter.
func NewTemplateBoard(p Part, t *probe.Template, points []probe.Point, source Source, water func(t time.Time) probe.Water) *TemplateBoard {
	info, _ := t.Analog.Quantity.Info()
	digit := math.Pow10(-info.Decimals)
	return &TemplateBoard{
		part: p, template: t, points: points, water: water,
		feels: element{source: source, salt: 300, noise: 0.2 * digit, wild: 20 * digit},
	}
}

// BoardFaults are the faults a probe made from t can have: those a driver can know from its volts, and those nobody can.
func BoardFaults(t *probe.Template) []fault.Kind {
	list := []fault.Kind{fault.Frozen, fault.Noise}
	if t.Analog.ShortedBelow > 0 {
		list = append(list, fault.Shorted)
	}
	const openInput = 0.65 // V, the most an open input hangs at
	if t.Analog.AbsentBelow > openInput*t.Analog.Gain() {
		list = append(list, fault.Unplug)
	}
	return list
}

// volts implements Analog.
func (b *TemplateBoard) volts(at time.Time) (float64, fault.Kind) {
	kind := b.part.Faults.Kind()
	if kind == fault.Unplug {
		return floating(b.part, at), kind
	}
	if kind == fault.Shorted {
		return 0, kind
	}
	a := b.template.Analog
	b.last = b.water(at)
	v, err := a.Volts(b.feels.at(b.part, at), b.points, b.last)
	if err != nil {
		v = a.ValidTo // clearer water than the curve knows, or hotter: the board's end
	}
	return v / a.Gain(), fault.None
}

// worth implements Analog.
func (b *TemplateBoard) worth(volts float64) (measure.Quantity, float64) {
	a := b.template.Analog
	v, err := a.Value(volts*a.Gain(), b.points, b.last)
	if err != nil {
		v = math.NaN()
	}
	return a.Quantity, v
}

// made implements Analog.
func (b *TemplateBoard) made() Part { return b.part }
