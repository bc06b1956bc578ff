package edge

import (
	"encoding/json"
	"fmt"
	"time"
)

// Saved is what has to outlive the program: FORMAT.md specifies the file.
type Saved struct {
	Version  int                     `json:"version"`
	Aerators map[string]SavedAerator `json:"aerators"`
	Alarms   map[string]bool         `json:"alarms"` // on
}

// SavedAerator is one aerator of it.
type SavedAerator struct {
	On       bool          `json:"on"`
	Since    time.Duration `json:"since"` // uptime of the last switch, of Boot, ns
	Boot     string        `json:"boot"`
	Demand   bool          `json:"demand"` // what the set points asked for last
	Override Override      `json:"override"`
}

const savedVersion = 1

// ParseSaved reads what Saved.Bytes wrote. Nothing is taken from a text it does not understand: an aerator that begins
// anew is safe, one that obeys half a file is not.
func ParseSaved(raw []byte) (Saved, error) {
	var s Saved
	if err := json.Unmarshal(raw, &s); err != nil {
		return Saved{}, fmt.Errorf("edge: saved state: %w", err)
	}
	if s.Version != savedVersion {
		return Saved{}, fmt.Errorf("edge: saved state of version %d: this program knows version %d", s.Version, savedVersion)
	}
	for id, a := range s.Aerators {
		o := a.Override
		if o.Mode != "" && o.Mode != Auto && !o.active() || o.For < 0 || o.For > MaxOverride || a.Since < 0 || o.Since < 0 {
			return Saved{}, fmt.Errorf("edge: saved state: aerator %s: a mode or a time that cannot be", id)
		}
	}
	return s, nil
}

// Bytes is the text of s.
func (s Saved) Bytes() ([]byte, error) {
	s.Version = savedVersion
	raw, err := json.MarshalIndent(s, "", " ")
	if err != nil {
		return nil, fmt.Errorf("edge: saved state: %w", err)
	}
	return append(raw, '\n'), nil
}
