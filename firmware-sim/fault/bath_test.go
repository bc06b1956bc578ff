package fault_test

import (
	"testing"

	"aovuon/firmware-sim/fault"
)

func TestVerbs_DipAndDrift(t *testing.T) {
	b := fault.NewBoard()
	sw, err := b.Add("ph", fault.Unplug)
	if err != nil {
		t.Fatal(err)
	}
	d := desk(t, b)
	for _, request := range []string{
		"dip ph", "dip ph seven", "dip ph NaN", "dip do 7", "drift ph 1", "drift ph 1 2 3", "dip ph 1 2 3", "dip", "drift", "drift do 1 2",
		"dip ph 1e9", "dip ph 7 2500", "dip ph 7 -40", "drift ph 1 1e300", "drift ph -1 0", "drift ph 1e6 0",
	} {
		if _, err := d.Do(t.Context(), request); err == nil {
			t.Errorf("%q was taken", request)
		}
	}
	ask := func(request string) {
		t.Helper()
		if _, err := d.Do(t.Context(), request); err != nil {
			t.Errorf("%s: %v", request, err)
		}
	}
	ask("dip ph 7.02 20")
	if got := sw.Bath(); got == nil || got.Value != 7.02 || got.Celsius == nil || *got.Celsius != 20 {
		t.Errorf("bath %+v", got)
	}
	ask("dip ph 010 -5")
	if got := sw.Bath(); got == nil || got.Value != 10 || *got.Celsius != -5 {
		t.Errorf("bath %+v, want 10", got)
	}
	ask("drift ph 0.9 0.5")
	if got := sw.Feels(10); got != 9.5 {
		t.Errorf("it feels %v, want 9.5", got)
	}
	ask("dip ph out")
	if got := sw.Bath(); got != nil {
		t.Errorf("still in %+v", got)
	}
}
