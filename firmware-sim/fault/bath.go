package fault

import "fmt"

// Bath is where somebody has put a probe: a bottle of buffer, a can of soil, the air.
type Bath struct {
	Value   float64  // of what the probe measures
	Celsius *float64 // nil: as warm as its place
}

// Drift is what has become of a probe: it feels Gain · truth + Offset.
type Drift struct{ Gain, Offset float64 }

// Bath returns where the probe is; nil: in its place.
func (s *Switch) Bath() *Bath {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bath
}

// Feels returns what a drifted probe makes of a true value.
func (s *Switch) Feels(truth float64) float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.drift == nil {
		return truth
	}
	return s.drift.Gain*truth + s.drift.Offset
}

// Dip puts the probe of a device into a bath, or with nil back into its place.
func (b *Board) Dip(device string, bath *Bath) error {
	return b.edit(device, func(s *Switch) { s.bath = bath })
}

// Drift ages the probe of a device.
func (b *Board) Drift(device string, d Drift) error {
	return b.edit(device, func(s *Switch) { s.drift = &d })
}

func (b *Board) edit(device string, f func(*Switch)) error {
	b.mu.Lock()
	s, ok := b.switches[device]
	changed := b.changed
	b.mu.Unlock()
	if !ok {
		return fmt.Errorf("%w: no device %q", ErrUnknown, device)
	}
	s.mu.Lock()
	f(s)
	s.mu.Unlock()
	changed()
	return nil
}
