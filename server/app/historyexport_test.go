package app_test

import (
	"context"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/history"
	"aovuon/server/history/keeper"
	"aovuon/server/history/sqlite"
)

// A file of readings of which some were let go is not written; what is said instead can be typed as it stands.
func TestHistoryExport_SaysFromWhenReadingsAreKept(t *testing.T) {
	p := newProcess(t, "{ engine: sqlite }", "")
	p.once("farm", "demo")
	s, err := sqlite.Open(t.Context(), p.path("data/history.db"))
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Date(2026, 5, 1, 17, 0, 0, 0, time.UTC) // midnight
	pond := history.Series{Place: "F7NE3CDQ7", Quantity: measure.PH, Gateway: "gw-ao-phukhe", Sensor: "ao1-ph"}
	var points []history.Point
	for m := range 5 * 60 {
		points = append(points, history.Point{Series: pond, Time: begin.Add(time.Duration(m) * time.Minute), Value: 7})
	}
	if err := s.Write(t.Context(), points); err != nil {
		t.Fatal(err)
	}
	if err := keeper.New(keeper.Options{
		Store: s, Now: func() time.Time { return begin.AddDate(0, 0, 2) }, Log: slog.New(slog.DiscardHandler),
		Judge: func(context.Context) (history.Judge, error) {
			return func(history.Series) history.Judgement { return history.Judgement{} }, nil
		},
	}).CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n, err := s.LetGo(t.Context(), pond, begin, begin.Add(3*time.Hour)); err != nil || n == 0 {
		t.Fatal(n, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	file := p.path("x.csv")
	out, err := p.command("history", "export", "--from", "2026-05-02", "--to", "2026-05-02", "--out", file).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "say --from 2026-05-02T03:00 or later") {
		t.Errorf("%v: %s", err, out)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("a file is there")
	}
	p.once("history", "export", "--from", "2026-05-02T03:00", "--to", "2026-05-02", "--out", file)
	if raw, err := os.ReadFile(file); err != nil || strings.Count(string(raw), "\n") != 1+2*60 {
		t.Errorf("%v: %d lines", err, strings.Count(string(raw), "\n"))
	}
}
