package web_test

import (
	"html"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"

	"aovuon/server/account"
	"aovuon/server/farm"
	"aovuon/server/ledger"
	"aovuon/server/parttest"
)

func TestLimits_AreChangedOnAPhone(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	w.says(account.Inspector, "/limits", []string{"Cá nước ngọt", "Ao 1", "cảnh báo khi dưới 4\u00a0mg/L", "TCVN 13952:2024"}, []string{`href="/limits/0"`})
	before := len(w.farmOnRecord().Limits)
	form := w.values("/limits/0")
	if res := w.as(account.Technician, http.MethodPost, "/limits/0", form, nil); res.status != http.StatusSeeOther {
		t.Fatalf("a form sent as it was drawn: %d: %s", res.status, wrongs(res.body))
	}
	form = w.values("/limits/0")
	form.Set("limit_value", "4,25")
	if res := w.as(account.Technician, http.MethodPost, "/limits/0", form, nil); res.status != http.StatusSeeOther {
		t.Fatalf("%d: %s", res.status, wrongs(res.body))
	}
	if l := w.farmOnRecord().Limits[0]; l.Value != 4.25 || l.Source.VI == "" {
		t.Errorf("kept %+v", l)
	}
	form = w.values("/limits/0")
	form.Set("limit_value", "4.000")
	res := w.as(account.Technician, http.MethodPost, "/limits/0", form, nil)
	if res.status != http.StatusUnprocessableEntity || !strings.Contains(string(res.body), `value="4.000"`) {
		t.Errorf("what could be four or four thousand: %d", res.status)
	}
	form.Set("limit_value", "9000")
	if res := w.as(account.Technician, http.MethodPost, "/limits/0", form, nil); res.status != http.StatusUnprocessableEntity || !strings.Contains(html.UnescapeString(string(res.body)), `href="#at-limit_value"`) {
		t.Errorf("more oxygen than water holds: %d: %s", res.status, wrongs(res.body))
	}
	added := w.values("/limits/0")
	added.Set("limit_profile", "ao-ươm")
	if res := w.as(account.Admin, http.MethodPost, "/limits/new", added, nil); res.status != http.StatusUnprocessableEntity || !strings.Contains(string(res.body), `href="#at-limit_profile"`) {
		t.Errorf("a name with marks: %d", res.status)
	}
	added.Set("limit_profile", "ao-uom")
	if res := w.as(account.Admin, http.MethodPost, "/limits/new", added, nil); res.status != http.StatusSeeOther || len(w.farmOnRecord().Limits) != before+1 {
		t.Fatalf("not added: %d: %s", res.status, wrongs(res.body))
	}
	last := w.farmOnRecord().Limits[before]
	if last.Profile != "ao-uom" {
		t.Fatalf("added %+v", last)
	}
	stale := w.values("/limits/0")
	stale.Set("remove", "yes")
	for len(w.farmOnRecord().Limits) > 1 {
		form := w.values("/limits/0")
		form.Set("remove", "yes")
		res := w.as(account.Technician, http.MethodPost, "/limits/0", form, nil)
		if res.status == http.StatusUnprocessableEntity && strings.Contains(html.UnescapeString(string(res.body)), "Còn nơi đang dùng bộ ngưỡng này") {
			break
		}
		if res.status != http.StatusSeeOther {
			t.Fatalf("not taken out: %d: %s", res.status, wrongs(res.body))
		}
	}
	if n := len(w.farmOnRecord().Limits); n < 2 {
		t.Errorf("places were left without their limits: %d", n)
	}
	if res := w.as(account.Technician, http.MethodPost, "/limits/0", stale, nil); res.status != http.StatusUnprocessableEntity {
		t.Errorf("from a stale page: %d", res.status)
	}
	if res := w.as(account.Technician, http.MethodGet, "/limits/900", nil, nil); res.status != http.StatusNotFound {
		t.Errorf("no such limit: %d", res.status)
	}
}

// Profiles are written for machines: what is read are words, and the profile only where there are none.
func TestLimits_AreNamedInWords(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	w.says(account.Inspector, "/limits", []string{"<h2>Cá nước ngọt</h2>", "<h2>Cá tra</h2>"}, []string{"freshwater", "catra", "/limits/new"})
	w.says(account.Inspector, "/limits?lang=en", []string{"<h2>Freshwater fish</h2>", "<h2>Striped catfish</h2>"}, []string{"catra"})
	for _, known := range w.farm.Limits {
		if body := w.text(account.Inspector, "/limits"); strings.Contains(body, ">"+known.Profile+"<") {
			t.Errorf("the example's %s has no words", known.Profile)
		}
	}
}

