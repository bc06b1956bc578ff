package yamlfile_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"aovuon/gateway/yamlfile"
)

// size reads its own text.
type size uint64

func (s *size) UnmarshalText(text []byte) error {
	if string(text) != "big" {
		return errors.New("bad size " + string(text) + ": write big")
	}
	*s = 1
	return nil
}

type shelf struct {
	Name    string        `yaml:"name"`
	Address uint16        `yaml:"address"`
	Count   int           `yaml:"count"`
	Weight  *float64      `yaml:"weight"`
	Open    bool          `yaml:"open"`
	Every   time.Duration `yaml:"every"`
	Size    size          `yaml:"size"`
	Boxes   []int         `yaml:"boxes"`
	Room    *room         `yaml:"room"`
}

func TestMisfits_TellsEveryWrongValueAtOnce(t *testing.T) {
	const text = `name: [a]
address: -1
count: 2.5
weight: heavy
open: maybe
every: 5
size: small
boxes: 3
room: x
`
	d, err := yamlfile.Parse("s.yaml", []byte(text), "shelf sample")
	if err != nil {
		t.Fatal(err)
	}
	err = d.Misfits(reflect.TypeFor[shelf]())
	if err == nil {
		t.Fatal("nothing is wrong?")
	}
	for _, want := range []string{
		"s.yaml:1:7: a list where a text is expected",
		"s.yaml:2:10: -1 where a whole number from 0 to 65535 is expected",
		"s.yaml:3:8: 2.5 where a whole number is expected",
		"s.yaml:4:9: a text where a number is expected",
		"s.yaml:5:7: a text where true or false is expected",
		"s.yaml:6:8: a whole number where a time with its unit, as in 30s or 15m is expected",
		"s.yaml:7:7: bad size small\n", "mend: write big",
		"s.yaml:8:8: a whole number where a list is expected",
		"s.yaml:9:7: a text where a group of keys is expected",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("does not say %q:\n%v", want, err)
		}
	}
}

// What the library reads must pass: a check that is stricter than it would refuse files that work.
func TestMisfits_PassesWhatTheLibraryReads(t *testing.T) {
	for _, text := range []string{
		"name: 5\naddress: 0x63\ncount: -3\nweight: 2\nopen: true\nevery: 1m30s\nsize: big\nboxes: [1, 2]\nroom: { size: 1e3 }",
		"name: true\naddress: 65535\ncount: 1e3\nweight: .inf\nopen: no\n", "name: |\n  two\n  lines\nweight: 1e-3\naddress: 0b11\ncount: 1_000",
		"name:\naddress: null\ncount: ~\nweight:\nopen:\nevery:\nboxes:\nroom:\n", "name: &n a\ncount: !!int 3\naddress: '5'\nboxes: []\nroom: {}",
	} {
		var s shelf
		d, err := yamlfile.Parse("s.yaml", []byte(text), "shelf sample")
		if err != nil {
			t.Fatal(err)
		}
		if err := yaml.UnmarshalWithOptions([]byte(text), &s, yaml.Strict()); err != nil {
			t.Logf("the library refuses %q: %v", text, err)
			continue
		}
		if err := d.Misfits(reflect.TypeFor[shelf]()); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestParse_ThousandsOfBracketsAndLongLines(t *testing.T) {
	_, err := yamlfile.Parse("x.yaml", []byte("a: "+strings.Repeat("[", 100_000)), "shelf sample")
	if err == nil || !strings.Contains(err.Error(), "x.yaml:1:504: 501 brackets are open here") || len(err.Error()) > 600 {
		t.Errorf("%v", err)
	}
	lines := strings.Split(err.Error(), "\n")
	if caret := strings.Index(lines[2], "^"); caret < 0 || lines[1][caret] != '[' {
		t.Errorf("the caret points nowhere:\n%v", err)
	}
}
