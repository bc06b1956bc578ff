package book_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"aovuon/server/book"
	"aovuon/server/diary"
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

// A price is in no book, also where it was corrected: that it was, is.
func TestMake_KeepsPricesOutOfItsChanges(t *testing.T) {
	src := season(t, "demo-ao1", book.VietGAPFish)
	i := slices.IndexFunc(src.Events, func(e diary.Event) bool { return e.Kind == diary.Sale && e.Cycle == "demo-ao1" })
	right := src.Events[i]
	right.ID, right.Corrects, right.Values = "01K000000000000000000000AB", src.Events[i].ID, maps.Clone(right.Values)
	right.Values["price"], right.Values["vehicle"], right.Note = 31500.0, "29C-000.00", "gõ nhầm giá"
	right.Synced = right.Synced.Add(time.Hour)
	src.Events = append(src.Events, right)
	b, err := book.Make(src, words(t, "vi"))
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"sale", "changes"} {
		s := said(chapter(t, b, key))
		if strings.Contains(s, "34.000") || strings.Contains(s, "31.500") {
			t.Errorf("%s tells the price:\n%s", key, s)
		}
		for _, want := range []string{"Giá", "29C-000.00", "gõ nhầm giá"} {
			if !strings.Contains(s, want) {
				t.Errorf("%s: no %q in\n%s", key, want, s)
			}
		}
	}
}
