package web_test

import (
	"errors"
	"html"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"aovuon/gateway/measure"
	"aovuon/server/account"
	"aovuon/server/farm"
	"aovuon/server/form"
	"aovuon/server/parttest"
	"aovuon/server/watch/outbreak"
	"aovuon/server/watch/rule"
	"aovuon/server/watch/soil"
)

// judged puts decisions on the board: oxygen, blight, a cluster, and rules that could not look.
func (w *town) judged() {
	w.t.Helper()
	at := now().Add(-5 * time.Minute)
	d := func(place, topic string, v rule.Verdict, do ...rule.Reason) rule.Decision {
		return rule.Decision{Rule: topic, Place: place, Topic: topic, Verdict: v, At: at, Until: at.Add(time.Hour), Why: []rule.Reason{rule.Because("outdated", rule.At(at))}, Do: do}
	}
	on := rule.Because("dawn_on", rule.At(time.Date(2026, 11, 25, 3, 30, 0, 0, farm.Time())), rule.Value(measure.DissolvedOxygen, 5.5))
	w.advice.Put("dawn_oxygen", []rule.Decision{d(own, "dawn_oxygen", rule.Warn, on), d("E8SG6VC0T", "dawn_oxygen", rule.Warn, on), d(foreign, "dawn_oxygen", rule.Unknown), d("CSSHRYF9K", "dawn_oxygen", rule.Calm)})
	w.advice.Put("late_blight", []rule.Decision{d(khoai1, "late_blight", rule.Warn, rule.Because("blight_spray")), d(khoai2, "late_blight", rule.Calm)})
	w.advice.Put("outbreak", []rule.Decision{d(own, "outbreak", rule.Calm)})
	w.advice.Blind("drought", at, errors.New("secret-dsn: refused"))
	if _, err := w.book.SaveRecord(w.t.Context(), farm.Record{Kind: farm.Household, ID: "hh00000001", Values: form.Values{"name": "Nguyễn Văn Tâm", "code": "HO-01"}}, w.by()); err != nil {
		w.t.Fatal(err)
	}
}

func TestBulletin_IsReadAloud(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	w.judged()
	text := string(w.as(account.Technician, http.MethodGet, "/bulletin.txt", nil, nil).body)
	for _, want := range []string{
		"\ufeffKính thưa bà con! Sau đây là bản tin ao vườn của HTX DVNN Chi Lăng Bắc (dữ liệu minh họa), sáng ngày 24 tháng 11 năm 2026, lúc 7 giờ 40.",
		"Tin thứ nhất, về ôxy trong ao rạng sáng tới.\r\nCó cảnh báo ở khu ao Phú Khê, gồm ao 1, ao 4.\r\nChưa biết ra sao ở khu ao Phú Khê, gồm ao 3, vì thiếu số đo.\r\nĐề nghị bà con:",
		"3 giờ 30", "mi-li-gam trên một lít", "Tin thứ hai, về bệnh mốc sương khoai tây.\r\nCó cảnh báo ở đồng khoai vụ đông, gồm ruộng khoai 1.",
		"Tin thứ ba, về sâu bệnh và cá bệnh.\r\nHiện chưa có cảnh báo nào.", "Tin thứ tư, về hạn.\r\nHôm nay máy không xem được", "Đây là bản tin thử",
		"Bản tin đến đây là hết.",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the bulletin does not say %q", want)
		}
	}
	for _, not := range []string{"secret", "mg/L", "03:30", "106.", "20.7", "Tâm", "HO-0", own, "%!", "bulletin."} {
		if strings.Contains(text, not) {
			t.Errorf("the bulletin says %q", not)
		}
	}
	if strings.Count(text, "3 giờ 30") != 1 {
		t.Error("the same advice is read out twice")
	}
	res := w.as(account.Inspector, http.MethodGet, "/bulletin.txt?lang=en", nil, nil)
	if en := string(res.body); !strings.Contains(en, "on the morning of 24 November 2026, at 7 40.") || !strings.Contains(en, "Warning: phu Khe ponds, that is pond 1, pond 4.") {
		t.Errorf("in English: %s", en)
	}
	if h := res.header.Get("Content-Disposition"); h != `attachment; filename="bulletin-2026-11-24-0740.txt"` || !strings.HasPrefix(res.header.Get("Content-Type"), "text/plain; charset=utf-8") {
		t.Errorf("%q", h)
	}
	if res := w.as(account.Farmer, http.MethodGet, "/bulletin", nil, nil); res.status != http.StatusForbidden {
		t.Errorf("a farmer: %d", res.status)
	}
}

// One rule decides on four topics: while it cannot look, nothing is known of any of them.
func TestBulletin_WithoutTheSoilNothingIsKnownOfItsWater(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	w.advice.Blind(soil.ID, now(), errors.New("no history"))
	text := string(w.as(account.Technician, http.MethodGet, "/bulletin.txt", nil, nil).body)
	for _, topic := range []string{"về nước lên ở ao và mương.", "về úng.", "về hạn.", "về tưới nước."} {
		if want := topic + "\r\nHôm nay máy không xem được"; !strings.Contains(text, want) {
			t.Errorf("the bulletin does not say %q:\n%s", want, text)
		}
	}
}

// What has run out is not known, and nothing judged at all is said to be nothing.
func TestBulletin_OldNewsIsNoNews(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	if page := string(w.as(account.Technician, http.MethodGet, "/bulletin", nil, nil).body); !strings.Contains(page, "chưa có tin") {
		t.Error("an empty board")
	}
	at := now().Add(-5 * time.Hour)
	w.advice.Put("outbreak", []rule.Decision{{Rule: outbreak.ID, Place: own, Topic: outbreak.Topic, Verdict: rule.Calm, At: at, Until: at.Add(time.Hour), Why: []rule.Reason{rule.Because("outdated", rule.At(at))}}})
	page := html.UnescapeString(string(w.as(account.Technician, http.MethodGet, "/bulletin", nil, nil).body))
	if !strings.Contains(page, "Chưa biết ra sao ở khu ao Phú Khê, gồm ao 1") || strings.Contains(page, "chưa có cảnh báo") {
		t.Error("what has run out is told as calm")
	}
}

func TestBrowser_Bulletin(t *testing.T) {
	axe := parttest.Axe(t)
	w := newTown(t, "http://127.0.0.1", false)
	w.judged()
	b := w.signedIn(browser(t), account.Technician)
	for _, shade := range []string{"light", "dark"} {
		b.do(shade, scheme(shade))
		visit(b, chromedp.EmulateViewport(360, 2000, chromedp.EmulateScale(2)), w.srv.URL+"/bulletin")
		if complaints := axe(b.ctx); complaints != "" {
			t.Errorf("%s: %s", shade, complaints)
		}
		if wide := ask1(b, "wide", evaluate[int](`document.documentElement.scrollWidth`)); wide > 360 {
			t.Errorf("%d px wide", wide)
		}
		if shade == "light" {
			shoot(b, "bulletin")
		}
	}
}
