package web_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"aovuon/server/account"
	"aovuon/server/trace"
	"aovuon/server/trace/epcis"
	"aovuon/server/trace/statement"
)

func TestEPCIS_StrangersAreToldOfReleasedLotsAlone(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	link := w.demo.Lot.Link()
	path := "/epcis/lot" + link.Path() + ".jsonld"
	for state, public := range map[trace.State]bool{
		trace.Harvested: false, trace.Held: false, trace.Void: false, trace.Growing: false, trace.Released: true, trace.Shipped: true, trace.Recalled: true, trace.Closed: true,
	} {
		d := w.dossiers[link]
		d.Lot.State = state
		w.dossiers[link] = d
		want := http.StatusNotFound
		if public {
			want = http.StatusOK
		}
		for _, p := range []string{path, link.Path() + "?linkType=gs1:epcis"} {
			res := w.as(account.Public, http.MethodGet, p, nil, nil)
			if strings.Contains(p, "linkType") && public {
				if res.status != http.StatusTemporaryRedirect || res.header.Get("Location") != "https://tx.example.vn"+path {
					t.Errorf("%s %s: %d %s", state, p, res.status, res.header.Get("Location"))
				}
			} else if res.status != want {
				t.Errorf("%s %s: %d, want %d", state, p, res.status, want)
			}
		}
		if res := w.as(account.Public, http.MethodGet, link.Path(), nil, http.Header{"Accept": {"application/ld+json"}}); res.status != want {
			t.Errorf("%s by Accept: %d, want %d", state, res.status, want)
		}
		res := w.as(account.Technician, http.MethodGet, path, nil, nil)
		if res.status != http.StatusOK || !strings.HasPrefix(res.header.Get("Cache-Control"), "no-store") {
			t.Errorf("%s to staff: %d %v", state, res.status, res.header)
		}
	}
	d := w.dossiers[link]
	d.Lot.State = trace.Released
	w.dossiers[link] = d
	res := w.as(account.Public, http.MethodGet, path, nil, nil)
	doc, problems := epcis.Decode(res.body)
	if len(problems) > 0 || len(doc.Body.Events) == 0 || res.header.Get("Content-Type") != "application/ld+json" {
		t.Errorf("%s: %v in %s", res.header, problems, res.body)
	}
	for _, p := range []string{"/epcis/lot/x", "/epcis/lot" + link.Path(), "/epcis/lot/01/09521234010036/10/NO.jsonld"} {
		if res := w.as(account.Technician, http.MethodGet, p, nil, nil); res.status != http.StatusNotFound {
			t.Errorf("%s: %d", p, res.status)
		}
	}
}

func TestEPCIS_QueryAnswersAndSaysWhatItCannotTake(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	for i := range w.farm.Mounts {
		w.farm.Mounts[i].From = w.demo.Lot.Stocked
	}
	res := w.as(account.Inspector, http.MethodGet, "/epcis/events?perPage=1", nil, nil)
	var doc struct {
		Type string `json:"type"`
		Body struct {
			Results struct {
				Body struct {
					Events []epcis.Event `json:"eventList"`
				} `json:"resultsBody"`
			} `json:"queryResults"`
		} `json:"epcisBody"`
	}
	if err := json.Unmarshal(res.body, &doc); err != nil {
		t.Fatalf("%v in %s", err, res.body)
	}
	if res.status != http.StatusOK || doc.Type != "EPCISQueryDocument" || len(doc.Body.Results.Body.Events) != 1 || res.header.Get("GS1-EPCIS-Version") == "" {
		t.Errorf("%d %s", res.status, res.body)
	}
	next := res.header.Get("Link")
	if !strings.HasPrefix(next, "</epcis/events?nextPageToken=") || !strings.HasSuffix(next, `>; rel="next"`) {
		t.Errorf("next page: %s", next)
	}
	res = w.as(account.Inspector, http.MethodGet, "/epcis/events?EQ_colour=red", nil, nil)
	if res.status != http.StatusBadRequest || res.header.Get("Content-Type") != "application/problem+json" || !strings.Contains(string(res.body), "EQ_colour") {
		t.Errorf("%d %s", res.status, res.body)
	}
	for path, want := range map[string]int{"/epcis/export.jsonld": 400, "/epcis/export.jsonld?from=2026-12-01&to=2026-01-01": 400, "/epcis/export.jsonld?from=2026-01-01&to=2026-12-31": 200} {
		if res := w.as(account.Technician, http.MethodGet, path, nil, nil); res.status != want {
			t.Errorf("%s: %d, want %d: %s", path, res.status, want, res.body)
		}
	}
}

func TestStatement_IsSignedOfReleasedLotsAlone(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	link := w.demo.Lot.Link()
	path := "/jws" + link.Path() + ".jws"
	if res := w.as(account.Public, http.MethodGet, path, nil, nil); res.status != http.StatusNotFound {
		t.Errorf("of a lot that was not released: %d", res.status)
	}
	d := w.dossiers[link]
	d.Lot.State = trace.Released
	w.dossiers[link] = d
	res := w.as(account.Public, http.MethodGet, path, nil, nil)
	said, err := statement.Open(res.body, func(string) bool { return true })
	if err != nil || said.Lot.Code != link.Lot || res.header.Get("Content-Type") != "application/jose" {
		t.Errorf("%v %+v %v", err, said, res.header)
	}
	if res := w.as(account.Public, http.MethodGet, link.Path()+"?linkType=gs1:jws", nil, nil); res.status != http.StatusTemporaryRedirect || res.header.Get("Location") != "https://tx.example.vn"+path {
		t.Errorf("%d %s", res.status, res.header.Get("Location"))
	}
}
