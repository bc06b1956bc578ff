package gate_test

import (
	"slices"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"aovuon/server/diary/gate"
	"aovuon/server/farm"
)

func names(hits []gate.Hit) []string {
	var out []string
	for _, h := range hits {
		n := h.Name
		if h.Guess {
			n += "?"
		}
		out = append(out, n)
	}
	return out
}

func TestFind_HoweverPeopleWriteIt(t *testing.T) {
	table := gate.Actives()
	for text, want := range map[string]string{
		"Enrofloxacin":                   "Enrofloxacin",
		"ENROFLOXACINE 20%":              "Enrofloxacin",
		"enro-floxacin":                  "Enrofloxacin",
		"Enro 10":                        "Enrofloxacin",
		"cloramphenicol":                 "Chloramphenicol",
		"Clorocid":                       "Chloramphenicol",
		"Furazolidon":                    "Furazolidone",
		"nitrofurazon":                   "Nitrofurazone",
		"nifurstyrenate":                 "Nitrofuran", // by how the group's names begin
		"Metronidazol 250mg":             "Metronidazole",
		"đimetriđazole":                  "Dimetridazole",
		"Secnidazole":                    "Secnidazole",
		"panidazole":                     "Nitroimidazole", // by how the group's names end
		"Malachite Green oxalate":        "Malachite green",
		"xanh malachit":                  "Malachite green",
		"XANH MALACHITE":                 "Malachite green",
		"Tím tinh thể":                   "Gentian violet",
		"crystal  violet":                "Gentian violet",
		"Dipterex90WP":                   "Trichlorfon",
		"thuốc điptêrếch":                "Trichlorfon",
		"alpha-cypermethrin":             "Cypermethrin",
		"Alphacypermethrin":              "Cypermethrin",
		"Cipermetrin 25 EC":              "Cypermethrin",
		"đeltamethrin":                   "Deltamethrin",
		"Vancomycin":                     "Vancomycin",
		"oritavancin":                    "Vancomycin",
		"Cipro":                          "Ciprofloxacin",
		"sitafloxacin":                   "Fluoroquinolone",
		"nhóm floroquinolon":             "Fluoroquinolone",
		"Flumequine":                     "Flumequine",
		"D.E.S":                          "Diethylstilbestrol",
		"enrofloxaxin":                   "Enrofloxacin?", // a letter is wrong: it warns
		"trifluarlin":                    "Trifluralin?",
		"ciprofloxacin + malachit green": "Malachite green Ciprofloxacin",
		// What is none of them.
		"Oxytetracycline":  "",
		"Florfenicol":      "",
		"Vôi bột CaCO3":    "",
		"xanh methylen":    "",
		"thuốc tím KMnO4":  "",
		"BKC 80":           "",
		"Povidone iodine":  "",
		"Cám cấp 1":        "",
		"Mancozeb":         "",
		"albendazole":      "",
		"praziquantel":     "",
		"Sulfadimethoxine": "",
		"":                 "",
		"%%% 12,5":         "",
	} {
		if got := strings.Join(names(table.Find(text, gate.Aquaculture)), " "); got != want {
			t.Errorf("Find(%q) = %q, want %q", text, got, want)
		}
	}
}

// The list as it is printed: 24 numbers, all of which block, and each of which is found by its own name.
func TestActives_TheCircularsTwentyFour(t *testing.T) {
	table := gate.Actives()
	if table.Status != "cần xác nhận" || table.Version == "" {
		t.Errorf("version %q, status %q", table.Version, table.Status)
	}
	seen := map[string]bool{}
	for _, name := range []string{
		"Aristolochia spp", "Chloramphenicol", "Chloroform", "Chlorpromazine", "Colchicine", "Dapsone", "Dimetridazole", "Metronidazole", "Nitrofuran", "Furazolidone",
		"Ronidazole", "Green Malachite", "Ipronidazole", "Nitroimidazole", "Clenbuterol", "Diethylstilbestrol", "DES", "Glycopeptides", "Trichlorfon", "Dipterex",
		"Gentian Violet", "Crystal violet", "Trifluralin", "Cypermethrin", "Deltamethrin", "Enrofloxacin", "Ciprofloxacin", "Fluoroquinolones",
	} {
		hits := table.Find(name, gate.Aquaculture)
		if len(hits) != 1 || !hits[0].Blocks() || hits[0].Standing != gate.Listed || hits[0].Source != "TT 10/2016/TT-BNNPTNT" {
			t.Errorf("%s: %+v", name, hits)
			continue
		}
		seen[hits[0].No] = true
	}
	if len(seen) != 24 {
		t.Errorf("%d of 24 numbers", len(seen))
	}
}

