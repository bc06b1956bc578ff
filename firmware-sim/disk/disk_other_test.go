//go:build !linux || !(amd64 || arm64)

package disk_test

import (
	"errors"
	"testing"

	"aovuon/firmware-sim/disk"
)

func TestDisk_SaysThatItsFaultsCannotBePlayedHere(t *testing.T) {
	d, err := disk.New(t.TempDir(), 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(d.SetReadOnly(false), d.Close()); err != nil {
		t.Errorf("a card without faults: %v", err)
	}
	for what, err := range map[string]error{"full": d.Fill(0), "read-only": d.SetReadOnly(true)} {
		if !errors.Is(err, disk.ErrUnavailable) {
			t.Errorf("%s: %v", what, err)
		}
	}
}
