package yamlfile_test

import (
	"reflect"
	"testing"
	"time"

	"aovuon/gateway/yamlfile"
)

// FuzzDocument: whatever text is taken for YAML, it is decoded or refused, and what is wrong with it is said by line.
func FuzzDocument(f *testing.F) {
	type config struct {
		Name  string            `yaml:"name"`
		Every time.Duration     `yaml:"every"`
		Parts map[string]config `yaml:"parts"`
		List  []struct {
			N *float64 `yaml:"n"`
		} `yaml:"list"`
	}
	f.Add("name: a\nevery: 5m\nparts:\n  b: {name: c}\nlist:\n  - n: 1.5\n")
	f.Add("&a !x y: *a\n")
	f.Add("a: &a [*a, *a]\n<<: *a\n")
	f.Add("- - - - - -\n{[")
	f.Add("name: !!binary x\nevery: 1e999\n---\nname: 2\n")
	f.Fuzz(func(t *testing.T, text string) {
		var c config
		errDecode := yamlfile.Decode([]byte(text), &c)
		d, err := yamlfile.Parse("a.yaml", []byte(text), "see the example")
		if err != nil {
			return
		}
		if errDecode != nil && d.Explain(errDecode) == nil {
			t.Errorf("an error that is not told: %v", errDecode)
		}
		if err := d.Misfits(reflect.TypeFor[config]()); err != nil && err.Error() == "" {
			t.Error("a misfit without words")
		}
		if e := d.Problem("what", "mend", "$.name", "$.list[0].n"); e == nil || e.Error() == "" {
			t.Error("a problem without words")
		}
	})
}
