package sqlite_test

import (
	"path/filepath"
	"testing"

	"aovuon/server/history"
	"aovuon/server/history/historytest"
)

func BenchmarkStore(b *testing.B) {
	historytest.Bench(b, func(b *testing.B) history.Store {
		s := open(b, filepath.Join(b.TempDir(), "h.db"))
		b.Cleanup(func() { closed(b, s) })
		return s
	})
}
