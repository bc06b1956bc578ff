package app

import (
	"errors"
	"fmt"
	"strings"

	"aovuon/gateway/sense/kind"
	"aovuon/gateway/yamlfile"
)

// ConfigError is one thing that is wrong with a configuration file.
type ConfigError = yamlfile.Error

// document is a configuration file that can say where something stands in it.
type document struct{ *yamlfile.Document }

// explainSensors turns what kind.Build says into Problems with their places.
func (d *document) explainSensors(err error) error {
	var found []error
	for _, e := range leaves(err) {
		s, ok := errors.AsType[*kind.SpecError](e)
		if !ok {
			found = append(found, &yamlfile.Error{File: d.Path(), What: e.Error()})
			continue
		}
		path, who := fmt.Sprintf("$.sensors[%d].%s", s.Index, s.Field), "sensor "+s.ID
		switch {
		case s.Derived:
			path, who = fmt.Sprintf("$.derived[%d].%s", s.Index, s.Field), "derived "+s.ID
		case s.Index < 0:
			path, who = "$.buses."+yamlfile.QuoteKey(s.Bus)+"."+s.Field, "bus "+s.Bus
		}
		path = strings.TrimSuffix(path, ".")
		found = append(found, d.Problem(who+": "+s.Problem, s.Mend, path))
	}
	return errors.Join(found...)
}

// leaves flattens joined errors.
func leaves(err error) (out []error) {
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range many.Unwrap() {
			out = append(out, leaves(e)...)
		}
		return out
	}
	if _, ok := errors.AsType[*kind.SpecError](err); !ok {
		if inner := errors.Unwrap(err); inner != nil && len(leaves(inner)) > 1 {
			return leaves(inner)
		}
	}
	return []error{err}
}
