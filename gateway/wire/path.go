package wire

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrNotSettable says that a path is none that can be desired.
var ErrNotSettable = errors.New("cannot be set from afar")

// Path names a setting of a gateway: section.key, or section.id.key for an entry of a list.
type Path struct {
	Section string
	ID      string // of the entry; empty where the section is no list
	Key     string
}

// String returns the path as it is written.
func (p Path) String() string {
	if p.ID == "" {
		return p.Section + "." + p.Key
	}
	return p.Section + "." + p.ID + "." + p.Key
}

// anyID stands for the id in what Paths lists.
const anyID = "ID"

// Paths lists what can be desired, ID standing for the id of an entry: how a gateway measures, and which version of its
// program it should have (whose word on a version counts is not among it). What a wire hangs on, who the server is and where
// keys lie belongs to the person at the gateway.
func Paths() []Path {
	var out []Path
	add := func(section, id string, keys ...string) {
		for _, k := range keys {
			out = append(out, Path{section, id, k})
		}
	}
	add("seal", "", "every", "offline_every")
	add("update", "", "version", "attempt")
	add("alarms", anyID, "below", "above", "clear", "for")
	add("siren", "", "until")
	add("aerators", anyID, "on_below", "off_above", "min_run", "min_rest", "max_run", "always", "failsafe")
	add("sensors", anyID, "every", "temperature", "salinity", "pressure", "height", "ampere", "points", "calibration", "calibrate_every",
		"rate", "flat", "twin", "filter", "report", "each")
	add("derived", anyID, "oxygen", "temperature", "salinity", "pressure", "ph", "ammonia", "tested", "conductivity", "humidity",
		"permittivity", "rate", "flat", "twin", "filter", "report")
	return out
}

// ParsePath reads a path. The error wraps ErrNotSettable and lists what can be set.
func ParsePath(s string) (Path, error) {
	parts := strings.Split(s, ".")
	var p Path
	switch len(parts) {
	case 2:
		p = Path{parts[0], "", parts[1]}
	case 3:
		p = Path{parts[0], parts[1], parts[2]}
	}
	known := p
	if p.ID != "" {
		known.ID = anyID
	}
	if len(parts) == 3 && p.ID == "" || !slices.Contains(Paths(), known) {
		var names []string
		for _, k := range Paths() {
			names = append(names, k.String())
		}
		return Path{}, fmt.Errorf("wire: %.100q %w: it is one of %s", s, ErrNotSettable, strings.Join(names, ", "))
	}
	return p, nil
}

// CheckPath reports why a path cannot be set, or nil.
func CheckPath(s string) error {
	_, err := ParsePath(s)
	return err
}
