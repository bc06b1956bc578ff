// Package kind is the table of what a sensor can be: configuration in, channels of the right driver out.
//
// A new kind of sensor is a driver in a folder of its own below gateway/sense and one row in the table of this package.
package kind

import (
	"io/fs"
	"slices"
	"time"

	"periph.io/x/conn/v3/i2c"
	"periph.io/x/conn/v3/onewire"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense/probe"
	"aovuon/gateway/sense/serial"
)

// Spec is the configuration of one sensor. A field that its kind has no use for is an error.
type Spec struct {
	ID          string           `yaml:"id"`          // [a-z0-9][a-z0-9-]{0,39}, unique
	Kind        string           `yaml:"kind"`        // one of Names
	Bus         string           `yaml:"bus"`         // a key of the configuration's buses
	Address     uint16           `yaml:"address"`     // I²C, 7 bit; the unit of a probe on a serial line
	Device      string           `yaml:"device"`      // 1-Wire: 28-0123456789ab
	Input       *int             `yaml:"input"`       // analog input 0..3
	Every       time.Duration    `yaml:"every"`       // 0 means DefaultEvery
	Temperature string           `yaml:"temperature"` // of the water, or of the air over it: id of the sensor that measures it, or °C
	Salinity    string           `yaml:"salinity"`    // of the water: id, or ‰
	Pressure    string           `yaml:"pressure"`    // of the air at the water: id, or hPa
	Calibration *SoilCalibration `yaml:"calibration"` // of a capacitive probe in its soil
	Height      *float64         `yaml:"height"`      // of a level sensor above the level that counts as 0, cm
	Ampere      *AmpereScale     `yaml:"ampere"`      // of a current transducer

	Template string        `yaml:"template"` // modbus, analog: id of a template, or the name of a file with one
	Baud     int           `yaml:"baud"`     // modbus: when the probe was set to another speed than it comes with
	Points   []probe.Point `yaml:"points"`   // analog: what the probe gave where the value was known

	CalibrateEvery string `yaml:"calibrate_every"` // "30d", "off"; empty means what suits the kind (gateway/calibrate)

	Refinement `yaml:",inline"`                // of a sensor with one quantity
	Each       map[measure.Quantity]Refinement `yaml:"each"` // of one with several
}

// SoilCalibration is two soil samples whose water content is known, and what the probe gave in them.
type SoilCalibration struct {
	Dry SoilPoint `yaml:"dry"`
	Wet SoilPoint `yaml:"wet"`
}

// SoilPoint is one soil sample.
type SoilPoint struct {
	Volts float64 `yaml:"volts"` // the probe's output
	VWC   float64 `yaml:"vwc"`   // volumetric water content, %
}

// AmpereScale is what a current transducer gives.
type AmpereScale struct {
	VoltsPerAmp float64 `yaml:"volts_per_amp"`
	ZeroVolts   float64 `yaml:"zero_volts"` // without current
}

// BusSpec is the configuration of one bus: exactly one field is set.
type BusSpec struct {
	I2C     string `yaml:"i2c"`     // "1", or "unix:/path/to.sock"
	W1      string `yaml:"w1"`      // a folder
	OneWire string `yaml:"onewire"` // "1": the same thermometers, spoken to and not read as files
	Serial  string `yaml:"serial"`  // a device file
}

// wirings lists the sorts of bus that b says it is: one, if b is right.
func (b BusSpec) wirings() (list []Wiring) {
	for _, w := range []struct {
		wiring Wiring
		name   string
	}{{I2C, b.I2C}, {W1, b.W1}, {OneWire, b.OneWire}, {Serial, b.Serial}} {
		if w.name != "" {
			list = append(list, w.wiring)
		}
	}
	return list
}

// is reports whether what hangs on a bus of the sort w can hang on b. A thermometer's wire is one, read either way.
func (b BusSpec) is(w Wiring) bool {
	return slices.Contains(b.wirings(), w) || (w == W1 && slices.Contains(b.wirings(), OneWire))
}

// Buses opens the buses sensors hang on (bus.Set, or a simulated field).
type Buses interface {
	// I2C returns the named I²C bus; the error means that the name can never work, not that the bus is down.
	I2C(name string) (i2c.Bus, error)
	// W1 returns the file tree of 1-Wire devices, as below /sys/bus/w1/devices.
	W1(folder string) (fs.FS, error)
	// OneWire returns the named 1-Wire bus; the error means that the name can never work.
	OneWire(name string) (onewire.Bus, error)
	// Serial returns the serial line behind a device file; the same name gives the same line.
	Serial(path string) (serial.Port, error)
}

const (
	// DefaultEvery is how often a sensor is asked when its configuration does not say.
	DefaultEvery = time.Minute
	// MinEvery is the shortest interval.
	MinEvery = 100 * time.Millisecond
	// MaxEvery is the longest interval: a probe that says nothing for longer is taken for dead.
	MaxEvery = 24 * time.Hour
)
