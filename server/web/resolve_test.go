package web_test

import (
	"encoding/json"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"aovuon/server/farm"
	"aovuon/server/parttest"
	"aovuon/server/trace"
)

// ownLot adds a lot of a product without a GTIN, and returns its link.
func (s *sources) ownLot(code string) trace.Link {
	d := s.dossiers[s.demo.Lot.Link()]
	d.Lot.GTIN, d.Lot.Code, d.Product.GTIN = farm.InternalNumber(1), code, farm.InternalNumber(1)
	d.Certificates = nil
	s.dossiers[d.Lot.Link()] = d
	return d.Lot.Link()
}

func TestShort_OpensTheLotsPage(t *testing.T) {
	s := newSources(t)
	own := s.ownLot("BD-261123")
	srv := s.pages(t)
	short, err := own.Short()
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/t/" + short, "/t/" + strings.ToLower(short[:3]+"-"+short[3:]), own.Path()} {
		res := get(t, srv, path, nil)
		if res.status != http.StatusOK || !strings.Contains(string(res.body), "BD-261123") || strings.Contains(string(res.body), "https://tx.example.vn"+own.Path()) || strings.Contains(string(res.body), "id.gs1.org") {
			t.Errorf("%s: %d; a number of the co-op's own is shown as one of GS1's: %v", path, res.status, strings.Contains(string(res.body), "id.gs1.org"))
		}
	}
	wrong := "0"
	if short[8] == '0' {
		wrong = "1"
	}
	for path, text := range map[string]string{
		"/t/" + short[:8] + wrong:          "Mã ngắn sai",
		"/t/":                              "Mã ngắn sai",
		"/t/" + farm.WithCheck("00000000"): "",
		"/t/" + short + "/":                "Mã sai dạng",
		"/00/006141411234567891":           "chữ số kiểm tra không khớp",
		"/00/006141411234567890":           "",
		"/414/9521234001034/10/A":          "không dùng được ở vị trí này",
		"/01/09521234010036/235/A":         "",
		"/8004/":                           "Mã sai dạng",
	} {
		res := get(t, srv, path, nil)
		if res.status != http.StatusNotFound || !strings.Contains(string(res.body), text) {
			t.Errorf("%s: %d, want 404 and %q in %s", path, res.status, text, res.body)
		}
	}
	s.twins = map[trace.Link]string{s.demo.Lot.Link(): short}
	res := get(t, srv, "/t/"+short, nil)
	if res.status != http.StatusMultipleChoices || !strings.Contains(string(res.body), own.Path()) || !strings.Contains(string(res.body), s.demo.Lot.Link().Path()) {
		t.Errorf("two lots of one code: %d %s", res.status, res.body)
	}
}

func TestResolver_AnswersWhatIsAskedFor(t *testing.T) {
	s := newSources(t)
	srv := s.pages(t)
	path := s.demo.Lot.Link().Path()
	for _, tc := range []struct {
		path, accept string
		status       int
		kind         string
	}{
		{path, "", 200, "text/html; charset=utf-8"},
		{path, "*/*", 200, "text/html; charset=utf-8"},
		{path, "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", 200, "text/html; charset=utf-8"},
		{path, "application/linkset+json", 200, "application/linkset+json"},
		{path, "application/linkset+json, text/html;q=0.9", 200, "application/linkset+json"},
		{path, "application/linkset+json;q=0.5, text/html", 200, "text/html; charset=utf-8"},
		{path, "application/json", 200, "application/linkset+json"},
		{path, "application/*", 200, "application/linkset+json"},
		{path, "image/png", 200, "text/html; charset=utf-8"},
		{path + "?linkType=linkset", "", 200, "application/linkset+json"},
		{path + "?linkType=all", "text/html", 200, "application/linkset+json"},
		{path + "?linkType=gs1:traceability", "", 200, "text/html; charset=utf-8"},
		{path + "?linkType=https://ref.gs1.org/voc/certificationInfo", "", 200, "text/html; charset=utf-8"},
		{path + "?linkType=https%3A%2F%2Fgs1.org%2Fvoc%2FdefaultLink", "", 200, "text/html; charset=utf-8"},
		{path + "?linkType=gs1:recipeInfo", "", 404, "text/plain; charset=utf-8"},
		{path + "?linkType=schema:offers", "", 404, "text/plain; charset=utf-8"},
		{path + "?linkType=", "", 404, "text/plain; charset=utf-8"},
		{path + "X?linkType=linkset", "", 404, "text/html; charset=utf-8"},
		{path + "/?linkType=linkset", "", 404, "text/html; charset=utf-8"},
	} {
		res := get(t, srv, tc.path, http.Header{"Accept": {tc.accept}})
		if res.status != tc.status || res.header.Get("Content-Type") != tc.kind {
			t.Errorf("%s as %q: %d %s, want %d %s", tc.path, tc.accept, res.status, res.header.Get("Content-Type"), tc.status, tc.kind)
		}
		if !slices.Contains(res.header.Values("Vary"), "Accept") || res.header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: %v", tc.path, res.header)
		}
	}
	if res := ask(t, srv, http.MethodOptions, path, nil); res.status != http.StatusNoContent || res.header.Get("Allow") != "GET, HEAD, OPTIONS" {
		t.Errorf("OPTIONS: %d %v", res.status, res.header)
	}
}

