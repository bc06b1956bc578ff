package calibrate

import "aovuon/gateway/measure"

// Begin is what a session begins with.
type Begin struct {
	Sensor   string           `json:"sensor"`
	Quantity measure.Quantity `json:"quantity,omitempty"` // may be absent where the sensor has one that can be calibrated
	Method   Method           `json:"method,omitempty"`   // absent: the first that Target.Methods lists
	Points   int              `json:"points,omitempty"`   // ezo-ec and linear: how many; 0 is one, and a second that may be skipped
	Who      string           `json:"who"`
	Serial   string           `json:"serial,omitempty"` // of the probe
	NewProbe bool             `json:"new_probe,omitempty"`
}

// Phase says what a session waits for.
type Phase string

// The phases.
const (
	Asking    Phase = "asking"    // for an Answer to the step
	Measuring Phase = "measuring" // the probe is asked until it is steady
	Review    Phase = "review"    // every step is done: Finish keeps the calibration, Abort drops it
	Done      Phase = "done"
	Aborted   Phase = "aborted"
)

// State is a session as a person sees it.
type State struct {
	Version   int              `json:"version"` // grows with every change
	Sensor    string           `json:"sensor"`
	Quantity  measure.Quantity `json:"quantity"`
	Method    Method           `json:"method"`
	Who       string           `json:"who"`
	Steps     []Step           `json:"steps"`
	At        int              `json:"at"` // index of the step; len(Steps) in Review and after
	Phase     Phase            `json:"phase"`
	Notes     []string         `json:"notes,omitempty"`
	Problem   string           `json:"problem,omitempty"`  // why the last answer made no point
	Code      string           `json:"code,omitempty"`     // of the problem, for programs
	Readings  []float64        `json:"readings,omitempty"` // raw, of this step, newest last
	Spread    float64          `json:"spread"`             // over the last of them
	Limit     float64          `json:"limit"`              // the spread of a steady reading
	Points    []Point          `json:"points,omitempty"`
	Verdict   Verdict          `json:"verdict,omitempty"` // in Review
	Slope     *float64         `json:"slope_percent,omitempty"`
	Offset    *float64         `json:"offset,omitempty"`
	OffsetIn  string           `json:"offset_unit,omitempty"`
	Reasons   []string         `json:"reasons,omitempty"`
	Record    *Record          `json:"record,omitempty"`    // once it is kept
	Unspooled bool             `json:"unspooled,omitempty"` // the record is kept here, and goes to the server later: the disk did not take it
}

// Step returns the step to be done; ok is false when none is left.
func (s State) Step() (Step, bool) {
	if s.Phase == Done || s.Phase == Aborted || s.At >= len(s.Steps) {
		return Step{}, false
	}
	return s.Steps[s.At], true
}
