package edge

import (
	"time"

	"aovuon/gateway/measure"
)

// Status is how everything stands, for a page or a command.
type Status struct {
	Aerators []AeratorStatus `json:"aerators"`
	Alarms   []AlarmStatus   `json:"alarms"`
	Sound    time.Duration   `json:"sound,omitempty"` // the sirens still sound so long because the server says so, ns
}

// AeratorStatus is how one aerator stands.
type AeratorStatus struct {
	ID       string        `json:"id"`
	Command  bool          `json:"command"`
	State    State         `json:"state"`
	Cause    Cause         `json:"cause"`
	Since    time.Duration `json:"since"` // the command has stood for so long, ns
	Mode     Mode          `json:"mode"`
	ModeLeft time.Duration `json:"mode_left"` // at most, ns; 0 with auto
	Oxygen   *float64      `json:"oxygen,omitempty"`
	Current  *float64      `json:"current,omitempty"` // A; absent while nobody says so
	Relay    string        `json:"relay,omitempty"`   // what the relay complains of
}

// AlarmStatus is how one alarm stands.
type AlarmStatus struct {
	ID       string           `json:"id"`
	Sensor   string           `json:"sensor"`
	Quantity measure.Quantity `json:"quantity"`
	On       bool             `json:"on"`
	Known    bool             `json:"known"` // false before the first value
}

// Status tells how everything stands now.
func (e *Engine) Status(now measure.Instant) Status {
	s := Status{Sound: e.sound.left(now)}
	for _, a := range e.aerators {
		st := AeratorStatus{ID: a.cfg.ID, Command: a.on, State: a.state, Cause: a.cause, Since: now.Uptime - a.since, Mode: Auto}
		if a.override.active() {
			st.Mode, st.ModeLeft = a.override.Mode, a.override.For-(now.Uptime-a.override.Since)
		}
		if a.oxygen.known && !a.failing {
			v := a.oxygen.value.Value
			st.Oxygen = &v
		}
		if _, known := a.runs(now.Uptime); known {
			v := a.current.value.Value
			st.Current = &v
		}
		if a.err != nil {
			st.Relay = a.err.Error()
		}
		s.Aerators = append(s.Aerators, st)
	}
	for _, a := range e.alarms {
		s.Alarms = append(s.Alarms, AlarmStatus{ID: a.cfg.ID, Sensor: a.cfg.Sensor, Quantity: a.cfg.Quantity, On: a.on, Known: a.decided})
	}
	return s
}
