package kind

import (
	"fmt"
	"strings"
)

// SpecError is what is wrong with one field of one sensor, of one derived channel, or of one bus.
type SpecError struct {
	Index   int    // of the sensor or derived channel in its list; -1 when the fault is in the bus named Bus
	Derived bool   // it is in the list of derived channels
	ID      string // of the sensor or derived channel, as written
	Bus     string // name of the bus when Index is -1
	Field   string // yaml name of the field; "" when the fault is in the whole bus
	Problem string // what is wrong
	Mend    string // what to write instead
	Err     error  // the cause, if another part found it
}

// Error names the sensor or the bus, the field, the problem and the mend.
func (e *SpecError) Error() string {
	var b strings.Builder
	list := "sensor"
	if e.Derived {
		list = "derived"
	}
	switch {
	case e.Index < 0:
		fmt.Fprintf(&b, "bus %q", e.Bus)
	case e.ID == "":
		fmt.Fprintf(&b, "%s %d of the list", list, e.Index+1)
	default:
		fmt.Fprintf(&b, "%s %q", list, e.ID)
	}
	if e.Field != "" {
		fmt.Fprintf(&b, ": %s", e.Field)
	}
	fmt.Fprintf(&b, ": %s: %s", e.Problem, e.Mend)
	return b.String()
}

// Unwrap returns the cause.
func (e *SpecError) Unwrap() error { return e.Err }

// SpecErrors is everything that is wrong with a configuration: buses first, then sensors and derived channels in
// their order.
type SpecErrors []*SpecError

// Error is one line for each.
func (e SpecErrors) Error() string {
	lines := make([]string, len(e))
	for i, s := range e {
		lines[i] = s.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns each of them.
func (e SpecErrors) Unwrap() []error {
	errs := make([]error, len(e))
	for i, s := range e {
		errs[i] = s
	}
	return errs
}
