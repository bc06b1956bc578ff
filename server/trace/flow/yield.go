package flow

import (
	"aovuon/server/farm"
	"aovuon/server/trace"
)

// Yield is the most that can come out of a step: kg out per kg in.
type Yield struct {
	Step   string      `yaml:"step"`
	Branch farm.Branch `yaml:"branch"` // of what comes out; empty: of every other
	Most   float64     `yaml:"most"`
	Source string      `yaml:"source"`
}

// Density is the most that grows on a square metre in one season.
type Density struct {
	Branch farm.Branch `yaml:"branch"`
	KGM2   float64     `yaml:"kg_m2"`
	Source string      `yaml:"source"`
}

// proposal marks a bound that no standard gives: this project proposes it, wide enough for an honest season.
const proposal = "proposal of this project"

// Terms is what a co-op decides of its goods.
type Terms struct {
	Prefix    string // the co-op's GS1 company prefix, 7 to 10 digits, for SSCCs; empty: numbers of its own
	Yields    []Yield
	Densities []Density
}

// Defaults returns the bounds that hold unless a co-op writes its own. They are no agronomy: each is what cannot be exceeded without other
// goods being slipped in.
func Defaults() Terms {
	return Terms{
		Yields: []Yield{
			{trace.StepSplit, "", 1, "mass is neither made nor lost by dividing it"},
			{trace.StepMerge, "", 1, "mass is neither made nor lost by putting it together"},
			{trace.StepGrade, "", 1, "mass is neither made nor lost by sorting it"},
			{trace.StepDry, "", 1, "water leaves, nothing comes in"},
			{trace.StepDry, farm.Herb, 0.6, proposal + ": roots and leaves hold more than half water"},
			{trace.StepProcess, "", 1, proposal + ": what is cut, gutted or washed loses mass"},
			{trace.StepProcess, farm.Process, 1.15, proposal + ": rice of 14 % moisture to sheets of 12 %, with sesame, salt and other things that are no lot"},
		},
		Densities: []Density{
			{farm.Fish, 6, proposal + ": an aerated earthen pond carries 1 to 4 kg/m²"},
			{farm.Crop, 7, proposal + ": potato brings 1.5 to 3 kg/m², root and leaf vegetables up to 6"},
			{farm.Herb, 7, proposal + ": fresh mass, roots of several years"},
		},
	}
}

// most returns the bound of a step; ok is false where there is none.
func (t Terms) most(step string, b farm.Branch) (y Yield, ok bool) {
	for _, y := range t.Yields {
		if y.Step == step && y.Branch == b {
			return y, true
		}
	}
	for _, y := range t.Yields {
		if y.Step == step && y.Branch == "" {
			return y, true
		}
	}
	return Yield{}, false
}

func (t Terms) density(b farm.Branch) (Density, bool) {
	for _, d := range t.Densities {
		if d.Branch == b {
			return d, true
		}
	}
	return Density{}, false
}
