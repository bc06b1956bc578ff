package soil

import (
	"slices"

	"aovuon/server/watch/rule"
)

// OfDiary reports whether a reason says what people wrote into the diary: it is for those who may read that.
func OfDiary(r rule.Reason) bool {
	return slices.Contains([]string{"soil_irrigated", "soil_irrigated_mm", "soil_rained"}, r.Key)
}

// Words returns the keys of the locales that decisions, methods and crops ask for.
func Words() []string {
	out := []string{
		"rule." + ID, "topic." + Irrigation, "topic." + Drought, "topic." + Waterlogging, "topic." + Flood,
		"soil.et." + PenmanMonteith, "soil.et." + Hargreaves,
	}
	for _, c := range Crops() {
		out = append(out, "soil.crop."+c)
	}
	for _, m := range []Missing{NoProbe, NoGround, Silent, Moved} {
		out = append(out, "why.soil_"+string(m), "do.soil_"+string(m))
	}
	for _, d := range Doubts() {
		out = append(out, "soil.doubt."+string(d))
	}
	for _, w := range []string{
		"silent_since", "no_season", "fallow", "stop", "due", "due_soon", "enough", "enough_long", "enough_undated", "balance", "no_air", "uses",
		"irrigated", "irrigated_mm", "rained", "estimated", "replaced", "spread", "harvest_estimated", "crop_estimated", "suspect", "withers", "dry", "below",
		"no_want", "wet", "wet_since", "wet_harvest", "not_wet", "rises", "leaks",
	} {
		out = append(out, "why.soil_"+w)
	}
	for _, d := range []string{"no_season", "give", "give_mm", "read_capacity", "drain", "rises", "leaks"} {
		out = append(out, "do.soil_"+d)
	}
	return out
}
