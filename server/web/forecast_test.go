package web_test

import (
	"context"
	"log/slog"
	"math"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"aovuon/gateway/measure"
	"aovuon/server/account"
	"aovuon/server/diary"
	"aovuon/server/farm"
	"aovuon/server/history"
	"aovuon/server/parttest"
	"aovuon/server/watch"
	"aovuon/server/watch/advice"
	"aovuon/server/watch/dawn"
	"aovuon/server/watch/rule"
	"aovuon/server/web"
)

// nights is a made-up record of nights, in memory.
type nights map[string]dawn.Record

func (n nights) DawnRecords(_ context.Context, from string) (out []dawn.Record, _ error) {
	for _, r := range n {
		if r.Day >= from {
			out = append(out, r)
		}
	}
	return out, nil
}

func (n nights) SaveDawnRecord(_ context.Context, r dawn.Record) error {
	n[r.Place+r.Day] = r
	return r.Check()
}

func (nights) Events(context.Context, diary.Query) ([]diary.Event, error) { return nil, nil }

// foretell lets the forecast look twice: the first time it makes up for the nights before.
func foretell(t testing.TB, f dawn.Register, h dawn.History, at time.Time) (*rule.Board, *dawn.Rule) {
	t.Helper()
	board, kept := rule.NewBoard(), nights{}
	r := dawn.New(dawn.Options{Farm: f, History: h, Diary: kept, Store: kept})
	for range 2 {
		rule.Look(t.Context(), board, r, at, slog.New(slog.DiscardHandler))
	}
	return board, r
}

// fourPonds are ponds in four states on one evening: one sinks, one is well, one's probe is silent, one's aerator runs.
type fourPonds struct{ at time.Time }

func (p fourPonds) Each(_ context.Context, sr history.Series, from, to time.Time, f func(history.Point) error) error {
	for at := from; at.Before(to); at = at.Add(5 * time.Minute) {
		day := at.In(farm.Time())
		hour := float64(day.Hour()) + float64(day.Minute())/60
		swing := math.Cos((hour - 16.5) / 24 * 2 * math.Pi) // most at 16:30
		noise := 0.04 * math.Sin(hour*37)
		v := 0.0
		switch {
		case sr.Quantity == measure.WaterTemperature:
			v = 24 + swing
		case sr.Quantity == measure.AeratorRunning || sr.Quantity == measure.AeratorCommand:
			if !at.Before(p.at.Add(-80 * time.Minute)) {
				v = 1
			}
		case sr.Sensor == "ao1-do":
			v = 5.7 + 3*swing + noise
		case sr.Sensor == "ao3-do" && at.After(p.at.Add(-100*time.Minute)):
			continue
		default:
			v = 8 + 1.5*swing + noise
		}
		if err := f(history.Point{Series: sr, Time: at, Value: v}); err != nil {
			return err
		}
	}
	return nil
}

func lateEvening() time.Time { return time.Date(2026, 11, 23, 22, 40, 0, 0, farm.Time()) }

func eveningPages(t *testing.T, s *sources) *httptest.Server {
	t.Helper()
	at := lateEvening()
	board, foretold := foretell(t, s, fourPonds{at}, at)
	advise(board, "F7NE3CDQ7", at)
	h, err := web.New(web.Options{
		Board: board, Dawn: foretold, Farm: s, Lots: s, Names: s, People: s, Calibrations: s, Ledger: s.ledger, LogKey: s.logKey, Live: watch.NewLive(), History: s, OpenPages: true,
		PublicURL: "https://tx.example.vn", Now: func() time.Time { return at }, Log: slog.New(slog.DiscardHandler),
		System: func(context.Context) (web.System, error) { return s.system, s.fail() },
	})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv
}

