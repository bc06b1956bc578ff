package web_test

import (
	"encoding/json"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"aovuon/server/account"
	"aovuon/server/diary"
	"aovuon/server/diary/gate"
	"aovuon/server/form"
)

// treated puts a treatment on record that ended so many days ago; its input asks for 21.
func (w *town) treated(days int) string {
	at := now().AddDate(0, 0, -days)
	e := diary.Event{
		ID: "01KAEZ00000000000000000001", Kind: diary.Treatment, Place: own, Cycle: "cyc0000001", Actor: "u-AAAAAAAA", Occurred: at, Recorded: at, Synced: at,
		Values: form.Values{"input": "inp0000002", "amount": 200.0, "reason": "đốm đỏ"},
	}
	w.book.mu.Lock()
	defer w.book.mu.Unlock()
	w.book.events = append(w.book.events, e)
	return e.ID
}

func TestGates_TheFarmerSeesFromWhenItMayBeHarvested(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	id := w.treated(12) // 12/11; the waiting days are 13/11 to 03/12
	for _, path := range []string{"/p/" + own, "/places/" + own} {
		page := html.UnescapeString(string(w.as(account.Farmer, http.MethodGet, path, nil, nil).body))
		for _, want := range []string{"Thu hoạch được từ 04/12/2026 – do dùng Oxytetracyclin 20 % đến ngày 12/11/2026, phải ngưng thuốc 21 ngày.", "còn 10 ngày", `href="/diary/` + id + `"`, "chưa ghi thả giống"} {
			if !strings.Contains(page, want) {
				t.Errorf("%s does not say %q", path, want)
			}
		}
		if en := html.UnescapeString(string(w.as(account.Farmer, http.MethodGet, path+"?lang=en", nil, nil).body)); !strings.Contains(en, "Harvest from 04/12/2026 – because of Oxytetracyclin 20 %") {
			t.Errorf("%s in English", path)
		}
	}
	if page := html.UnescapeString(string(w.as(account.Inspector, http.MethodGet, "/places/"+own, nil, nil).body)); !strings.Contains(page, "Thu hoạch được từ 04/12/2026") {
		t.Error("an inspector is not told")
	}
}

func TestGates_WhenWaitingIsOverThatIsSaid(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	w.treated(22)
	if page := html.UnescapeString(string(w.as(account.Farmer, http.MethodGet, "/p/"+own, nil, nil).body)); !strings.Contains(page, "Đã hết thời gian cách ly từ 24/11/2026, thu hoạch được.") {
		t.Error("the page does not say that waiting is over")
	}
}

func TestAPIGates(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	id := w.treated(12)
	var out struct {
		Harvests []gate.Harvest
		Findings []struct {
			Rule, Level, Cause, Text string
			Clears                   time.Time
		}
	}
	res := w.as(account.Farmer, http.MethodGet, "/api/gates?place="+own, nil, nil)
	if err := json.Unmarshal(res.body, &out); err != nil || res.status != http.StatusOK {
		t.Fatal(res.status, err)
	}
	until := time.Date(2026, 12, 4, 0, 0, 0, 0, now().Location())
	if len(out.Harvests) != 1 || !out.Harvests[0].From.Equal(until) || out.Harvests[0].Cause != id {
		t.Errorf("%+v", out.Harvests)
	}
	if f := out.Findings[0]; f.Rule != "withdrawal" || f.Level != "block" || f.Cause != id || !f.Clears.Equal(until) || !strings.HasPrefix(f.Text, "Thu hoạch được từ 04/12/2026") {
		t.Errorf("%+v", f)
	}
	if res := w.as(account.Farmer, http.MethodGet, "/api/gates?place="+foreign, nil, nil); res.status != http.StatusNotFound {
		t.Errorf("somebody else's: %d", res.status)
	}
}

func TestAPIActives_WarnsWhileTyping(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	type hit struct {
		Name, Scope, Text string
		Blocks            bool
	}
	ask := func(text, branch string) (int, []hit) {
		t.Helper()
		var out struct{ Actives []hit }
		res := w.as(account.Farmer, http.MethodGet, "/api/actives?"+url.Values{"text": {text}, "branch": {branch}}.Encode(), nil, nil)
		if err := json.Unmarshal(res.body, &out); err != nil {
			t.Fatalf("%q: %v", res.body, err)
		}
		return res.status, out.Actives
	}
	for _, c := range []struct {
		text, branch string
		want         []hit
	}{
		{"xanh malachit", "fish", []hit{{"Malachite green", "aquaculture", "Malachite green là chất cấm dùng trong nuôi trồng thủy sản (TT 10/2016/TT-BNNPTNT, cần xác nhận). Dùng là lô bị giữ lại.", true}}},
		{"deltamethrin", "crop", []hit{{"Deltamethrin", "drift", "Deltamethrin rất độc với cá: không phun gần ao, không rửa bình xuống ao, mương.", false}}},
		{"enrofloxaxin", "fish", []hit{{"Enrofloxacin", "aquaculture", "Có thể là Enrofloxacin, chất bị cấm (TT 10/2016/TT-BNNPTNT, cần xác nhận). Xem lại nhãn.", false}}},
		{"vôi bột", "fish", []hit{}},
		{"", "fish", []hit{}},
	} {
		if status, got := ask(c.text, c.branch); status != http.StatusOK || !slices.Equal(got, c.want) {
			t.Errorf("%s for %s: %d, %+v", c.text, c.branch, status, got)
		}
	}
	for text, branch := range map[string]string{"x": "sea", strings.Repeat("ă", 401): "fish"} {
		if status, _ := ask(text, branch); status != http.StatusBadRequest {
			t.Errorf("%.10s for %s: %d", text, branch, status)
		}
	}
}
