package web

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/account"
	"aovuon/server/farm"
	"aovuon/server/watch/drying"
	"aovuon/server/watch/rule"
)

type driedSheds []drying.Shed

func (d driedSheds) Shed(place string) (drying.Shed, bool) {
	for _, s := range d {
		if s.Place.Code == place {
			return s, true
		}
	}
	return drying.Shed{}, false
}

func TestDryingPanel_ShowsWhatBatchesHad(t *testing.T) {
	e, err := newEngine()
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 12, 10, 15, 0, 0, 0, farm.Time())
	board := rule.NewBoard()
	board.Put(drying.ID, []rule.Decision{{
		Rule: drying.ID, Place: "S", Topic: drying.Topic, Verdict: rule.Warn, At: at, Until: at.Add(time.Hour),
		Why: []rule.Reason{rule.Because("drying_hot", rule.Value(measure.AirTemperature, 64), rule.Value(measure.AirTemperature, 60))}, Do: []rule.Reason{rule.Because("drying_hot")},
	}})
	sheds := driedSheds{{Place: farm.Place{Code: "S"}, Probed: true, Batches: []drying.Batch{
		{Entry: "E1", Lot: "DL-1", Herb: true, Begin: at.Add(-5 * time.Hour), Heat: drying.Span{Hours: 5, Min: 48, Mean: 57, Max: 64}},
		{Entry: "E2", Lot: "DL-0", Herb: true, Begin: at.Add(-40 * time.Hour), End: at.Add(-30 * time.Hour), Moisture: 13.5, Known: true},
	}}, {Place: farm.Place{Code: "N"}}}
	s := &Server{e: e, o: Options{Log: slog.New(slog.DiscardHandler), Board: board, Drying: sheds}}
	panel := placePanel{"dryingpanel", slotToday, s.dryingPanel}
	staff := context.WithValue(t.Context(), visitorKey{}, &account.Visitor{Account: account.Account{Role: account.Technician}})
	html, err := s.panel(staff, e.words["vi"], placeAt{Farm: &farm.Farm{}, Place: farm.Place{Code: "S", Kind: farm.Shed}, Now: at}, panel)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Phòng sấy 64,0", "Hạ lửa", "DL-1", "đang sấy", "57,0\u00a0°C (48,0–64,0)", "không đo", "13,5\u00a0%", "10 giờ", "/diary/E2", "Chưa ghi"} {
		if !strings.Contains(string(html), want) {
			t.Errorf("it does not say %q:\n%s", want, html)
		}
	}
	for _, code := range []string{"N", "A"} {
		if html, err := s.panel(staff, e.words["vi"], placeAt{Place: farm.Place{Code: code}, Now: at}, panel); html != "" || err != nil {
			t.Errorf("%s has a panel: %q, %v", code, html, err)
		}
	}
	// Pages may be open to everybody; the diary, in which batches stand, is not.
	s.o.OpenPages = true
	if html, err := s.panel(t.Context(), e.words["vi"], placeAt{Farm: &farm.Farm{}, Place: farm.Place{Code: "S", Kind: farm.Shed}, Now: at}, panel); html != "" || err != nil {
		t.Errorf("a stranger reads the diary: %q, %v", html, err)
	}
}
