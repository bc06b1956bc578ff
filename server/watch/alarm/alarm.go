// Package alarm decides, on a clock tick, what somebody must be told of: one alarm for each place and topic, from the moment something
// goes wrong until it is well again, with every change kept.
//
// Decisions of rules come in; alarms and their changes go out, to a Store that outlives the program, and from there to pages and to
// server/watch/notify. README.md has the state machine. No SQL, no HTTP.
package alarm

import (
	"time"

	"aovuon/server/watch/rule"
)

// Key names an alarm: there is at most one open for a place and a topic.
type Key struct {
	Place string // code of a place; "gateway ID" of a gateway; "" of the server itself
	Topic string // see rule.Decision
}

// State is where an alarm stands.
type State string

// The states.
const (
	Normal     State = "normal"     // nothing is wrong; an alarm that comes here has ended
	Pending    State = "pending"    // something is wrong, not yet for as long as its rule asks: nobody is told
	Firing     State = "firing"     //
	Recovering State = "recovering" // within its limits again, not yet for long enough: still told as open
	NoData     State = "nodata"     // the probe is silent or in fault: nobody knows
	Blind      State = "blind"      // the server itself cannot look: projection or store down
)

// Open reports whether people are told of an alarm in this state.
func (s State) Open() bool { return s == Firing || s == Recovering || s == NoData || s == Blind }

// Alarm is one occurrence, from leaving Normal until it is there again. All times are UTC, in whole milliseconds.
type Alarm struct {
	ID string // ULID; empty: there is none
	Key
	N        int64  // number of its newest Change
	Looker   string // ID of the Looker that it is of
	State    State
	Level    rule.Verdict  // Warn or Crit: the gravest since it began. It rises in place and never sinks while the alarm lasts
	Began    time.Time     // when it left Normal
	Since    time.Time     // when it came to State
	Fired    time.Time     // when it was open first; zero: it never was
	Ended    time.Time     // zero: it lasts
	Broken   bool          // a limit was broken since it began: it is not of silence alone
	Decision rule.Decision // the newest of those that it stands for, with its numbers

	Acked     time.Time // when somebody said that they see to it; zero: nobody did. Neither data that fail nor a restart take it back; a raised level does
	AckedBy   string    // id of an account, or of a contact that answered
	Snoozed   time.Time // until when nobody is called again; never of what is Crit for longer than 30 minutes
	SnoozedBy string
	Muted     string // id of the maintenance that holds it back; the page shows it, nobody is called
}

// What happened to an alarm.
const (
	ToState = "state" // From → To
	Raised  = "level" // the level went up in place
	Acked   = "ack"
	Snoozed = "snooze"
	Muted   = "mute"   // maintenance began
	Unmuted = "unmute" // and ended
)

// Change is one thing that happened to an alarm. Changes are kept for ever, in their order.
type Change struct {
	N     int64 // 1, 2, 3 … over all alarms, given by the Store
	Alarm Alarm // as it stands after it
	What  string
	From  State // before it
	At    time.Time
	By    string // id of an account; empty: the rules
	Note  string // what the person said; private
}

// Maintenance is a time in which nobody is called of a place: a pond is drained, a probe is cleaned.
type Maintenance struct {
	ID       string    // ULID
	Place    string    // code; "": all
	Topic    string    // "": all
	From, To time.Time // at most 7 days
	By       string
	Reason   string
	Ended    time.Time // taken back before To
	EndedBy  string
}
