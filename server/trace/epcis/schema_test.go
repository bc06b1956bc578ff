package epcis_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/dlclark/regexp2"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"aovuon/server/parttest"
)

// data is where the schemas and examples lie; they are GS1's and no part of this repository.
const data = "../../../../shared/data/epcis"

func material(t *testing.T, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(data, name))
	if errors.Is(err, os.ErrNotExist) {
		parttest.Missing(t, "the EPCIS 2.0.1 schema", "put "+name+" (ref.gs1.org/standards/epcis/artefacts) into shared/data/epcis beside the repository")
	}
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// pattern is a regular expression with the lookahead that GS1's schema has and Go's have not.
type pattern regexp2.Regexp

func (p *pattern) MatchString(s string) bool {
	ok, err := (*regexp2.Regexp)(p).MatchString(s)
	return err == nil && ok
}

func (p *pattern) String() string { return (*regexp2.Regexp)(p).String() }

func schema(t *testing.T, name string) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(material(t, name)))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	c.UseRegexpEngine(func(s string) (jsonschema.Regexp, error) {
		r, err := regexp2.Compile(s, regexp2.ECMAScript)
		return (*pattern)(r), err
	})
	if err := c.AddResource(name, doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// valid reports what the schema finds wrong with a document.
func valid(t *testing.T, s *jsonschema.Schema, raw []byte) error {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(v)
}

func encode(t *testing.T, v any) []byte {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
