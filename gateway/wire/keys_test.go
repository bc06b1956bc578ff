package wire_test

import (
	"path/filepath"
	"strconv"
	"testing"

	"aovuon/gateway/wire"
)

// TestLoadKey_ReadsEveryKeyThatWasMade: the base64 of half of all keys holds a plus sign, which also stands between the
// parts of a key's text.
func TestLoadKey_ReadsEveryKeyThatWasMade(t *testing.T) {
	dir := t.TempDir()
	for i := range 100 {
		path := filepath.Join(dir, strconv.Itoa(i))
		made, err := wire.CreateKey(path, "gw-ao")
		if err != nil {
			t.Fatal(err)
		}
		_, loaded, err := wire.LoadKey(path)
		if err != nil || loaded != made {
			t.Fatalf("key %d: made %s, loaded %s, %v", i, made, loaded, err)
		}
	}
}
