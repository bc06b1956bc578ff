package book_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"aovuon/server/book"
	"aovuon/server/farm"
)

// Feed is written in kg, whatever its receipts are counted in: the sum stands in the unit of the input where one goes over into the other, and
// never as so many bags.
func TestMake_AddsUpInputsInTheirUnit(t *testing.T) {
	for _, c := range []struct{ unit, sum, in string }{{"kg", "3.804", "kg"}, {"t", "3,804", "tấn"}, {"bag", "3.804", "kg"}} {
		src := season(t, "demo-ao1", book.VietGAPFish)
		for i, r := range src.Records {
			if r.Kind == farm.Input && r.ID == "demo-cam-30" {
				src.Records[i].Values = maps.Clone(r.Values)
				src.Records[i].Values["unit"] = c.unit
			}
		}
		b, err := book.Make(src, words(t, "vi"))
		if err != nil {
			t.Fatal(err)
		}
		inputs := chapter(t, b, "inputs").Tables[0]
		i := slices.IndexFunc(inputs.Rows, func(r book.Row) bool { return strings.HasPrefix(r.Cells[0].Text, "Cám viên 30 %") })
		if i < 0 {
			t.Fatalf("%s: it is not among the inputs", c.unit)
		}
		if sum, in := inputs.Rows[i].Cells[6].Text, inputs.Rows[i].Cells[7].Text; sum != c.sum || in != c.in {
			t.Errorf("counted in %s: %s %s; want %s %s", c.unit, sum, in, c.sum, c.in)
		}
	}
}
