// Package desired keeps what the co-op wants its gateways to do otherwise than their own files say, and hears what became
// of it.
//
// A change somebody asks for and the gateway's last report come in; the next version of its desired settings goes out, and
// the Outbox sends it until the gateway has answered. Rules and ports alone: the database is server/sqldb, the broker
// server/broker.
package desired

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"aovuon/gateway/wire"
)

// Wanted is the newest version of what is wanted of one gateway.
type Wanted struct {
	Gateway string
	Version uint64 // 0: nothing was ever wanted
	Changes []wire.Change
	Note    []byte    // the signed message, sent as it is
	Made    time.Time // UTC
	By      string    // who asked for it
}

// Report is what a gateway says of its settings (document gateway/settings, gateway/wire/FORMAT.md).
type Report struct {
	wire.SettingsReport
	Gateway  string    `json:"-"`
	Time     time.Time `json:"-"` // by the gateway's clock; zero where it had none
	Position int64     `json:"-"` // of its batch in the log
}

// Answered reports whether r answers w.
func (r Report) Answered(w Wanted) bool { return r.State != "" && r.Version >= w.Version }

// ErrNoReport says that a gateway has not told its settings, so nobody knows what a change would change.
var ErrNoReport = errors.New("the gateway has not told its settings yet: it does when it first reaches the server")

// Ask is a change somebody asks for.
type Ask struct {
	Set   map[string]json.RawMessage // by path
	Unset []string                   // paths to give back to the gateway's file
}

// Next returns the changes of the version after w when ask is granted. Each stands on what the gateway's file says at its
// path, as far as its last report tells.
func Next(w Wanted, r Report, ask Ask) ([]wire.Change, error) {
	if r.State == "" || r.Cut {
		return nil, ErrNoReport
	}
	next := make(map[string]wire.Change, len(w.Changes)+len(ask.Set))
	for _, c := range w.Changes {
		next[c.Path] = c
	}
	for _, path := range ask.Unset {
		if _, ok := next[path]; !ok {
			return nil, fmt.Errorf("desired: nothing is set at %q: set are %v", path, slices.Sorted(maps.Keys(next)))
		}
		delete(next, path)
	}
	for path, value := range ask.Set {
		if err := wire.CheckPath(path); err != nil {
			return nil, err
		}
		next[path] = wire.Change{Path: path, Was: r.fileSays(path), Value: value}
	}
	out := make([]wire.Change, 0, len(next))
	for _, path := range slices.Sorted(maps.Keys(next)) {
		out = append(out, next[path])
	}
	if len(out) > wire.MaxChanges {
		return nil, fmt.Errorf("desired: %d settings: at most %d can differ from the gateway's file; edit the file", len(out), wire.MaxChanges)
	}
	return out, nil
}

// fileSays is what the gateway's own file says at path.
func (r Report) fileSays(path string) json.RawMessage {
	for _, m := range []map[string]json.RawMessage{r.File, r.Settings} {
		if v, ok := m[path]; ok {
			return v
		}
	}
	return json.RawMessage("null")
}
