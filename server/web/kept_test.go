package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"aovuon/server/web"
)

// A time whose single readings were let go is drawn by the hour, and the page says so; a file of single readings is refused with what there is.
func TestPages_SayThatReadingsWereLetGo(t *testing.T) {
	s := newSources(t)
	s.gone = now().AddDate(0, 0, -95)
	srv := s.pages(t)
	code := s.farm.Places[0].Code
	day := now().AddDate(0, 0, -100).Format(time.DateOnly)
	for path, want := range map[string][]string{
		"/places/" + code + "?from=" + day + "&to=" + day:                                     {"đã hết hạn lưu; biểu đồ vẽ theo giờ", `data-step="3600"`},
		"/places/" + code + "?lang=en&from=" + day + "&to=" + day:                             {"are no longer kept; the chart is drawn by the hour"},
		"/compare?quantity=dissolved_oxygen&from=" + day + "&to=" + day:                       {"đã hết hạn lưu", `data-step="3600"`},
		"/probes/gw-ao-phukhe/ao1-do?from=" + day + "&to=" + day:                              {"đã hết hạn lưu", `data-step="3600"`},
		"/api/series?quantity=dissolved_oxygen&place=" + code + "&from=" + day + "&to=" + day: {`"step_s":3600`},
	} {
		got := get(t, srv, path, nil)
		if got.status != http.StatusOK {
			t.Errorf("%s: %d", path, got.status)
		}
		for _, text := range want {
			if !strings.Contains(string(got.body), text) {
				t.Errorf("%s does not say %s", path, text)
			}
		}
	}
	for _, path := range []string{"/places/" + code + "?range=24h", "/compare?range=7d", "/places/" + code} {
		if body := string(get(t, srv, path, nil).body); strings.Contains(body, "hết hạn lưu") {
			t.Errorf("%s says that readings are gone", path)
		}
	}
	file := "/places/" + code + "/data.csv?from=" + day + "&to=" + day
	if got := get(t, srv, file+"&every=reading", nil); got.status != http.StatusGone || !strings.Contains(string(got.body), "đã hết hạn lưu trong kho") {
		t.Errorf("single readings that are gone: %d", got.status)
	}
	for path, text := range map[string]string{
		"/readings/file?": "đã hết hạn lưu trong kho", "/readings/file?format=parquet&": "đã hết hạn lưu trong kho", "/api/readings?": "are no longer kept",
	} {
		got := get(t, srv, path+"place="+code+"&from="+day+"&to="+day, nil)
		if got.status != http.StatusGone || !strings.Contains(string(got.body), text) || got.header.Get("Content-Disposition") != "" {
			t.Errorf("%s of readings that are gone: %d %s", path, got.status, got.header)
		}
	}
	if got := get(t, srv, file, nil); got.status != http.StatusOK {
		t.Errorf("steps of a day: %d", got.status)
	}
}

func TestSystemPage_SaysHowFarRollupsAre(t *testing.T) {
	for name, tc := range map[string]struct {
		is   *web.Rollups
		want []string
	}{
		"done":    {&web.Rollups{Looked: now()}, []string{"Số liệu gộp theo giờ, theo ngày", "Kịp"}},
		"waiting": {&web.Rollups{Waiting: 1234}, []string{"còn 1.234 giờ, ngày chưa gộp"}},
		"stuck":   {&web.Rollups{Trouble: "history engine <unavailable>"}, []string{"Đang chờ", "history engine &lt;unavailable&gt;"}},
		"let go": {
			&web.Rollups{Looked: now(), Kept: []web.KeptReadings{{Quantity: "turbidity", Months: 24, Before: now().AddDate(-2, 0, 0), Needed: 3}}},
			[]string{"<dt>Độ đục</dt><dd>giữ từng lần đo 24 tháng; trước " + now().AddDate(-2, 0, 0).Format("02/01/2006") + " chỉ còn số liệu gộp. 3 chuỗi đo còn giữ lâu hơn vì có lô hàng cần.</dd>"},
		},
		"stays": {&web.Rollups{Looked: now(), Stays: "3 Core deletes no points"}, []string{"3 Core deletes no points"}},
	} {
		s := newSources(t)
		s.system.Rollups = tc.is
		body := string(get(t, s.pages(t), "/system", nil).body)
		for _, want := range tc.want {
			if !strings.Contains(body, want) {
				t.Errorf("%s: the page does not say %s", name, want)
			}
		}
	}
	if body := string(get(t, newSources(t).pages(t), "/system", nil).body); strings.Contains(body, "Số liệu gộp") {
		t.Error("the page tells of rollups that another server keeps")
	}
}
