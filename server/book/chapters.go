package book

import (
	"slices"

	"aovuon/server/diary"
)

// part is one chapter as it is planned: tables of kinds of entries, or something that is reckoned.
type part struct {
	key   string // its words are book.chapter.KEY
	kinds []string
	make  func(*maker, *Chapter) // nil: the kinds alone
	quiet bool                   // left out where there is nothing
}

// parts returns the chapters of a standard, in the order an auditor reads: who and where, on what papers, what came in, what was done, what
// went out, who was there, what was changed. The numbers of a standard's clauses are left out: nobody here has read them in the text itself.
func parts(s Standard) []part {
	var out []part
	switch s {
	case VietGAPFish:
		out = fishParts()
	case VietGAPCrop:
		out = cropParts()
	case GACP:
		out = herbParts()
	case Organic:
		out = organicParts()
	case Processing:
		out = processParts()
	}
	return append(out, closing(out)...)
}

// Chapters returns the keys of every chapter that some book has.
func Chapters() []string {
	var out []string
	for _, s := range Standards() {
		for _, p := range parts(s) {
			if !slices.Contains(out, p.key) {
				out = append(out, p.key)
			}
		}
	}
	return out
}

func opening() []part {
	return []part{
		{key: "general", make: (*maker).general},
		{key: "certificates", make: (*maker).certificates},
		{key: "inputs", make: (*maker).inputs},
	}
}

func fishParts() []part {
	return append(opening(),
		part{key: "pond_prep", kinds: []string{diary.PondPrep}},
		part{key: "stocking", kinds: []string{diary.Stocking}},
		part{key: "feed", kinds: []string{diary.Feeding}, make: (*maker).months},
		part{key: "water", kinds: []string{diary.WaterTest, "water_exchange", diary.Aeration}, make: (*maker).measured},
		part{key: "env_product", kinds: []string{diary.EnvProduct}},
		part{key: "health", kinds: []string{"health", "mortality"}},
		part{key: "treatment", kinds: []string{diary.Treatment}, make: (*maker).earliest},
		part{key: "growth", kinds: []string{diary.Sampling}},
		part{key: "harvest", kinds: []string{diary.Harvest, diary.Release}, make: (*maker).lots},
		part{key: "sale", kinds: []string{diary.Sale}},
	)
}

func fieldParts() []part {
	return []part{
		{key: "land", kinds: []string{"land_prep"}},
		{key: "seed", kinds: []string{diary.Seeding, diary.Planting}},
		{key: "fertilizer", kinds: []string{diary.Fertilizing}},
		{key: "irrigation", kinds: []string{"irrigation"}, make: (*maker).measured},
		{key: "scouting", kinds: []string{"scouting", "weeding"}},
		{key: "pesticide", kinds: []string{diary.Spraying}, make: (*maker).earliest},
		{key: "harvest", kinds: []string{diary.Harvest, diary.Release}, make: (*maker).lots},
		{key: "post_harvest", kinds: []string{"post_harvest"}},
		{key: "sale", kinds: []string{diary.Sale}},
	}
}

func cropParts() []part { return append(opening(), fieldParts()...) }

// herbParts follow the groups of Circular 19/2019/TT-BYT: seed and its origin, place and soil, fertiliser, water, care, harvest; then
// processing, packing and storage.
func herbParts() []part {
	return append(append(opening(), fieldParts()...),
		part{key: "batch", kinds: []string{diary.Batch}},
		part{key: "packing", kinds: []string{"packing", "storing"}},
	)
}

// organicParts add the conversion and the list of inputs to the chapters of whatever grows there.
func organicParts() []part {
	all := append(opening(), part{key: "organic", make: (*maker).organic})
	seen := []string{}
	for _, p := range slices.Concat(fieldParts(), fishParts()[3:]) {
		if !slices.Contains(seen, p.key) {
			seen, p.quiet = append(seen, p.key), true
			all = append(all, p)
		}
	}
	return all
}

func processParts() []part {
	return append(opening(),
		part{key: "batch", kinds: []string{diary.Batch}, make: (*maker).measured},
		part{key: "packing", kinds: []string{"packing"}},
		part{key: "storing", kinds: []string{"storing", "cleaning"}},
		part{key: "harvest", kinds: []string{diary.Harvest, diary.Release}, make: (*maker).lots, quiet: true},
		part{key: "sale", kinds: []string{diary.Sale}},
	)
}

// closing are the chapters that every book ends with; kinds that no chapter before has stand in "other", so that nothing is lost.
func closing(before []part) []part {
	out := []part{
		{key: "waste", kinds: []string{"waste", "sludge"}},
		{key: "people", kinds: []string{"training", "hygiene", "visitor"}},
		{key: "equipment", kinds: []string{"equipment"}, make: (*maker).calibrations},
		{key: "incident", kinds: []string{"incident", "weather"}},
		{key: "audit", kinds: []string{"audit", "complaint"}},
	}
	var had []string
	for _, p := range append(slices.Clone(before), out...) {
		had = append(had, p.kinds...)
	}
	had = append(had, diary.Receipt, diary.Void) // receipts stand with the inputs; a void stands in what it takes back
	var rest []string
	for _, k := range diary.Kinds() {
		if !slices.Contains(had, k.Name) {
			rest = append(rest, k.Name)
		}
	}
	return append(out,
		part{key: "other", kinds: rest, quiet: true},
		part{key: "findings", make: (*maker).findings},
		part{key: "changes", make: (*maker).changes},
		part{key: "sources", make: (*maker).sources},
	)
}
