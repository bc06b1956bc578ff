package wire

import (
	"encoding/json"
	"fmt"
	"math"
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
}

// maxWhy is how much of a reason travels.
const maxWhy = 900

// Body returns the body of the document, without the settings where it would be too long for one.
func (r SettingsReport) Body() (string, error) {
	r.Why = strings.ToValidUTF8(r.Why[:min(len(r.Why), maxWhy)], "")
	if r.Kept == nil {
		r.Kept = []string{}
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
	return r, nil
}
