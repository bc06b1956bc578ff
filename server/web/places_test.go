package web_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/account"
	"aovuon/server/farm"
	"aovuon/server/history"
	"aovuon/server/ledger"
	"aovuon/server/watch"
)

// values are the answers that a form of a page shows, to send it again.
func (w *town) values(path string) url.Values {
	w.t.Helper()
	page := string(w.as(account.Technician, http.MethodGet, path, nil, nil).body)
	page, _, _ = strings.Cut(page, "</form>")
	out := url.Values{}
	for _, m := range regexp.MustCompile(`<input type="(?:text|hidden|date)"[^>]* name="([a-z0-9_]+)" value="([^"]*)"|<input class="num"[^>]* name="([a-z0-9_]+)" value="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		out.Add(m[1]+m[3], html.UnescapeString(m[2]+m[4]))
	}
	for _, m := range regexp.MustCompile(`(?s)<textarea[^>]* name="([a-z_]+)"[^>]*>(.*?)</textarea>`).FindAllStringSubmatch(page, -1) {
		out.Add(m[1], html.UnescapeString(m[2]))
	}
	for _, m := range regexp.MustCompile(`(?s)<select[^>]* name="([a-z0-9_]+)".*?</select>`).FindAllStringSubmatch(page, -1) {
		if chosen := regexp.MustCompile(`value="([^"]*)" selected`).FindStringSubmatch(m[0]); chosen != nil {
			out.Add(m[1], chosen[1])
		}
	}
	for _, m := range regexp.MustCompile(`<input type="radio" name="([a-z_]+)" value="([^"]*)" checked`).FindAllStringSubmatch(page, -1) {
		out.Add(m[1], m[2])
	}
	return out
}

// wrongs are the complaints of a page.
func wrongs(page []byte) string {
	var out []string
	for _, m := range regexp.MustCompile(`<p class="wrong[^>]*>([^<]+)</p>`).FindAllSubmatch(page, -1) {
		out = append(out, html.UnescapeString(string(m[1])))
	}
	return strings.Join(out, " | ")
}

