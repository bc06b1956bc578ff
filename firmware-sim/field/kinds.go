package field

import (
	"aovuon/firmware-sim/chip"
	"aovuon/firmware-sim/fault"
	"aovuon/gateway/measure"
)

// kind is what the field knows of a kind of device.
type kind struct {
	bus    string // "i2c", "w1", "serial", "pins" or "" for a probe on a converter
	needs  []measure.Quantity
	faults []fault.Kind
	build  func(f *Field, at string, d Device, p chip.Part, s []chip.Source) error
}

func kinds() map[string]kind {
	const (
		water = measure.WaterTemperature
		air   = measure.AirTemperature
		rh    = measure.RelativeHumidity
	)
	return map[string]kind{
		"ezo-do": {"i2c", []measure.Quantity{measure.DissolvedOxygen, water, measure.Salinity, measure.AirPressure}, chip.EZOFaults(), onI2C(
			func(p chip.Part, s []chip.Source) chip.Device { return chip.NewEZODO(p, s[0], s[1], s[2], s[3]) })},
		"ezo-ph": {"i2c", []measure.Quantity{measure.PH, water}, chip.EZOFaults(), onI2C(
			func(p chip.Part, s []chip.Source) chip.Device { return chip.NewEZOPH(p, s[0], s[1]) })},
		"ezo-ec": {"i2c", []measure.Quantity{measure.Conductivity, water}, chip.EZOFaults(), onI2C(
			func(p chip.Part, s []chip.Source) chip.Device { return chip.NewEZOEC(p, s[0], s[1]) })},
		"ezo-orp": {"i2c", []measure.Quantity{measure.ORP}, chip.EZOFaults(), onI2C(
			func(p chip.Part, s []chip.Source) chip.Device { return chip.NewEZOORP(p, s[0]) })},
		"ezo-rtd": {"i2c", []measure.Quantity{water}, chip.EZORTDFaults(), onI2C(
			func(p chip.Part, s []chip.Source) chip.Device { return chip.NewEZORTD(p, s[0]) })},
		"sht4x": {"i2c", []measure.Quantity{air, rh}, chip.SHT4xFaults(), onI2C(
			func(p chip.Part, s []chip.Source) chip.Device { return chip.NewSHT4x(p, s[0], s[1]) })},
		"sht3x": {"i2c", []measure.Quantity{air, rh}, chip.SHT3xFaults(), onI2C(
			func(p chip.Part, s []chip.Source) chip.Device { return chip.NewSHT3x(p, s[0], s[1]) })},
		"seesaw-soil": {"i2c", []measure.Quantity{measure.SoilMoisture, measure.SoilTemperature}, chip.SeesawFaults(), onI2C(
			func(p chip.Part, s []chip.Source) chip.Device { return chip.NewSeesaw(p, s[0], s[1]) })},
		"bme280": {"i2c", []measure.Quantity{air, rh, measure.AirPressure}, chip.BME280Faults(), onI2C(
			func(p chip.Part, s []chip.Source) chip.Device { return chip.NewBME280(p, s[0], s[1], s[2]) })},
		"ads1115":         {"i2c", nil, chip.ADS1115Faults(), addADC},
		"capacitive":      {"", []measure.Quantity{measure.SoilMoisture}, chip.CapacitiveFaults(), addProbe},
		"ds18b20":         {"w1", []measure.Quantity{water}, chip.DS18B20Faults(), addThermometer},
		"aerator":         {"pins", []measure.Quantity{measure.DissolvedOxygen}, chip.AeratorFaults(), addAerator},
		"transducer":      {"", nil, chip.TransducerFaults(), addTransducer},
		"modbus":          {"serial", []measure.Quantity{}, nil, addTemplate},
		"analog":          {"", []measure.Quantity{}, nil, addBoard},
		"ultrasonic-uart": {"serial", []measure.Quantity{measure.WaterLevel, air}, chip.UltrasonicFaults(), addUltrasonic},
	}
}

