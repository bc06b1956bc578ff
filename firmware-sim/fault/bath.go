package fault

import "fmt"

// What a probe can be put into and become. Wide enough for every probe and every bottle there is (conductivity standards go to
// 111,800 µS/cm): what is beyond is a slip of the finger.
const (
	most      = 200_000 // either way, in the unit of the probe
	coldest   = -10     // °C
	hottest   = 110     // °C
	steepest  = 10      // gain
	mostShift = 10_000  // offset, as of a step
)

// Bath is where somebody has put a probe: a bottle of buffer, a can of soil, the air.
type Bath struct {
	Value   float64  // of what the probe measures
	Celsius *float64 // nil: as warm as its place
}

// Ageing is what has become of a probe: it feels Gain · truth + Offset.
type Ageing struct{ Gain, Offset float64 }

// Bath returns where the probe is; nil: in its place.
func (s *Switch) Bath() *Bath {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bath
}

// Feels returns what an aged probe makes of a true value.
func (s *Switch) Feels(truth float64) float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.aged == nil {
		return truth
	}
	return s.aged.Gain*truth + s.aged.Offset
}

// Dip puts the probe of a device into a bath, or with nil back into its place.
// A bath that cannot be is an error.
func (b *Board) Dip(device string, bath *Bath) error {
	switch {
	case bath == nil:
	case !(bath.Value >= -most && bath.Value <= most):
		return fmt.Errorf("fault: %s: a bath of %g: want VALUE from %d to %d", device, bath.Value, -most, most)
	case bath.Celsius != nil && !(*bath.Celsius >= coldest && *bath.Celsius <= hottest):
		return fmt.Errorf("fault: %s: a bath of %g °C: want CELSIUS from %d to %d", device, *bath.Celsius, coldest, hottest)
	}
	return b.edit(device, func(s *Switch) { s.bath = bath })
}

// Age makes the probe of a device an older one. An ageing that cannot be is an error.
func (b *Board) Age(device string, a Ageing) error {
	if !(a.Gain >= 0 && a.Gain <= steepest && a.Offset >= -mostShift && a.Offset <= mostShift) {
		return fmt.Errorf("fault: %s: a probe that feels %g · truth + %g: want GAIN from 0 to %d, OFFSET from %d to %d", device, a.Gain, a.Offset, steepest, -mostShift, mostShift)
	}
	return b.edit(device, func(s *Switch) { s.aged = &a })
}

func (b *Board) edit(device string, f func(*Switch)) error {
	s, err := b.find(device)
	if err != nil {
		return err
	}
	s.mu.Lock()
	f(s)
	s.mu.Unlock()
	b.tell()
	return nil
}
