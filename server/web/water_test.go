package web_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"aovuon/server/account"
	"aovuon/server/diary"
	"aovuon/server/farm"
	"aovuon/server/form"
	"aovuon/server/watch/soil"
)

// The plots of the demo farm.
const (
	potatoes = "WW08G83KH"
	resting  = "77S9RTVPH"
)

// plotBook is a farm whose first potato plot stands in its second month, and whose second one was harvested.
type plotBook struct{ *sources }

func (b plotBook) Records(_ context.Context, kind farm.RecordKind) ([]farm.Record, error) {
	day := func(n int) string { return now().AddDate(0, 0, n).Format(time.DateOnly) }
	all := map[farm.RecordKind][]farm.Record{
		farm.Cycle: {
			{Kind: farm.Cycle, ID: "khoai-1", Values: form.Values{"name": "Khoai 1", "place": potatoes, "branch": "crop", "species": "khoai tây", "begin": day(-50), "end": day(50)}},
			{Kind: farm.Cycle, ID: "khoai-2", Values: form.Values{"name": "Khoai 2", "place": resting, "branch": "crop", "species": "khoai tây", "begin": day(-150), "end": day(-50)}},
		},
	}
	return all[kind], b.fail()
}

func (b plotBook) Events(context.Context, diary.Query) ([]diary.Event, error) {
	at := now().AddDate(0, 0, -3)
	return []diary.Event{{ID: "1", Kind: "irrigation", Place: potatoes, Occurred: at, Recorded: at, Synced: at, Values: form.Values{"mm": 17.0}}}, b.fail()
}

// looked is the soil of a made-up farm, looked at now.
func (s *sources) looked(t testing.TB) *soil.Service {
	t.Helper()
	out := soil.New(plotBook{s}, s)
	if _, err := out.Decide(t.Context(), now()); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestWater_TheBoardSaysWhatToDoAndWhy(t *testing.T) {
	s := newSources(t)
	srv := s.pages(t)
	body := string(get(t, srv, "/water", nil).body)
	for _, want := range []string{
		"Ruộng khoai 1", "Khoai tây", "mức cần tưới", "Cây dùng khoảng", "Tính lúc 07:40", "Penman–Monteith", "Loại đất: Đất thịt pha phù sa; mức giữ nước là ước lượng", "đất đang nghỉ", "Chưa ghi vụ nào", `class="moist"`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the board does not say %q", want)
		}
	}
	if strings.Contains(body, "why.") || strings.Contains(body, "do.soil") || strings.Contains(body, "water.say") || strings.Contains(body, "%!") {
		t.Error("a text is missing")
	}
	if place := string(get(t, srv, "/places/"+potatoes, nil).body); !strings.Contains(place, "Nước trong đất") || !strings.Contains(place, "mức cần tưới") {
		t.Error("the plot's own page does not say so")
	}
	if pond := string(get(t, srv, "/places/"+own, nil).body); strings.Contains(pond, "Nước trong đất") {
		t.Error("a pond has no soil")
	}
	if strings.Contains(body, "17\u00a0mm") {
		t.Error("a stranger reads in the diary when it was watered")
	}
}

func TestWater_AFarmerSeesOwnPlotsAndNobodyAReportThatIsNotMade(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	if body := string(w.as(account.Technician, http.MethodGet, "/water", nil, nil).body); !strings.Contains(body, "đang tính") || strings.Contains(body, "Ruộng khoai") {
		t.Error("before anybody looked")
	}
	if _, err := w.soil.Decide(t.Context(), now()); err != nil {
		t.Fatal(err)
	}
	if body := string(w.as(account.Farmer, http.MethodGet, "/water", nil, nil).body); strings.Contains(body, "Ruộng khoai") || !strings.Contains(body, "Chưa có ruộng") {
		t.Error("a farmer of a pond sees others' plots")
	}
	staff := string(w.as(account.Technician, http.MethodGet, "/water", nil, nil).body)
	if !strings.Contains(staff, "Ruộng khoai 1") || !strings.Contains(staff, "/land/"+potatoes+"/capacity") || !strings.Contains(staff, "/p/"+potatoes+"/log/irrigation") {
		t.Error("staff see all, and what they may do")
	}
	if inspector := string(w.as(account.Inspector, http.MethodGet, "/water", nil, nil).body); !strings.Contains(inspector, "Ruộng khoai 1") || strings.Contains(inspector, "/capacity") {
		t.Error("an inspector reads alone")
	}
}

func TestCapacity_IsWhatTheProbeReadsWhenTheButtonIsPressed(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	path := "/land/" + potatoes + "/capacity"
	page := string(w.as(account.Technician, http.MethodGet, path, nil, nil).body)
	if !strings.Contains(page, "gw-vuon/khoai1-am") || !strings.Contains(page, "gw-vuon/khoai1-dat") || !strings.Contains(page, "ước lượng theo loại đất") {
		t.Fatalf("%.3000s", page)
	}
	form := url.Values{"revision": {w.values(path).Get("revision")}, "probe": {"gw-vuon/khoai2-am"}}
	if res := w.as(account.Technician, http.MethodPost, "/land/"+resting+"/capacity", form, nil); res.status != http.StatusUnprocessableEntity || !strings.Contains(string(res.body), "Chưa ghi gì") {
		t.Errorf("a moment that is doubted, and nobody is sure: %d", res.status)
	}
	form.Set("probe", "gw-vuon/khoai9-am")
	form.Set("sure", "1")
	if res := w.as(account.Technician, http.MethodPost, path, form, nil); res.status != http.StatusUnprocessableEntity {
		t.Errorf("a probe that is not there: %d", res.status)
	}
	form.Set("probe", "gw-vuon/khoai1-am")
	if res := w.as(account.Farmer, http.MethodPost, path, form, nil); res.status != http.StatusForbidden && res.status != http.StatusNotFound {
		t.Errorf("a farmer: %d", res.status)
	}
	for _, code := range []string{potatoes, resting} {
		if p, _ := w.farmOnRecord().Place(code); p.Ground.FieldCapacity != 0 {
			t.Fatalf("refused and kept: %+v", p.Ground)
		}
	}
	form.Del("sure")
	if res := w.as(account.Technician, http.MethodPost, path, form, nil); res.status != http.StatusSeeOther {
		t.Fatalf("%d: %s", res.status, wrongs(res.body))
	}
	p, _ := w.farmOnRecord().Place(potatoes)
	if g := p.Ground; g.Texture != "silt_loam" || g.FieldCapacity < 20 || g.FieldCapacity > 40 || g.Probe != "gw-vuon/khoai1-am" || g.On.In(farm.Time()).Format(time.DateOnly) != now().Format(time.DateOnly) {
		t.Errorf("kept %+v", g)
	}
	if trail := string(w.as(account.Admin, http.MethodGet, "/trail", nil, nil).body); !strings.Contains(trail, "capacity") && !strings.Contains(trail, "farm") {
		t.Error("the trail does not know of it")
	}
	if res := w.as(account.Technician, http.MethodPost, path, form, nil); res.status != http.StatusUnprocessableEntity || !strings.Contains(string(res.body), "Có người vừa sửa") {
		t.Errorf("from a page of before: %d", res.status)
	}
	if res := w.as(account.Technician, http.MethodGet, "/land/"+own+"/capacity", nil, nil); res.status != http.StatusNotFound {
		t.Errorf("of a pond: %d", res.status)
	}
}