// GS1's linkset schema (gs1/linkset), said again: what each object must have and nothing else.
func TestLinkset_IsOfGS1sForm(t *testing.T) {
	s := newSources(t)
	own := s.ownLot("BD-261123")
	recalled := s.dossiers[s.demo.Lot.Link()]
	recalled.Lot.Code, recalled.Lot.State = "THU-HOI", trace.Recalled
	s.dossiers[recalled.Lot.Link()] = recalled
	held := s.dossiers[s.demo.Lot.Link()]
	held.Lot.Code, held.Lot.State = "GIU", trace.Held
	s.dossiers[held.Lot.Link()] = held
	srv := s.pages(t)
	ownShort, err := trace.ShortPath(own)
	if err != nil {
		t.Fatal(err)
	}
	kinds := linkTypes(t)
	for _, tc := range []struct {
		path, anchor string
		has, hasNot  []string
	}{
		{s.demo.Lot.Link().Path(), "https://tx.example.vn" + s.demo.Lot.Link().Path(), []string{"traceability", "certificationInfo", "defaultLink"}, []string{"recallStatus"}},
		{own.Path(), "https://tx.example.vn" + ownShort, []string{"traceability"}, []string{"certificationInfo"}},
		{ownShort, "https://tx.example.vn" + ownShort, []string{"traceability"}, nil},
		{recalled.Lot.Link().Path(), "https://tx.example.vn" + recalled.Lot.Link().Path(), []string{"recallStatus"}, nil},
		{held.Lot.Link().Path(), "https://tx.example.vn" + held.Lot.Link().Path(), []string{"traceability"}, []string{"certificationInfo", "epcis", "jws"}},
	} {
		res := get(t, srv, tc.path, http.Header{"Accept": {"application/linkset+json"}})
		if !strings.Contains(res.header.Get("Link"), `rel="http://www.w3.org/ns/json-ld#context"`) {
			t.Errorf("%s: no link to the context: %v", tc.path, res.header)
		}
		var doc struct {
			Linkset []map[string]json.RawMessage `json:"linkset"`
		}
		if err := json.Unmarshal(res.body, &doc); err != nil || len(doc.Linkset) != 1 {
			t.Fatalf("%s: %v in %s", tc.path, err, res.body)
		}
		set := doc.Linkset[0]
		var anchor, description string
		if err := json.Unmarshal(set["anchor"], &anchor); err != nil || anchor != tc.anchor {
			t.Errorf("%s: anchor %q, want %q", tc.path, anchor, tc.anchor)
		}
		if err := json.Unmarshal(set["itemDescription"], &description); err != nil || description == "" {
			t.Errorf("%s: no description", tc.path)
		}
		delete(set, "anchor")
		delete(set, "itemDescription")
		for iri, raw := range set {
			if !slices.Contains(kinds, iri) {
				t.Errorf("%s: %s is no link type of GS1's", tc.path, iri)
			}
			checkLinks(t, iri, raw)
		}
		for _, k := range tc.has {
			if set["https://ref.gs1.org/voc/"+k] == nil {
				t.Errorf("%s: no %s in %s", tc.path, k, res.body)
			}
		}
		for _, k := range tc.hasNot {
			if set["https://ref.gs1.org/voc/"+k] != nil {
				t.Errorf("%s: %s in %s", tc.path, k, res.body)
			}
		}
	}
}

func checkLinks(t *testing.T, iri string, raw json.RawMessage) {
	t.Helper()
	var links []map[string]any
	if err := json.Unmarshal(raw, &links); err != nil || len(links) == 0 {
		t.Fatalf("%s: %v", iri, err)
	}
	for _, l := range links {
		for key, v := range l {
			switch key {
			case "href", "title", "type":
				if text, ok := v.(string); !ok || text == "" || key == "href" && !strings.HasPrefix(text, "https://tx.example.vn/") {
					t.Errorf("%s: %s %v", iri, key, v)
				}
			case "hreflang":
				if list, ok := v.([]any); !ok || len(list) == 0 || !regexp.MustCompile(`^[a-z]{2}(-[A-Z]{2})?$`).MatchString(list[0].(string)) {
					t.Errorf("%s: %v", iri, v)
				}
			default:
				t.Errorf("%s: a link has a %s", iri, key)
			}
		}
		if l["href"] == nil || l["title"] == nil {
			t.Errorf("%s: %v lacks address or title", iri, l)
		}
	}
}

