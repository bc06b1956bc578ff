package label

import "fmt"

// Fault says in one word what of a print is refused; pages have a sentence for each.
type Fault string

// The faults, and what their Args are.
const (
	BadSize    Fault = "size"     // of a label: the size, least, most
	BadSheet   Fault = "sheet"    // what is written of a sheet: the part that cannot be read or lacks
	BadCount   Fault = "grid"     // labels across or down: most
	Outside    Fault = "outside"  // the sheet: the edge
	Overlap    Fault = "overlap"  // of labels: the pitch and the side
	TooFar     Fault = "too-far"  // the last label: by how many mm
	BadNudge   Fault = "nudge"    // the axis, least, most
	BadNumber  Fault = "number"   // of labels in one print: most
	BadStart   Fault = "start"    // the first label: how many there are
	NoName     Fault = "no-name"  //
	BadLetter  Fault = "letter"   // one the typeface lacks: the text, the letter
	TooLong    Fault = "too-long" // a text: the text
	BadPrinter Fault = "printer"  // its language, resolution, copies or gap: what was given
	BadRoll    Fault = "roll"     // a label wider than a roll: most
)

// Faults lists every fault.
func Faults() []Fault {
	return []Fault{BadSize, BadSheet, BadCount, Outside, Overlap, TooFar, BadNudge, BadNumber, BadStart, NoName, BadLetter, TooLong, BadPrinter, BadRoll}
}

// RefusedError says what of a print is refused, in English and as a Fault.
type RefusedError struct {
	Fault Fault
	Args  []string
	text  string
}

// Error says it in English.
func (e *RefusedError) Error() string { return "label: " + e.text }

func refuse(f Fault, text string, args ...any) error {
	e := &RefusedError{Fault: f, text: text}
	for _, a := range args {
		s, ok := a.(string)
		if n, number := a.(float64); number {
			s, ok = num(n), true
		}
		if !ok {
			s = fmt.Sprint(a)
		}
		e.Args = append(e.Args, s)
	}
	return e
}
