package digitallink_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aovuon/server/parttest"
	"aovuon/server/trace/digitallink"
)

// Vectors after those of gs1-syntax-engine, with numbers whose check digits are right.
func TestParse_Traps(t *testing.T) {
	for _, tc := range []struct {
		uri   string
		want  string // canonical path
		fault digitallink.Fault
	}{
		{uri: "https://a/00/006141411234567890", want: "/00/006141411234567890"},
		{uri: "HTTPS://a/00/006141411234567890", want: "/00/006141411234567890"},
		{uri: "https://a/stem/00/006141411234567890#fragment", want: "/00/006141411234567890"},
		{uri: "https://a/00/faux/00/006141411234567890", want: "/00/006141411234567890"},
		{uri: "https://a/01/12312312312333?99=ABC&unknown=666&98=XYZ", want: "/01/12312312312333"},
		{uri: "https://a/01/12312312312333/235/XYZ?10=ABC123", want: "/01/12312312312333/235/XYZ"},
		{uri: "https://a/00/006141411234567890?02=12312312312333&37=25&10=ABC123", want: "/00/006141411234567890"},
		{uri: "https://a/01/12312312312333?11=261130&7007=261125261126", want: "/01/12312312312333"},
		{uri: "https://a/01/12312312312333?15=261100", want: "/01/12312312312333"},
		{uri: "https://a/414/9521234001034/254/AO-1", want: "/414/9521234001034/254/AO-1"},
		{uri: "https://a/414/9521234001034/7040/1ABC", want: "/414/9521234001034/7040/1ABC"},
		{uri: "https://a/417/9521234001034", want: "/417/9521234001034"},
		{uri: "https://a/8004/9521234PROBE0007", want: "/8004/9521234PROBE0007"},
		{uri: "https://a/8003/09521234001034CRATE1", want: "/8003/09521234001034CRATE1"},
		{uri: "https://a/253/9521234001034PN-1", want: "/253/9521234001034PN-1"},
		{uri: "https://a/253/9521234001034", want: "/253/9521234001034"},
		{uri: "https://a/255/9521234001034123", want: "/255/9521234001034123"},
		{uri: "https://a/8006/095060001343520102/10/A", want: "/8006/095060001343520102/10/A"},

		{uri: "HtTp://a/b/00/006141411234567890", fault: digitallink.BadKey},
		{uri: "ftp://a/00/006141411234567890", fault: digitallink.BadKey},
		{uri: "https:///00/006141411234567890", fault: digitallink.BadKey},
		{uri: "https://a/stem/00/006141411234567890/", fault: digitallink.BadSlash},
		{uri: "https://a/gtin/12312312312333", fault: digitallink.BadKey},
		{uri: "https://a/416/9521234001034", fault: digitallink.BadKey},
		{uri: "https://a/410/9521234001034", fault: digitallink.BadKey},
		{uri: "https://a/01/12312312312333?99=", fault: digitallink.BadQuery},
		{uri: "https://a/01/12312312312333?99=ABC&999=faux", fault: digitallink.BadQuery},
		{uri: "https://a/01/12312312312333?10=ABC123", fault: digitallink.BadQuery},
		{uri: "https://a/01/12312312312333?21=1", fault: digitallink.BadQuery},
		{uri: "https://a/01/12312312312333/235/XYZ?21=1", fault: digitallink.BadQuery},
		{uri: "https://a/01/12312312312333/10/ABC123?99=XYZ789&10=ABC123", fault: digitallink.BadQuery},
		{uri: "https://a/01/12312312312333?17=270101&17=270102", fault: digitallink.BadQuery},
		{uri: "https://a/01/12312312312333?17=271301", fault: digitallink.BadQuery},
		{uri: "https://a/01/12312312312333?7007=261100", fault: digitallink.BadQuery},
		{uri: "https://a/01/12312312312333/10/A/235/B", fault: digitallink.BadKey},
		{uri: "https://a/01/12312312312333/21/S/10/A", fault: digitallink.BadOrder},
		{uri: "https://a/414/9521234001034/254/A/7040/1ABC", fault: digitallink.BadKey},
		{uri: "https://a/414/9521234001035", fault: digitallink.BadCheck},
		{uri: "https://a/414/952123400103", fault: digitallink.BadNumber},
		{uri: "https://a/00/006141411234567891", fault: digitallink.BadCheck},
		{uri: "https://a/00/06141411234567890", fault: digitallink.BadNumber},
		{uri: "https://a/8003/19521234001034A", fault: digitallink.BadNumber},
		{uri: "https://a/8003/09521234001035A", fault: digitallink.BadCheck},
		{uri: "https://a/255/9521234001034A", fault: digitallink.BadNumber},
		{uri: "https://a/8004/" + strings.Repeat("1", 31), fault: digitallink.BadValueLen},
		{uri: "https://a/00/006141411234567890/10/A", fault: digitallink.BadKey},
		{uri: "https://a/8004/A%00", fault: digitallink.BadCharacter},
		{uri: "https://a/" + strings.Repeat("x/", 2000), fault: digitallink.BadLength},
	} {
		got, err := digitallink.Parse(tc.uri)
		bad, _ := errors.AsType[*digitallink.MalformedError](err)
		switch {
		case tc.fault == "" && (err != nil || got.Path() != tc.want):
			t.Errorf("%.80s: %+v, %v", tc.uri, got, err)
		case tc.fault != "" && (bad == nil || bad.Fault != tc.fault):
			t.Errorf("%.80s: %+v, %v; want fault %s", tc.uri, got, err, tc.fault)
		}
	}
}

