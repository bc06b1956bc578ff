package chip_test

import (
	"testing"
	"testing/synctest"
	"time"

	"tinygo.org/x/drivers/bme280"
	"tinygo.org/x/drivers/seesaw"
	"tinygo.org/x/drivers/sht3x"
	"tinygo.org/x/drivers/sht4x"

	"aovuon/firmware-sim/chip"
)

// TinyGo's drivers, which nobody here wrote either and which people run on microcontrollers, read what periph has no driver for, and
// the BME280 once more. They sleep by the machine's clock: see bubble.

func TestTinyGo_ReadsTheSHT4x(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := chip.NewBus("sim")
		if err := b.Add(sht4x.DefaultAddress, chip.NewSHT4x(bubble(t, 1, 0), constant(27.4), constant(81)), nil); err != nil {
			t.Fatal(err)
		}
		dev := sht4x.New(b)
		milliC, milliRH, err := dev.ReadTemperatureHumidity()
		if err != nil {
			t.Fatal(err)
		}
		near(t, "temperature", float64(milliC)/1000, 27.4, 0.15)
		near(t, "humidity", float64(milliRH)/1000, 81, 0.5)
	})
}

func TestTinyGo_ReadsTheSHT3x(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := chip.NewBus("sim")
		if err := b.Add(sht3x.AddressA, chip.NewSHT3x(bubble(t, 1, 0), constant(27.4), constant(81)), nil); err != nil {
			t.Fatal(err)
		}
		dev := sht3x.New(b)
		milliC, centiRH, err := dev.ReadTemperatureHumidity()
		if err != nil {
			t.Fatal(err)
		}
		near(t, "temperature", float64(milliC)/1000, 27.4, 0.2)
		near(t, "humidity", float64(centiRH)/100, 81, 0.6)
	})
}

func TestTinyGo_ReadsTheSeesaw(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := chip.NewBus("sim")
		if err := b.Add(0x36, chip.NewSeesaw(bubble(t, 1, 0), constant(30), constant(28)), nil); err != nil {
			t.Fatal(err)
		}
		dev := seesaw.New(b)
		dev.Address = 0x36
		id := make([]byte, 1)
		if err := dev.Read(seesaw.ModuleStatusBase, seesaw.FunctionStatusHwId, id); err != nil || id[0] != 0x55 {
			t.Errorf("hardware id % x, %v", id, err)
		}
		touch := make([]byte, 2)
		if err := dev.Read(seesaw.ModuleTouchBase, 0x10, touch); err != nil {
			t.Fatal(err)
		}
		near(t, "counts", float64(uint16(touch[0])<<8|uint16(touch[1])), 1220, 40)
	})
}

// TinyGo takes H5 for unsigned, too, as periph does: the chip of this seed has a positive one.
func TestTinyGo_ReadsTheBME280(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := chip.NewBus("sim")
		if err := b.Add(0x76, chip.NewBME280(bubble(t, 2, 100*time.Microsecond), constant(25), constant(60), constant(1008)), nil); err != nil {
			t.Fatal(err)
		}
		dev := bme280.New(b)
		if !dev.Connected() {
			t.Fatal("no BME280")
		}
		dev.ConfigureWithSettings(bme280.Config{
			Mode: bme280.ModeForced, Temperature: bme280.Sampling1X, Humidity: bme280.Sampling1X, Pressure: bme280.Sampling1X,
		})
		read := func(f func() (int32, error)) float64 {
			t.Helper()
			v, err := f()
			if err != nil {
				t.Fatal(err)
			}
			return float64(v)
		}
		read(dev.ReadTemperature) // it waits 9 ms of at most 9.3: a slow chip gives it the measurement before
		near(t, "temperature", read(dev.ReadTemperature)/1000, 25, 0.1)
		near(t, "pressure", read(dev.ReadPressure)/100_000, 1008, 1)
		near(t, "humidity", read(dev.ReadHumidity)/100, 60, 1)
	})
}
