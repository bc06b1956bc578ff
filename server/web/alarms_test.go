package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"aovuon/gateway/measure"
	"aovuon/server/account"
	"aovuon/server/farm"
	"aovuon/server/parttest"
	"aovuon/server/watch/alarm"
	"aovuon/server/watch/rule"
)

// lowOxygen is a decision about a pond.
func lowOxygen(place string, v rule.Verdict, mgL float64) rule.Decision {
	return rule.Decision{
		Rule: "value", Place: place, Topic: string(measure.DissolvedOxygen), Verdict: v, At: now(),
		Why:    []rule.Reason{rule.Because("below", rule.Arg{Quantity: measure.DissolvedOxygen}, rule.Value(measure.DissolvedOxygen, mgL), rule.Value(measure.DissolvedOxygen, 3)), rule.Because("lasting", rule.At(now().Add(-20*time.Minute)), rule.For(20*time.Minute))},
		Do:     []rule.Reason{rule.Because("aerate")},
		Source: farm.Text{VI: "TCVN 13952:2024", EN: "TCVN 13952:2024"},
	}
}

// alarmed is a town with three alarms: of a pond, of another pond that lost its probe, and of a gateway.
func alarmed(t *testing.T, publicURL string) (w *town, ids []string) {
	t.Helper()
	w = newTown(t, publicURL, false)
	ponds := w.farm.Places
	var changes []alarm.Change
	for i, a := range []alarm.Alarm{
		{Key: alarm.Key{Place: ponds[0].Code, Topic: string(measure.DissolvedOxygen)}, State: alarm.Firing, Level: rule.Crit, Decision: lowOxygen(ponds[0].Code, rule.Crit, 1.8)},
		{Key: alarm.Key{Place: ponds[1].Code, Topic: string(measure.PH)}, State: alarm.NoData, Level: rule.Warn, Decision: lowOxygen(ponds[1].Code, rule.Unknown, 0)},
		{Key: alarm.Key{Place: "gateway gw-ao", Topic: alarm.GatewayTopic}, State: alarm.NoData, Level: rule.Warn, Decision: lowOxygen("gateway gw-ao", rule.Unknown, 0)},
	} {
		a.ID = "01KB000000000000000000000" + string(rune('1'+i))
		a.Began, a.Since, a.Fired = now().Add(-20*time.Minute), now().Add(-10*time.Minute), now().Add(-10*time.Minute)
		changes = append(changes, alarm.Change{Alarm: a, What: alarm.ToState, From: alarm.Pending, At: a.Since})
		ids = append(ids, a.ID)
	}
	if err := w.book.KeepAlarmChanges(t.Context(), changes); err != nil {
		t.Fatal(err)
	}
	return w, ids
}

func TestAlarms_AreAnsweredByWhoMay(t *testing.T) {
	w, ids := alarmed(t, "https://tx.example.vn")
	pond, other := w.farm.Places[0].Title.VI, w.farm.Places[1].Title.VI
	_, body := w.views(t, account.Technician, "/alarms")
	has(t, "/alarms", body, pond, other, "Trạm đo gw-ao", "Đang báo", "Không có số liệu", "Tôi lo việc này")
	if strings.Index(body, pond) > strings.Index(body, other) {
		t.Error("what is dangerous does not stand first")
	}
	// A farmer sees the alarms of the own places alone; an inspector acts on none.
	_, body = w.views(t, account.Farmer, "/alarms")
	if strings.Contains(body, "gw-ao") {
		t.Error("a farmer sees the alarm of a gateway")
	}
	if _, body = w.views(t, account.Inspector, "/alarms"); strings.Contains(body, "Tôi lo việc này") {
		t.Error("an inspector may answer")
	}
	of := "/alarms/" + ids[0]
	status, _, to := w.tells(account.Technician, of+"/ack", url.Values{"note": {"Đang ra bật quạt"}})
	if status != http.StatusSeeOther || !strings.HasPrefix(to, of) {
		t.Fatalf("ack: %d to %q", status, to)
	}
	_, body = w.views(t, account.Technician, of)
	has(t, of, body, "nhận việc lúc", "Đang ra bật quạt", "Có người nhận việc", "TCVN 13952:2024")
	status, body, _ = w.tells(account.Technician, of+"/snooze", url.Values{"minutes": {"480"}})
	if status != http.StatusUnprocessableEntity {
		t.Errorf("a snooze of a danger for 8 hours: %d", status)
	}
	has(t, "a long snooze", body, "Hãy chọn một trong các khoảng thời gian")
	if status, _, _ = w.tells(account.Technician, of+"/snooze", url.Values{"minutes": {"30"}}); status != http.StatusSeeOther {
		t.Errorf("a snooze of half an hour: %d", status)
	}
	for _, role := range []account.Role{account.Farmer, account.Inspector} {
		if status, _, _ := w.tells(role, "/alarms/"+ids[2]+"/ack", nil); status == http.StatusSeeOther {
			t.Errorf("%s answers for a gateway", role)
		}
	}
	if status, _ := w.views(t, account.Technician, "/alarms/01KB0000000000000000000009"); status != http.StatusNotFound {
		t.Errorf("an alarm that is not there: %d", status)
	}
}

