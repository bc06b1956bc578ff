package kind

import (
	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
	"aovuon/gateway/sense/ads1115"
	"aovuon/gateway/sense/bme280"
	"aovuon/gateway/sense/capacitive"
	"aovuon/gateway/sense/ezo"
	"aovuon/gateway/sense/probe"
	"aovuon/gateway/sense/rtu"
	"aovuon/gateway/sense/seesaw"
	"aovuon/gateway/sense/sht3x"
	"aovuon/gateway/sense/sht4x"
	"aovuon/gateway/sense/transducer"
	"aovuon/gateway/sense/ultrasonic"
)

// Wiring is the sort of bus a kind hangs on. The text is the key of a BusSpec.
type Wiring string

// The wirings.
const (
	I2C     Wiring = "i2c"
	W1      Wiring = "w1"
	OneWire Wiring = "onewire"
	Serial  Wiring = "serial"
)

// Info is what the table says of a kind.
type Info struct {
	Name       string
	Wiring     Wiring
	Quantities []measure.Quantity
	// The addresses a chip of this kind can have on I²C, a probe on a serial line, and the one it comes with. 0: no address.
	Lowest, Highest, Usual uint16
}

// row is one kind of the table.
type row struct {
	Info
	input      bool               // hangs at an analog input
	takes      []measure.Quantity // what it is compensated with
	calibrated bool               // may carry a soil calibration
	ampere     bool               // has a scale of ampere
	alone      bool               // has its serial line to itself
	height     bool               // hangs at a height above the level that counts as 0
	template   probe.Kind         // is described by a template of this kind
	probe      *probe.Template    // that template, in the row of one sensor
	build      func(b *builder, s Spec) sense.Sensor
}

// The I²C addresses that are not reserved (UM10204, table 4). An EZO circuit can be set to any of them, so that several
// share a bus.
const (
	firstAddress = 0x08
	lastAddress  = 0x77
)