// Legal on crops, banned in ponds, and near ponds told of.
func TestWarn_KnowsWhatItIsFor(t *testing.T) {
	if hits := gate.Warn("Deltamethrin 2.5EC", farm.Fish); len(hits) != 1 || !hits[0].Blocks() {
		t.Errorf("%+v", hits)
	}
	hits := gate.Warn("Deltamethrin 2.5EC", farm.Crop)
	if len(hits) != 1 || hits[0].Scope != gate.Drift || hits[0].Blocks() {
		t.Errorf("%+v", hits)
	}
	for _, name := range []string{"Lambda-cyhalothrin", "Karate 2.5EC", "permethrin", "Trebon", "tetramethrin", "esfenvalerate"} {
		if hits := gate.Warn(name, farm.Herb); len(hits) == 0 || hits[0].Scope != gate.Drift || hits[0].Group != "pyrethroid" {
			t.Errorf("%s: %+v", name, hits)
		}
	}
	// The crops' list was not compared with the circular: it warns and holds nothing.
	if hits := gate.Warn("Carbofuran", farm.Crop); len(hits) != 1 || hits[0].Blocks() {
		t.Errorf("%+v", hits)
	}
	if hits := gate.Warn("Mancozeb + Metalaxyl", farm.Crop); len(hits) != 0 {
		t.Errorf("%+v", hits)
	}
}

func TestParseActives_SaysWhatIsWrong(t *testing.T) {
	head := "# version: 1\n# status: x\nno,scope,group,active,synonyms,stems,standing,source\n"
	if _, err := gate.ParseActives(head + "1,crop,,A,,,listed,s\n"); err != nil {
		t.Error(err)
	}
	for text, want := range map[string]string{
		"":                                  "no rows",
		head:                                "no rows",
		head + "1,crop,,A,,,listed\n":       "wrong number of fields",
		head + "1,sea,,A,,,listed,s\n":      `scope "sea"`,
		head + "1,crop,,A,,,sure,s\n":       `standing "sure"`,
		head + "1,crop,,A,%%|b,,listed,s\n": `"%%" is no name`,
		"# version: 1\n" + head[27:] + "1,crop,,A,,,listed,s\n": "no rows, or no lines",
	} {
		if _, err := gate.ParseActives(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

// However a name is dressed up, it is found; and whatever is typed, nothing breaks and the answer does not depend on case or on how accents
// are stored.
func FuzzFind(f *testing.F) {
	f.Add("Enrofloxacin", 0)
	f.Add("xanh malachit / Tím tinh thể", 3)
	f.Add("α-cypermethrin 90wp", 5)
	f.Add("DES\x00\xff", 7)
	listed := []string{"Enrofloxacin", "Malachite green", "Trichlorfon", "Metronidazole", "Chloramphenicol", "Gentian violet", "Deltamethrin", "Furazolidone"}
	table := gate.Actives()
	f.Fuzz(func(t *testing.T, text string, n int) {
		hits := table.Find(text, gate.Aquaculture)
		for _, other := range []string{strings.ToUpper(text), norm.NFD.String(text), norm.NFC.String(text), " " + text + "\t"} {
			// Capitals of some letters fold otherwise (ß, ı): those are not letters of ours.
			if strings.ContainsFunc(text, func(r rune) bool {
				return r > unicode.MaxLatin1 && !unicode.Is(unicode.Mn, r) || r == 'ß' || r == 'µ' || r == 'ÿ' || r == unicode.ReplacementChar
			}) {
				break
			}
			if got := table.Find(other, gate.Aquaculture); !slices.Equal(names(got), names(hits)) {
				t.Errorf("%q: %v, %q: %v", text, names(hits), other, names(got))
			}
		}
		want := listed[(n%len(listed)+len(listed))%len(listed)]
		if !slices.Contains(names(table.Find(text+" "+want+" "+text, gate.Aquaculture)), want) {
			t.Errorf("%q hides %s", text, want)
		}
		for _, b := range farm.Branches() {
			gate.Warn(text, b)
		}
	})
}
