package web_test

import (
	"html"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/account"
	"aovuon/server/watch/advice"
	"aovuon/server/watch/notify"
	"aovuon/server/watch/rule"
	"aovuon/server/web"
)

// What a device that cannot sign has measured is called so wherever it is shown, on the public page too, and nowhere signed.
func TestUnsigned_IsSaidWhereverAReadingIsShown(t *testing.T) {
	const gateway, sensor, place = "gw-ao-phukhe", "ao1-ph", "F7NE3CDQ7"
	s := newSources(t)
	srv := s.pages(t)
	path := s.demo.Lot.Link().Path()
	pages := map[string]string{ // and what each says of it
		"/": "không ký", "/places/" + place: "không ký", "/probes/" + gateway + "/" + sensor: "máy chủ niêm phong những gì nó nhận",
		"/places/" + place + "/data.csv?range=24h": ";không ký", "/compare?quantity=ph&place=" + place: "không ký", "/api/places": `"unsigned":true`,
		"/api/series?range=24h&place=" + place: `"unsigned":true`, "/gateways/" + gateway: "không ký được", path: "Thiết bị này không ký được số liệu",
	}
	for page, said := range pages {
		if body := html.UnescapeString(string(get(t, srv, page, nil).body)); strings.Contains(body, said) {
			t.Errorf("%s: signed readings are called unsigned", page)
		}
	}
	s.farm.Unsigned = []string{gateway}
	s.system.Gateways[0].Kind = "intake"
	d := s.dossiers[s.demo.Lot.Link()]
	for i := range d.Evidence {
		d.Evidence[i].Unsigned = d.Evidence[i].N
	}
	srv = s.pages(t)
	maps.Copy(pages, map[string]string{"/system": "không ký", "/privacy": ""})
	for page, said := range pages {
		res := get(t, srv, page, nil)
		body := html.UnescapeString(string(res.body))
		if res.status != 200 || !strings.Contains(body, said) {
			t.Errorf("%s: %d, does not say %q", page, res.status, said)
		}
		for _, never := range []string{"Thiết bị đo và ký từng gói", "thiết bị ký"} {
			if strings.Contains(body, never) {
				t.Errorf("%s: says %q of what nobody signed", page, never)
			}
		}
		if _, foot, ok := strings.Cut(body, `<footer class="foot">`); ok && !strings.Contains(foot, "thiết bị khác và tệp nhập vào thì không có chữ ký") {
			t.Errorf("%s: its footer says that all is signed:\n%s", page, foot)
		}
	}
}

// Devices that cannot sign are probes all the same: while their figures are computed the label does not say that nothing is mounted.
func TestUnsigned_LabelWhoseFiguresAreNotThereYet(t *testing.T) {
	s := newSources(t)
	d := s.dossiers[s.demo.Lot.Link()]
	d.Evidence = nil
	s.dossiers[s.demo.Lot.Link()] = d
	for _, m := range s.farm.Mounts {
		s.farm.Unsigned = append(s.farm.Unsigned, m.Gateway)
	}
	body := html.UnescapeString(string(get(t, s.pages(t), s.demo.Lot.Link().Path(), nil).body))
	if strings.Contains(body, "chưa lắp máy đo") || !strings.Contains(body, "đang được tính") {
		t.Errorf("the label:\n%s", body)
	}
}

// A message of an alarm says whose word it rests on, by itself and among others.
func TestUnsigned_IsSaidInMessages(t *testing.T) {
	s := newSources(t)
	c, err := web.NewComposer(s, "https://tx.example.vn/")
	if err != nil {
		t.Fatal(err)
	}
	m := s.farm.Mounts[0]
	a := told("A1", m.Place, rule.Crit, notify.Opened)
	a.Since, a.Topic = now(), string(m.Measures[0])
	text := func(list ...notify.Told) (whole, short string) {
		got, err := c.Compose(t.Context(), notify.Draft{Kind: notify.Opened, Lang: "vi", At: now().Add(time.Minute), Alarms: list})
		if err != nil {
			t.Fatal(err)
		}
		return got.Text, got.Short
	}
	for _, unsigned := range []bool{false, true} {
		if unsigned {
			s.farm.Unsigned = []string{m.Gateway}
		}
		if one, short := text(a); strings.Contains(one, "thiết bị không ký được") != unsigned || strings.Contains(short, "(khong ky)") != unsigned {
			t.Errorf("unsigned %v: %s\n%s", unsigned, one, short)
		}
		two, short := text(a, told("A2", "", rule.Warn, notify.Opened))
		if want := map[bool]int{true: 1}[unsigned]; strings.Count(two, "(không ký)") != want || strings.Count(short, "(khong ky)") != want {
			t.Errorf("unsigned %v: %s\n%s", unsigned, two, short)
		}
		// What is foretold of what such a device measures is its word, too.
		a := a
		a.Topic = "dawn_oxygen"
		if one, _ := text(a); strings.Contains(one, "thiết bị không ký được") != unsigned {
			t.Errorf("dawn, unsigned %v: %s", unsigned, one)
		}
	}
}

// What is advised of readings that nobody signed says so, on the place's page and among all advice; what is advised of the diary alone does not.
func TestUnsigned_IsSaidWithAdvice(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", true)
	const said = "Số đo này từ thiết bị không ký được"
	put := func(args ...rule.Arg) {
		w.advice.Put(advice.TopicFeeding, []rule.Decision{{
			Rule: advice.TopicFeeding, Topic: advice.TopicFeeding, Place: own, Verdict: rule.Notice, At: now(), Until: now().Add(time.Hour), Why: []rule.Reason{rule.Because("feeding_cold", args...)},
		}})
	}
	for _, c := range []struct {
		args     []rule.Arg
		unsigned bool
	}{{[]rule.Arg{rule.Value(measure.WaterTemperature, 15)}, true}, {[]rule.Arg{rule.Number(15, 0, "°C")}, false}} {
		put(c.args...)
		for _, m := range w.farm.Mounts {
			if m.Place == own && slices.Contains(m.Measures, measure.WaterTemperature) {
				w.farm.Unsigned = append(w.farm.Unsigned, m.Gateway)
			}
		}
		for _, page := range []string{"/places/" + own, "/alarms"} {
			body := string(w.as(account.Technician, http.MethodGet, page, nil, nil).body)
			_, body, _ = strings.Cut(body, "<h2")
			if strings.Contains(html.UnescapeString(body), said) != c.unsigned {
				t.Errorf("%s of %v: %v expected:\n%.3000s", page, c.args, c.unsigned, body)
			}
		}
	}
}
