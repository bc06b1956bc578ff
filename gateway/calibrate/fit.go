package calibrate

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
	"aovuon/gateway/sense/capacitive"
	"aovuon/gateway/sense/kind"
)

// fitted is a driver with its calibration: what everybody but a session asks.
type fitted struct {
	desk       *Desk
	spec       kind.Spec
	quantities []measure.Quantity
	driver     sense.Sensor
	interval   map[measure.Quantity]time.Duration // between calibrations
	applied    *kept                              // the soil line that was told to the driver; used on the goroutine of its bus
}

// Fit implements kind.Fitter: it returns the driver with its calibration. A sensor that was fitted before, in an earlier
// configuration, is replaced.
func (d *Desk) Fit(s kind.Spec, quantities []measure.Quantity, driver sense.Sensor) sense.Sensor {
	f := &fitted{desk: d, spec: s, quantities: quantities, driver: driver, interval: make(map[measure.Quantity]time.Duration)}
	configured, said, err := kind.ParseCalibrateEvery(s.CalibrateEvery) // kind.Build has checked it
	for _, q := range quantities {
		f.interval[q] = everyOf(f.methods(q)[0], q, configured, said && err == nil)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, ok := d.fitted[s.ID]; !ok {
		d.order = append(d.order, s.ID)
	}
	d.fitted[s.ID] = f
	return f
}

// Keep takes the sensors out that are no longer configured, and puts the rest into the configuration's order. Records stay.
func (d *Desk) Keep(sensors []kind.Spec) {
	d.mu.Lock()
	defer d.mu.Unlock()
	configured := make(map[string]bool, len(sensors))
	d.order = d.order[:0]
	for _, s := range sensors {
		if configured[s.ID] = true; d.fitted[s.ID] != nil {
			d.order = append(d.order, s.ID)
		}
	}
	maps.DeleteFunc(d.fitted, func(id string, _ *fitted) bool { return !configured[id] })
}

var errAway = errors.New("the probe is being calibrated")

// Sense implements sense.Sensor. While the probe is away there is no value of its place, whatever it says.
func (f *fitted) Sense(ctx context.Context) ([]sense.Sample, error) {
	now := f.desk.clock.Now()
	f.desk.mu.RLock()
	s, torn := f.desk.sessions[f.spec.ID], f.desk.torn[f.spec.ID] != nil
	last := make([]*kept, len(f.quantities))
	for i, q := range f.quantities {
		last[i] = f.desk.inForce[key{f.spec.ID, q}]
	}
	f.desk.mu.RUnlock()
	if s != nil && s.away() {
		f.desk.drop(s)
		return nil, &sense.Fault{Reason: measure.Calibrating, Err: errAway}
	}
	f.tell(last)
	samples, err := f.driver.Sense(ctx)
	if err != nil {
		return nil, err
	}
	_, soil := f.driver.(SoilProbe)
	for i := range samples {
		sm := &samples[i]
		at := slices.Index(f.quantities, sm.Quantity)
		if at < 0 {
			continue
		}
		k := last[at]
		if k != nil && !soil && len(k.record.Coefficients) > 0 {
			sm.Value = lineOf(k.record.Coefficients).of(sm.Value)
		}
		if st, _ := f.standing(k, sm.Quantity, now); st.uncalibrated() || torn {
			sm.Quality = measure.Worse(sm.Quality, measure.Uncalibrated)
		}
	}
	return samples, nil
}

// tell gives a soil probe its line when it has changed.
func (f *fitted) tell(last []*kept) {
	probe, ok := f.driver.(SoilProbe)
	if !ok {
		return
	}
	for i, q := range f.quantities {
		if q == measure.SoilMoisture && last[i] != f.applied {
			f.applied = last[i]
			probe.Calibrate(soilLine(f.applied.coefficients()))
		}
	}
}

func (k *kept) coefficients() map[string]float64 {
	if k == nil {
		return nil
	}
	return k.record.Coefficients
}

// standing judges the calibration of one quantity. A line between air and water is none for a soil; and where the driver
// itself knows that it is not calibrated (a soil probe without a line) its word is enough.
func (f *fitted) standing(last *kept, q measure.Quantity, now measure.Instant) (Standing, time.Time) {
	st, due := standingOf(last, f.interval[q], now)
	if _, soil := f.driver.(SoilProbe); soil {
		switch {
		case last == nil && f.spec.Calibration != nil:
			return InForce, time.Time{} // its line stands in the configuration
		case last != nil && last.record.Method == SoilEnds:
			return Missing, time.Time{}
		}
	}
	return st, due
}

// methods lists how a quantity of the sensor can be calibrated, the usual way first.
func (f *fitted) methods(q measure.Quantity) []Method {
	if _, ok := f.driver.(SoilProbe); ok && q == measure.SoilMoisture {
		return []Method{SoilSamples, SoilEnds}
	}
	if _, ok := f.driver.(Circuit); ok {
		switch m := Method(f.spec.Kind); m {
		case EZOPH, EZODO, EZOEC, EZOORP, EZORTD:
			return []Method{m}
		case SoilEnds, SoilSamples, Linear:
		}
	}
	return []Method{Linear}
}

// procedure makes what is asked for, and fills in what was left open.
func (f *fitted) procedure(b *Begin, inForce map[key]*kept) (procedure, error) {
	if b.Quantity == "" {
		b.Quantity = f.usual()
	}
	if !slices.Contains(f.quantities, b.Quantity) {
		return nil, refuse("unknown", "sensor %s measures no %.40q: it measures %v", b.Sensor, string(b.Quantity), f.quantities)
	}
	methods := f.methods(b.Quantity)
	if b.Method == "" {
		b.Method = methods[0]
	}
	if !slices.Contains(methods, b.Method) {
		return nil, refuse("unknown", "sensor %s, %s: no method %.40q: there is %v", b.Sensor, b.Quantity, string(b.Method), methods)
	}
	if b.Points < 0 || b.Points > 3 {
		return nil, refuse("malformed", "%d points: want 1 to 3", b.Points)
	}
	last := inForce[key{b.Sensor, b.Quantity}]
	if b.Serial == "" && last != nil && !b.NewProbe {
		b.Serial = last.record.Serial // the same probe as the last time
	}
	switch b.Method {
	case SoilEnds, SoilSamples:
		probe, ok := f.driver.(SoilProbe)
		if !ok {
			break
		}
		return &soil{probe: probe, method: b.Method, now: f.line(last)}, nil
	case Linear:
		if b.Points > 2 {
			return nil, refuse("malformed", "a line has one or two points, not %d", b.Points)
		}
		return &linear{sensor: b.Sensor, driver: f.driver, q: b.Quantity, now: lineOf(last.coefficients()), points: b.Points}, nil
	case EZOPH, EZODO, EZOEC, EZOORP, EZORTD:
		c, ok := f.driver.(Circuit)
		if !ok {
			break
		}
		return newEZO(b.Sensor, c, b.Method, b.Quantity, b.Points, b.NewProbe), nil
	}
	return nil, refuse("unknown", "sensor %s cannot be calibrated by %s", b.Sensor, b.Method)
}

// line is the soil line in force: the last one kept, else that of the configuration, else the maker's.
func (f *fitted) line(last *kept) capacitive.Calibration {
	if c := soilLine(last.coefficients()); c != nil {
		return *c
	}
	if c := f.spec.Calibration; c != nil {
		return capacitive.Calibration{Dry: capacitive.Point(c.Dry), Wet: capacitive.Point(c.Wet)}
	}
	return capacitive.Published()
}

// usual is the quantity people mean when they name a sensor alone: the first that wears.
func (f *fitted) usual() measure.Quantity {
	for _, q := range f.quantities {
		if f.interval[q] > 0 {
			return q
		}
	}
	return f.quantities[0]
}
