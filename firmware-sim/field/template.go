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
	case t == nil && slices.Contains(k.faults, fault.Frozen): // it has a sensing end
		return append(k.faults, chip.SkinFaults(k.needs[0])...)
	case t == nil:
		return k.faults
	case t.Modbus != nil:
		return append(chip.TemplateFaults(t), chip.SkinFaults(ownOf(t.Quantities()))...)
	}
	return append(chip.BoardFaults(t), chip.SkinFaults(t.Analog.Quantity)...)
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
	skin := f.skin(p.Faults)
	for _, q := range t.Quantities() {
		s, ok := f.felt(d.Place, q)
		if !ok && q == own { // the world has none of it: as the golden frame says
			s, ok = golden(t, q)
		}
		switch {
		case !ok: // stays as in the golden frame
		case q == own:
			sources[q] = skin.Own(q, s)
		case q == measure.OxygenSaturation && own == measure.DissolvedOxygen: // one membrane for both
			if oxygen, ok := f.felt(d.Place, own); ok {
				sources[q] = f.saturation(d.Place, p.Faults, skin.Own(own, oxygen))
			}
		default:
			sources[q] = skin.Along(q, s)
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
	b := chip.NewTemplateBoard(p, t, d.Points, f.skin(p.Faults).Own(t.Analog.Quantity, source), f.waterOf(d.Place, p.Faults))
	if !adc.Connect(d.Input, b) {
		return wrong(at+".input", "device %s: input %d of %s is taken or none: want a free one, 0 to 3", d.ID, d.Input, d.ADC)
	}
	return nil
}

// golden is the value that the golden frame of a template has of q.
func golden(t *probe.Template, q measure.Quantity) (chip.Source, bool) {
	for i := range t.Modbus.Reads {
		samples, err := t.Modbus.Reads[i].Decode(t.Modbus.Image(i))
		if err != nil {
			continue
		}
		for _, s := range samples {
			if s.Quantity == q && s.Quality != measure.Fault {
				return func(time.Time) float64 { return s.Value }, true
			}
		}
	}
	return nil, false
}

// felt is a quantity of a place, also one that follows from what the world has.
func (f *Field) felt(place string, q measure.Quantity) (chip.Source, bool) {
	if s, err := f.source(place, q); err == nil {
		return s, true
	}
	if q == measure.OxygenSaturation {
		if oxygen, err := f.source(place, measure.DissolvedOxygen); err == nil {
			return f.saturation(place, nil, oxygen), true
		}
	}
	if q == measure.SoilCapacitance { // counts of a bare capacitive probe: some for the air, and so many for each per cent of water
		if water, err := f.source(place, measure.SoilMoisture); err == nil {
			return func(t time.Time) float64 { return 240 + 10*water(t) }, true
		}
	}
	return nil, false
}

// saturation is the share of saturation, %, in the water of a place that holds so much oxygen, as a probe feels it.
func (f *Field) saturation(place string, sw *fault.Switch, oxygen chip.Source) chip.Source {
	water := f.waterOf(place, sw)
	return func(t time.Time) float64 {
		w := water(t)
		full, err := formula.OxygenSaturation(w.Celsius, w.Salinity, w.HPa)
		if err != nil {
			return 0
		}
		return 100 * oxygen(t) / full
	}
}

// waterOf is the water of a place as a probe feels it that people take out of it; standard water where there is none.
func (f *Field) waterOf(place string, sw *fault.Switch) func(t time.Time) probe.Water {
	sources := make(map[measure.Quantity]chip.Source)
	for _, q := range []measure.Quantity{measure.WaterTemperature, measure.Salinity, measure.AirPressure} {
		if s, err := f.source(place, q); err == nil {
			sources[q] = s
			if sw != nil {
				sources[q] = f.skin(sw).Along(q, s)
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