// A co-op's own sets are called by what lives where they hold.
func TestLimits_OfTheCoopAreNamedByWhatLivesThere(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	f := w.farmOnRecord()
	for _, set := range []string{"ao-uom", "ruong-1", "ruong-2", "vuon"} {
		l := f.Limits[0]
		l.Profile = set
		f.Limits = append(f.Limits, l)
	}
	for i, p := range f.Places {
		f.Places[i].Profile = map[string]string{"khoai1": "ruong-1", "khoai2": "ruong-2", "thuoc1": "vuon"}[p.Name]
	}
	if err := w.book.SaveFarm(t.Context(), f, ledger.By{Actor: ledger.Operator, At: now()}); err != nil {
		t.Fatal(err)
	}
	w.farm = f
	w.says(account.Technician, "/limits", []string{
		"<h2>Bộ ngưỡng <small><code>ao-uom</code></small></h2>", "<h2>Ngưỡng cho đinh lăng</h2>", "<h2>Ngưỡng cho khoai tây vụ đông <small><code>ruong-1</code></small></h2>", `href="/limits/new?set=vuon"`,
	}, nil)
	w.says(account.Inspector, "/limits?lang=en", []string{"<h2>Limits for ming aralia</h2>", "<h2>Limits for winter potato <small><code>ruong-2</code></small></h2>"}, []string{"<code>vuon</code>"})
	w.says(account.Technician, "/land/"+own, []string{`>Cá nước ngọt</option>`, `>Ngưỡng cho đinh lăng</option>`, `>Bộ ngưỡng (ao-uom)</option>`}, nil)
	for set, want := range map[string]string{"vuon": "vuon", "none-of-ours": ""} {
		if got := w.values("/limits/new?set=" + set).Get("limit_profile"); got != want {
			t.Errorf("a limit is added to the set %q", got)
		}
	}
}

// The number of a limit is another's once one before it is taken out: a form that is sent again must not change that one.
func TestLimits_AStaleFormChangesItsOwnLimitAlone(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	was := w.farmOnRecord().Limits
	mine := w.values("/limits/1")
	mine.Set("limit_value", "wrong")
	again := func(when string, status int) {
		t.Helper()
		res := w.as(account.Technician, http.MethodPost, "/limits/1", mine, nil)
		if res.status != status {
			t.Fatalf("%s: %d: %s", when, res.status, wrongs(res.body))
		}
		if status == http.StatusUnprocessableEntity {
			mine.Set("revision", valueOf(t, string(res.body), "revision"))
			mine.Set("of", valueOf(t, string(res.body), "of"))
		}
	}
	other := w.values("/limits/0")
	other.Set("remove", "yes")
	if res := w.as(account.Admin, http.MethodPost, "/limits/0", other, nil); res.status != http.StatusSeeOther {
		t.Fatalf("not taken out: %d: %s", res.status, wrongs(res.body))
	}
	again("no number, and stale", http.StatusUnprocessableEntity)
	mine.Set("limit_value", "3,25")
	again("nobody told of the other's change yet", http.StatusUnprocessableEntity)
	again("told", http.StatusSeeOther)
	want := slices.Clone(was[1:])
	want[0].Value = 3.25
	if diff := cmp.Diff(want, w.farmOnRecord().Limits); diff != "" {
		t.Error(diff)
	}
	gone := w.values("/limits/0")
	gone.Set("remove", "yes")
	if res := w.as(account.Admin, http.MethodPost, "/limits/0", gone, nil); res.status != http.StatusSeeOther {
		t.Fatalf("not taken out: %d: %s", res.status, wrongs(res.body))
	}
	again("opened before it was taken out, as it is no more", http.StatusUnprocessableEntity)
	again("taken out", http.StatusUnprocessableEntity)
	if diff := cmp.Diff(want[1:], w.farmOnRecord().Limits); diff != "" {
		t.Error(diff)
	}
}

// valueOf is what a hidden field of a page holds.
func valueOf(t *testing.T, page, name string) string {
	t.Helper()
	_, rest, ok := strings.Cut(page, `name="`+name+`" value="`)
	if !ok {
		t.Fatalf("no field %s", name)
	}
	value, _, _ := strings.Cut(rest, `"`)
	return html.UnescapeString(value)
}

