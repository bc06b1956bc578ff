package chip

import (
	"sync"
	"testing"
	"time"
)

// NullModem joins two serial ports for the length of a test: what one sends the other hears.
func NullModem(t testing.TB) (one, other string) {
	t.Helper()
	a, err := openTerminal()
	if err != nil {
		t.Fatal(err)
	}
	b, err := openTerminal()
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	carry := func(from, to *terminal) {
		buf := make([]byte, 512)
		for {
			n, err := from.read(buf, time.Minute)
			if err == nil {
				err = to.write(buf[:n])
			}
			if err != nil {
				return // the test is over
			}
		}
	}
	wg.Go(func() { carry(a, b) })
	wg.Go(func() { carry(b, a) })
	t.Cleanup(func() {
		a.wake()
		b.wake()
		wg.Wait()
		if err := a.close(); err != nil {
			t.Error(err)
		}
		if err := b.close(); err != nil {
			t.Error(err)
		}
	})
	return a.name, b.name
}
