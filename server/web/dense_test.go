package web_test

import (
	"slices"
	"strings"
	"testing"

	"aovuon/gateway/measure"
	"aovuon/server/history"
	"aovuon/server/watch"
)

func TestPages_SayWhatAnAeratorAndAnAlarmDo(t *testing.T) {
	s := newSources(t)
	all := s.series()
	for q, v := range map[measure.Quantity]float64{measure.AeratorCommand: 1, measure.AeratorRunning: 0, measure.AlarmState: 1} {
		sr := all[slices.IndexFunc(all, func(sr history.Series) bool { return sr.Sensor == "ao1-do" })]
		sr.Quantity = q
		s.live.Update([]watch.Value{{Series: sr, Time: now().UTC(), Value: v}})
	}
	card := cardOf(t, s, "/", "F7NE3CDQ7")
	for want, n := range map[string]int{"Không chạy": 1, "Đang báo động": 1, "Lệnh cho quạt nước": 0, ">0<": 0} {
		if strings.Count(card, want) != n {
			t.Errorf("the card of the pond among others says %q not %d times:\n%s", want, n, card)
		}
	}
	card = cardOf(t, s, "/places/F7NE3CDQ7", "F7NE3CDQ7")
	for _, want := range []string{"Lệnh cho quạt nước", "Bật", "Không chạy", "Đang báo động"} {
		if !strings.Contains(card, want) {
			t.Errorf("the card on the pond's page does not say %q:\n%s", want, card)
		}
	}
}

// cardOf is the card of a place on a page.
func cardOf(t *testing.T, s *sources, path, code string) string {
	t.Helper()
	_, card, _ := strings.Cut(string(get(t, s.pages(t), path, nil).body), `id="p-`+code+`"`)
	card, _, _ = strings.Cut(card, "</article>")
	return card
}

func TestDashboard_LeavesOutWhatIsAsItShouldBe(t *testing.T) {
	s := newSources(t)
	const pond2, pond4 = "CSSHRYF9K", "E8SG6VC0T"
	s.set("ao2-ph", measure.PH, 7.5, measure.Good, "")
	for path, want := range map[string][2]int{"/": {4, 5}, "/places/%s": {6, 9}} { // two oxygen probes, one with a thermometer; aerator and alarm
		for i, code := range []string{pond2, pond4} {
			card := cardOf(t, s, strings.ReplaceAll(path, "%s", code), code)
			if n := strings.Count(card, `<li class="row`) + strings.Count(card, `<li class="cell`); n != want[i] {
				t.Errorf("%s: %d rows of %s, want %d", path, n, code, want[i])
			}
		}
	}
	s.set("ao2-do-b", measure.DissolvedOxygen, 3.1, measure.Suspect, "")
	card := cardOf(t, s, "/", pond2)
	if !strings.Contains(card, "Ôxy hòa tan (ao2-do-b)") || !strings.Contains(card, "Đáng ngờ") {
		t.Errorf("a second probe that is in doubt is not shown:\n%s", card)
	}
}

func TestPlacePage_ChartsAnAeratorAsAShare(t *testing.T) {
	body := string(get(t, newSources(t).pages(t), "/places/E8SG6VC0T", nil).body)
	if !strings.Contains(body, "Quạt nước (%)") || !strings.Contains(body, "Đang chạy: ") || !strings.Contains(body, "số lần ghi") {
		t.Error("no chart of how long the aerator ran")
	}
	for _, never := range []string{`id="c-gw-ao-phukhe-ao4-quat-aerator_command-t"`, `id="c-gw-ao-phukhe-ao4-dong-current-t"`, `id="c-gw-ao-phukhe-ao4-thieu-oxy-alarm-t"`} {
		if strings.Contains(body, never) {
			t.Errorf("a chart that says nothing more: %s", never)
		}
	}
}
