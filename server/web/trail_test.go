package web_test

import (
	"strings"
	"testing"

	"aovuon/server/web"
)

// Who reads the trail sees where a phone was no more exactly than everybody may; other bodies are shown as they are.
func TestTrail_ShowsPlacesOfPhonesRoughly(t *testing.T) {
	got := string(web.RoughBody([]byte(`{"id":"x","body":{"note":"n","position":{"exact":[20.7713421,106.2249671],"acc":5}}}`)))
	if strings.Contains(got, "20.771") || !strings.Contains(got, `"lat":20.775,"lon":106.225`) || !strings.Contains(got, `"note":"n"`) {
		t.Error(got)
	}
	for _, same := range []string{`{"id":"x","body":{"note":"n"}}`, `{"GTIN":"1"}`, `x`, ``} {
		if got := string(web.RoughBody([]byte(same))); got != same {
			t.Errorf("%s became %s", same, got)
		}
	}
}
