package printjob

import (
	"fmt"
	"strings"

	"aovuon/server/trace"
)

// Code says why a print is refused. Its words are print.refused.CODE.
type Code string

// The codes of refusals.
const (
	NoRight  Code = "right"  // the role may not print
	NoRun    Code = "run"    // no such packing, or it was taken back
	BadState Code = "state"  // the lot is not released for sale, or must not be sold
	TooMany  Code = "many"   // more labels than were packed and are not printed yet
	OverMass Code = "mass"   // more has left the lot, or is packed of it, than came in
	BadCount Code = "count"  // none, or more than one print has
	NoBox    Code = "box"    // no such box
	BadBox   Code = "boxes"  // it is empty, has left, or is void
	Printed  Code = "again"  // it has a label: that is printed again
	NoJob    Code = "job"    // no such print
	NoReason Code = "reason" // of printing again
	BadLabel Code = "label"  // the print has no label of the number
	Gone     Code = "gone"   // what the label stands on has left, or is void
)

// Codes lists every code.
func Codes() []Code {
	return []Code{NoRight, NoRun, BadState, TooMany, OverMass, BadCount, NoBox, BadBox, Printed, NoJob, NoReason, BadLabel, Gone}
}

// LineKind says what a line of a refusal counts. Its words are print.line.KIND.
type LineKind string

// The kinds of lines.
const (
	LinePacked LineKind = "packed" // items of the run
	LineVoid   LineKind = "void"   // of them, taken back or destroyed
	LineGone   LineKind = "gone"   // of them, left without a label of ours
	LineDone   LineKind = "done"   // of them, labels that were printed
	LineLeft   LineKind = "left"   // what may still be printed
	LineAsked  LineKind = "asked"  // what was asked for
	LineMost   LineKind = "most"   // what one print has at most
	LineThing  LineKind = "thing"  // what it is about, and its State
	LineIn     LineKind = "in"     // kg that came into the lot
	LineOut    LineKind = "out"    // kg that left it or are packed
)

// LineKinds lists every kind.
func LineKinds() []LineKind {
	return []LineKind{LinePacked, LineVoid, LineGone, LineDone, LineLeft, LineAsked, LineMost, LineThing, LineIn, LineOut}
}

// Line is one line of why a print is refused.
type Line struct {
	Kind  LineKind
	Count int
	KG    float64   // of LineIn and LineOut
	Ref   trace.Ref // of a LineThing
	State string    // of a LineThing: of the lot, the item or the box
}

// RefusedError says why a print is refused. Nothing of it was kept.
type RefusedError struct {
	Code  Code
	Lines []Line
}

func (e *RefusedError) Error() string {
	var parts []string
	for _, l := range e.Lines {
		switch l.Kind {
		case LineThing:
			parts = append(parts, strings.TrimSpace(l.Ref.String()+" "+l.State))
		case LineIn, LineOut:
			parts = append(parts, fmt.Sprintf("%g kg %s", l.KG, l.Kind))
		case LinePacked, LineVoid, LineGone, LineDone, LineLeft, LineAsked, LineMost:
			parts = append(parts, fmt.Sprintf("%d %s", l.Count, l.Kind))
		}
	}
	return strings.TrimSuffix("refused: "+string(e.Code)+": "+strings.Join(parts, ", "), ": ")
}

func refuse(code Code, lines ...Line) error { return &RefusedError{code, lines} }

func thing(r trace.Ref, state string) Line { return Line{Kind: LineThing, Ref: r, State: state} }