func TestAlarms_WhoWorksAtAPondIsNotCalled(t *testing.T) {
	w, _ := alarmed(t, "https://tx.example.vn")
	p := w.farm.Places[0]
	for name, form := range map[string]url.Values{
		"no place":  {"hours": {"2"}, "note": {"rửa đầu dò"}},
		"no reason": {"place": {p.Code}, "hours": {"2"}, "note": {" "}},
		"for ever":  {"place": {p.Code}, "hours": {"9999"}, "note": {"rửa đầu dò"}},
		"long":      {"place": {p.Code}, "hours": {"2"}, "note": {strings.Repeat("a", 501)}},
	} {
		if status, _, _ := w.tells(account.Technician, "/alarms/maintenance", form); status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", name, status)
		}
	}
	if status, _, _ := w.tells(account.Technician, "/alarms/maintenance", url.Values{"place": {p.Code}, "hours": {"2"}, "note": {"rửa đầu dò"}}); status != http.StatusSeeOther {
		t.Fatalf("work at a pond: %d", status)
	}
	_, body := w.views(t, account.Technician, "/alarms")
	has(t, "/alarms", body, "Đang tạm không gọi", "rửa đầu dò", "Gọi trở lại ngay")
	_, rest, _ := strings.Cut(body, "/alarms/maintenance/")
	id, _, _ := strings.Cut(rest, "/end")
	for range 2 { // a button that is pressed twice
		if status, _, _ := w.tells(account.Technician, "/alarms/maintenance/"+id+"/end", nil); status != http.StatusSeeOther {
			t.Fatalf("its end: %d", status)
		}
	}
	if _, body := w.views(t, account.Technician, "/alarms"); strings.Contains(body, "rửa đầu dò") {
		t.Error("what is over still stands there")
	}
}

func TestAlarms_APageThatNobodyFeedsIsNoCalm(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", false)
	_, body := w.views(t, account.Technician, "/alarms")
	has(t, "/alarms before the first look", body, "Chưa biết ao ra sao")
	if strings.Contains(body, "Không có báo động nào") {
		t.Error("it says that there is no alarm, though nobody looked")
	}
}

func TestAlarms_ThePastIsFound(t *testing.T) {
	w, ids := alarmed(t, "https://tx.example.vn")
	_, body := w.views(t, account.Technician, "/alarms/history")
	has(t, "/alarms/history", body, "/alarms/"+ids[0], "/alarms/"+ids[1], "/alarms/"+ids[2])
	_, body = w.views(t, account.Technician, "/alarms/history?place="+w.farm.Places[0].Code)
	if !strings.Contains(body, ids[0]) || strings.Contains(body, ids[1]) {
		t.Error("the alarms of one pond are not those")
	}
	_, body = w.views(t, account.Technician, "/alarms/history?from=2020-01-01&to=2020-02-01")
	has(t, "/alarms/history of another time", body, "Không có báo động nào trong thời gian này")
	_, body = w.views(t, account.Technician, "/alarms/history?from=2020-03-01&to=2020-02-01")
	has(t, "/alarms/history backwards", body, `role="alert"`)
}

