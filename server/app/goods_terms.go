package app

import (
	"fmt"
	"slices"

	"aovuon/server/farm"
	"aovuon/server/trace"
	"aovuon/server/trace/flow"
)

// goods returns what the co-op decides of its goods: its own bounds before those that hold otherwise.
func (c *Config) goods() flow.Terms {
	t := flow.Defaults()
	t.Prefix = c.Trace.Prefix
	t.Yields, t.Densities = append(slices.Clone(c.Trace.Yields), t.Yields...), append(slices.Clone(c.Trace.Densities), t.Densities...)
	return t
}

// checkGoods finds bounds that cannot be meant.
func (t TraceConfig) checkGoods() *keyError {
	branches := []farm.Branch{"", farm.Fish, farm.Crop, farm.Herb, farm.Process}
	steps := []string{trace.StepProcess, trace.StepDry, trace.StepGrade, trace.StepSplit, trace.StepMerge}
	for _, y := range t.Yields {
		if !slices.Contains(steps, y.Step) || !slices.Contains(branches, y.Branch) || !(y.Most > 0 && y.Most <= 10) || y.Source == "" {
			return &keyError{"trace.yields", fmt.Sprintf("step %q, branch %q, most %g", y.Step, y.Branch, y.Most), "write { step: process, branch: process, most: 1.15, source: who says so }"}
		}
	}
	for _, d := range t.Densities {
		if !slices.Contains(branches[1:], d.Branch) || !(d.KGM2 > 0 && d.KGM2 <= 100) || d.Source == "" {
			return &keyError{"trace.densities", fmt.Sprintf("branch %q, kg_m2 %g", d.Branch, d.KGM2), "write { branch: fish, kg_m2: 6, source: who says so }"}
		}
	}
	return nil
}