func TestForecast_TheWorstPondStandsFirstAndSaysWhatToDo(t *testing.T) {
	srv := eveningPages(t, newSources(t))
	for lang, want := range map[string][]string{
		"vi": {"Phải bật quạt", "Bật quạt lúc", "TCVN 13952:2024", "đêm: sai số", "Không biết", "không có số nào dùng được từ 21:0", "Quạt chạy từ 21:20", "Đủ ôxy"},
		"en": {"Aerate", "Start the aerator at", "nights: off by", "Not known", "no usable reading since 21:0", "The aerator has run since 21:20", "Enough oxygen"},
	} {
		res := get(t, srv, "/forecast?lang="+lang, nil)
		body := string(res.body)
		for _, text := range want {
			if !strings.Contains(body, text) {
				t.Errorf("%s: does not say %q", lang, text)
			}
		}
		var order []int
		for _, p := range []string{"F7NE3CDQ7", "72DQY3KX0", "E8SG6VC0T", "CSSHRYF9K"} { // ao1 sinks, ao3 is silent, ao4 is aerated, ao2 is well
			order = append(order, strings.Index(body, `id="dawn-`+p))
		}
		if res.status != 200 || !slices.IsSorted(order) || order[0] < 0 {
			t.Errorf("%s: %d, ponds at %v", lang, res.status, order)
		}
		if strings.Contains(body, "why.") || strings.Contains(body, "do.dawn") || strings.Contains(body, "%s") {
			t.Errorf("%s: a text misses", lang)
		}
	}
	if body := string(get(t, srv, "/places/F7NE3CDQ7", nil).body); !strings.Contains(body, "Bật quạt lúc") || !strings.Contains(body, `class="fore"`) {
		t.Error("the page of the place does not say it")
	}
	if body := string(get(t, srv, "/places/F7NE3CDQ7", nil).body); strings.Contains(body, "Chưa cho ăn") {
		t.Error("the page of the place gives a stranger advice")
	}
	if body := string(get(t, srv, "/places/WW08G83KH", nil).body); strings.Contains(body, "dawn-") {
		t.Error("a potato plot has a dawn")
	}
}

// advise puts on the board that a pond is not to be fed, and that its probes are well.
func advise(board *rule.Board, place string, at time.Time) {
	board.Put(advice.TopicFeeding, []rule.Decision{{
		Rule: advice.TopicFeeding, Topic: advice.TopicFeeding, Place: place, Verdict: rule.Notice, At: at, Source: farm.Text{VI: "Global Seafood Alliance", EN: "Global Seafood Alliance"},
		Why: []rule.Reason{rule.Because("feed_low", rule.Value(measure.DissolvedOxygen, 2.4), rule.Number(3, 1, "mg/L"))}, Do: []rule.Reason{rule.Because("feed_stop", rule.Number(4, 1, "mg/L"))},
	}})
	board.Put(advice.TopicProbes, []rule.Decision{{Rule: advice.TopicProbes, Topic: advice.TopicProbes, Place: place, Verdict: rule.Calm, At: at, Why: []rule.Reason{rule.Because("care_fine")}}})
}

// Advice says what stands in the diary: staff read it, strangers do not, also where pages are open.
func TestForecast_AdviceIsForThoseWhoReadTheDiary(t *testing.T) {
	w := newTown(t, "https://tx.example.vn", true)
	advise(w.advice, own, now())
	for role, want := range map[account.Role]bool{account.Technician: true, account.Inspector: true, "": false} {
		_, body := w.views(t, role, "/places/"+own)
		for _, text := range []string{"Chưa cho ăn. Chờ ôxy lên trên 4,0", "Ôxy đang 2,40", "còn hạn hiệu chuẩn"} {
			if strings.Contains(body, text) != want {
				t.Errorf("%q reads %q: %v, want %v", role, text, !want, want)
			}
		}
	}
}

func TestForecast_WithoutProbesItSaysSo(t *testing.T) {
	s := newSources(t)
	s.farm.Mounts = nil
	if body := string(get(t, s.pages(t), "/forecast", nil).body); !strings.Contains(body, "Chưa có ao nào có đầu đo ôxy") {
		t.Error("an empty page says nothing")
	}
}

func TestBrowser_ForecastReadsWell(t *testing.T) {
	axe := parttest.Axe(t)
	srv := eveningPages(t, newSources(t))
	b := browser(t)
	for _, shade := range []string{"light", "dark"} {
		for name, view := range map[string]step{"phone": phone(), "desk": desk()} {
			for page, path := range map[string]string{"forecast": "/forecast", "dawn": "/places/F7NE3CDQ7"} {
				b.do(page, view, scheme(shade), chromedp.Navigate(srv.URL+path), chromedp.WaitVisible(chromedp.CSS("#main h1")))
				if complaints := axe(b.ctx); complaints != "" {
					t.Errorf("%s, %s, %s: %s", page, name, shade, complaints)
				}
				if wide := ask1(b, "width", chromedp.Evaluate[bool](`document.documentElement.scrollWidth > innerWidth`)); wide {
					t.Errorf("%s, %s: wider than the screen", page, name)
				}
				shoot(b, page+"-"+name+"-"+shade)
			}
		}
	}
}