func TestNew_OrdersWhatItIsGiven(t *testing.T) {
	type e = digitallink.Element
	for want, in := range map[string][]digitallink.Element{
		"https://example.com/01/12312312312333/10/ABC123/21/XYZ?99=XYZ": {e{"21", "XYZ"}, e{"01", "12312312312333"}, e{"10", "ABC123"}, e{"99", "XYZ"}},
		"https://example.com/01/12312312312333/235/T?10=A":              {e{"235", "T"}, e{"10", "A"}, e{"01", "12312312312333"}},
		"https://example.com/414/9521234001034/254/9%2F8":               {e{"254", "9/8"}, e{"414", "9521234001034"}},
		"https://example.com/01/12312312312333?17=270101&11=261101":     {e{"17", "270101"}, e{"11", "261101"}, e{"01", "12312312312333"}},
	} {
		l, err := digitallink.New(in...)
		if err != nil || l.URI("https://example.com") != want {
			t.Errorf("%v: %s, %v; want %s", in, l.URI("https://example.com"), err, want)
		}
	}
	for _, in := range [][]digitallink.Element{{{"10", "A"}}, {{"01", "12312312312333"}, {"254", "A"}}, {{"01", "12312312312334"}}, {{"01", "12312312312333"}, {"999", "A"}}} {
		if l, err := digitallink.New(in...); err == nil {
			t.Errorf("%v: %s", in, l.Canonical())
		}
	}
}

// Pairs after those of RalphTro/epc-digital-link tests.
func TestFromURN(t *testing.T) {
	for urn, want := range map[string]string{
		"urn:epc:id:sgtin:4012345.011111.98%22":     "https://id.gs1.org/01/04012345111118/21/98%22",
		"urn:epc:id:sscc:4012345.0000000011":        "https://id.gs1.org/00/040123450000000115",
		"urn:epc:id:sgln:4012345.00005.0":           "https://id.gs1.org/414/4012345000054",
		"urn:epc:id:sgln:4012345.00005.122":         "https://id.gs1.org/414/4012345000054/254/122",
		"urn:epc:id:pgln:4000001.00000":             "https://id.gs1.org/417/4000001000005",
		"urn:epc:id:giai:4012345.ABC345":            "https://id.gs1.org/8004/4012345ABC345",
		"urn:epc:class:lgtin:4012345.012345.Lot987": "https://id.gs1.org/01/04012345123456/10/Lot987",
		"urn:epc:idpat:sgtin:4012345.012345.*":      "https://id.gs1.org/01/04012345123456",
		"urn:epc:id:grai:4012345.00005.CRATE":       "https://id.gs1.org/8003/04012345000054CRATE",
		"urn:epc:id:gdti:4012345.00005.PN1":         "https://id.gs1.org/253/4012345000054PN1",
		"urn:epc:id:gsrn:4012345.0000000001":        "https://id.gs1.org/8018/401234500000000012",
		"urn:epc:id:sgtin:4012345.011111":           "",
		"urn:epc:id:sgtin:4012345.0111112.1":        "",
		"urn:epc:id:sgln:x.00005.0":                 "",
		"urn:epc:class:lgtin:4012345.012345.":       "",
		"urn:epc:id:itip:4012345.012345.01.02.987":  "",
		"urn:epc:id":                           "",
		"https://id.gs1.org/01/04012345123456": "",
	} {
		l, err := digitallink.FromURN(urn)
		if (err != nil) != (want == "") || err == nil && l.Canonical() != want {
			t.Errorf("%s: %s, %v; want %s", urn, l.Canonical(), err, want)
		}
	}
}

