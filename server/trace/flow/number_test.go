package flow_test

import (
	"crypto/rand"
	"log/slog"
	"testing"
	"time"

	"aovuon/server/farm"
	"aovuon/server/trace"
	"aovuon/server/trace/flow"
)

// TestNumbers are the numbers of boxes of a co-op with a company prefix, and the serials.
func TestNumbers(t *testing.T) {
	onFile(t, func(r *rig) {
		terms := flow.Defaults()
		terms.Prefix = "8938500001"
		r.desk = flow.New(r.db, r.db, terms, rand.Reader, func() time.Time { return r.now }, slog.New(slog.DiscardHandler))
		for _, want := range []string{"089385000010000017", "089385000010000024"} {
			got := r.take(lan, trace.Goods{Kind: trace.FillBox, In: part(r.lot, 1)}).Out[0].Ref
			if got.ID != want || !flow.ValidSSCC(got.ID) || farm.InternalSSCC(got.ID) {
				r.Errorf("box %s, want %s", got.ID, want)
			}
		}
	})
	// The example of GS1's General Specifications for the check digit of an SSCC.
	if !flow.ValidSSCC("376104250021234569") || flow.ValidSSCC("376104250021234560") || flow.ValidSSCC("37610425002123456") {
		t.Error("check digit")
	}
	seen := map[string]bool{}
	for range 10_000 {
		s, err := flow.NewSerial(rand.Reader)
		if err != nil || !flow.ValidSerial(s) || seen[s] {
			t.Fatalf("%s %v", s, err)
		}
		seen[s] = true
	}
	if flow.ValidSerial("0123456789ABI") || flow.ValidSerial("0123456789AB") {
		t.Error("a serial with I, or of 12 characters")
	}
}
