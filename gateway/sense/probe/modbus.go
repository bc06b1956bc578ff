package probe

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
)

// PDU is the question of r.
func (r *Read) PDU() []byte {
	return []byte{byte(r.Function), byte(r.Register >> 8), byte(r.Register), byte(r.Registers >> 8), byte(r.Registers)}
}

// Decode makes samples of the registers r asked for, one for each of its values: where there is no value the sample is a
// fault with its reason. The error is a *sense.Fault: the registers are not as many, or those of a probe that has not
// measured yet.
func (r *Read) Decode(registers []byte) ([]sense.Sample, error) {
	if len(registers) != 2*r.Registers {
		return nil, sense.Faultf(measure.Garbled, "probe: %d bytes of registers, %d were asked for", len(registers), 2*r.Registers)
	}
	if r.PowerUp != "" && bytes.Equal(registers, r.PowerUp.bytes()) {
		return nil, sense.Faultf(measure.PowerUp, "probe: registers 0x%04X read % x: nothing was measured since power came", r.Register, registers)
	}
	samples := make([]sense.Sample, 0, len(r.Values))
	for i := range r.Values {
		samples = append(samples, r.Values[i].decode(r.Register, registers))
	}
	return samples, nil
}

// decode reads one value. first is the register that p begins with.
func (v *Value) decode(first int, p []byte) sense.Sample {
	fault := sense.Sample{Quantity: v.Quantity, Quality: measure.Fault, Reason: measure.Refused}
	number, whole := v.Type.decode(p[2*(v.Register-first):])
	if math.IsNaN(number) || math.IsInf(number, 0) || !v.Type.isFloat() && slices.Contains(v.Absent, whole) {
		return fault
	}
	factor, err := v.unitFactor(first, p)
	if err != nil {
		fault.Reason = measure.Garbled
		return fault
	}
	s := sense.Sample{Quantity: v.Quantity, Value: v.shift((number*v.scale() + v.Offset) * factor)}
	switch {
	case v.Min != nil && s.Value < *v.Min-tolerance(*v.Min), v.Max != nil && s.Value > *v.Max+tolerance(*v.Max):
		s.Quality = measure.OutOfRange
	case v.Indicative != "":
		s.Quality = measure.Uncalibrated
	}
	return s
}

// tolerance is what binary fractions leave of a decimal one.
func tolerance(v float64) float64 { return 1e-6 * math.Max(1, math.Abs(v)) }

// shift takes off what binary fractions add to a scaled whole number: 658 × 0.1 is 65.8.
func (v *Value) shift(x float64) float64 {
	if v.Type.isFloat() {
		return x
	}
	return math.Round(x*1e9) / 1e9
}

func (v *Value) scale() float64 {
	if v.Scale == 0 {
		return 1
	}
	return v.Scale
}

// mostDecimals is more than any register of decimals says.
const mostDecimals = 9

// unitFactor is what the registers beside a value say that it must be multiplied by.
func (v *Value) unitFactor(first int, p []byte) (float64, error) {
	factor := 1.0
	if u := v.UnitRegister; u != nil {
		code := int(binary.BigEndian.Uint16(p[2*(u.Register-first):]))
		f, ok := u.Factors[code]
		if !ok {
			return 0, fmt.Errorf("probe: register 0x%04X says unit %d, which the template does not know", u.Register, code)
		}
		factor = f
	}
	if v.Decimals != nil {
		n := int(binary.BigEndian.Uint16(p[2*(*v.Decimals-first):]))
		if n > mostDecimals {
			return 0, fmt.Errorf("probe: register 0x%04X says %d decimals", *v.Decimals, n)
		}
		factor /= math.Pow10(n)
	}
	return factor, nil
}

// Encode writes values into registers the way the probe does: for the simulator. Values of quantities r does not have are
// left alone, and so are registers without a value, of which some say in which unit others are. The error is one of a value
// that does not fit.
func (r *Read) Encode(registers []byte, values map[measure.Quantity]float64) error {
	if len(registers) != 2*r.Registers {
		return fmt.Errorf("probe: %d bytes of registers, want %d", len(registers), 2*r.Registers)
	}
	for i := range r.Values {
		v := &r.Values[i]
		value, ok := values[v.Quantity]
		if !ok {
			continue
		}
		factor, err := v.unitFactor(r.Register, registers)
		if err != nil {
			return err
		}
		if err := v.Type.encode(registers[2*(v.Register-r.Register):], (value/factor-v.Offset)/v.scale()); err != nil {
			return fmt.Errorf("probe: %s: %w", v.Quantity, err)
		}
	}
	return nil
}

// Blank writes the numbers that say: no value, wherever r has such. It returns the quantities that have a value left.
func (r *Read) Blank(registers []byte) []measure.Quantity {
	var left []measure.Quantity
	for i := range r.Values {
		v := &r.Values[i]
		number := math.NaN()
		if !v.Type.isFloat() {
			if len(v.Absent) == 0 {
				left = append(left, v.Quantity)
				continue
			}
			number = float64(v.Absent[0])
		}
		if err := v.Type.encode(registers[2*(v.Register-r.Register):], number); err != nil {
			left = append(left, v.Quantity)
		}
	}
	return left
}

// Resolution is the step between two values that v can say, given the registers of its read; 0 for a float.
func (r *Read) Resolution(v Value, registers []byte) float64 {
	factor, err := v.unitFactor(r.Register, registers)
	if err != nil || v.Type.isFloat() {
		return 0
	}
	return math.Abs(v.scale() * factor)
}

// Image returns the registers of read i as the first golden frame of it has them: what a simulated probe begins with.
func (m *Modbus) Image(i int) []byte {
	for _, f := range m.Golden {
		if pdu := f.Ask.bytes(); len(pdu) > 3 && bytes.Equal(pdu[1:len(pdu)-2], m.Reads[i].PDU()) {
			answer := f.Answer.bytes()
			return bytes.Clone(answer[3 : len(answer)-2])
		}
	}
	return make([]byte, 2*m.Reads[i].Registers)
}
