package chip_test

import (
	"os"
	"path/filepath"
	"testing"

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
