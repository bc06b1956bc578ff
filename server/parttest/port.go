package parttest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

// Ports come from below the range from which Linux takes the local ports of outgoing connections (32768 and up): so that
// a killed part finds its port free when it starts again.
const (
	portFirst = 20000
	portCount = 10000
)

// reservePort returns a loopback port nobody listens on, and keeps it from other tests, of other processes too, by a
// locked file until the test ends.
func reservePort(t testing.TB) int {
	t.Helper()
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("aovuon-ports-%d", os.Getuid()))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatalf("parttest: port reservations: %v", err)
	}
	for range 1000 {
		port := portFirst + rand.IntN(portCount)
		f, err := lockFile(filepath.Join(dir, strconv.Itoa(port)))
		if errors.Is(err, syscall.EWOULDBLOCK) {
			continue // another test has it
		}
		if err != nil {
			t.Fatalf("parttest: port reservations: %v", err)
		}
		if !portFree(port) {
			if err := f.Close(); err != nil {
				t.Fatalf("parttest: port reservations: %v", err)
			}
			continue
		}
		t.Cleanup(func() {
			if err := f.Close(); err != nil { // and with it the lock
				t.Logf("parttest: port reservations: %v", err)
			}
		})
		return port
	}
	t.Fatal("parttest: no free port")
	return 0
}

func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func portFree(port int) bool {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", loopback(port))
	if err != nil {
		return false
	}
	return l.Close() == nil
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// FreeAddress returns a loopback address nobody listens on, kept from other tests until t ends.
func FreeAddress(t testing.TB) string {
	t.Helper()
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(reservePort(t)))
}
