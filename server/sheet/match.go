package sheet

import (
	"slices"
	"strings"

	"aovuon/server/farm"
	"aovuon/server/form"
)

// known are the fields that a record of a kind is known by where a row does not give its id; the first list whose first field is answered
// decides. What must be unique by the farm's rules comes first.
func known(k farm.RecordKind) [][]string {
	switch k {
	case farm.Household:
		return [][]string{{"code"}}
	case farm.Product:
		return [][]string{{"gtin"}, {"name", "brand"}}
	case farm.Cycle:
		return [][]string{{"name", "place", "season"}}
	case farm.Input:
		return [][]string{{"name", "maker"}}
	case farm.Certificate:
		return [][]string{{"number", "scheme"}}
	case farm.Contract:
		return [][]string{{"number", "buyer"}}
	case farm.PlaceTable:
		return [][]string{{"short_name"}, {"title", "zone"}}
	case farm.Buyer, farm.Target:
	}
	return [][]string{{"name"}}
}

// called is what a record is known by, in one text; empty where it says nothing of that.
func called(k farm.RecordKind, v form.Values) string {
	for _, keys := range known(k) {
		if v.Text(keys[0]) != "" {
			return calledBy(keys, v)
		}
	}
	return ""
}

func calledBy(keys []string, v form.Values) string {
	out := []string{keys[0]}
	for _, key := range keys {
		out = append(out, strings.ToLower(exact(v.Text(key))))
	}
	return strings.Join(out, "\n")
}

// record finds the record that a row is about; there is false for a new one.
func (p *planner) record(row Row, sent form.Values) (before farm.Record, there bool, bad *form.Problem) {
	if id := row.Cells[ID]; id != "" {
		i := slices.IndexFunc(p.g.Existing, func(r farm.Record) bool { return r.ID == id })
		if i < 0 {
			return before, false, &form.Problem{Key: ID, Code: NoSuchID, Given: brief(id)}
		}
		return p.g.Existing[i], true, nil
	}
	for _, keys := range known(p.t.Kind) {
		if sent.Text(keys[0]) == "" {
			continue
		}
		keys = slices.DeleteFunc(slices.Clone(keys), func(k string) bool { return !has(row, k) }) // a column that is not there tells nobody apart
		var found []farm.Record
		for _, r := range p.g.Existing {
			if calledBy(keys, r.Values) == calledBy(keys, sent) {
				found = append(found, r)
			}
		}
		if inUse := slices.DeleteFunc(slices.Clone(found), func(r farm.Record) bool { return r.Retired }); len(inUse) > 0 {
			found = inUse
		}
		switch len(found) {
		case 0:
		case 1:
			return found[0], true, nil
		default:
			return before, false, &form.Problem{Key: keys[0], Code: Ambiguous, Given: brief(sent.Text(keys[0]))}
		}
	}
	return before, false, nil
}