func TestBrowser_Alarms(t *testing.T) {
	axe := parttest.Axe(t)
	w, ids := alarmed(t, "http://127.0.0.1")
	if status, _, _ := w.tells(account.Technician, "/alarms/maintenance", url.Values{"place": {w.farm.Places[2].Code}, "hours": {"2"}, "note": {"rửa đầu dò"}}); status != http.StatusSeeOther {
		t.Fatalf("work at a pond: %d", status)
	}
	if status, _, _ := w.tells(account.Technician, "/alarms/"+ids[0]+"/ack", url.Values{"note": {"Đang ra bật quạt"}}); status != http.StatusSeeOther {
		t.Fatalf("ack: %d", status)
	}
	b := w.signedIn(browser(t), account.Technician)
	for name, path := range map[string]string{
		"alarms": "/alarms", "alarm-acked": "/alarms/" + ids[0], "alarm": "/alarms/" + ids[1], "alarm-history": "/alarms/history", "alarm-maintenance": "/alarms/maintenance", "alarm-place": "/places/" + w.farm.Places[0].Code,
	} {
		for _, shade := range []string{"light", "dark"} {
			b.do(name, scheme(shade))
			visit(b, chromedp.EmulateViewport(360, 780, chromedp.EmulateScale(2)), w.srv.URL+path)
			if complaints := axe(b.ctx); complaints != "" {
				t.Errorf("%s, %s: %s", name, shade, complaints)
			}
			if wide := ask1(b, name, evaluate[int](`document.documentElement.scrollWidth`)); wide > 360 {
				t.Errorf("%s is %d px wide: %s", name, wide, ask1(b, name, evaluate[string](`[...document.querySelectorAll("main *")].filter(e => e.getBoundingClientRect().right > 361 && ![...e.children].some(c => c.getBoundingClientRect().right > 361)).slice(0, 3).map(e => e.outerHTML.slice(0, 120)).join("\n")`)))
			}
			if shade == "light" {
				shoot(b, name+"-phone")
			}
		}
	}
}

// Where pages are open to everybody, that is what probes measure: what a kit showed, and what rules make of the diary, is for those who may read it.
func TestAlarms_OfTheDiaryAreNoStrangersBusiness(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", true)
	place := w.farm.Places[0].Code
	var changes []alarm.Change
	for i, a := range []alarm.Alarm{
		{Key: alarm.Key{Place: place, Topic: string(measure.DissolvedOxygen)}, Looker: alarm.LimitsID},
		{Key: alarm.Key{Place: place, Topic: "no2"}, Looker: alarm.LimitsID},
		{Key: alarm.Key{Place: place, Topic: "late_blight"}, Looker: alarm.RulesID},
	} {
		a.ID, a.State, a.Level, a.Decision = "01KB000000000000000000000"+string(rune('1'+i)), alarm.Firing, rule.Warn, lowOxygen(place, rule.Warn, float64(i+1)/10)
		a.Began, a.Since, a.Fired = now().Add(-20*time.Minute), now().Add(-10*time.Minute), now().Add(-10*time.Minute)
		changes = append(changes, alarm.Change{Alarm: a, What: alarm.ToState, From: alarm.Pending, At: a.Since})
	}
	if err := w.book.KeepAlarmChanges(t.Context(), changes); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/alarms", "/alarms/history", "/", "/places/" + place} {
		_, body := w.views(t, "", path)
		has(t, path+" of a stranger", body, "Ôxy hòa tan")
		for _, secret := range []string{changes[1].Alarm.ID, changes[2].Alarm.ID, "0,20", "0,30", "Mốc sương"} {
			if strings.Contains(body, secret) {
				t.Errorf("%s shows a stranger %q", path, secret)
			}
		}
		if _, body := w.views(t, account.Technician, path); path != "/" && !strings.Contains(body, changes[2].Alarm.ID) && path != "/places/"+place {
			t.Errorf("%s does not show staff the alarm of a rule", path)
		}
	}
	if status, _ := w.views(t, "", "/alarms/"+changes[2].Alarm.ID); status != http.StatusNotFound {
		t.Errorf("a stranger opens it: %d", status)
	}
}
