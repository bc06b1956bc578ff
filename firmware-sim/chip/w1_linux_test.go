package chip_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aovuon/firmware-sim/chip"
	"aovuon/server/parttest"
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

// TestFolder_ClosesAfterItsReaders: who has a text when the simulator ends has read it, and the ledger says so; who never closes it holds
// nobody up.
func TestFolder_ClosesAfterItsReaders(t *testing.T) {
	for name, closes := range map[string]bool{"a reader who closes": true, "one who never does": false} {
		t.Run(name, func(t *testing.T) {
			r, w := w1Rig(t, 27.3)
			dir := t.TempDir()
			f, err := chip.NewRefreshedFolder(w, dir)
			if err == nil {
				err = f.Refresh()
			}
			if err != nil {
				t.Fatal(err)
			}
			reader, err := os.Open(filepath.Join(dir, rom, "w1_slave"))
			if err != nil {
				t.Fatal(err)
			}
			closed := make(chan error)
			go func() { closed <- f.Close() }()
			parttest.Await(t, "a folder without thermometers", func() bool {
				_, err := os.Stat(filepath.Join(dir, rom))
				return os.IsNotExist(err)
			})
			want := 0
			if closes {
				want = 1
				if err := reader.Close(); err != nil {
					t.Error(err)
				}
			}
			if err := <-closed; err != nil {
				t.Error(err)
			}
			if n := len(r.book.all()); n != want {
				t.Errorf("%d readings in the ledger, want %d", n, want)
			}
			if !closes {
				if err := reader.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// TestFolder_AReadingTakesAConversion: where there are leases whoever opens a w1_slave waits for a conversion, one at a time, and
// nobody waits for a simulator that is gone.
func TestFolder_AReadingTakesAConversion(t *testing.T) {
	r := newRig()
	converts, begun := make(chan time.Duration), make(chan struct{}, 20)
	w := chip.NewW1(r.clock.now, func(d time.Duration) {
		begun <- struct{}{}
		converts <- d
	})
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
	for range 5 { // the ledger hears of each
		<-r.book.more
	}
	if n := len(r.book.all()); n != 5 {
		t.Errorf("%d of 5 readings are in the ledger", n)
	}
	slave := filepath.Join(dir, rom, "w1_slave")
	file := func() os.FileInfo {
		t.Helper()
		info, err := os.Stat(slave)
		if err != nil {
			t.Fatal(err)
		}
		return info
	}
	before := file()
	cat := exec.Command("cat", slave)
	if err := cat.Start(); err != nil {
		t.Fatal(err)
	}
	for range 6 { // the sixth is of one who asks, and is gone before the conversion ends
		<-begun
	}
	if err := cat.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := cat.Wait(); err == nil {
		t.Fatal("killed, and yet no error")
	}
	<-converts
	parttest.Await(t, "an end of the conversion for nobody", func() bool { return !os.SameFile(before, file()) })
	go read(rom)
	<-converts
	<-texts
	<-r.book.more
	if n := len(r.book.all()); n != 6 {
		t.Errorf("%d entries in the ledger after 6 readings: it holds what nobody read", n)
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
