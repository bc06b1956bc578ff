package boards_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"aovuon/hardware/boards"
)

var update = flag.Bool("update", false, "draw wiring.svg anew")

func each(t *testing.T, f func(t *testing.T, b boards.Board)) {
	t.Helper()
	for _, name := range boards.Names() {
		t.Run(name, func(t *testing.T) {
			b, err := boards.Load(os.DirFS("."), name)
			if err != nil {
				t.Fatal(err)
			}
			f(t, b)
		})
	}
}

func TestBoards_AreWhole(t *testing.T) {
	each(t, func(t *testing.T, b boards.Board) {
		for _, bad := range b.Check() {
			t.Error(bad)
		}
	})
}

func TestDrawing_IsThatOfTheTables(t *testing.T) {
	each(t, func(t *testing.T, b boards.Board) {
		var now bytes.Buffer
		if err := b.Draw(&now); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(b.Name, "wiring.svg")
		if *update {
			if err := os.WriteFile(file, now.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		kept, err := os.ReadFile(file)
		if err != nil || !bytes.Equal(kept, now.Bytes()) {
			t.Errorf("%s is not what bom.csv and pins.csv say (%v): go test ./hardware/boards -update", file, err)
		}
	})
}