// fields finds keys that are missing and keys that the kind has no use for.
func (k kind) fields(at string, d Device) error {
	type rule struct {
		key       string
		has, want bool
	}
	for _, r := range []rule{
		{"bus", d.Bus != "", k.bus != ""},
		{"address", d.Address != 0, k.bus == "i2c" || d.Kind == "modbus"},
		{"template", d.Template != "", d.templated()},
		{"adc", d.ADC != "", k.bus == ""},
		{"place", d.Place != "", k.needs != nil},
		{"dry", d.Dry != nil, d.Kind == "capacitive"},
		{"wet", d.Wet != nil, d.Kind == "capacitive"},
		{"height", d.Height != 0, d.Kind == "ultrasonic-uart"},
		{"pin", d.Pin != "", d.Kind == "aerator"},
		{"amps", d.Amps != 0, d.Kind == "aerator"},
		{"rate", d.Rate != 0, d.Kind == "aerator"},
		{"motor", d.Motor != "", d.Kind == "transducer"},
		{"volts_per_amp", d.PerAmp != 0, d.Kind == "transducer"},
	} {
		if r.want && !r.has {
			return wrong(at, "device %s: a %s needs %s", d.ID, d.Kind, r.key)
		}
		if r.has && !r.want {
			return wrong(at+"."+r.key, "device %s: a %s has no %s: remove it", d.ID, d.Kind, r.key)
		}
	}
	if d.ROM != "" && k.bus != "w1" {
		return wrong(at+".rom", "device %s: a %s has no rom: remove it", d.ID, d.Kind)
	}
	if d.Baud != 0 && d.Kind != "modbus" {
		return wrong(at+".baud", "device %s: a %s has no baud: remove it", d.ID, d.Kind)
	}
	if len(d.Points) > 0 && d.Kind != "analog" {
		return wrong(at+".points", "device %s: a %s has no points: remove them", d.ID, d.Kind)
	}
	return nil
}

func onI2C(build func(p chip.Part, s []chip.Source) chip.Device) func(*Field, string, Device, chip.Part, []chip.Source) error {
	return func(f *Field, at string, d Device, p chip.Part, s []chip.Source) error {
		return f.wire(at, d, build(p, s), func() chip.Device { return build(twinOf(p), s) })
	}
}

// twinOf is another part of the same make beside p, on no board and in no ledger.
func twinOf(p chip.Part) chip.Part {
	p.Seed, p.Faults, p.Ledger = p.Seed^0x5bd1e995<<32, new(fault.Switch), chip.Silent{}
	return p
}

func (f *Field) wire(at string, d Device, c chip.Device, twin func() chip.Device) error {
	bus, ok := f.i2c[d.Bus]
	if !ok {
		return wrong(at+".bus", "device %s: no I²C bus %q: name one of buses that has a socket", d.ID, d.Bus)
	}
	if err := bus.Add(d.Address, c, twin); err != nil {
		return wrong(at+".address", "device %s: %w", d.ID, err)
	}
	return nil
}

func addADC(f *Field, at string, d Device, p chip.Part, _ []chip.Source) error {
	adc := chip.NewADS1115(p)
	f.adcs[d.ID] = adc
	return f.wire(at, d, adc, func() chip.Device { return chip.NewADS1115(twinOf(p)) })
}

func addProbe(f *Field, at string, d Device, p chip.Part, s []chip.Source) error {
	adc, ok := f.adcs[d.ADC]
	if !ok {
		return wrong(at+".adc", "device %s: no ads1115 %q above it: name one, and put the probe below it", d.ID, d.ADC)
	}
	if !(d.Dry.Volts > d.Wet.Volts && d.Dry.VWC < d.Wet.VWC) { // NaN, too
		return wrong(at+".dry", "device %s: want dry with more volts and less vwc than wet: wetter soil gives a lower voltage", d.ID)
	}
	if d.Wet.Volts < 0 || d.Dry.Volts > 5 || d.Dry.VWC < 0 || d.Wet.VWC > 100 {
		return wrong(at+".dry", "device %s: want volts of 0 to 5 and a vwc of 0 to 100 %%", d.ID)
	}
	c := chip.NewCapacitive(p, s[0], chip.SoilPoint(*d.Dry), chip.SoilPoint(*d.Wet))
	if !adc.Connect(d.Input, c) {
		return wrong(at+".input", "device %s: input %d of %s is taken or none: want a free one, 0 to 3", d.ID, d.Input, d.ADC)
	}
	return nil
}

func addThermometer(f *Field, at string, d Device, p chip.Part, s []chip.Source) error {
	t := chip.NewDS18B20(p, d.ROM, s[0])
	var err error
	switch {
	case f.w1[d.Bus] != nil:
		err = f.w1[d.Bus].Add(t)
	case f.wires[d.Bus] != nil:
		err = f.wires[d.Bus].Add(t)
	default:
		return wrong(at+".bus", "device %s: no 1-Wire bus %q: name one of buses that has w1 or onewire", d.ID, d.Bus)
	}
	if err != nil {
		return wrong(at, "%w", err)
	}
	return nil
}

func addUltrasonic(f *Field, at string, d Device, p chip.Part, s []chip.Source) error {
	line, ok := f.lines[d.Bus]
	if !ok {
		return wrong(at+".bus", "device %s: no serial line %q: name one of buses that has serial", d.ID, d.Bus)
	}
	if d.Height < 1 || d.Height > 750 {
		return wrong(at+".height", "device %s: height %g cm: want 1 to 750", d.ID, d.Height)
	}
	line.Add(chip.NewUltrasonic(p, d.Height, s[0], s[1]))
	return nil
}
