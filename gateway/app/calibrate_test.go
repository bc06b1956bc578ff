package app

import (
	"testing"

	"aovuon/gateway/calibrate"
)

func phSteps() []calibrate.Step {
	return []calibrate.Step{
		{Name: "mid", Asks: "pH", Nominal: new(7.0), Least: 6.98, Most: 7.03, Buffer: true},
		{Name: "low", Asks: "pH", Nominal: new(4.0), Least: 3.98, Most: 4.03, Buffer: true, Optional: true},
		{Name: "high", Asks: "pH", Nominal: new(10.0), Least: 9.98, Most: 10.03, Buffer: true, Optional: true},
	}
}

func soilSteps() []calibrate.Step {
	return []calibrate.Step{{Name: "dry", Asks: "vwc", Most: 60}, {Name: "wet", Asks: "vwc", Least: 5, Most: 80}}
}

func oxygenSteps() []calibrate.Step {
	return []calibrate.Step{{Name: "air", Nominal: new(100.0)}, {Name: "zero", Nominal: new(0.0), Optional: true, Buffer: true}}
}

func TestValueFor_MatchesValuesWithBottles(t *testing.T) {
	type got struct {
		value float64 // -1: none
		named bool
	}
	for name, tc := range map[string]struct {
		points []string
		steps  []calibrate.Step
		want   map[string]got
	}{
		"in any order":       {[]string{"10.01", "7", "4,00"}, phSteps(), map[string]got{"mid": {7, true}, "low": {4, true}, "high": {10.01, true}}},
		"one bottle":         {[]string{"7.01"}, phSteps(), map[string]got{"mid": {7.01, true}, "low": {-1, false}, "high": {-1, false}}},
		"by name":            {[]string{"low=4.01"}, phSteps(), map[string]got{"mid": {-1, false}, "low": {4.01, true}}},
		"samples in order":   {[]string{"6", "41.5"}, soilSteps(), map[string]got{"dry": {6, true}, "wet": {41.5, true}}},
		"samples by name":    {[]string{"wet=41", "dry=6"}, soilSteps(), map[string]got{"dry": {6, true}, "wet": {41, true}}},
		"a step by its name": {[]string{"zero"}, oxygenSteps(), map[string]got{"air": {-1, false}, "zero": {-1, true}}},
	} {
		c := &calibrateCmd{Point: tc.points}
		for _, step := range tc.steps {
			want, ok := tc.want[step.Name]
			if !ok {
				continue
			}
			v, named, err := c.valueFor(step, tc.steps)
			if err != nil || named != want.named || (v == nil) != (want.value == -1) || v != nil && *v != want.value {
				t.Errorf("%s: %s: %v %v %v; want %+v", name, step.Name, v, named, err, want)
			}
		}
	}
	if _, _, err := (&calibrateCmd{Point: []string{"seven"}}).valueFor(phSteps()[0], phSteps()); err == nil {
		t.Error("a word is no value")
	}
}

func TestCheckPoints_AMistypedBottleIsNotLeftOut(t *testing.T) {
	for text, ok := range map[string]bool{"7": true, "mid=7.01": true, "zero": false, "5.0": false, "middle=7": false} {
		if err := (&calibrateCmd{Point: []string{text}}).checkPoints(phSteps()); (err == nil) != ok {
			t.Errorf("--point %s: %v", text, err)
		}
	}
	if err := (&calibrateCmd{Point: []string{"6", "41"}}).checkPoints(soilSteps()); err != nil {
		t.Error(err)
	}
}

func TestPick_OneForAllOrOneForEach(t *testing.T) {
	steps := phSteps()
	for name, tc := range map[string]struct {
		texts []string
		want  [3]string
	}{
		"none":                      {nil, [3]string{}},
		"one":                       {[]string{"L"}, [3]string{"L", "L", "L"}},
		"each":                      {[]string{"A", "B", "C"}, [3]string{"A", "B", "C"}},
		"by name":                   {[]string{"high=H", "mid=M"}, [3]string{"M", "", "H"}},
		"a lot with an equals sign": {[]string{"N=7"}, [3]string{"N=7", "N=7", "N=7"}},
	} {
		for i, step := range steps {
			if got := pick(tc.texts, step, steps); got != tc.want[i] {
				t.Errorf("%s: %s: %q, want %q", name, step.Name, got, tc.want[i])
			}
		}
	}
}
