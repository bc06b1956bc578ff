package farm_test

import (
	"testing"
	"time"

	"aovuon/server/farm"
)

// Every time on a page asks for the zone: it is read from its file once.
func TestTime_IsReadOnce(t *testing.T) {
	zone := farm.Time()
	if farm.Time() != zone {
		t.Error("the zone was read again")
	}
	at := time.Date(2026, 11, 24, 18, 30, 0, 0, time.UTC)
	if got, want := farm.Midnight(at), time.Date(2026, 11, 24, 17, 0, 0, 0, time.UTC); !got.Equal(want) || got.Location() != zone {
		t.Errorf("the day of %v began at %v, want %v", at, got, want)
	}
}
