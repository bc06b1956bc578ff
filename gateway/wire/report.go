package wire

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
)

// SettingsState is what became of desired settings.
type SettingsState string

// The states of settings.
const (
	SettingsLocal      SettingsState = "local"       // the gateway's file alone counts
	SettingsApplied    SettingsState = "applied"     // the version is in force, but for what was kept
	SettingsRefused    SettingsState = "refused"     // it does not fit; what was before stays in force
	SettingsRolledBack SettingsState = "rolled-back" // it fitted, and then a probe that worked no longer did
)

// SettingsStates lists every state.
func SettingsStates() []SettingsState {
	return []SettingsState{SettingsLocal, SettingsApplied, SettingsRefused, SettingsRolledBack}
}

// Valid reports whether s is a known state.
func (s SettingsState) Valid() bool {
	switch s {
	case SettingsLocal, SettingsApplied, SettingsRefused, SettingsRolledBack:
		return true
	}
	return false
}

// SettingsReport is the body of a settings document: what a gateway says of its settings.
type SettingsReport struct {
	Version  uint64                     `json:"version"` // of the newest desired settings that came; 0: none ever did
	State    SettingsState              `json:"state"`
	Why      string                     `json:"why"`                // of the last two states, in English; of applied, that a probe gave out and nothing could be put back
	Kept     []string                   `json:"kept"`               // paths left out: the gateway's file was edited there
	Settings map[string]json.RawMessage `json:"settings,omitempty"` // in force, by path
	File     map[string]json.RawMessage `json:"file,omitempty"`     // what the file says where something else is in force
	Cut      bool                       `json:"cut,omitempty"`      // Settings and File were too long to send
	Program  *ProgramReport             `json:"program,omitempty"`  // nil: an older program
}

// ProgramState is how a gateway stands to the version that is wanted of its program.
type ProgramState string

// The states of a program.
const (
	ProgramCurrent    ProgramState = "current"     // no other version is wanted
	ProgramWaiting    ProgramState = "waiting"     // another is, and Code says for what it waits
	ProgramFetching   ProgramState = "fetching"    // it is on its way from the server
	ProgramTrial      ProgramState = "trial"       // it runs, and the one before stands by
	ProgramRefused    ProgramState = "refused"     // it is not taken, and Code says why
	ProgramRolledBack ProgramState = "rolled-back" // it was tried, and Code says what it did wrong
)

// ProgramStates lists every state.
func ProgramStates() []ProgramState {
	return []ProgramState{ProgramCurrent, ProgramWaiting, ProgramFetching, ProgramTrial, ProgramRefused, ProgramRolledBack}
}

// ProgramReport is what a gateway says of its program.
type ProgramReport struct {
	Version string       `json:"version"` // that runs; empty: a build that does not know
	Wanted  string       `json:"wanted"`  // empty: none
	State   ProgramState `json:"state"`
	Code    string       `json:"code"` // a word for the reason, see FORMAT.md; empty where there is none
	Why     string       `json:"why"`  // the same for who mends it, in English
}

// maxWhy is how much of a reason travels.
const maxWhy = 900

// Body returns the body of the document, without the settings where it would be too long for one.
func (r SettingsReport) Body() (string, error) {
	r.Why = strings.ToValidUTF8(r.Why[:min(len(r.Why), maxWhy)], "")
	if r.Kept == nil {
		r.Kept = []string{}
	}
	if p := r.Program; p != nil {
		q := *p
		q.Why = strings.ToValidUTF8(q.Why[:min(len(q.Why), maxWhy)], "")
		r.Program = &q
	}
	raw, err := json.Marshal(r)
	if err == nil && len(raw) > MaxDocument {
		r.Settings, r.File, r.Cut = nil, nil, true
		raw, err = json.Marshal(r)
	}
	if err != nil {
		return "", fmt.Errorf("wire: settings report: %w", err)
	}
	return string(raw), nil
}

// ParseSettingsReport reads the body of a settings document. Unknown members are ignored, so that an old server reads a
// new gateway.
func ParseSettingsReport(body string) (r SettingsReport, err error) {
	if err := json.Unmarshal([]byte(body), &r); err != nil {
		return SettingsReport{}, fmt.Errorf("wire: settings report: %w: %w", ErrMalformed, err)
	}
	if !r.State.Valid() || r.Version > math.MaxInt64 {
		return SettingsReport{}, fmt.Errorf("wire: settings report: %w: state %.32q, version %d", ErrMalformed, r.State, r.Version)
	}
	r.Why = strings.ToValidUTF8(r.Why[:min(len(r.Why), maxWhy)], "")
	if p := r.Program; p != nil {
		p.Why = strings.ToValidUTF8(p.Why[:min(len(p.Why), maxWhy)], "")
		if !slices.Contains(ProgramStates(), p.State) || max(len(p.Version), len(p.Wanted), len(p.Code)) > 64 {
			r.Program = nil // of a later kind: the settings still count
		}
	}
	return r, nil
}
