package app

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// errRuns: a gateway works in the data folder, and its buses are its own.
var errRuns = errors.New("a gateway runs with this configuration")

// lockFolder keeps a second gateway out of a data folder: two that seal into one spool would sign two histories. On a disk
// that takes no new file it locks the one that is there, or else the folder: a gateway starts whatever its disk says.
func lockFolder(dir string) (*os.File, error) {
	path := filepath.Join(dir, "gateway.lock")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if errors.Is(err, syscall.EROFS) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EIO) {
		if f, err = os.Open(path); err != nil {
			f, err = os.Open(dir)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("app: lock: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("app: another gateway works in %s: stop it, or give this one a data_dir of its own (%w)", dir, err), f.Close())
	}
	return f, nil
}

// takeFolder keeps a gateway from starting while its probes are asked by hand, and returns what lets it start again. The
// error is errRuns when one works already. It makes no file: one that root made would keep the gateway's own user out. Where
// no gateway ever ran there is no lock, and nothing to keep from starting but a first one.
func takeFolder(dir string) (free func() error, err error) {
	f, err := os.Open(filepath.Join(dir, "gateway.lock"))
	if errors.Is(err, fs.ErrNotExist) {
		return func() error { return nil }, nil
	}
	if err != nil {
		return nil, fmt.Errorf("app: lock: %w (ask as the user the gateway runs as, or as root)", err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, errors.Join(fmt.Errorf("app: %w (%s): stop it first, then ask again", errRuns, dir), f.Close())
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("app: lock: %w", err), f.Close())
	}
	return f.Close, nil
}
