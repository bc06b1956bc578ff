package fault_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"aovuon/firmware-sim/control"
	"aovuon/firmware-sim/fault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func board(t *testing.T) (*fault.Board, *fault.Switch) {
	t.Helper()
	b := fault.NewBoard()
	s, err := b.Add("ao1-do", fault.Unplug, fault.Stuck)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Add("ao1-temp", fault.CRC); err != nil {
		t.Fatal(err)
	}
	return b, s
}

func TestBoard_OneFaultAtATime(t *testing.T) {
	b, s := board(t)
	for _, k := range []fault.Kind{fault.Unplug, fault.Stuck, fault.None} {
		if err := b.Set("ao1-do", k); err != nil || s.Kind() != k {
			t.Errorf("Set(%q): %v, kind %q", k, err, s.Kind())
		}
	}
	if err := b.Set("ao1-do", fault.CRC); !errors.Is(err, fault.ErrUnknown) || !strings.Contains(err.Error(), "unplug, stuck") {
		t.Errorf("a fault the chip cannot have: %v", err)
	}
	if err := b.Set("ao9-do", fault.Unplug); !errors.Is(err, fault.ErrUnknown) || !strings.Contains(err.Error(), "ao1-do, ao1-temp") {
		t.Errorf("a device that is not there: %v", err)
	}
	if _, err := b.Add("ao1-do"); err == nil {
		t.Error("the same device twice")
	}
}

// desk takes the board's verbs.
func desk(t *testing.T, b *fault.Board) *control.Desk {
	t.Helper()
	d := control.NewDesk()
	if err := d.Add(b.Verbs()...); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestVerbs_SwitchFaults(t *testing.T) {
	b, s := board(t)
	d := desk(t, b)
	ask := func(request string) []string {
		t.Helper()
		lines, err := d.Do(t.Context(), request)
		if err != nil {
			t.Fatalf("%s: %v", request, err)
		}
		return lines
	}
	ask("set ao1-do unplug")
	if s.Kind() != fault.Unplug {
		t.Errorf("kind %q after set", s.Kind())
	}
	want := []string{"ao1-do unplug unplug,stuck", "ao1-temp healthy crc"}
	if diff := cmp.Diff(want, ask("list")); diff != "" {
		t.Error(diff)
	}
	ask("heal ao1-do")
	if s.Kind() != fault.None {
		t.Errorf("kind %q after heal", s.Kind())
	}
	ask("set ao1-do stuck")
	ask("heal all")
	if s.Kind() != fault.None {
		t.Errorf("kind %q after heal all", s.Kind())
	}
	for _, request := range []string{"set", "set ao1-do", "set ao1-do love", "set nobody unplug", "heal", "heal nobody", "heal all now", "list all"} {
		if _, err := d.Do(t.Context(), request); err == nil {
			t.Errorf("%q was taken", request)
		}
	}
}
