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
	Ledger   []Entry   `json:"ledger"`
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
