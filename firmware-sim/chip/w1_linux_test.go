package chip_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aovuon/firmware-sim/chip"
)

// TestFolder_ReadingsThatWaitAreNotToldAsOne: on a busy machine several readings of one text are told late.
func TestFolder_ReadingsThatWaitAreNotToldAsOne(t *testing.T) {
	r, w := w1Rig(t, 27.3)
	dir := t.TempDir()
	f, err := chip.NewRefreshedFolder(w, dir)
	if err == nil {
		err = f.Refresh()
	}
	if err != nil {
		t.Fatal(err)
	}
	release := f.HoldEvents()
	for range 5 {
		if _, err := os.ReadFile(filepath.Join(dir, rom, "w1_slave")); err != nil {
			t.Error(err)
		}
	}
	release()
	for range 5 {
		<-r.book.more
	}
	if n := len(r.book.all()); n != 5 {
		t.Errorf("%d of 5 readings are in the ledger", n)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

// TestFolder_AReadingTakesAConversion: where there are leases whoever opens a w1_slave waits for a conversion, one at a time, and
// nobody waits for a simulator that is gone.
func TestFolder_AReadingTakesAConversion(t *testing.T) {
	r := newRig()
	converts := make(chan time.Duration)
	w := chip.NewW1(r.clock.now, func(d time.Duration) { converts <- d })
	for _, name := range []string{rom, "28-0123456789ac"} {
		if err := w.Add(chip.NewDS18B20(r.part(t, name, chip.DS18B20Faults()), name, constant(27))); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	if !chip.Leases(dir) {
		t.Skipf("the file system of %s knows no leases", dir)
	}
	f, err := chip.NewFolder(w, dir)
	if err == nil {
		err = f.Refresh()
	}
	if err != nil {
		t.Fatal(err)
	}
	texts := make(chan string)
	read := func(name string) {
		b, err := os.ReadFile(filepath.Join(dir, name, "w1_slave"))
		if err != nil {
			t.Error(err)
		}
		texts <- string(b)
	}
	for range 3 {
		go read(rom)
		select {
		case d := <-converts:
			if d != 750*time.Millisecond {
				t.Errorf("a conversion of %v", d)
			}
		case text := <-texts:
			t.Fatalf("not waited for: %q", text)
		}
		if _, verdict, _ := parse(t, <-texts); verdict != "YES" {
			t.Error(verdict)
		}
	}
	go read(rom)
	go read("28-0123456789ac")
	for range 2 { // one after the other
		<-converts
		<-texts
	}
	if n := len(r.book.all()); n != 5 {
		t.Errorf("%d of 5 readings are in the ledger", n)
	}
	go read(rom)
	<-converts // begun
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if text := <-texts; text != "" && !strings.Contains(text, "YES") {
		t.Errorf("read of a simulator that ends: %q", text)
	}
}
