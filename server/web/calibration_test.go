package web_test

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestCalibrations_WhoWhenPointsSlopeVerdictDue(t *testing.T) {
	s := newSources(t)
	srv := s.pages(t)
	for lang, want := range map[string][]string{
		"vi": {"Lê Thị Hoa", "15/10/2026", "6,99", "7,20", "92,4\u00a0%", "−11,20\u00a0mV", "Đã mòn, sắp phải thay", "Quá hạn hiệu chuẩn", "14/11/2026", "L7 (2027-03)", "sau mưa", "Còn hạn", "Đã có lần mới hơn"},
		"en": {"Lê Thị Hoa", "6.99", "92.4\u00a0%", "Worn, replace it soon", "Calibration overdue", "The record cannot be read"},
	} {
		body := string(get(t, srv, withLang("/places/F7NE3CDQ7/calibrations", lang), nil).body)
		for _, w := range want {
			if !strings.Contains(body, w) {
				t.Errorf("%s: the page does not say %q", lang, w)
			}
		}
		if strings.Count(body, `class="chip warned"`) != 2 { // the newest pH is overdue, one cannot be read; older ones were replaced
			t.Errorf("%s: %d highlighted", lang, strings.Count(body, `class="chip warned"`))
		}
		if strings.Contains(body, "<script>alert") || strings.Contains(body, "Tâm<b>") {
			t.Errorf("%s: a document writes HTML", lang)
		}
	}
}

func TestPlace_SaysHowItsProbesAreCalibrated(t *testing.T) {
	s := newSources(t)
	srv := s.pages(t)
	body := string(get(t, srv, "/places/F7NE3CDQ7", nil).body)
	for _, w := range []string{"Hiệu chuẩn đầu dò", "Quá hạn hiệu chuẩn", "15/10/2026 07:40, Lê Thị Hoa làm · lần tới 14/11/2026", "Còn hạn", `href="/places/F7NE3CDQ7/calibrations"`} {
		if !strings.Contains(body, w) {
			t.Errorf("the page does not say %q", w)
		}
	}
	s.setFailing(true)
	if res := get(t, srv, "/places/F7NE3CDQ7/calibrations", nil); res.status != 503 || strings.Contains(string(res.body), "secret") {
		t.Errorf("without a database: %d %s", res.status, res.body)
	}
}

func TestAPI_Calibrations(t *testing.T) {
	srv := newSources(t).pages(t)
	for path, want := range map[string]int{
		"/api/calibrations?place=F7NE3CDQ7": 200, "/api/calibrations": 400, "/api/calibrations?place=7K3PNX9DX": 404,
		"/api/calibrations/in-force?gateway=gw-ao-phukhe&sensor=ao1-ph&quantity=ph":                         200,
		"/api/calibrations/in-force?gateway=gw-ao-phukhe&sensor=ao1-ph&quantity=ph&at=2026-09-20T00:00:00Z": 200,
		"/api/calibrations/in-force?gateway=gw-ao-phukhe&sensor=ao1-ph&quantity=ph&at=2020-01-01T00:00:00Z": 404,
		"/api/calibrations/in-force?gateway=gw-ao-phukhe&sensor=ao1-ph&quantity=ph&at=yesterday":            400,
		"/api/calibrations/in-force?gateway=gw-ao-phukhe&sensor=ao1-ph&quantity=love":                       400,
		"/api/calibrations/in-force?gateway=..&sensor=ao1-ph&quantity=ph":                                   400,
		"/places/F7NE3CDQ7/calibrations": 200, "/places/F7NE3CDQ8/calibrations": 404, "/places/7K3PNX9DX/calibrations": 404,
	} {
		if res := get(t, srv, path, nil); res.status != want {
			t.Errorf("%s: %d, want %d: %.200s", path, res.status, want, res.body)
		}
	}
	var got struct {
		Calibrations []struct {
			Sensor   string
			Standing string
			Record   *struct{ Who string }
		}
	}
	if err := json.Unmarshal(get(t, srv, "/api/calibrations?place=F7NE3CDQ7", nil).body, &got); err != nil {
		t.Fatal(err)
	}
	standings := map[string]int{}
	unread := 0
	for _, c := range got.Calibrations {
		standings[c.Standing]++
		if c.Record == nil {
			unread++
		}
	}
	if standings["overdue"] != 2 || standings["in-force"] != 1 || unread != 1 {
		t.Errorf("%v, %d unread", standings, unread)
	}
}
