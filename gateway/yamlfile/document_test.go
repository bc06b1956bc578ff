package yamlfile_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"aovuon/gateway/yamlfile"
)

type house struct {
	Name  string            `yaml:"name"`
	Every time.Duration     `yaml:"every"`
	Rooms []room            `yaml:"rooms"`
	By    map[string]room   `yaml:"by"`
	Words map[string]string `yaml:"words"`
}

type room struct {
	Size float64 `yaml:"size"`
}

func TestDocument_PointsAtWhatIsWrong(t *testing.T) {
	const text = "name: a\nrooms:\n  - { size: 1 }\n  - { size: 2, sise: 3 }\nby:\n  Bếp-1: { size: 4 }\n  'b': { syze: 5 }\nevery: soon\nwords: { anything: goes }\n"
	d, err := yamlfile.Parse("house.yaml", []byte(text), "house sample")
	if err != nil {
		t.Fatal(err)
	}
	err = d.Misfits(reflect.TypeFor[house]())
	for _, want := range []string{`house.yaml:4:16: unknown key "sise"`, `house.yaml:7:10: unknown key "syze"`, `house.yaml:8:8: "soon" is not a time`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %s", err, want)
		}
	}
	for path, want := range map[string]string{
		"$.rooms[1].size": "house.yaml:4:13: bad", "$.rooms[1].door": "house.yaml:4:5: bad", "$.rooms[7].size": "house.yaml:3:3: bad",
		"$.by." + yamlfile.QuoteKey("Bếp-1") + ".size": "house.yaml:6:18: bad", "$.cellar": "house.yaml:1:1: bad",
	} {
		if got := d.Problem("bad", "mend it", path).Error(); !strings.HasPrefix(got, want) || !strings.HasSuffix(got, "mend: mend it") {
			t.Errorf("%s: %s", path, got)
		}
	}
}

func TestParse_WhatIsNoDocument(t *testing.T) {
	for text, want := range map[string]string{
		"": "house sample prints one", "  \n# nothing": "nothing but comments", "a: 1\n---\nb: 2": "x.yaml:3:2: a second document",
		"a: [": "this is not YAML", "\xff": "UTF-8", "a: 1\na: 2": "keep one",
	} {
		if _, err := yamlfile.Parse("x.yaml", []byte(text), "house sample"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v does not say %q", text, err, want)
		}
	}
}

// The decoder panics on this text, found by fuzzing; the reader of a file gets an error.
func TestDecode_APanicOfTheDecoderIsAnError(t *testing.T) {
	var v struct {
		Name struct{ VI string }   `yaml:"name"`
		All  []struct{ ID string } `yaml:"all"`
	}
	if err := yamlfile.Decode([]byte("name: &a !000 000000000\nall: *a"), &v); err == nil {
		t.Error("read")
	}
	if err := yamlfile.Decode([]byte("name: { vi: ao }"), &v); err != nil || v.Name.VI != "ao" {
		t.Errorf("%+v, %v", v, err)
	}
	if err := yamlfile.Decode([]byte("\ufeffname: { vi: ruộng }"), &v); err != nil || v.Name.VI != "ruộng" {
		t.Errorf("with a byte order mark: %+v, %v", v, err)
	}
}
