package web

import (
	"testing"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/farm"
	"aovuon/server/watch/rule"
)

func TestWords_AReasonIsWrittenInTheReadersLanguage(t *testing.T) {
	e, err := newEngine()
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 7, 1, 15, 0, 0, 0, time.UTC) // 22:00 in Viet Nam
	for _, tt := range []struct {
		arg    rule.Arg
		vi, en string
	}{
		{rule.Value(measure.DissolvedOxygen, 2.5), "2,50\u00a0mg/L", "2.50\u00a0mg/L"},
		{rule.Number(12.34, 1, "mm"), "12,3\u00a0mm", "12.3\u00a0mm"},
		{rule.At(now.Add(time.Hour)), "23:00", "23:00"},
		{rule.At(now.Add(3 * time.Hour)), "01:00", "01:00"},
		{rule.At(now.Add(13 * time.Hour)), "11:00 02/07/2026", "11:00 02/07/2026"},
		{rule.At(now.Add(-23 * time.Hour)), "23:00 30/06/2026", "23:00 30/06/2026"},
		{rule.At(now.Add(-21 * time.Hour)), "01:00", "01:00"},
		{rule.Day(now.Add(3 * time.Hour)), "02/07/2026", "02/07/2026"},
		{rule.Named(farm.Text{VI: "Ao Cửa", EN: "Gate pond"}), "Ao Cửa", "Gate pond"},
		{rule.Arg{Quantity: measure.PH}, "pH", "pH"},
	} {
		if got := e.words["vi"].arg(tt.arg, now); got != tt.vi {
			t.Errorf("vi: %q, want %q", got, tt.vi)
		}
		if got := e.words["en"].arg(tt.arg, now); got != tt.en {
			t.Errorf("en: %q, want %q", got, tt.en)
		}
	}
}
