package sheet

import (
	"io"
	"slices"

	"aovuon/server/farm"
)

// namedOfPlaces are what the cells of a place may name.
func namedOfPlaces(f *farm.Farm, named func(kind string) []Named) func(kind string) []Named {
	return func(kind string) (out []Named) {
		switch kind {
		case farm.RefZone:
			for _, z := range f.Zones {
				out = append(out, Named{ID: z.ID, Names: []string{z.Name.VI, z.Name.EN}})
			}
		case farm.RefProfile:
			for _, l := range f.Limits {
				if !slices.ContainsFunc(out, func(n Named) bool { return n.ID == l.Profile }) {
					out = append(out, Named{ID: l.Profile, Names: []string{l.Profile}})
				}
			}
		case string(farm.Household):
			out = slices.Clone(named(kind))
			for _, p := range f.Places { // codes of the farm file that no record has yet
				if h := p.Household; h != "" && !slices.ContainsFunc(out, func(n Named) bool { return n.ID == h || slices.Contains(n.Names, h) }) {
					out = append(out, Named{ID: h, Names: []string{h}})
				}
			}
		default:
			out = named(kind)
		}
		return out
	}
}

// PlaceGround is what rows of places are read against; named are the farm's records.
func PlaceGround(f *farm.Farm, households []farm.Record, named func(kind string) []Named) Ground {
	return Ground{Existing: farm.PlaceRecords(f, households), Named: namedOfPlaces(f, named), Zone: farm.Time(), Check: farm.CheckPlace}
}

// PlanPlaces is Plan for places: it also says what would be wrong with the farm as a whole. after is the farm as it would be; nil where there are
// problems. random draws the codes of new boards.
func (t Table) PlanPlaces(rows []Row, f *farm.Farm, g Ground, random io.Reader) (p Plan, after *farm.Farm, err error) {
	p = t.Plan(rows, g)
	if len(p.Problems) > 0 {
		return p, nil, nil
	}
	changes := slices.Concat(p.New, p.Changed)
	slices.SortFunc(changes, func(a, b Change) int { return a.Row - b.Row })
	after, at, err := farm.WithPlaces(f, p.Records(), random)
	if err != nil {
		return p, nil, err
	}
	bad := farm.Check(after)
	if bad == nil {
		return p, after, nil
	}
	for i, c := range changes {
		for _, q := range farm.PlaceProblems(farm.Mistakes(bad), at[i]) {
			q.Given = brief(c.Record.Values.Text(q.Key))
			p.Problems = append(p.Problems, Problem{c.Row, t.title(q.Key), q})
		}
	}
	if len(p.Problems) == 0 { // something else of the farm, which no row can mend
		return p, nil, bad
	}
	return p, nil, nil
}
