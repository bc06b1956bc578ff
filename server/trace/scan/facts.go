// Package scan says what the scans of a code tell: when and where it was first seen, how often, and what is unusual about that.
//
// Scans come in as pages see them; rows without an address go out to a Store, Facts of a code to the page that asked, and Findings to who looks into them: what
// breaks a Rule, with its figures. No SQL, no HTTP.
package scan

import "time"

// Facts are what is known of the scans of one code before the one that asks. The zero Facts: it was never scanned.
type Facts struct {
	First    time.Time // zero: never
	Province string    // where it was first scanned, as coarse as that; "": nobody knows
	Count    int       // times it was scanned; what the same person asks again within minutes counts once
	Unknown  bool      // the database does not answer: nothing is known now, and nothing may be said
	Unusual  []string  // which rules it breaks, by their names; none: as one would expect
}

// Scanned is one scan as it comes in.
type Scanned struct {
	Code  string // canonical path of the Digital Link, or of the short code's target
	Addr  string // of the network it came from; kept by nobody as it is
	Agent string // what the browser calls itself
	At    time.Time
}

// Report is what somebody wrote of a code that looked wrong to them.
type Report struct {
	ID      string    `json:"id"`   // ULID
	Code    string    `json:"code"` // path that was scanned, as it was
	What    string    `json:"what"` // of ReportKinds
	Where   string    `json:"where,omitempty"`
	Note    string    `json:"note,omitempty"`
	Contact string    `json:"contact,omitempty"` // how to reach who wrote; private
	At      time.Time `json:"at"`
	Done    time.Time `json:"done,omitzero"` // somebody looked into it; zero: not yet
}

// ReportKinds lists what people report.
func ReportKinds() []string { return []string{"goods", "label", "quality", "page", "else"} }