// linkTypes reads GS1's list.
func linkTypes(t *testing.T) (out []string) {
	t.Helper()
	raw, err := os.ReadFile("../../../shared/data/gs1/link-types.tsv")
	if err != nil {
		parttest.Missing(t, "GS1's link types", "put link-types.tsv (gs1/WebVoc) into shared/data/gs1 beside the repository")
	}
	for line := range strings.Lines(string(raw)) {
		for field := range strings.SplitSeq(strings.TrimSpace(line), "\t") {
			if _, name, ok := strings.Cut(field, "/voc/"); ok {
				out = append(out, "https://ref.gs1.org/voc/"+name)
			}
		}
	}
	return out
}

func TestResolver_DescribesItself(t *testing.T) {
	srv := newSources(t).pages(t)
	res := get(t, srv, "/.well-known/gs1resolver", nil)
	var d struct {
		Name, ResolverRoot   string
		SupportedPrimaryKeys []string
		SupportedLinkType    []struct{ Namespace, Prefix string }
		ActiveLinkTypes      []string
	}
	if err := json.Unmarshal(res.body, &d); err != nil {
		t.Fatal(err)
	}
	kinds := linkTypes(t)
	if res.header.Get("Content-Type") != "application/json" || d.ResolverRoot != "https://tx.example.vn" || d.Name == "" || !slices.Contains(d.SupportedPrimaryKeys, "01") ||
		len(d.SupportedLinkType) != 1 || d.SupportedLinkType[0].Prefix != "gs1:" || len(d.ActiveLinkTypes) == 0 {
		t.Errorf("%s %s", res.header, res.body)
	}
	for _, k := range d.ActiveLinkTypes {
		if !slices.Contains(kinds, k) {
			t.Errorf("%s is no link type of GS1's", k)
		}
	}
}

func TestResolver_ItemsBoxesAndTheCoopsOwnGLN(t *testing.T) {
	s := newSources(t)
	s.gln = "9521234000013"
	lot := s.demo.Lot.Link()
	item := trace.Item{Serial: "9SRM4C2K7P0XA", GTIN: lot.GTIN, Lot: lot.Lot, State: trace.ItemActivated}
	s.items = map[string]trace.Item{item.Serial: item}
	s.boxes = map[string]trace.Box{"095212340000000013": {SSCC: "095212340000000013"}}
	srv := s.pages(t)
	for _, tc := range []struct {
		path   string
		status int
		kind   string
		says   string
	}{
		{"/414/9521234000013/254/" + own, 200, "text/html; charset=utf-8", ""},
		{"/414/9521234000013/254/" + own + "?linkType=linkset", 200, "application/linkset+json", "locationInfo"},
		{"/414/9521234000013/254/" + own + "?linkType=gs1:locationInfo", 200, "text/html; charset=utf-8", ""},
		{"/414/9521234000013/254/000000000", 404, "text/html; charset=utf-8", ""},
		{"/414/9521234001034", 404, "text/html; charset=utf-8", ""},
		{"/417/9521234000013", 200, "text/html; charset=utf-8", "9521234000013"},
		{"/417/9521234000013?linkType=all", 200, "application/linkset+json", "masterData"},
		{"/417/9521234000013?linkType=gs1:epcis", 404, "text/plain; charset=utf-8", ""},
		{"/8004/9521234PROBE", 404, "text/html; charset=utf-8", ""},
		{item.Link().Path() + "?linkType=linkset", 200, "application/linkset+json", item.Link().Path() + "\""},
		{"/00/095212340000000013?linkType=linkset", 200, "application/linkset+json", "logisticsInfo"},
		{"/00/095212340000000020?linkType=linkset", 404, "text/html; charset=utf-8", ""},
		{lot.Path() + "/21/0000000000000?linkType=linkset", 404, "text/html; charset=utf-8", ""},
	} {
		res := get(t, srv, tc.path, nil)
		if res.status != tc.status || res.header.Get("Content-Type") != tc.kind || !strings.Contains(string(res.body), tc.says) {
			t.Errorf("%s: %d %s, want %d %s and %s", tc.path, res.status, res.header.Get("Content-Type"), tc.status, tc.kind, tc.says)
		}
	}
	if res := get(t, srv, "/.well-known/gs1resolver", nil); !strings.Contains(string(res.body), `"417"`) {
		t.Errorf("%s", res.body)
	}
	s.gln = ""
	if res := get(t, s.pages(t), "/417/9521234000013", nil); res.status != http.StatusNotFound {
		t.Errorf("without a GLN: %d", res.status)
	}
}
