package probe_test

import (
	"bytes"
	"os"
	"reflect"
	"testing"

	"aovuon/gateway/sense/probe"
)

func TestSchema_IsTheCommittedOne(t *testing.T) {
	want, err := probe.Schema()
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../../hardware/probes/schema.json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("hardware/probes/schema.json is of other types: go run ./gateway probe schema > hardware/probes/schema.json")
	}
}

// Every key of a template says what it means.
func TestSchema_EveryKeyIsExplained(t *testing.T) {
	seen := make(map[reflect.Type]bool)
	var walk func(typ reflect.Type)
	walk = func(typ reflect.Type) {
		switch typ.Kind() { //nolint:exhaustive // what is left has nothing inside
		case reflect.Pointer, reflect.Slice, reflect.Map:
			walk(typ.Elem())
		case reflect.Struct:
			if seen[typ] {
				return
			}
			seen[typ] = true
			for f := range typ.Fields() {
				if f.Tag.Get("yaml") == "" || f.Tag.Get("doc") == "" {
					t.Errorf("%s.%s has no key or no explanation", typ.Name(), f.Name)
				}
				walk(f.Type)
			}
		}
	}
	walk(reflect.TypeFor[probe.Template]())
	if len(seen) < 15 {
		t.Errorf("%d structures", len(seen))
	}
}
