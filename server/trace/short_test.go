package trace_test

import (
	"testing"

	"aovuon/server/farm"
	"aovuon/server/trace"
)

// Labels that are printed have it: it must not change.
func TestShort_IsAlwaysTheSameAndHasACheckCharacter(t *testing.T) {
	l := trace.Link{GTIN: "09521234010036", Lot: "AO1-261123"}
	got, err := l.Short()
	if err != nil || got != "DTSJDGCZ5" {
		t.Errorf("%q, %v", got, err)
	}
	if again, err := farm.ParseCode(got); err != nil || again != got {
		t.Errorf("%q, %v", again, err)
	}
	l.Serial = "1"
	if other, err := l.Short(); err != nil || other == got {
		t.Errorf("an item has the code of its lot: %q, %v", other, err)
	}
}
