package measure

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Input is a value that another value was computed with: the water temperature behind an oxygen, the salinity behind a
// saturation.
type Input struct {
	Quantity Quantity // one that has a symbol
	Value    float64  // in the quantity's unit
	Sensor   string   // where it came from; empty for a constant
	Age      time.Duration
	Assumed  bool // nobody said so: a default, or a value too old. It makes what is computed with it Estimated
}

// maxInputs is the longest text of inputs.
const maxInputs = 200

// symbol is the letter an input is written with.
func (q Quantity) symbol() (byte, bool) {
	switch q { //nolint:exhaustive // those that are not listed have none
	case WaterTemperature:
		return 't', true
	case Salinity:
		return 's', true
	case AirPressure:
		return 'p', true
	case PH:
		return 'h', true
	case Conductivity:
		return 'c', true
	case AirTemperature:
		return 'a', true
	case RelativeHumidity:
		return 'r', true
	case TotalAmmonia:
		return 'n', true
	case DissolvedOxygen:
		return 'o', true
	case SoilTemperature:
		return 'g', true
	case Voltage:
		return 'v', true
	case Ammonium:
		return 'm', true
	case SoilPermittivity:
		return 'e', true
	case SurfaceDistance:
		return 'd', true
	}
	return 0, false
}

func quantityOf(symbol byte) (Quantity, bool) {
	for _, q := range []Quantity{
		WaterTemperature, Salinity, AirPressure, PH, Conductivity, AirTemperature, RelativeHumidity, TotalAmmonia, DissolvedOxygen,
		SoilTemperature, Voltage, Ammonium, SoilPermittivity, SurfaceDistance,
	} {
		if s, _ := q.symbol(); s == symbol {
			return q, true
		}
	}
	return "", false
}

// FormatInputs writes inputs as they travel with a reading: symbol=value, @sensor+seconds where a sensor gave it, ? where
// it is assumed, joined by semicolons: "t=28.44@ao1-temp+12;s=0;p=1013.25?". Values are rounded to three decimals, ages to
// whole seconds. Inputs without a symbol, numbers that are none, and what would make the text longer than ParseInputs
// takes (200 bytes) are left out.
func FormatInputs(inputs []Input) string {
	var b strings.Builder
	for _, in := range inputs {
		symbol, ok := in.Quantity.symbol()
		if !ok || math.IsNaN(in.Value) || math.IsInf(in.Value, 0) {
			continue
		}
		text := in.format(symbol)
		if b.Len() > 0 {
			text = ";" + text
		}
		if b.Len()+len(text) > maxInputs {
			break
		}
		b.WriteString(text)
	}
	return b.String()
}

func (in Input) format(symbol byte) string {
	text := string(symbol) + "=" + shortNumber(in.Value)
	if in.Sensor != "" {
		text += "@" + in.Sensor + "+" + strconv.FormatInt(max(0, int64(in.Age.Round(time.Second)/time.Second)), 10)
	}
	if in.Assumed {
		text += "?"
	}
	return text
}

func shortNumber(v float64) string {
	s := strconv.FormatFloat(math.Round(v*1000)/1000, 'f', -1, 64)
	if s == "-0" {
		return "0"
	}
	return s
}

// ParseInputs is the inverse of FormatInputs and accepts nothing else. The empty text is no inputs.
func ParseInputs(s string) ([]Input, error) {
	if s == "" {
		return nil, nil
	}
	if len(s) > maxInputs {
		return nil, fmt.Errorf("measure: inputs of %d bytes: at most %d", len(s), maxInputs)
	}
	var inputs []Input
	for part := range strings.SplitSeq(s, ";") {
		in, ok := parseInput(part)
		if !ok {
			return nil, fmt.Errorf("measure: %q is no input", part)
		}
		inputs = append(inputs, in)
	}
	if FormatInputs(inputs) != s {
		return nil, fmt.Errorf("measure: inputs %q are not in their only spelling", s)
	}
	return inputs, nil
}

func parseInput(s string) (in Input, ok bool) {
	if len(s) < 3 || s[1] != '=' {
		return in, false
	}
	if in.Quantity, ok = quantityOf(s[0]); !ok {
		return in, false
	}
	s, in.Assumed = strings.CutSuffix(s[2:], "?")
	number, from, sensed := strings.Cut(s, "@")
	v, err := strconv.ParseFloat(number, 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return in, false
	}
	in.Value = v
	if !sensed {
		return in, true
	}
	sensor, age, ok := strings.Cut(from, "+")
	seconds, err := strconv.ParseUint(age, 10, 31)
	if !ok || err != nil || !ValidID(sensor, 40) {
		return in, false
	}
	in.Sensor, in.Age = sensor, time.Duration(seconds)*time.Second
	return in, true
}
