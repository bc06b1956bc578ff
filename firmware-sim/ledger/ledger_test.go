package ledger_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aovuon/firmware-sim/ledger"
	"aovuon/gateway/measure"
)

func TestLedger_GivesBackWhatWasRecorded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.tsv")
	at := time.UnixMilli(1767225600123).UTC()
	want := []ledger.Entry{
		{Time: at, Device: "ao1-do", Quantity: measure.DissolvedOxygen, Value: 6.87},
		{Time: at.Add(time.Second), Device: "vuon-adc", Fault: "unplug"},
		{Time: at.Add(2 * time.Second), Device: "ao1-temp", Quantity: measure.WaterTemperature, Fault: "crc"},
		{Time: at.Add(3 * time.Second), Device: "ao1-temp", Quantity: measure.WaterTemperature, Value: -0.0625},
	}
	for _, half := range [][]ledger.Entry{want[:2], want[2:]} { // a second run goes on behind the first
		l, err := ledger.Open(path, func(err error) { t.Error(err) })
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range half {
			l.Record(e)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(raw), "1767225600123\tao1-do\tdissolved_oxygen\t6.87\n") {
		t.Errorf("first line is not as FORMAT.md says:\n%s", raw)
	}
	var got []ledger.Entry
	collect := func(e ledger.Entry) error { got = append(got, e); return nil }
	if err := ledger.Read(bytes.NewReader(append(raw, "17672"...)), collect); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A full disk is told of when it happens, once, and again at the end.
func TestLedger_TellsOfAFullDisk(t *testing.T) {
	const full = "/dev/full"
	if _, err := os.Stat(full); err != nil {
		t.Skipf("SKIPPED: %v", err)
	}
	var told []error
	l, err := ledger.Open(full, func(err error) { told = append(told, err) })
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		l.Record(ledger.Entry{Time: time.UnixMilli(1), Device: "ao1-do", Fault: "unplug"})
		if len(told) != 1 || !errors.Is(told[0], syscall.ENOSPC) {
			t.Errorf("told %v", told)
		}
	}
	if err := l.Close(); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("at the end: %v", err)
	}
}

func TestRead_RefusesWhatIsNoLedger(t *testing.T) {
	for _, line := range []string{"", "x\ty\tph\t1", "1\ta\tlove\t1", "1\ta\tph\tx", "1\ta\tph\t!", "1\t\tph\t1", "1\ta\tph"} {
		if err := ledger.Read(strings.NewReader(line+"\n"), func(ledger.Entry) error { return nil }); err == nil {
			t.Errorf("%q was read", line)
		}
	}
}

// Whatever is read is an entry that is written and read back the same.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		"1767225600123\tao1-do\tdissolved_oxygen\t6.87\n", "1\tvuon-adc\t-\t!unplug\n", "-5\ta\tph\t1e300\n", "1\ta\tph\tNaN\n", "\t\t\t\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var list []ledger.Entry
		if ledger.Read(strings.NewReader(text), func(e ledger.Entry) error { list = append(list, e); return nil }) != nil {
			return
		}
		for _, e := range list {
			var again []ledger.Entry
			if err := ledger.Read(strings.NewReader(ledger.Line(e)+"\n"), func(e ledger.Entry) error { again = append(again, e); return nil }); err != nil {
				t.Fatalf("%+v: %v", e, err)
			}
			if diff := cmp.Diff([]ledger.Entry{e}, again); diff != "" {
				t.Fatal(diff)
			}
		}
	})
}
