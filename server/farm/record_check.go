package farm

import (
	"strings"

	"aovuon/server/form"
)

// Register is what a record is checked against.
type Register struct {
	Exists form.Exists                    // places too, as RefPlace
	Others func(kind RecordKind) []Record // all of a kind; the record itself may be among them
}

// Check returns the values of a record in their types, or all that is wrong with them at once.
func (g Register) Check(r Record) (form.Values, form.Problems) {
	fields := r.Kind.Fields()
	if fields == nil {
		return nil, form.Problems{{Key: "kind", Code: form.Unknown, Given: string(r.Kind)}}
	}
	v, bad := form.Check(fields, r.Values, g.Exists)
	for _, days := range [][2]string{{"from", "to"}, {"begin", "end"}, {"valid_from", "valid_to"}} {
		from, to := v.Text(days[0]), v.Text(days[1])
		if from != "" && to != "" && to < from {
			bad = append(bad, form.Problem{Key: days[1], Code: form.Conflict, Given: to})
		}
	}
	if gtin := v.Text("gtin"); gtin != "" && (!ValidGTIN(gtin) || Internal(gtin)) {
		bad = append(bad, form.Problem{Key: "gtin", Code: form.NoGTIN, Given: gtin})
	}
	for _, keys := range r.Kind.unique() {
		if g.taken(r, v, keys) {
			bad = append(bad, form.Problem{Key: keys[0], Code: form.Taken, Given: v.Text(keys[0])})
		}
	}
	return v, bad
}

// unique returns what no two records of a kind may share: the fields that name it to the world. The first is the one that is complained of.
func (k RecordKind) unique() [][]string {
	switch k {
	case Household:
		return [][]string{{"code"}}
	case Product:
		return [][]string{{"gtin"}}
	case Certificate:
		return [][]string{{"number", "scheme"}}
	case Contract:
		return [][]string{{"number", "buyer"}}
	case Cycle, Input, Buyer, Target, PlaceTable:
	}
	return nil
}

func (g Register) taken(r Record, v form.Values, keys []string) bool {
	if v.Text(keys[0]) == "" {
		return false
	}
	for _, o := range g.Others(r.Kind) {
		same := o.ID != r.ID
		for _, k := range keys {
			same = same && strings.EqualFold(o.Values.Text(k), v.Text(k))
		}
		if same {
			return true
		}
	}
	return false
}

// ValidID reports whether s may be the id of a record: 1 to 40 small letters, digits and dashes.
func ValidID(s string) bool {
	return s != "" && len(s) <= 40 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}
