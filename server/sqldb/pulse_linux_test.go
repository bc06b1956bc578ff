package sqldb

import (
	"path/filepath"
	"testing"

	"aovuon/server/parttest"
)

// TestPulse_StopsWithTheDisk: what a disk said just before it gave up is not believed.
func TestPulse_StopsWithTheDisk(t *testing.T) {
	image := parttest.NewImage(t, "16M")
	p, err := newPulse(filepath.Join(image.Dir, "server.db"))
	if err != nil {
		t.Fatal(err)
	}
	for range 1000 {
		if err := p.beat(); err != nil {
			t.Fatal(err)
		}
	}
	image.Abort()
	for range 3 {
		if err := p.beat(); err == nil {
			t.Error("the pulse goes on where the disk does not")
		}
	}
	for range 2 {
		if err := p.close(); err != nil {
			t.Error(err)
		}
	}
	if left, err := filepath.Glob(filepath.Join(image.Dir, ".pulse*")); err != nil || len(left) > 0 {
		t.Errorf("%v %v", left, err)
	}
}

func BenchmarkPulse(b *testing.B) {
	p, err := newPulse(filepath.Join(b.TempDir(), "server.db"))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := p.beat(); err != nil {
			b.Fatal(err)
		}
	}
	if err := p.close(); err != nil {
		b.Fatal(err)
	}
}