// table lists every kind.
func table() []row {
	return []row{
		{
			Info:  Info{Name: "ds18b20", Wiring: W1, Quantities: []measure.Quantity{measure.WaterTemperature}},
			build: (*builder).thermometer,
		},
		{
			Info: Info{
				Name: "ezo-do", Wiring: I2C, Quantities: []measure.Quantity{measure.DissolvedOxygen},
				Lowest: firstAddress, Highest: lastAddress, Usual: 0x61,
			},
			takes: []measure.Quantity{measure.WaterTemperature, measure.Salinity, measure.AirPressure},
			build: func(b *builder, s Spec) sense.Sensor { return b.ezo(s, ezo.DO) },
		},
		{
			Info: Info{
				Name: "ezo-ph", Wiring: I2C, Quantities: []measure.Quantity{measure.PH},
				Lowest: firstAddress, Highest: lastAddress, Usual: 0x63,
			},
			takes: []measure.Quantity{measure.WaterTemperature},
			build: func(b *builder, s Spec) sense.Sensor { return b.ezo(s, ezo.PH) },
		},
		{
			Info: Info{
				Name: "ezo-ec", Wiring: I2C, Quantities: []measure.Quantity{measure.Conductivity},
				Lowest: firstAddress, Highest: lastAddress, Usual: 0x64,
			},
			takes: []measure.Quantity{measure.WaterTemperature},
			build: func(b *builder, s Spec) sense.Sensor { return b.ezo(s, ezo.EC) },
		},
		{
			Info: Info{
				Name: "ezo-orp", Wiring: I2C, Quantities: []measure.Quantity{measure.ORP},
				Lowest: firstAddress, Highest: lastAddress, Usual: 0x62,
			},
			build: func(b *builder, s Spec) sense.Sensor { return b.ezo(s, ezo.ORP) },
		},
		{
			Info: Info{
				Name: "ezo-rtd", Wiring: I2C, Quantities: []measure.Quantity{measure.WaterTemperature},
				Lowest: firstAddress, Highest: lastAddress, Usual: 0x66,
			},
			build: func(b *builder, s Spec) sense.Sensor { return b.ezo(s, ezo.RTD) },
		},
		{
			Info: Info{
				Name: "capacitive-ads1115", Wiring: I2C, Quantities: []measure.Quantity{measure.SoilMoisture},
				Lowest: 0x48, Highest: 0x4B, Usual: 0x48,
			},
			input: true, calibrated: true,
			build: func(b *builder, s Spec) sense.Sensor {
				return capacitive.New(ads1115.New(b.i2c[s.Bus], s.Address, b.clock), *s.Input, s.soil())
			},
		},
		{
			Info: Info{
				Name: "current-ads1115", Wiring: I2C, Quantities: []measure.Quantity{measure.Current},
				Lowest: 0x48, Highest: 0x4B, Usual: 0x48,
			},
			input: true, ampere: true,
			build: func(b *builder, s Spec) sense.Sensor {
				return transducer.New(ads1115.New(b.i2c[s.Bus], s.Address, b.clock), *s.Input, s.scale())
			},
		},
		{
			Info: Info{
				Name: "sht4x", Wiring: I2C, Quantities: []measure.Quantity{measure.AirTemperature, measure.RelativeHumidity},
				Lowest: 0x44, Highest: 0x46, Usual: 0x44,
			},
			build: func(b *builder, s Spec) sense.Sensor { return sht4x.New(b.i2c[s.Bus], s.Address, b.clock) },
		},
		{
			Info: Info{
				Name: "sht3x", Wiring: I2C, Quantities: []measure.Quantity{measure.AirTemperature, measure.RelativeHumidity},
				Lowest: 0x44, Highest: 0x45, Usual: 0x44,
			},
			build: func(b *builder, s Spec) sense.Sensor { return sht3x.New(b.i2c[s.Bus], s.Address, b.clock) },
		},
		{
			Info: Info{
				Name: "seesaw-soil", Wiring: I2C, Quantities: []measure.Quantity{measure.SoilCapacitance, measure.SoilTemperature},
				Lowest: 0x36, Highest: 0x39, Usual: 0x36,
			},
			build: func(b *builder, s Spec) sense.Sensor { return seesaw.New(b.i2c[s.Bus], s.Address, b.clock) },
		},
		{
			Info: Info{
				Name: "bme280", Wiring: I2C,
				Quantities: []measure.Quantity{measure.AirTemperature, measure.RelativeHumidity, measure.AirPressure},
				Lowest:     0x76, Highest: 0x77, Usual: 0x76,
			},
			build: func(b *builder, s Spec) sense.Sensor { return bme280.New(b.i2c[s.Bus], s.Address, b.clock) },
		},
		{
			Info:     Info{Name: "modbus", Wiring: Serial, Lowest: 1, Highest: rtu.MaxUnit, Usual: 1},
			template: probe.KindModbus,
			build:    func(b *builder, s Spec) sense.Sensor { return b.modbus(s) },
		},
		{
			Info:     Info{Name: "analog", Wiring: I2C, Lowest: 0x48, Highest: 0x4B, Usual: 0x48},
			template: probe.KindAnalog, input: true,
			build: func(b *builder, s Spec) sense.Sensor { return b.analog(s) },
		},
		{
			Info:  Info{Name: "ultrasonic-uart", Wiring: Serial, Quantities: []measure.Quantity{measure.WaterLevel, measure.SurfaceDistance}},
			takes: []measure.Quantity{measure.AirTemperature}, alone: true, height: true,
			build: func(b *builder, s Spec) sense.Sensor {
				return ultrasonic.New(b.serial[s.Bus], *s.Height, b.inputs(s))
			},
		},
	}
}

// Names lists the kinds, in the order of the table.
func Names() []string {
	var names []string
	for _, r := range table() {
		names = append(names, r.Name)
	}
	return names
}

// Lookup returns what the table says of a kind; ok is false for a kind it does not have.
func Lookup(name string) (info Info, ok bool) {
	r, ok := find(name)
	return r.Info, ok
}

func find(name string) (row, bool) {
	for _, r := range table() {
		if r.Name == name {
			return r, true
		}
	}
	return row{}, false
}

// soil returns the soil calibration of s, or nil.
func (s Spec) soil() *capacitive.Calibration {
	if s.Calibration == nil {
		return nil
	}
	return &capacitive.Calibration{
		Dry: capacitive.Point(s.Calibration.Dry),
		Wet: capacitive.Point(s.Calibration.Wet),
	}
}

// scale returns the scale of the current transducer s. check found it.
func (s Spec) scale() transducer.Scale {
	return transducer.Scale{PerAmp: s.Ampere.VoltsPerAmp, Zero: s.Ampere.ZeroVolts}
}
