// Package settings lays what the server desires over a gateway's own configuration file.
//
// The file's bytes and the changes of a wire.Desired come in; the bytes of a configuration that holds both goes out, with
// the paths where the file was edited meanwhile and stands. The file itself is never written: who edits it at the gateway is
// never overruled, and taking the desired settings away gives back exactly what it says.
//
// Only settings of measuring can be desired: how often, with which limits, coefficients and inputs. What a wire hangs on, who
// the server is and where keys lie belongs to the person at the gateway.
package settings

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/goccy/go-yaml"

	"aovuon/gateway/wire"
	"aovuon/gateway/yamlfile"
)

// Apply returns file with changes in force. Changes whose Was is not what file says are left out and their paths returned
// in kept. An error means that the changes as a whole do not fit: nothing of them may be used. The result has no comments
// and an order of its own; with no changes it is file itself.
func Apply(file []byte, changes []wire.Change) (merged []byte, kept []string, err error) {
	if len(changes) == 0 {
		return file, nil, nil
	}
	doc, err := decode(file)
	if err != nil {
		return nil, nil, err
	}
	for _, c := range changes {
		p, err := wire.ParsePath(c.Path)
		if err != nil {
			return nil, nil, err
		}
		was, value, err := values(c)
		if err != nil {
			return nil, nil, err
		}
		at, ok := find(doc, p)
		if !ok {
			kept = append(kept, c.Path) // the sensor was taken out of the file
			continue
		}
		if now := canonical(at[p.Key]); now != was {
			kept = append(kept, c.Path)
			continue
		}
		if value == nil {
			delete(at, p.Key)
		} else {
			at[p.Key] = value
		}
	}
	merged, err = encode(doc)
	return merged, kept, err
}

// encode writes a configuration and reads it again: a value that YAML would give back as something else is refused.
func encode(doc map[string]any) ([]byte, error) {
	raw, err := yaml.Marshal(doc)
	if err != nil {
		return nil, fmt.Errorf("settings: %w", err)
	}
	again, err := decode(raw)
	if err != nil {
		return nil, err
	}
	if canonical(again) != canonical(doc) {
		return nil, errors.New("settings: a desired value cannot be written in YAML")
	}
	return raw, nil
}

// InForce lists what file says at every path that can be set and that it says something at. The values are JSON.
func InForce(file []byte) (map[string]json.RawMessage, error) {
	doc, err := decode(file)
	if err != nil {
		return nil, err
	}
	out := map[string]json.RawMessage{}
	say := func(path string, v any) {
		if v != nil {
			out[path] = json.RawMessage(canonical(v))
		}
	}
	for _, p := range wire.Paths() {
		if p.ID == "" {
			m, _ := doc[p.Section].(map[string]any)
			say(p.String(), m[p.Key])
			continue
		}
		list, _ := doc[p.Section].([]any)
		for _, e := range list {
			if m, ok := e.(map[string]any); ok {
				p.ID, _ = m["id"].(string)
				say(p.String(), m[p.Key])
			}
		}
	}
	return out, nil
}

func decode(file []byte) (map[string]any, error) {
	var doc map[string]any
	if err := yamlfile.Decode(file, &doc); err != nil {
		return nil, fmt.Errorf("settings: the configuration: %w", err)
	}
	if doc == nil {
		doc = map[string]any{}
	}
	return doc, nil
}

// find returns the mapping a path leads into; a section of its own is made where the file has none.
func find(doc map[string]any, p wire.Path) (map[string]any, bool) {
	if p.ID == "" {
		m, ok := doc[p.Section].(map[string]any)
		if !ok && doc[p.Section] == nil {
			m, ok = map[string]any{}, true
			doc[p.Section] = m
		}
		return m, ok
	}
	list, _ := doc[p.Section].([]any)
	for _, e := range list {
		if m, ok := e.(map[string]any); ok && m["id"] == p.ID {
			return m, true
		}
	}
	return nil, false
}

// values returns what the file is to say for c to hold, and the value it then gets.
func values(c wire.Change) (was string, value any, err error) {
	var before any
	if err := json.Unmarshal(c.Was, &before); err != nil {
		return "", nil, fmt.Errorf("settings: %s: was: %w", c.Path, err)
	}
	var plain any
	if err := json.Unmarshal(c.Value, &plain); err != nil { // also finds numbers too large for any, and what follows a value
		return "", nil, fmt.Errorf("settings: %s: value: %w", c.Path, err)
	}
	d := json.NewDecoder(bytes.NewReader(c.Value))
	d.UseNumber() // 42 stays 42 and does not become 4.2e+01
	if err := d.Decode(&value); err != nil {
		return "", nil, fmt.Errorf("settings: %s: value: %w", c.Path, err)
	}
	return canonical(before), numbers(value), nil
}

// numbers turns json.Number into what YAML writes as a number.
func numbers(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		f, err := v.Float64()
		if err != nil {
			return v.String()
		}
		return f
	case map[string]any:
		for k := range v {
			v[k] = numbers(v[k])
		}
	case []any:
		for i := range v {
			v[i] = numbers(v[i])
		}
	}
	return v
}

// canonical is the one spelling of a value in JSON: members sorted, numbers as encoding/json writes a float64.
func canonical(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	var plain any
	if json.Unmarshal(raw, &plain) != nil {
		return string(raw)
	}
	if again, err := json.Marshal(plain); err == nil {
		raw = again
	}
	return string(raw)
}
