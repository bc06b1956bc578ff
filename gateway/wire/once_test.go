package wire_test

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"aovuon/gateway/wire"
)

// Of many that make a file at once, one does, whole; what is there stays, and nothing else is left in the folder.
func TestWriteOnce_OneOfMany(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "shared.id")
	var wg sync.WaitGroup
	for _, text := range []string{"one", "two", "six", "ten"} {
		wg.Go(func() {
			if err := wire.WriteOnce(path, []byte(text), 0o600); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	first, err := os.ReadFile(path)
	if err != nil || len(first) != 3 {
		t.Fatalf("%q, %v", first, err)
	}
	if err := wire.WriteOnce(path, []byte("later"), 0o600); err != nil {
		t.Fatal(err)
	}
	if again, err := os.ReadFile(path); err != nil || string(again) != string(first) {
		t.Errorf("%q became %q, %v", first, again, err)
	}
	if list, err := os.ReadDir(dir); err != nil || len(list) != 1 {
		t.Errorf("left: %v, %v", list, err)
	}
	if err := wire.WriteOnce(filepath.Join(dir, "none", "x"), nil, 0o600); err == nil {
		t.Error("a folder that is not there was written to")
	}
}
