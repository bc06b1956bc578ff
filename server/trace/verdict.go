package trace

import "time"

// Verdict is what somebody who scanned a code is told first.
type Verdict string

// The verdicts, gravest first. None says that what is in somebody's hand is what the code was made for: nobody can know that from a code.
const (
	IsRecalled   Verdict = "recalled"
	IsHeld       Verdict = "held"
	LotVoid      Verdict = "lot_void"      // there is no such lot: its harvest was taken back
	LabelVoid    Verdict = "label_void"    // the label was destroyed, or never used
	IsExpired    Verdict = "expired"       // its best-before day is over
	NotActivated Verdict = "not_activated" // the label was printed, and put on nothing yet
	NotReleased  Verdict = "not_released"  // nobody has said yet that the lot may be sold
	IsUnusual    Verdict = "unusual"       // it was scanned as a single thing is not
	IsValid      Verdict = "valid"
)

// Verdicts lists every verdict.
func Verdicts() []Verdict {
	return []Verdict{IsRecalled, IsHeld, LotVoid, LabelVoid, IsExpired, NotActivated, NotReleased, IsUnusual, IsValid}
}

// Tone says how a verdict is shown.
type Tone string

// The tones, gravest first.
const (
	Stop Tone = "stop" // do not use it
	Wait Tone = "wait" // look closer
	Go   Tone = "go"
)

// Tone returns how the verdict is shown.
func (v Verdict) Tone() Tone {
	switch v {
	case IsRecalled, IsHeld, LotVoid, LabelVoid:
		return Stop
	case IsExpired, NotActivated, NotReleased, IsUnusual:
		return Wait
	case IsValid:
		return Go
	}
	return Wait
}

// Judge returns the gravest verdict that a code of a lot calls for; item is nil where the code is the whole lot's. unusual says that its scans
// break a rule.
func Judge(lot State, item *Item, unusual bool, now time.Time) Verdict {
	switch {
	case lot == Recalled:
		return IsRecalled
	case lot == Held:
		return IsHeld
	case lot == Void:
		return LotVoid
	case item != nil && item.State == ItemVoid:
		return LabelVoid
	case item != nil && item.Expired(now):
		return IsExpired
	case item != nil && item.State == ItemPrinted:
		return NotActivated
	case lot == Growing || lot == Harvested:
		return NotReleased
	case unusual:
		return IsUnusual
	}
	return IsValid
}

// Expired reports whether the item's best-before day is over at the co-op; false where none was said.
func (i Item) Expired(now time.Time) bool {
	return !i.Best.IsZero() && !now.Before(i.Best.AddDate(0, 0, 1))
}