func (w *town) farmOnRecord() *farm.Farm {
	w.t.Helper()
	f, err := w.book.Farm(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return f
}

func TestPlaces_AreChangedOnAPhone(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	path := "/land/" + own
	before, _ := w.farmOnRecord().Place(own)
	form := w.values(path)
	if res := w.as(account.Technician, http.MethodPost, path, form, nil); res.status != http.StatusSeeOther {
		t.Fatalf("a form sent as it was drawn: %d: %s", res.status, wrongs(res.body))
	}
	if after, _ := w.farmOnRecord().Place(own); after.AreaM2 != before.AreaM2 || after.Title != before.Title || len(after.Outline) != len(before.Outline) || after.Name != before.Name || after.Profile != before.Profile {
		t.Fatalf("a form sent as it was drawn changed %+v to %+v", before, after)
	}
	stale := form
	form = w.values(path)
	form.Set("area_m2", "4.300,5")
	form.Set("soil", "bùn pha cát")
	form.Set("soil_texture", "silt_loam")
	form.Set("field_capacity", "31,5")
	form.Set("capacity_on", "2026-11-20")
	if res := w.as(account.Technician, http.MethodPost, path, form, nil); res.status != http.StatusSeeOther {
		t.Fatalf("changed: %d: %.1500s", res.status, res.body)
	}
	if p, _ := w.farmOnRecord().Place(own); p.AreaM2 != 4300.5 || p.Soil.VI != "bùn pha cát" || p.Ground.Texture != "silt_loam" || p.Ground.FieldCapacity != 31.5 || p.Ground.On.In(farm.Time()).Format(time.DateOnly) != "2026-11-20" {
		t.Errorf("kept %+v", p)
	}
	stale.Set("title", "Ao của người chậm")
	res := w.as(account.Technician, http.MethodPost, path, stale, nil)
	if res.status != http.StatusUnprocessableEntity || !strings.Contains(string(res.body), "Có người vừa sửa") || !strings.Contains(string(res.body), "Ao của người chậm") {
		t.Errorf("from a stale page: %d", res.status)
	}
	form = w.values(path)
	form.Set("wilting_point", "30,5")
	if res := w.as(account.Technician, http.MethodPost, path, form, nil); res.status != http.StatusUnprocessableEntity || !strings.Contains(string(res.body), "Không khớp") {
		t.Errorf("a soil that holds nothing: %d", res.status)
	}
	form = w.values(path)
	form.Set("outline", "20.769 106.238\nở góc cây đa")
	if body := string(w.as(account.Technician, http.MethodPost, path, form, nil).body); !strings.Contains(body, "Không phải tọa độ") || !strings.Contains(body, "ở góc cây đa") {
		t.Errorf("a corner that is none: %.600s", body)
	}
	form.Set("outline", "20.769, 106.238\n20.770, 106.238\n20.770, 107.3")
	if res := w.as(account.Technician, http.MethodPost, path, form, nil); res.status != http.StatusUnprocessableEntity || !strings.Contains(string(res.body), "Không khớp") {
		t.Errorf("a pond of 100 km: %d", res.status)
	}
	if p, _ := w.farmOnRecord().Place(own); len(p.Outline) != len(before.Outline) {
		t.Error("a refused outline was kept")
	}
}

// A server that the setup page made knows the co-op's name, and no more.
func TestPlaces_OfANewServerBeginWithAZone(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	text := farm.Text{VI: "HTX mới", EN: "HTX mới"}
	begun := &farm.Farm{Coop: farm.Coop{Name: text, Addresses: []farm.Address{{Text: text}}}}
	if err := w.book.SaveFarm(t.Context(), begun, ledger.By{Actor: ledger.Operator, At: now()}); err != nil {
		t.Fatal(err)
	}
	if body := w.text(account.Admin, "/land/new"); !strings.Contains(body, "Chưa có khu nào") {
		t.Error("the form of a place does not say that a zone comes first")
	}
	form := w.values("/zones/new")
	form.Set("name", "Khu ao")
	if res := w.as(account.Admin, http.MethodPost, "/zones/new", form, nil); res.status != http.StatusSeeOther {
		t.Fatalf("%d: %.1500s", res.status, res.body)
	}
	if body := w.text(account.Admin, "/land/new"); strings.Contains(body, "Chưa có khu nào") || !strings.Contains(body, ">Khu ao</option>") {
		t.Error("the zone cannot be chosen")
	}
}

func TestPlaces_GetABoardAndProbes(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	form := w.values("/land/new")
	form.Set("title", "Ao 9")
	form.Set("holds", "cá chép")
	form.Set("zone", "phu-khe")
	if res := w.as(account.Admin, http.MethodPost, "/land/new", form, nil); res.status != http.StatusSeeOther {
		t.Fatalf("%d: %.1500s", res.status, res.body)
	}
	f := w.farmOnRecord()
	p := f.Places[len(f.Places)-1]
	if p.Title.VI != "Ao 9" || p.Title.EN != "Ao 9" || p.Kind != farm.Pond {
		t.Fatalf("added %+v", p)
	}
	path := "/land/" + p.Code
	mount := url.Values{"revision": w.values(path)["revision"], "gateway": {"gw-ao-phukhe"}, "sensor": {"ao1-temp"}, "measures": {"water_temperature"}}
	if res := w.as(account.Technician, http.MethodPost, path+"/mounts", mount, nil); res.status != http.StatusUnprocessableEntity || !strings.Contains(string(res.body), "đang lắp ở nơi khác") {
		t.Errorf("a probe that hangs elsewhere: %d", res.status)
	}
	w.live.Update([]watch.Value{{Series: history.Series{Place: "unplaced", Gateway: "gw-moi", Sensor: "ao9-do", Quantity: measure.DissolvedOxygen}, Time: now().UTC(), Value: 5}})
	if page := w.text(account.Technician, path); !strings.Contains(page, "gw-moi / ao9-do") {
		t.Error("the form does not name the probe that is heard and placed nowhere: a name that is typed wrongly has no values")
	}
	mount.Set("sensor", "ao9-temp")
	if res := w.as(account.Technician, http.MethodPost, path+"/mounts", mount, nil); res.status != http.StatusSeeOther {
		t.Fatalf("not mounted: %d %s", res.status, wrongs(res.body))
	}
	last := func() farm.Mount { f := w.farmOnRecord(); return f.Mounts[len(f.Mounts)-1] }
	if m := last(); m.Place != p.Code || m.Sensor != "ao9-temp" || m.From.IsZero() || !m.To.IsZero() {
		t.Fatalf("mounted %+v", m)
	}
	hung := slices.IndexFunc(f.Mounts, func(m farm.Mount) bool { return m.Place == own && m.To.IsZero() })
	off := f.Mounts[hung]
	page := string(w.as(account.Technician, http.MethodGet, "/land/"+own, nil, nil).body)
	from := regexp.MustCompile(`name="sensor" value="` + off.Sensor + `"><input type="hidden" name="from" value="(\d+)"`).FindStringSubmatch(page)
	if from == nil {
		t.Fatalf("no way to take %s off", off.Sensor)
	}
	mount = url.Values{"revision": w.values("/land/" + own)["revision"], "gateway": {off.Gateway}, "sensor": {off.Sensor}, "from": {from[1]}}
	if res := w.as(account.Technician, http.MethodPost, "/land/"+own+"/mounts/end", mount, nil); res.status != http.StatusSeeOther {
		t.Fatalf("not taken off: %d %s", res.status, wrongs(res.body))
	}
	if m := w.farmOnRecord().Mounts[hung]; m.Sensor != off.Sensor || m.To.IsZero() {
		t.Errorf("said to be taken off, and it is not: %+v", m)
	}
}

func TestZones_HaveAddressesOverTime(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	form := w.values("/zones/phu-khe")
	if len(form["vi"]) != 3 { // two, and an empty one
		t.Fatalf("addresses %v", form["vi"])
	}
	form["vi"][2], form["from"][2] = "thôn Phú Khê, phường mới", "2027-01-01"
	if res := w.as(account.Technician, http.MethodPost, "/zones/phu-khe", form, nil); res.status != http.StatusUnprocessableEntity || !strings.Contains(string(res.body), "phường mới") {
		t.Errorf("two addresses at once: %d", res.status)
	}
	form["to"][1] = "2027-01-01"
	if res := w.as(account.Technician, http.MethodPost, "/zones/phu-khe", form, nil); res.status != http.StatusSeeOther {
		t.Fatalf("%d: %.1200s", res.status, res.body)
	}
	z, _ := w.farmOnRecord().Zone("phu-khe")
	if len(z.Addresses) != 3 || z.Addresses[2].Text.EN != "thôn Phú Khê, phường mới" || z.Addresses[1].ValidTo.IsZero() {
		t.Errorf("kept %+v", z.Addresses)
	}
}
