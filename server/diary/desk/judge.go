package desk

import (
	"context"
	"slices"
	"time"

	"aovuon/server/diary"
	"aovuon/server/diary/gate"
	"aovuon/server/farm"
)

// Ruling is what a Judge finds.
type Ruling struct {
	Causes []Cause  // what holds the lot; none: it may be sold
	Barred []string // schemes that must not be named on its label, as farm.SchemeName writes them
}

// Temperatures returns the mean of a pond's water over a local day, in °C.
type Temperatures func(ctx context.Context, place string, day time.Time) (celsius float64, ok bool)

// Rules returns the judge that knows the rules of diary/gate. degrees may be nil: nothing was measured.
func Rules(s gate.Settings, degrees Temperatures) Judge {
	return func(ctx context.Context, c Case) (Ruling, error) {
		// What was used after the harvest is not in it.
		entries := slices.DeleteFunc(slices.Clone(c.Entries), func(e diary.Entry) bool { return e.At().After(c.At) })
		in := gate.Case{Farm: c.Farm, Records: c.Records, Entries: entries, Settings: s, Now: c.At, Place: c.Place, Cycle: c.Cycle}
		if degrees != nil {
			in.Temperature = func(place string, day time.Time) (float64, bool) { return degrees(ctx, place, day) }
		}
		v := gate.Judge(in)
		var out Ruling
		for _, f := range v.Holds(c.Place, c.Cycle) {
			out.Causes = join(out.Causes, []Cause{{Rule: string(f.Rule), Event: f.Cause, Clears: f.Clears.UTC()}})
		}
		for _, claim := range []string{gate.ClaimGACP, gate.ClaimOrganic, gate.ClaimVietGAP} {
			if len(v.Forbids(claim, c.Place, c.Cycle)) > 0 {
				out.Barred = append(out.Barred, farm.SchemeName(claim))
			}
		}
		return out, ctx.Err()
	}
}