// line is one of GS1's syntax dictionary: what the tables of the package must agree with.
type line struct {
	from, to  string
	attribute bool
	format    string
	key       bool
	sequences string
}

func dictionary(t *testing.T) (out []line) {
	t.Helper()
	path, err := filepath.Abs("../../../../shared/data/gs1/gs1-syntax-dictionary.txt")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		parttest.Missing(t, "GS1's syntax dictionary", "put gs1-syntax-dictionary.txt (github.com/gs1/gs1-syntax-dictionary) into shared/data/gs1 beside the repository")
	}
	if err != nil {
		t.Fatal(err)
	}
	for text := range strings.Lines(string(raw)) {
		text, _, _ = strings.Cut(text, "#")
		fields := strings.Fields(text)
		if len(fields) == 0 {
			continue
		}
		var l line
		l.from, l.to, _ = strings.Cut(fields[0], "-")
		if l.to == "" {
			l.to = l.from
		}
		var parts []string
		for _, f := range fields[1:] {
			switch {
			case strings.Trim(f, `*?!"`) == "":
				l.attribute = strings.Contains(f, "?")
			case strings.HasPrefix(f, "dlpkey"):
				l.key, l.sequences = true, strings.TrimPrefix(strings.TrimPrefix(f, "dlpkey"), "=")
			case strings.Contains("NXYZ[", f[:1]):
				parts = append(parts, kept(f))
			}
		}
		l.format = strings.Join(parts, " ")
		out = append(out, l)
	}
	return out
}

// kept leaves of a component the rules that the package checks.
func kept(f string) string {
	optional := f[0] == '['
	rules := strings.Split(strings.NewReplacer("[", "", "]", "").Replace(f), ",")
	rules = append(rules[:1], slices.DeleteFunc(rules[1:], func(r string) bool { return !slices.Contains([]string{"csum", "zero", "yymmd0", "yymmdd"}, r) })...)
	f = strings.Join(rules, ",")
	if optional {
		return "[" + f + "]"
	}
	return f
}

func TestTables_AgreeWithTheDictionary(t *testing.T) {
	var keys []string
	n := 0
	for _, l := range dictionary(t) {
		if l.key {
			keys = append(keys, l.from)
			if got := digitallink.Sequences(l.from); got != l.sequences {
				t.Errorf("key %s: qualifiers %q, want %q", l.from, got, l.sequences)
			}
		}
		from, errFrom := strconv.Atoi(l.from)
		to, errTo := strconv.Atoi(l.to)
		if errFrom != nil || errTo != nil {
			t.Fatalf("%+v", l)
		}
		for i := from; i <= to; i++ {
			ai := strings.Repeat("0", len(l.from)-len(strconv.Itoa(i))) + strconv.Itoa(i)
			format, attribute, ok := digitallink.FormatOf(ai)
			if !ok && !l.attribute && !l.key { // neither in paths of ours nor in queries
				continue
			}
			n++
			if !ok || format != l.format || attribute != l.attribute {
				t.Errorf("%s: %q %v, want %q %v", ai, format, attribute, l.format, l.attribute)
			}
		}
	}
	if !slices.Equal(keys, digitallink.Keys()) || n < 400 {
		t.Errorf("%d compared; keys %v, want %v", n, digitallink.Keys(), keys)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"https://a/01/09521234010036/10/AO1-261123?17=270101&x=1", "https://a/b/01/09521234010036/22/a/10/%2F/21/%25", "HTTP://a/8003/09521234001034CRATE1#x",
		"https://a/414/9521234001034/254/AO-1", "urn:epc:id:sgtin:4012345.011111.98%22", "urn:epc:id:giai:4012345.A.B",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		l, err := digitallink.Parse(s)
		if strings.HasPrefix(s, "urn:") {
			l, err = digitallink.FromURN(s)
		}
		if err != nil {
			if bad, ok := errors.AsType[*digitallink.MalformedError](err); !ok || len([]rune(bad.Part)) > 41 {
				t.Fatalf("%v", err)
			}
			return
		}
		again, err := digitallink.Parse(l.URI("https://id.gs1.org"))
		if err != nil || cmp.Diff(l, again) != "" {
			t.Fatalf("%q → %+v → %q → %+v, %v", s, l, l.URI("https://id.gs1.org"), again, err)
		}
	})
}
