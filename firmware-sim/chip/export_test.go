package chip

// The checksums and formulas of the data sheets, for their golden vectors.

func SensirionCRC(b []byte) byte { return sensirionCRC(b) }

func DallasCRC(b []byte) byte { return dallasCRC(b) }

// ADSRaw, HygrometerWords, SeesawCelsius and UltrasonicFrame are what the chips write of a value, without their noise.

func ADSRaw(volts, fullScale float64) uint16 { return adsRaw(volts, fullScale) }

func HygrometerWords(celsius, humidity, low, span float64) []byte {
	return words(hygrometerTicks(celsius, humidity, low, span))
}

func SeesawCelsius(celsius float64) []byte { return seesawCelsius(celsius) }

func UltrasonicFrame(mm uint16) []byte { return ultrasonicFrame(mm) }

// Quiet takes a pH circuit's noise away.
func (e *EZO) Quiet() {
	if d, ok := e.board.(*ezoPH); ok {
		d.ph.noise = 0
	}
}

func SlaveText(s [9]byte) string { return slaveText(s) }

func Scratchpad(raw int16, byte6 byte) [9]byte { return scratchpad(raw, byte6) }

// BMECompensate runs the data sheet's formulas on a calibration image's example with the humidity words given.
func BMECompensate(h4, h5 int16, adcT, adcP, adcH float64) (fine, celsius, pascal, percent float64) {
	c := bmeExample(false)
	c.h4, c.h5 = h4, h5
	fine = c.fine(adcT)
	return fine, c.celsius(fine), c.pascal(adcP, fine), c.percent(adcH, fine)
}

// BMEImage is the register image E1..E7 of H4 and H5.
func BMEImage(h4, h5 int16) []byte {
	c := bmeExample(false)
	c.h4, c.h5 = h4, h5
	c.image()
	return c.image2
}