func TestZones_AreAddedAndTheCoopHasAnAddress(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	for range 2 {
		form := w.values("/zones/new")
		form.Set("name", "Đồng Khoai mới")
		form["vi"][0] = "thôn Phú Khê"
		if res := w.as(account.Technician, http.MethodPost, "/zones/new", form, nil); res.status != http.StatusSeeOther {
			t.Fatalf("%d: %s", res.status, wrongs(res.body))
		}
	}
	f := w.farmOnRecord()
	for _, id := range []string{"dong-khoai-moi", "dong-khoai-moi-2"} {
		if z, ok := f.Zone(id); !ok || z.Name != (farm.Text{VI: "Đồng Khoai mới", EN: "Đồng Khoai mới"}) || len(z.Addresses) != 1 {
			t.Errorf("%s: %+v", id, z)
		}
	}
	form := w.values("/coop")
	n := len(form["vi"])
	form.Set("name", "HTX Phú Khê")
	form["vi"][n-1], form["from"][n-1] = "phường mới", "2027-01-01"
	form["to"][n-2] = "2027-01-01"
	if res := w.as(account.Admin, http.MethodPost, "/coop", form, nil); res.status != http.StatusSeeOther {
		t.Fatalf("%d: %s", res.status, wrongs(res.body))
	}
	c := w.farmOnRecord().Coop
	if c.Name.VI != "HTX Phú Khê" || len(c.Addresses) != n || c.Addresses[n-1].Text.VI != "phường mới" || !c.Demo {
		t.Errorf("kept %+v", c)
	}
}

// What is wrong with a zone or the co-op is said at its field, each mistake in its own words.
func TestZones_SayWhatIsWrongAtItsField(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	long := strings.Repeat("thôn Phú Khê, ", 40)
	for name, c := range map[string]struct {
		change func(form url.Values)
		want   map[string]string // by field
	}{
		"no name":                     {func(f url.Values) { f.Set("name", " ") }, map[string]string{"name": "Chưa điền bằng tiếng Việt"}},
		"a long name":                 {func(f url.Values) { f.Set("name", long) }, map[string]string{"name": "Dài quá"}},
		"a long name in English":      {func(f url.Values) { f.Set("name_en", long) }, map[string]string{"name_en": "Dài quá"}},
		"an address in English alone": {func(f url.Values) { f["vi"][0], f["en"][0] = "", "Phu Khe" }, map[string]string{"vi0": "Chưa điền bằng tiếng Việt"}},
		"a long address":              {func(f url.Values) { f["vi"][0] = long }, map[string]string{"vi0": "Dài quá"}},
		"a day that there is not":     {func(f url.Values) { f["from"][0] = "2027-02-30" }, map[string]string{"from0": "Không có ngày này"}},
		"it ends before it begins":    {func(f url.Values) { f["from"][0], f["to"][0] = "2027-02-01", "2027-01-01" }, map[string]string{"to0": "Ngày thôi dùng phải sau"}},
		"two addresses at once": {func(f url.Values) {
			for _, k := range []string{"vi", "en", "from", "to"} {
				f[k] = append(f[k], "")
			}
			f["vi"][1], f["from"][1] = "thôn Phú Khê, phường mới", "2027-01-01"
		}, map[string]string{"from1": "một địa chỉ ở trên vẫn còn dùng"}},
		"two things": {func(f url.Values) { f.Set("name", ""); f["to"][0] = "2020-01-01"; f["from"][0] = "2021-01-01" }, map[string]string{"name": "Chưa điền", "to0": "phải sau"}},
	} {
		for _, path := range []string{"/zones/new", "/coop"} {
			form := url.Values{"revision": w.values(path)["revision"], "name": {"Khu mới"}, "name_en": {""}, "vi": {"thôn Phú Khê"}, "en": {""}, "from": {""}, "to": {""}}
			c.change(form)
			res := w.as(account.Technician, http.MethodPost, path, form, nil)
			page := html.UnescapeString(string(res.body))
			if res.status != http.StatusUnprocessableEntity || !strings.Contains(page, "Sửa những chỗ đánh dấu") || strings.Count(page, `aria-invalid="true"`) != len(c.want) {
				t.Errorf("%s, %s: %d: %s", path, name, res.status, wrongs(res.body))
			}
			for field, want := range c.want {
				_, said, _ := strings.Cut(page, `aria-describedby="e-`+field+`"><p class="wrong small" id="e-`+field+`" role="alert">`)
				if said, _, _ = strings.Cut(said, "</p>"); !strings.Contains(said, want) {
					t.Errorf("%s, %s: %s says %q: %s", path, name, field, said, wrongs(res.body))
				}
			}
		}
	}
}

// What is wrong with the farm elsewhere is not laid at a zone's door.
func TestZones_SayThatAMistakeIsElsewhere(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	f := w.farmOnRecord()
	f.Places[0].AreaM2 = -5
	if err := w.book.SaveFarm(t.Context(), f, ledger.By{Actor: ledger.Operator, At: now()}); err != nil {
		t.Fatal(err)
	}
	form := w.values("/zones/new")
	form.Set("name", "Khu mới")
	res := w.as(account.Technician, http.MethodPost, "/zones/new", form, nil)
	if res.status != http.StatusUnprocessableEntity || !strings.Contains(wrongs(res.body), "ở nơi khác của trang trại: farm:") || !strings.Contains(wrongs(res.body), "places[0].area_m2") {
		t.Errorf("%d: %s", res.status, wrongs(res.body))
	}
}

