package fault

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
func (b *Board) Dip(device string, bath *Bath) error {
	return b.edit(device, func(s *Switch) { s.bath = bath })
}

// Age makes the probe of a device an older one.
func (b *Board) Age(device string, a Ageing) error {
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
