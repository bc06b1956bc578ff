package trace_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aovuon/server/trace"
)

// Vectors after GS1's syntax dictionary and the test vectors of gs1-syntax-engine.
func TestParseLink_Vectors(t *testing.T) {
	type faulty = trace.Fault
	for _, tc := range []struct {
		path, query string
		want        trace.Link
		fault       faulty
	}{
		{path: "/01/09521234010036", want: trace.Link{GTIN: "09521234010036"}},
		{path: "/01/09521234010036/10/AO1-261123", want: trace.Link{GTIN: "09521234010036", Lot: "AO1-261123"}},
		{path: "/01/09506000134352/10/ABC123/21/XYZ", want: trace.Link{GTIN: "09506000134352", Lot: "ABC123", Serial: "XYZ"}},
		{path: "/01/09506000134352/22/2A/10/AB/21/7", want: trace.Link{GTIN: "09506000134352", Variant: "2A", Lot: "AB", Serial: "7"}},
		{path: "/01/12312312312333/10/ABC123/21/XYZ", query: "99=XYZ", want: trace.Link{GTIN: "12312312312333", Lot: "ABC123", Serial: "XYZ"}},
		{path: "/01/09521234010036/10/A%2FB%2BC", want: trace.Link{GTIN: "09521234010036", Lot: "A/B+C"}},
		{path: "/01/09521234010036/10/%41", want: trace.Link{GTIN: "09521234010036", Lot: "A"}},
		{path: "/01/09521234010036/10/A+B", want: trace.Link{GTIN: "09521234010036", Lot: "A+B"}},
		{path: "/01/09521234010036/10/A", query: "lang=en&17=270101&unknown=666", want: trace.Link{GTIN: "09521234010036", Lot: "A"}},
		{path: "/01/09521234010036/10/A", query: "7007=261123", want: trace.Link{GTIN: "09521234010036", Lot: "A"}},

		{path: "/01/08938505974192/10/A", fault: trace.BadCheck},
		{path: "/01/9521234010036/10/A", fault: trace.BadGTIN},
		{path: "/01/0952123401003X/10/A", fault: trace.BadGTIN},
		{path: "/01/%30%39521234010036", fault: trace.BadGTIN},
		{path: "/gtin/09521234010036/lot/A", fault: trace.BadKey},
		{path: "/01/09521234010036/lot/A", fault: trace.BadKey},
		{path: "/01/09521234010036/235/A", fault: trace.BadKey},
		{path: "/01/09521234010036/99/A", fault: trace.BadKey},
		{path: "/01/09521234010036/21/S/10/A", fault: trace.BadOrder},
		{path: "/01/09521234010036/10/A/22/V", fault: trace.BadOrder},
		{path: "/01/09521234010036/10/A/10/B", fault: trace.Duplicate},
		{path: "/01/09521234010036/01/09521234010036", fault: trace.Duplicate},
		{path: "/01/09521234010036/10/A/", fault: trace.BadSlash},
		{path: "/01/09521234010036/10/", fault: trace.NoValue},
		{path: "/01/09521234010036/", fault: trace.BadSlash},
		{path: "/01/09521234010036/10", fault: trace.LateSegment},
		{path: "/01//10/A", fault: trace.BadSlash},
		{path: "/01/", fault: trace.BadSlash},
		{path: "/01/09521234010036/10/A%00", fault: trace.BadCharacter},
		{path: "/01/09521234010036/10/A%20B", fault: trace.BadCharacter},
		{path: "/01/09521234010036/10/%C3%A1", fault: trace.BadCharacter},
		{path: "/01/09521234010036/10/%FF", fault: trace.BadEncoding},
		{path: "/01/09521234010036/10/%2", fault: trace.BadEncoding},
		{path: "/01/09521234010036/10/ABCDEFGHIJKLMNOPQRSTU", fault: trace.BadValueLen},
		{path: "/01/09521234010036/10/" + strings.Repeat("A", 4000), fault: trace.BadLength},
		{path: "/01/09521234010036/10/ABC123", query: "10=ABC123", fault: trace.BadQuery},
		{path: "/01/09521234010036", query: "10=ABC123", fault: trace.BadQuery},
		{path: "/01/09521234010036", query: "21=1", fault: trace.BadQuery},
		{path: "/01/09521234010036", query: "99=", fault: trace.BadQuery},
		{path: "/01/09521234010036", query: "99=ABC&999=faux", fault: trace.BadQuery},
		{path: "/01/09521234010036", query: "17=270101&17=270102", fault: trace.BadQuery},
		{path: "/01/09521234010036", query: "a=%zz", fault: trace.BadEncoding},
	} {
		got, err := trace.ParseLink(tc.path, tc.query)
		var bad *trace.MalformedError
		switch {
		case tc.fault == "" && (err != nil || got != tc.want):
			t.Errorf("%.60s?%s = %+v, %v", tc.path, tc.query, got, err)
		case tc.fault != "" && (!errors.As(err, &bad) || bad.Fault != tc.fault):
			t.Errorf("%.60s?%s = %+v, %v; want fault %s", tc.path, tc.query, got, err, tc.fault)
		}
	}
}

func TestLink_CanonicalPath(t *testing.T) {
	for want, l := range map[string]trace.Link{
		"/01/12312312312333/10/ABC123/21/XYZ":  {GTIN: "12312312312333", Lot: "ABC123", Serial: "XYZ"},
		"/01/04012345111118/21/98%22":          {GTIN: "04012345111118", Serial: `98"`},
		"/01/09521234010036/10/A%2FB%2BC%25_-": {GTIN: "09521234010036", Lot: "A/B+C%_-"},
		"/01/09521234010036/10/%2E%2E":         {GTIN: "09521234010036", Lot: ".."},
	} {
		if got := l.Path(); got != want {
			t.Errorf("%+v: %s, want %s", l, got, want)
		}
	}
}

func TestCheckDigit_Golden(t *testing.T) {
	for _, key := range []string{"0860009999060", "9521234001034", "09521234010036", "09506000134352", "095212340000000013", "08938505974194"} {
		if got := trace.CheckDigit(key[:len(key)-1]); got != key[len(key)-1] {
			t.Errorf("%s: check digit %c", key, got)
		}
	}
}

func FuzzParseLink(f *testing.F) {
	for _, s := range []string{"/01/09521234010036/10/AO1-261123", "/01/09521234010036/22/a/10/%2F/21/%25", "/01//", "/01/09521234010036/10/%C3"} {
		f.Add(s, "lang=en")
	}
	f.Fuzz(func(t *testing.T, path, query string) {
		l, err := trace.ParseLink(path, query)
		if err != nil {
			var bad *trace.MalformedError
			if !errors.As(err, &bad) || len([]rune(bad.Part)) > 41 {
				t.Fatalf("%v", err)
			}
			return
		}
		again, err := trace.ParseLink(l.Path(), "")
		if err != nil || cmp.Diff(l, again) != "" {
			t.Fatalf("%q -> %+v -> %q -> %+v, %v", path, l, l.Path(), again, err)
		}
	})
}
