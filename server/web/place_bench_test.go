package web_test

import (
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"aovuon/server/history"
	"aovuon/server/history/sqlite"
	"aovuon/server/web"
)

// BenchmarkPlace measures the page of a pond with minutes of 120 days behind it, drawn whole: one pond of the demo, six charts. Figures are in
// README.md.
func BenchmarkPlace(b *testing.B) {
	s := newSources(b)
	store, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "history.db"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := store.Close(); err != nil {
			b.Error(err)
		}
	})
	const place = "E8SG6VC0T"
	for _, sr := range s.series() {
		if sr.Place == place {
			season(b, store, sr)
		}
	}
	h, err := web.New(web.Options{
		Farm: s, Lots: s, Names: s, People: s, Calibrations: s, Ledger: s.ledger, LogKey: s.logKey, Live: s.live, History: store, OpenPages: true, PublicURL: "https://tx.example.vn", Now: now, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		b.Fatal(err)
	}
	for name, query := range map[string]string{
		"page/24h": "/places/" + place, "page/30d": "/places/" + place + "?range=30d", "page/120d": "/places/" + place + "?from=2026-07-28&to=2026-11-24",
		"chart/30d": "/api/series?place=" + place + "&quantity=dissolved_oxygen&range=30d", "chart/120d": "/api/series?place=" + place + "&quantity=dissolved_oxygen&from=2026-07-28&to=2026-11-24",
		"picture/30d": "/places/" + place + "/chart.png?range=30d&quantity=dissolved_oxygen",
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				rec := httptest.NewRecorder()
				h.ServeHTTP(rec, httptest.NewRequestWithContext(b.Context(), http.MethodGet, query, nil))
				if rec.Code != http.StatusOK || rec.Body.Len() < 1000 {
					b.Fatal(rec.Code, rec.Body.Len())
				}
			}
		})
	}
}

// season writes 120 days of minutes of a series.
func season(b *testing.B, store history.Store, sr history.Series) {
	b.Helper()
	begin := now().AddDate(0, 0, -120)
	for day := range 120 {
		var points []history.Point
		for m := range 1440 {
			at := begin.AddDate(0, 0, day).Add(time.Duration(m) * time.Minute)
			points = append(points, history.Point{Series: sr, Time: at.UTC(), Value: 6 + 2*math.Sin(float64(m)*math.Pi/720) + float64(m%7)/50})
		}
		if err := store.Write(b.Context(), points); err != nil {
			b.Fatal(err)
		}
	}
}
