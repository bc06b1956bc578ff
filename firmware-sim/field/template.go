package field

import (
	"slices"
	"time"

	"aovuon/firmware-sim/chip"
	"aovuon/firmware-sim/fault"
	"aovuon/gateway/measure"
	"aovuon/gateway/sense/formula"
	"aovuon/gateway/sense/probe"
	"aovuon/gateway/sense/rtu"
	"aovuon/hardware/probes"
)

// templated reports whether d is made from a template.
func (d Device) templated() bool { return d.Kind == "modbus" || d.Kind == "analog" }

// template is the template d is made from, or nil.
func (d Device) template(at string) (*probe.Template, error) {
	if !d.templated() {
		return nil, nil
	}
	t, err := probe.NewLibrary(probes.Files()).Template(d.Template)
	if err != nil {
		return nil, wrong(at+".template", "device %s: %w: gateway probe list names the templates", d.ID, err)
	}
	if string(t.Kind) != d.Kind {
		return nil, wrong(at+".template", "device %s: template %s is of kind %s: name another, or write kind: %s", d.ID, t.ID, t.Kind, t.Kind)
	}
	return t, nil
}

// faultsOf lists the faults a device of kind k can have.
func faultsOf(k kind, t *probe.Template) []fault.Kind {
	switch {
	case t == nil:
		return k.faults
	case t.Modbus != nil:
		return chip.TemplateFaults(t)
	}
	return chip.BoardFaults(t)
}

func addTemplate(f *Field, at string, d Device, p chip.Part, _ []chip.Source) error {
	if _, err := f.source(d.Place, measure.AirTemperature); err != nil {
		return wrong(at+".place", "device %s: %w: name one of places", d.ID, err)
	}
	t, err := d.template(at)
	if err != nil {
		return err
	}
	line, ok := f.lines[d.Bus]
	if !ok {
		return wrong(at+".bus", "device %s: no serial line %q: name one of buses that has serial", d.ID, d.Bus)
	}
	if d.Address > rtu.MaxUnit {
		return wrong(at+".address", "device %s: address %d: want 1 to %d", d.ID, d.Address, rtu.MaxUnit)
	}
	set := t.Modbus.Serial()
	if d.Baud != 0 {
		set.Baud = d.Baud
	}
	if err := set.Check(); err != nil {
		return wrong(at+".baud", "device %s: %w", d.ID, err)
	}
	sources := make(map[measure.Quantity]chip.Source)
	own := ownOf(t.Quantities())
	for _, q := range t.Quantities() {
		if s, ok := f.felt(d.Place, q); ok {
			sources[q] = handled(p.Faults, q, q == own, s)
		}
	}
	line.Add(chip.NewTemplateProbe(p, t, byte(d.Address), set, sources))
	return nil
}

// ownOf is what a probe of several quantities is there for: what is in a bottle is a value of it. Temperature and saturation only
// come along.
func ownOf(all []measure.Quantity) measure.Quantity {
	along := []measure.Quantity{measure.WaterTemperature, measure.SoilTemperature, measure.AirTemperature, measure.OxygenSaturation}
	for _, q := range all {
		if !slices.Contains(along, q) {
			return q
		}
	}
	return all[0]
}

func addBoard(f *Field, at string, d Device, p chip.Part, _ []chip.Source) error {
	if _, err := f.source(d.Place, measure.AirTemperature); err != nil {
		return wrong(at+".place", "device %s: %w: name one of places", d.ID, err)
	}
	t, err := d.template(at)
	if err != nil {
		return err
	}
	adc, ok := f.adcs[d.ADC]
	if !ok {
		return wrong(at+".adc", "device %s: no ads1115 %q above it: name one, and put the probe below it", d.ID, d.ADC)
	}
	if err := t.Analog.CheckPoints(d.Points); err != nil {
		return wrong(at+".points", "device %s: %w", d.ID, err)
	}
	source, ok := f.felt(d.Place, t.Analog.Quantity)
	if !ok { // the world has none of it: what the golden volts say
		source = func(time.Time) float64 { return t.Analog.Golden[0].Value }
	}
	b := chip.NewTemplateBoard(p, t, d.Points, handled(p.Faults, t.Analog.Quantity, true, source), f.waterOf(d.Place, p.Faults))
	if !adc.Connect(d.Input, b) {
		return wrong(at+".input", "device %s: input %d of %s is taken or none: want a free one, 0 to 3", d.ID, d.Input, d.ADC)
	}
	return nil
}

// felt is a quantity of a place, also one that follows from what the world has.
func (f *Field) felt(place string, q measure.Quantity) (chip.Source, bool) {
	if s, err := f.source(place, q); err == nil {
		return s, true
	}
	if q != measure.OxygenSaturation {
		return nil, false
	}
	oxygen, err := f.source(place, measure.DissolvedOxygen)
	if err != nil {
		return nil, false
	}
	water := f.waterOf(place, nil)
	return func(t time.Time) float64 {
		w := water(t)
		full, err := formula.OxygenSaturation(w.Celsius, w.Salinity, w.HPa)
		if err != nil {
			return 0
		}
		return 100 * oxygen(t) / full
	}, true
}

// waterOf is the water of a place as a probe feels it that people take out of it; standard water where there is none.
func (f *Field) waterOf(place string, sw *fault.Switch) func(t time.Time) probe.Water {
	sources := make(map[measure.Quantity]chip.Source)
	for _, q := range []measure.Quantity{measure.WaterTemperature, measure.Salinity, measure.AirPressure} {
		if s, err := f.source(place, q); err == nil {
			sources[q] = s
			if sw != nil {
				sources[q] = handled(sw, q, false, s)
			}
		}
	}
	return func(t time.Time) probe.Water {
		now := probe.StandardWater()
		for q, s := range sources {
			*now.Of(q) = s(t)
		}
		return now
	}
}
