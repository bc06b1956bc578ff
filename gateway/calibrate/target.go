package calibrate

import (
	"slices"
	"time"

	"aovuon/gateway/measure"
	"aovuon/gateway/wire"
)

// Target is what can be calibrated, and how that stands.
type Target struct {
	Sensor       string           `json:"sensor"`
	Quantity     measure.Quantity `json:"quantity"`
	Kind         string           `json:"kind"`
	Methods      []Method         `json:"methods"`           // the usual one first
	EverySeconds int64            `json:"every_s,omitempty"` // 0: no next one is asked for
	Standing     Standing         `json:"standing"`
	Due          *time.Time       `json:"due,omitempty"`
	Last         *Record          `json:"last,omitempty"`
	Busy         string           `json:"busy,omitempty"` // who is calibrating the sensor now
}

// Targets lists everything that can be calibrated, in the order of the configuration.
func (d *Desk) Targets() []Target {
	now := d.clock.Now()
	d.mu.RLock()
	defer d.mu.RUnlock()
	var list []Target
	for _, id := range d.order {
		f := d.fitted[id]
		busy := ""
		if s := d.sessions[id]; s != nil && s.running() {
			busy = s.begin.Who
		}
		for _, q := range f.quantities {
			methods := f.methods(q)
			every := f.interval[q]
			t := Target{Sensor: id, Quantity: q, Kind: f.spec.Kind, Methods: methods, EverySeconds: int64(every / time.Second), Busy: busy}
			last := d.inForce[key{id, q}]
			var due time.Time
			if t.Standing, due = f.standing(last, q, now); d.torn[id] != nil && busy == "" {
				t.Standing = Unfit
			}
			if !due.IsZero() {
				t.Due = &due
			}
			if last != nil {
				t.Last = &last.record
			}
			list = append(list, t)
		}
	}
	return list
}

// History returns every calibration of a sensor that is kept here, newest first.
func (d *Desk) History(sensor string) []Record {
	if !measure.ValidID(sensor, wire.MaxSensorLength) {
		return nil
	}
	return slices.Clip(d.store.history(sensor))
}