// TestBrowser_ACornerIsWhereThePhoneStands also holds that the page's own rules let the script do it.
func TestBrowser_ACornerIsWhereThePhoneStands(t *testing.T) {
	axe := parttest.Axe(t)
	w := newTown(t, "http://127.0.0.1", false)
	b := w.signedIn(browser(t), account.Technician)
	b.do("position", command("Browser.grantPermissions", map[string]any{"permissions": []string{"geolocation"}, "origin": w.srv.URL}),
		command("Emulation.setGeolocationOverride", map[string]any{"latitude": 20.7691234, "longitude": 106.2381, "accuracy": 7.2}))
	visit(b, phone(), w.srv.URL+"/land/new")
	corners := func() string {
		return ask1(b, "corners", evaluate[string](`document.getElementById("f-outline").value`))
	}
	b.do("more", parttest.Click(chromedp.CSS("main summary")))
	b.do("press", parttest.Click(chromedp.ID("here")))
	b.until("a corner", `document.getElementById("f-outline").value !== ""`)
	if got := corners(); got != "20.769123, 106.238100" {
		t.Errorf("the first corner: %q", got)
	}
	b.do("walk", command("Emulation.setGeolocationOverride", map[string]any{"latitude": 20.77, "longitude": 106.2381, "accuracy": 7.2}), parttest.Click(chromedp.ID("here")))
	b.until("two corners", `document.getElementById("f-outline").value.includes("\n")`)
	if got := corners(); got != "20.769123, 106.238100\n20.770000, 106.238100" {
		t.Errorf("two corners: %q", got)
	}
	if said := b.text("#here-said"); !strings.Contains(said, "khoảng 8 m") {
		t.Errorf("how exact it is: %q", said)
	}
	if complaints := axe(b.ctx); complaints != "" {
		t.Error(complaints)
	}
	shoot(b, "here")
	b.do("silence", command("Emulation.setGeolocationOverride", nil), command("Browser.setPermission", map[string]any{"permission": map[string]any{"name": "geolocation"}, "setting": "denied", "origin": w.srv.URL}),
		parttest.Click(chromedp.ID("here")))
	b.until("said", `document.getElementById("here-said").textContent.includes("không cho biết")`)
}

// When an alarm begins and ends is said and asked with the limit; so are swings, rates and what kits measure.
func TestLimits_SayWhenAnAlarmBeginsAndEnds(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	w.says(account.Inspector, "/limits", []string{
		"Báo khi kéo dài 10 phút; hết báo sau 15 phút trở lại mức 4,5\u00a0mg/L.", "Dao động 24 giờ của pH", "Nitrit (NO₂) đo bằng bộ thử", "Xét mỗi lần ghi số đo bằng bộ thử",
	}, nil)
	form := w.values("/limits/0")
	form.Set("limit_for", "5")
	form.Set("limit_keep", "20")
	form.Set("limit_clear", "4,75")
	if res := w.as(account.Technician, http.MethodPost, "/limits/0", form, nil); res.status != http.StatusSeeOther {
		t.Fatalf("%d: %s", res.status, wrongs(res.body))
	}
	if l := w.farmOnRecord().Limits[0]; l.For != 5*time.Minute || l.Keep != 20*time.Minute || l.Clear != 4.75 || !l.HasClear {
		t.Errorf("kept %+v", l)
	}
	for field, wrong := range map[string]string{"limit_clear": "3", "limit_for": "2000", "limit_of": "5"} {
		form := w.values("/limits/0")
		form.Set(field, wrong)
		res := w.as(account.Technician, http.MethodPost, "/limits/0", form, nil)
		if res.status != http.StatusUnprocessableEntity || !strings.Contains(html.UnescapeString(string(res.body)), `href="#at-`+field+`"`) {
			t.Errorf("%s %s: %d: %s", field, wrong, res.status, wrongs(res.body))
		}
	}
	added := w.values("/limits/0")
	added.Del("limit_clear")
	added.Set("limit_quantity", "no2")
	added.Set("limit_side", "above")
	added.Set("limit_level", "warn")
	added.Set("limit_profile", "ao-uom")
	added.Set("limit_value", "0,4")
	if res := w.as(account.Technician, http.MethodPost, "/limits/new", added, nil); res.status != http.StatusSeeOther {
		t.Fatalf("of a kit: %d: %s", res.status, wrongs(res.body))
	}
	limits := w.farmOnRecord().Limits
	if l := limits[len(limits)-1]; l.What != farm.OfKit || l.Quantity != "no2" || l.Value != 0.4 {
		t.Errorf("kept %+v", l)
	}
}
