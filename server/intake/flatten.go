package intake

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// object reads a JSON object strictly: one value, nothing behind it. Numbers stay as they are written.
func object(raw []byte) (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var out map[string]any
	if err := d.Decode(&out); err != nil {
		return nil, fmt.Errorf("%w: no JSON object: %w", ErrMessage, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: something stands behind the JSON object", ErrMessage)
	}
	if out == nil {
		return nil, fmt.Errorf("%w: null", ErrMessage)
	}
	return out, nil
}

// leaf is one value of an object, by its path: "SHT3X.Temperature", "channels.0.value".
type leaf struct {
	path  string
	value any // json.Number, bool or string
}

// flatten lists the numbers, truth values and texts of an object, in no order. Nulls are nothing.
func flatten(in map[string]any) ([]leaf, error) {
	var out []leaf
	var walk func(path string, v any, depth int) error
	walk = func(path string, v any, depth int) error {
		if depth > maxDepth {
			return fmt.Errorf("%w: %s: more than %d objects within each other", ErrMessage, path, maxDepth)
		}
		at := func(key string) string {
			if path == "" {
				return key
			}
			return path + "." + key
		}
		switch x := v.(type) {
		case map[string]any:
			for k, e := range x {
				if err := walk(at(k), e, depth+1); err != nil {
					return err
				}
			}
		case []any:
			for i, e := range x {
				if err := walk(at(strconv.Itoa(i)), e, depth+1); err != nil {
					return err
				}
			}
		case json.Number, bool, string:
			if out = append(out, leaf{path, x}); len(out) > maxValues {
				return fmt.Errorf("%w: more than %d values", ErrMessage, maxValues)
			}
		}
		return nil
	}
	return out, walk("", in, 0)
}

// number is what a leaf is as a number: a number, yes and no as 1 and 0, or a text that is a number. ok is false for any other text.
func number(v any) (n float64, ok bool) {
	switch x := v.(type) {
	case json.Number:
		n, err := x.Float64()
		return n, err == nil
	case bool:
		if x {
			return 1, true
		}
		return 0, true
	case string:
		return numberOf(x)
	}
	return 0, false
}

// numberOf reads a state as devices write it.
func numberOf(s string) (float64, bool) {
	switch s {
	case "ON", "on", "true":
		return 1, true
	case "OFF", "off", "false":
		return 0, true
	}
	n, err := strconv.ParseFloat(s, 64)
	return n, err == nil
}

// text is a member that must be a text.
func text(in map[string]any, key string) string {
	s, ok := in[key].(string)
	if !ok {
		return ""
	}
	return s
}
