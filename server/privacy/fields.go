package privacy

import "slices"

// Audience is who sees something.
type Audience string

// The audiences, the widest first.
const (
	Everybody Audience = "everybody" // who scans a label or a board, and who reads the ledger
	Staff     Audience = "staff"     // who signs in at the co-op's pages
	Operator  Audience = "operator"  // who has the server's own shell, by a command
)

// Audiences lists every audience, the widest first.
func Audiences() []Audience { return []Audience{Everybody, Staff, Operator} }

// Field is one line of the table of what is shown to whom.
type Field struct {
	ID      string
	To      Audience
	Consent bool // shown only while the person it is about agrees; never by default
	Person  bool // it says something of a person
}

// The fields that code asks for by name.
const (
	PersonName       = "person.name"
	PersonHousehold  = "person.household"
	PersonPhone      = "person.phone"
	PlaceCoordinates = "place.coordinates"
)

// Fields is the table: everything that any page shows. Tests hold templates to it.
func Fields() []Field {
	var out []Field
	for _, id := range []string{
		"coop", "product", "lot", "place", "address", "journey", "treatment", "item", "scan", "water", "limits", "certificate", "gateway", "seal", "leaf", "proof", PlaceCoordinates,
	} {
		out = append(out, Field{ID: id, To: Everybody})
	}
	for _, id := range []string{PersonName, PersonHousehold, PersonPhone} {
		out = append(out, Field{ID: id, To: Everybody, Consent: true, Person: true})
	}
	out = append(out,
		Field{ID: "live", To: Staff}, Field{ID: "system", To: Staff}, Field{ID: "calibration", To: Staff, Person: true},
		Field{ID: "account", To: Staff, Person: true}, Field{ID: "scans", To: Staff}, Field{ID: "report", To: Staff, Person: true},
		Field{ID: "contact", To: Staff, Person: true},
	)
	for _, id := range []string{"person.photo", "person.places", "person.consent", "person.request"} {
		out = append(out, Field{ID: id, To: Operator, Person: true})
	}
	return out
}

// FieldOf returns the line of the table with an id.
func FieldOf(id string) (Field, bool) {
	all := Fields()
	i := slices.IndexFunc(all, func(f Field) bool { return f.ID == id })
	if i < 0 {
		return Field{}, false
	}
	return all[i], true
}

// Consentable returns the ids of the fields that a person can agree to.
func Consentable() []string {
	var out []string
	for _, f := range Fields() {
		if f.Consent {
			out = append(out, f.ID)
		}
	}
	return out
}

// Kept is one line of the retention table.
type Kept struct {
	ID    string
	Until Until
}

// Until says how long something is kept.
type Until string

// The ends of keeping.
const (
	UntilErased  Until = "erased"  // until the person asks for erasure
	UntilSignOut Until = "signout" // until it is closed, at the latest after seven days; a browser that is known is forgotten after a year unused
	UntilBounded Until = "bounded" // the newest few only, the oldest go by themselves
	UntilDay     Until = "day"     // until the day is over
	UntilScans   Until = "scans"   // so many days, by the configuration
	UntilClosed  Until = "closed"  // until it is answered
	UntilReports Until = "reports" // so many days after it was answered
	UntilLadder  Until = "ladder"  // so many days, by the page of the ladder
	UntilBackups Until = "backups" // until the last backup that holds it is deleted
	ForEver      Until = "ever"    // what strangers check; it holds no personal data
)

// Retention is the table of how long what is kept.
func Retention() []Kept {
	return []Kept{
		{"person", UntilErased},
		{"body", UntilErased},
		{"account", UntilErased},
		{"session", UntilSignOut},
		{"calibrator", UntilErased},
		{"consent", ForEver},
		{"request", ForEver},
		{"leaf", ForEver},
		{"batch", ForEver},
		{"refused", UntilBounded},
		{"scan", UntilScans},
		{"scankey", UntilDay},
		{"report", UntilReports},
		{"contact", UntilClosed},
		{"alarmcontact", UntilErased},
		{"message", UntilLadder},
		{"backup", UntilBackups},
	}
}
