package web_test

import (
	"html"
	"strings"
	"testing"

	"aovuon/gateway/measure"
	"aovuon/server/history"
	"aovuon/server/watch"
)

func TestPlacePage_SaysWhatAValueWasMadeFrom(t *testing.T) {
	s := newSources(t)
	srv := s.pages(t)
	var series history.Series
	for _, sr := range s.series() {
		if sr.Quantity == measure.DissolvedOxygen {
			series = sr
		}
	}
	page := func(lang string) string {
		return html.UnescapeString(string(get(t, srv, "/places/"+series.Place+"?lang="+lang, nil).body))
	}
	for _, tc := range []struct {
		v      watch.Value
		vi, en string
	}{
		{
			v:  watch.Value{Inputs: "t=28.44@ao1-temp+12;s=0;p=1009.3?"},
			vi: "Tính với nhiệt độ nước 28,4 °C (đo trước 12 giây), độ mặn 0,00 ‰, áp suất không khí 1.009,3 hPa (giả định)",
			en: "Computed with water temperature 28.4 °C (measured 12 seconds earlier), salinity 0.00 ‰, air pressure 1,009.3 hPa (assumed)",
		},
		{v: watch.Value{Inputs: "t=28.44@ao1-temp+1200?", Raw: 6.35, Filtered: true}, vi: "(cũ, đo trước 20 phút); chưa lọc: 6,35 mg/L", en: "before filters: 6.35 mg/L"},
		{v: watch.Value{Inputs: "<script>"}, vi: "", en: ""}, // hostile: nothing is said
	} {
		v := tc.v
		v.Series, v.Time, v.Value, v.Quality = series, now().UTC(), 6.1, measure.Estimated
		s.live.Update([]watch.Value{v})
		for lang, want := range map[string]string{"vi": tc.vi, "en": tc.en} {
			if body := page(lang); !strings.Contains(body, want) || strings.Contains(body, "<script>") {
				t.Errorf("%s: the page does not say %q", lang, want)
			}
		}
	}
}
