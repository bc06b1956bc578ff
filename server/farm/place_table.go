package farm

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"aovuon/server/form"
)

// PlaceTable is what tables call places, beside the kinds of records: a place is none, but it is written into a row as one.
const PlaceTable RecordKind = RefPlace

// PlaceRecords returns places as rows of a table: the code of the board is the id.
func PlaceRecords(f *Farm, households []Record) []Record {
	out := make([]Record, 0, len(f.Places))
	for _, p := range f.Places {
		v := p.Values()
		if h, ok := HouseholdOf(p, households); ok {
			v["household"] = h.ID
		}
		out = append(out, Record{Kind: PlaceTable, ID: p.Code, Values: v, Revision: 1})
	}
	return out
}

// CheckPlace returns the values of a place's row in their types, or all that is wrong with them.
func CheckPlace(r Record, exists form.Exists) (form.Values, form.Problems) {
	v, bad := form.Check(PlaceFields(), r.Values, exists)
	_, more := PlaceOf(r.ID, v)
	return v, append(bad, more...)
}

// WithPlaces returns the farm with what rows say: places that they change, and new ones with boards of their own; at says where in Places the
// place of each row stands. Check says what is wrong with the whole.
func WithPlaces(f *Farm, rows []Record, random io.Reader) (out *Farm, at []int, err error) {
	with := *f
	with.Places = slices.Clone(f.Places)
	for _, r := range rows {
		code := r.ID
		if code == "" {
			if code, err = NewCode(random); err != nil {
				return nil, nil, err
			}
		}
		p, bad := PlaceOf(code, r.Values)
		if len(bad) > 0 {
			return nil, nil, &form.InvalidError{Problems: bad}
		}
		i := slices.IndexFunc(with.Places, func(o Place) bool { return o.Code == code })
		if i < 0 {
			i = len(with.Places)
			with.Places = append(with.Places, Place{})
		}
		with.Places[i] = p
		at = append(at, i)
	}
	return &with, at, nil
}

// PlaceProblems are the mistakes of a place as problems of its form's fields.
func PlaceProblems(mistakes []*MistakeError, at int) form.Problems {
	return ProblemsAt(mistakes, fmt.Sprintf("places[%d]", at), map[string]string{"": "title", "code": "title", "name": "short_name", "kind": "place_kind", "species": "scientific", "ground.texture": "soil_texture", "ground.field_capacity": "field_capacity", "ground.wilting_point": "wilting_point", "ground.on": "capacity_on", "ground.probe": "capacity_probe"})
}

// ProblemsAt are the mistakes of one thing of the farm file as problems of its form's fields: keys are the fields of the file's names, "" that
// of the thing as a whole.
func ProblemsAt(mistakes []*MistakeError, path string, keys map[string]string) (out form.Problems) {
	for _, m := range mistakes {
		key, ok := strings.CutPrefix(m.Path, path)
		if !ok || key != "" && key[0] != '.' {
			continue
		}
		key, _, _ = strings.Cut(strings.TrimPrefix(key, "."), "[")
		if k := keys[key]; k != "" {
			key = k
		}
		out = append(out, form.Problem{Key: key, Code: form.Conflict})
	}
	return out
}
