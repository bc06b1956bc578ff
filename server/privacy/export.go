package privacy

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"time"
)

// Everything is all that is kept about one person.
type Everything struct {
	Made     time.Time `json:"made"`
	Person   Person    `json:"person"`
	Consents []Consent `json:"consents"`
	Requests []Request `json:"requests"`
	// Account is the one they sign in with; nil: none that is known.
	Account *Account `json:"account,omitempty"`
	// Calibrations are those that say that they were done by somebody of the person's name or login.
	Calibrations []Calibration `json:"calibrations,omitempty"`
	Ledger       []Entry       `json:"ledger"`
	// Contacts are how they are told of alarms; Messages what was sent to them.
	Contacts []Contact `json:"contacts,omitempty"`
	Messages []Message `json:"messages,omitempty"`
}

// Contact is one way of a person to be told of alarms.
type Contact struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Addresses []string  `json:"addresses"` // channel and address
	Places    []string  `json:"places,omitempty"`
	Agreed    time.Time `json:"agreed,omitzero"`
}

// Message is one that was made for a person.
type Message struct {
	ID      string    `json:"id"`
	Made    time.Time `json:"made"`
	Channel string    `json:"channel"`
	To      string    `json:"to"`
	State   string    `json:"state"`
	Text    string    `json:"text"`
}

// Account is what is kept of how a person signs in, without what would let anybody in.
type Account struct {
	ID       string    `json:"id"`
	Login    string    `json:"login"`
	Name     string    `json:"name"`
	Role     string    `json:"role"`
	Places   []string  `json:"places,omitempty"`
	Made     time.Time `json:"made"`
	Sessions []Session `json:"sessions,omitempty"`
	Passkeys []Passkey `json:"passkeys,omitempty"`
}

// Passkey is what is kept of a passkey beside its public half: its owner's name for it, and when; Used is zero where it never was.
type Passkey struct {
	Name string    `json:"name"`
	Made time.Time `json:"made"`
	Used time.Time `json:"used,omitzero"`
}

// Session is one that is open: what the browser calls itself, and when.
type Session struct {
	Device string    `json:"device"`
	Made   time.Time `json:"made"`
	Seen   time.Time `json:"seen"`
}

// Calibration is one that names the person as who did it.
type Calibration struct {
	Gateway string    `json:"gateway"`
	Sensor  string    `json:"sensor"`
	Time    time.Time `json:"time"`
	Who     string    `json:"who"`
}

// Entry is one leaf of the ledger about a person, or by them.
type Entry struct {
	N       int64           `json:"n"`
	Kind    string          `json:"kind"`
	Subject string          `json:"subject"`
	Actor   string          `json:"actor"`
	Time    time.Time       `json:"time"`
	Body    json.RawMessage `json:"body,omitempty"` // none: erased
}

// Text returns the body as it stands in a page to read.
func (e Entry) Text() string { return string(e.Body) }

//go:embed texts/export.vi.html
var exportPage string

// WriteJSON writes everything for programs.
func (e Everything) WriteJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(e); err != nil {
		return fmt.Errorf("privacy: export: %w", err)
	}
	return nil
}

// WriteHTML writes everything as one page that a person can read with no network, in Vietnamese. Times are those of zone.
func (e Everything) WriteHTML(w io.Writer, zone *time.Location) error {
	t, err := template.New("export").Funcs(template.FuncMap{
		"when": func(t time.Time) string {
			if t.IsZero() {
				return "—"
			}
			return t.In(zone).Format("02/01/2006 15:04")
		},
	}).Parse(exportPage)
	if err == nil {
		err = t.Execute(w, e)
	}
	if err != nil {
		return fmt.Errorf("privacy: export: %w", err)
	}
	return nil
}
