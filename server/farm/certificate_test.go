package farm_test

import (
	"testing"
	"time"

	"aovuon/server/farm"
	"aovuon/server/form"
)

func TestCovering_EveryPlaceOfItOrNone(t *testing.T) {
	day := time.Date(2026, 10, 3, 9, 0, 0, 0, farm.Time())
	cert := func(id, scheme string, places ...string) farm.CertificateScope {
		return farm.ScopeOf(farm.Record{Kind: farm.Certificate, ID: id, Values: form.Values{"scheme": scheme, "products": []string{"fish"}, "places": places, "from": "2026-01-01", "to": "2026-10-03"}})
	}
	both := []farm.CertificateScope{cert("1", "vietgap", "a"), cert("2", "vietgap", "b"), cert("3", "ocop"), cert("4", "gacp", "a")}
	made := both[1]
	made.Demo = true
	for name, c := range map[string]struct {
		all    []farm.CertificateScope
		places []string
		at     time.Time
		want   string
	}{
		"one place":                            {both, []string{"a"}, day, "134"},
		"two places, each by its own":          {both, []string{"a", "b"}, day, "123"},
		"a place that nobody certified":        {both, []string{"a", "c"}, day, "3"},
		"no place: what is made anywhere":      {both, nil, day, "3"},
		"a made-up one does not help a real":   {[]farm.CertificateScope{both[0], made}, []string{"a", "b"}, day, ""},
		"the last minute of its last day":      {both, []string{"a"}, time.Date(2026, 10, 3, 23, 59, 59, 0, farm.Time()), "134"},
		"the day after":                        {both, []string{"a"}, time.Date(2026, 10, 4, 0, 0, 0, 0, farm.Time()), ""},
		"before its first day":                 {both, []string{"a"}, time.Date(2025, 12, 31, 23, 59, 0, 0, farm.Time()), ""},
		"no last day covers nothing, not ever": {[]farm.CertificateScope{{ID: "5", Products: []string{"fish"}}}, []string{"a"}, day, ""},
	} {
		got := ""
		for _, s := range farm.Covering(c.all, "fish", c.places, c.at) {
			got += s.ID
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	if got := farm.Covering(both, "rice", []string{"a"}, day); len(got) != 0 {
		t.Errorf("another product: %+v", got)
	}
}
