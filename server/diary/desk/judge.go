package desk

import (
	"context"
	"slices"

	"aovuon/server/diary"
	"aovuon/server/diary/gate"
	"aovuon/server/farm"
)

// Ruling is what a Judge finds.
type Ruling struct {
	Causes []Cause  // what holds the lot; none: it may be sold
	Barred []string // schemes that must not be named on its label, as farm.SchemeName writes them
}

// Rules returns the judge that asks the rules of diary/gate.
func Rules(judge func(ctx context.Context, c gate.Case) (gate.Verdict, error)) Judge {
	return func(ctx context.Context, c Case) (Ruling, error) {
		// What was used after the harvest is not in it.
		entries := slices.DeleteFunc(slices.Clone(c.Entries), func(e diary.Entry) bool { return e.At().After(c.At) })
		v, err := judge(ctx, gate.Case{Farm: c.Farm, Records: c.Records, Entries: entries, Now: c.At, Place: c.Place, Cycle: c.Cycle})
		if err != nil {
			return Ruling{}, err
		}
		var out Ruling
		for _, f := range v.Holds(c.Place, c.Cycle) {
			out.Causes = join(out.Causes, []Cause{{Rule: string(f.Rule), Event: f.Cause, Clears: f.Clears.UTC()}})
		}
		for _, claim := range []string{gate.ClaimGACP, gate.ClaimOrganic, gate.ClaimVietGAP} {
			if len(v.Forbids(claim, c.Place, c.Cycle)) > 0 {
				out.Barred = append(out.Barred, farm.SchemeName(claim))
			}
		}
		return out, nil
	}
}
