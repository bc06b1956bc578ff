package calibrate

// Step is one thing to do in a calibration, as data: a page or a terminal shows it and sends an Answer back.
type Step struct {
	Name     string   `json:"name"`               // of the point it makes
	Text     string   `json:"text"`               // what to do, English
	Optional bool     `json:"optional,omitempty"` // may be skipped
	Asks     string   `json:"asks,omitempty"`     // what Answer.Value is; empty: the step knows its value
	Unit     string   `json:"unit,omitempty"`     // of Answer.Value
	Nominal  *float64 `json:"nominal,omitempty"`  // the value when the answer has none; a step that asks without one must be answered
	Least    float64  `json:"least,omitempty"`    // what Answer.Value may be
	Most     float64  `json:"most,omitempty"`
	Buffer   bool     `json:"buffer,omitempty"`  // a bottle with a lot and an expiry date is used
	Celsius  bool     `json:"celsius,omitempty"` // the temperature must be known: from a thermometer beside the probe, or answered
}

// Answer is what a person says to a step once the probe is where its text wants it.
type Answer struct {
	Step    string   `json:"step"` // the name: an answer to a step that was done by somebody else meanwhile is refused
	Skip    bool     `json:"skip,omitempty"`
	Value   *float64 `json:"value,omitempty"`
	Celsius *float64 `json:"celsius,omitempty"` // °C, measured by hand
	Lot     string   `json:"lot,omitempty"`     // of the bottle
	Expiry  string   `json:"expiry,omitempty"`  // of the bottle, YYYY-MM or YYYY-MM-DD
}

// Point is one step done: what the probe should have said, and what it said.
type Point struct {
	Name        string   `json:"name"`
	Nominal     *float64 `json:"nominal,omitempty"` // as printed on the bottle or told by the person
	Expected    float64  `json:"expected"`          // at the temperature of the point
	Raw         *float64 `json:"raw,omitempty"`     // what the driver said, before coefficients; volts of a soil probe
	Before      float64  `json:"before"`            // steady reading with the calibration until now
	After       *float64 `json:"after,omitempty"`   // with the new one; absent where it is only applied at the end
	Celsius     *float64 `json:"celsius,omitempty"`
	CelsiusFrom string   `json:"celsius_from,omitempty"` // sensor, or "hand"
	Lot         string   `json:"lot,omitempty"`
	Expiry      string   `json:"expiry,omitempty"`
	Expired     bool     `json:"expired,omitempty"` // the bottle was past its date; worth telling, no reason to refuse in the field
}

// valueOf is the value of a step: what was answered, else its own.
func (s Step) valueOf(a Answer) (float64, error) {
	switch {
	case a.Value == nil && s.Nominal != nil:
		return *s.Nominal, nil
	case a.Value == nil:
		return 0, refuse("value", "step %s needs a value: %s", s.Name, s.Asks)
	case s.Asks == "" && s.Nominal != nil && *a.Value != *s.Nominal:
		return 0, refuse("value", "step %s has a value of its own, %v", s.Name, *s.Nominal)
	case !(*a.Value >= s.Least && *a.Value <= s.Most) && s.Asks != "":
		return 0, refuse("value", "step %s: %v is not from %v to %v %s: %s", s.Name, *a.Value, s.Least, s.Most, s.Unit, s.Asks)
	}
	return *a.Value, nil
}
