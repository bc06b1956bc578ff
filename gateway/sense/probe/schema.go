package probe

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense/serial"
)

// Schema returns the JSON schema (draft 2020-12) of a template, made from the Go types: for editors, which then complete
// keys and mark mistakes while they are typed. What only Parse finds, such as a wrong checksum, it does not know.
func Schema() ([]byte, error) {
	s := schemaOf(reflect.TypeFor[Template](), "A template of a Modbus or analog probe.")
	s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	s["title"] = "AoVườn probe template"
	s["required"] = []string{"id", "kind", "maker", "models", "measures", "source", "accuracy"}
	raw, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("probe: schema: %w", err)
	}
	return append(raw, '\n'), nil
}

// words are the texts a type allows; nil: any.
func words(t reflect.Type) []string {
	var list []string
	switch t {
	case reflect.TypeFor[Kind]():
		list = []string{string(KindModbus), string(KindAnalog)}
	case reflect.TypeFor[Certainty]():
		list = []string{string(FromDevice), string(FromDocument), string(FromDriver), string(Unrecorded)}
	case reflect.TypeFor[Origin]():
		list = []string{string(Published), string(Recorded), string(Derived)}
	case reflect.TypeFor[serial.Parity]():
		list = []string{string(serial.NoParity), string(serial.EvenParity), string(serial.OddParity)}
	case reflect.TypeFor[Number]():
		for _, n := range Numbers() {
			list = append(list, string(n))
		}
	case reflect.TypeFor[measure.Quantity]():
		for _, q := range measure.Quantities() {
			list = append(list, string(q))
		}
	case reflect.TypeFor[measure.FaultReason]():
		for _, r := range measure.FaultReasons() {
			list = append(list, string(r))
		}
	}
	return list
}

func schemaOf(t reflect.Type, doc string) map[string]any {
	s := make(map[string]any)
	if doc != "" {
		s["description"] = doc
	}
	if list := words(t); list != nil {
		s["enum"] = list
		return s
	}
	switch {
	case t == reflect.TypeFor[time.Duration]():
		s["type"], s["pattern"] = "string", `^([0-9.]+(ns|us|ms|s|m|h))+$`
		return s
	case t == reflect.TypeFor[Hex]():
		s["type"], s["pattern"] = "string", `^([0-9A-Fa-f]{2}\s*)*$`
		return s
	}
	switch t.Kind() { //nolint:exhaustive // what is left are whole numbers
	case reflect.Pointer:
		return schemaOf(t.Elem(), doc)
	case reflect.String:
		s["type"] = "string"
	case reflect.Float64:
		s["type"] = "number"
	case reflect.Slice:
		s["type"], s["items"] = "array", schemaOf(t.Elem(), "")
	case reflect.Map:
		s["type"], s["additionalProperties"] = "object", schemaOf(t.Elem(), "")
		if list := words(t.Key()); list != nil {
			s["propertyNames"] = map[string]any{"enum": list}
		}
	case reflect.Struct:
		properties := make(map[string]any)
		for f := range t.Fields() {
			if key, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); key != "" && key != "-" {
				properties[key] = schemaOf(f.Type, f.Tag.Get("doc"))
			}
		}
		s["type"], s["properties"], s["additionalProperties"] = "object", properties, false
	default:
		s["type"] = "integer"
	}
	return s
}
