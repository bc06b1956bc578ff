package app

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// errServerRuns says that a server has the data folder.
var errServerRuns = errors.New("another server runs on it: stop that one first")

// lockData keeps a second server off one data folder. The lock ends with the process, however that ends.
func lockData(dir string) (release func() error, err error) {
	return lockNow(dir, "server.lock", errServerRuns)
}

// lockNow takes a lock in a data folder, or waits for nobody: the error wraps taken where another program has it.
func lockNow(dir, name string, taken error) (release func() error, err error) {
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_RDWR, 0o600)
	if errors.Is(err, unix.EROFS) {
		return nil, fmt.Errorf("data folder %s: %w: mount it writable; a card or disk that fails turns read-only by itself, then restore a backup on another one", dir, err)
	}
	if err != nil {
		return nil, fmt.Errorf("data folder %s: %w: make it with server init", dir, err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		if errors.Is(err, unix.EWOULDBLOCK) {
			err = taken
		}
		return nil, errors.Join(fmt.Errorf("data folder %s: %w", dir, err), f.Close())
	}
	return f.Close, nil
}
