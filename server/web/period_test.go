package web

import (
	"net/url"
	"testing"
	"time"

	"pgregory.net/rapid"

	"aovuon/server/farm"
)

func at(s string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04", s, farm.Time())
	if err != nil {
		panic(err)
	}
	return t
}

func TestPeriod_IsWhatTheAddressAsksFor(t *testing.T) {
	now, begun := at("2026-11-24 07:40"), at("2026-07-12 00:00")
	for query, want := range map[string]struct {
		from, to, wrong string
		step            time.Duration
	}{
		"":                              {"2026-11-23 07:40", "2026-11-24 07:40", "", 10 * time.Minute},
		"range=7d":                      {"2026-11-17 07:00", "2026-11-24 07:40", "", time.Hour},
		"range=30d":                     {"2026-10-25 04:00", "2026-11-24 07:40", "", 4 * time.Hour},
		"range=season":                  {"2026-07-12 00:00", "2026-11-24 07:40", "", 24 * time.Hour},
		"from=2026-11-01&to=2026-11-02": {"2026-11-01 00:00", "2026-11-03 00:00", "", 15 * time.Minute},
		"from=2026-11-01&to=2026-11-01": {"2026-11-01 00:00", "2026-11-02 00:00", "", 10 * time.Minute},
		"from=2026-11-01":               {"2026-11-01 00:00", "2026-11-02 00:00", "", 10 * time.Minute},
		"to=2026-11-01":                 {"2026-11-01 00:00", "2026-11-02 00:00", "", 10 * time.Minute},
		"from=2026-11-20T03:15&to=2026-11-20T06:45": {"2026-11-20 03:15", "2026-11-20 06:45", "", 2 * time.Minute},
		"from=2026-11-20&to=2026-12-24":             {"2026-11-20 00:00", "2026-11-24 07:40", "", time.Hour}, // not drawn into the future
		"from=2026-11-25&to=2026-11-26":             {"2026-11-23 07:40", "2026-11-24 07:40", "period.wrong.future", 10 * time.Minute},
		"from=2026-11-20&to=2026-11-19":             {"2026-11-23 07:40", "2026-11-24 07:40", "period.wrong.order", 10 * time.Minute},
		"from=2026-11-20T03:15&to=2026-11-20T03:20": {"2026-11-23 07:40", "2026-11-24 07:40", "period.wrong.order", 10 * time.Minute},
		"from=2020-01-01&to=2026-11-20":             {"2026-11-23 07:40", "2026-11-24 07:40", "period.wrong.long", 10 * time.Minute},
		"from=20/11/2026&to=2026-11-20":             {"2026-11-23 07:40", "2026-11-24 07:40", "period.wrong.form", 10 * time.Minute},
		"from=2026-02-30&to=2026-03-02":             {"2026-11-23 07:40", "2026-11-24 07:40", "period.wrong.form", 10 * time.Minute},
	} {
		q, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		p, wrong, ok := askedPeriod(q, begun, now)
		if !ok || wrong != want.wrong || !p.From.Equal(at(want.from)) || !p.To.Equal(at(want.to)) || p.Step != want.step {
			t.Errorf("%s: %t %q, from %s to %s by %s", query, ok, wrong, p.From.In(farm.Time()), p.To.In(farm.Time()), p.Step)
		}
	}
	for _, query := range []string{"range=1y", "range=season"} {
		q, _ := url.ParseQuery(query) //nolint:errcheck // both are fine
		if _, _, ok := askedPeriod(q, time.Time{}, now); ok {
			t.Errorf("%s of a place without a season is taken", query)
		}
	}
}

// Whatever is asked for: few enough steps, few enough marks, and the address of what is shown asks for the same again.
func TestPeriod_HoldsForAnyTime(t *testing.T) {
	now := at("2026-11-24 07:40")
	rapid.Check(t, func(t *rapid.T) {
		from := now.Add(-time.Duration(rapid.IntRange(10, 700*24*60).Draw(t, "from")) * time.Minute)
		to := from.Add(time.Duration(rapid.IntRange(0, 500*24*60).Draw(t, "long")) * time.Minute)
		p, wrong, ok := askedPeriod(momentsQuery(from, to), time.Time{}, now)
		if !ok {
			t.Fatal("not taken")
		}
		if n := p.steps(); n < 1 || n > mostSteps+2 {
			t.Fatalf("%d steps of %s", n, p.Step)
		}
		if n := len(p.ticks()); n > 8 || n < 1 && p.To.Sub(p.From) > time.Hour {
			t.Fatalf("%d marks from %s to %s", n, p.From, p.To)
		}
		if p.To.After(now) || p.To.Sub(p.From) < leastPeriod || p.To.Sub(p.From) > mostPeriod {
			t.Fatalf("from %s to %s", p.From, p.To)
		}
		again, wrongAgain, _ := askedPeriod(p.query(), time.Time{}, now)
		if wrong == "" && (wrongAgain != "" || !again.From.Equal(p.From) || !again.To.Equal(p.To)) {
			t.Fatalf("%v asks for %s to %s, want %s to %s", p.query(), again.From, again.To, p.From, p.To)
		}
	})
}

func TestPeriod_StepsBeginWhereTheHistoryBeginsThem(t *testing.T) {
	for in, want := range map[string]string{"2026-11-24 07:40": "2026-11-24 00:00", "2026-11-24 00:00": "2026-11-24 00:00", "2026-11-23 23:59": "2026-11-23 00:00"} {
		if got := stepStart(at(in), 24*time.Hour); !got.Equal(at(want)) {
			t.Errorf("the day of %s begins %s", in, got.In(farm.Time()))
		}
	}
	if got := stepStart(at("2026-11-24 07:40"), 4*time.Hour); !got.Equal(at("2026-11-24 04:00")) {
		t.Errorf("four hours: %s", got.In(farm.Time()))
	}
}

func TestPeriod_LinksGoOnFromEachOther(t *testing.T) {
	w, err := loadWords(Vietnamese)
	if err != nil {
		t.Fatal(err)
	}
	now := at("2026-11-24 07:40")
	p, _, _ := askedPeriod(url.Values{"from": {"2026-11-20"}, "to": {"2026-11-20"}}, time.Time{}, now)
	v := newPeriodView(w, "/compare", url.Values{"place": {"A", "B"}}, p, time.Time{}, "", now)
	for what, link := range map[string][2]string{
		"earlier": {v.Earlier, "/compare?from=2026-11-19T00%3A00&place=A&place=B&to=2026-11-20T00%3A00"}, "later": {v.Later, "/compare?from=2026-11-21T00%3A00&place=A&place=B&to=2026-11-22T00%3A00"},
		"closer": {v.Closer, "/compare?from=2026-11-20T12%3A00&place=A&place=B&to=2026-11-21T00%3A00"}, "wider": {v.Wider, "/compare?from=2026-11-19T00%3A00&place=A&place=B&to=2026-11-21T00%3A00"},
	} {
		if link[0] != link[1] {
			t.Errorf("%s leads to %s, want %s", what, link[0], link[1])
		}
	}
	if v.From != "2026-11-20" || v.To != "2026-11-20" || len(v.Keep) != 2 {
		t.Errorf("the form begins with %s to %s and keeps %v", v.From, v.To, v.Keep)
	}
	if v := newPeriodView(w, "/", nil, untilNow(spans()[0], now), time.Time{}, "", now); v.Later != "" {
		t.Errorf("after now comes %s", v.Later)
	}
}
