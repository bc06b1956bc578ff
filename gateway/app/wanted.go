package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"golang.org/x/mod/sumdb/note"

	"aovuon/gateway/wire"
)

// wanted is what the gateway remembers of desired settings over a restart: desired.json in the data folder.
type wanted struct {
	Newest  string             `json:"newest"`   // the signed message of the highest version that came; empty: none ever did
	InForce string             `json:"in_force"` // of the version whose changes count; empty: the file alone counts
	State   wire.SettingsState `json:"state"`    // what became of the newest
	Why     string             `json:"why"`

	newest, inForce wire.Desired // as they read; the zero Desired for none
}

func (c *Config) wantedFile() string { return filepath.Join(c.DataDir, "desired.json") }

// loadWanted reads what a former run left. What cannot be read, or is not signed by the server any more, costs the
// settings and not the start: the file of the gateway counts.
func loadWanted(path string, server note.Verifier, gateway string, log *slog.Logger) wanted {
	none := wanted{State: wire.SettingsLocal}
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return none
	}
	var w wanted
	if err == nil {
		err = json.Unmarshal(raw, &w)
	}
	if err == nil {
		w.newest, err = openWanted(w.Newest, server, gateway)
	}
	if err == nil {
		w.inForce, err = openWanted(w.InForce, server, gateway)
	}
	if err != nil {
		log.Warn("desired settings of a former run do not count", slog.String("file", path), slog.Any("err", err))
		return none
	}
	return w
}

func openWanted(sealed string, server note.Verifier, gateway string) (wire.Desired, error) {
	if sealed == "" {
		return wire.Desired{}, nil
	}
	d, err := wire.OpenDesired([]byte(sealed), server)
	if err == nil && d.Gateway != gateway {
		err = fmt.Errorf("desired settings are for %q", d.Gateway)
	}
	return d, err
}

func (w wanted) save(path string) error {
	raw, err := json.Marshal(w)
	if err != nil {
		return fmt.Errorf("app: desired settings: %w", err)
	}
	return wire.WriteFile(path, raw, 0o600)
}
