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

// folderLock is what keeps a second gateway out of a data folder: the folder itself, and gateway.lock in it. The folder alone
// can be locked whatever its disk says, and stays the same when a disk that was read-only takes files again; the file alone
// works where folders cannot be locked (some network disks).
type folderLock []*os.File

// Close gives the folder free.
func (l folderLock) Close() error {
	var errs []error
	for _, f := range l {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}

// lockFolder keeps a second gateway out of a data folder: two that seal into one spool would sign two histories. On a disk
// that takes no new file it does with what can be locked there: a gateway starts whatever its disk says.
func lockFolder(dir string) (folderLock, error) {
	path := filepath.Join(dir, "gateway.lock")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	full := errors.Is(err, syscall.EROFS) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EIO)
	if full {
		if f, err = os.Open(path); err != nil {
			f, err = nil, nil
		}
	}
	if err != nil {
		return nil, fmt.Errorf("app: lock: %w", err)
	}
	l, err := lockBoth(dir, f)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, fmt.Errorf("app: another gateway works in %s: stop it, or give this one a data_dir of its own (%w)", dir, err)
	}
	if err != nil {
		return nil, fmt.Errorf("app: lock: %w", err)
	}
	return l, nil
}

// lockBoth locks a folder and a file, which may be nil. What cannot be locked is left out while the other can; the error
// wraps EWOULDBLOCK where somebody else has one of them.
func lockBoth(dir string, f *os.File) (l folderLock, err error) {
	folder, err := os.Open(dir)
	var why error
	for _, x := range []*os.File{folder, f} {
		if x == nil {
			continue
		}
		switch err := syscall.Flock(int(x.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); {
		case err == nil:
			l = append(l, x)
		case errors.Is(err, syscall.EWOULDBLOCK):
			return nil, errors.Join(err, l.Close(), folderLock{x}.Close())
		default:
			why = errors.Join(why, err, x.Close())
		}
	}
	if len(l) == 0 {
		return nil, errors.Join(err, why)
	}
	return l, nil
}

// takeFolder keeps a gateway from starting while its probes are asked by hand, and returns what lets it start again. The
// error is errRuns when one works already. It makes no file: one that root made would keep the gateway's own user out. Where
// no gateway ever was there is no folder, and nothing to keep from starting but a first one.
func takeFolder(dir string) (free func() error, err error) {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return func() error { return nil }, nil
	}
	f, err := os.Open(filepath.Join(dir, "gateway.lock"))
	if errors.Is(err, fs.ErrNotExist) {
		f, err = nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("app: lock: %w (ask as the user the gateway runs as, or as root)", err)
	}
	l, err := lockBoth(dir, f)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, fmt.Errorf("app: %w (%s): stop it first, then ask again", errRuns, dir)
	}
	if err != nil {
		return nil, fmt.Errorf("app: lock: %w", err)
	}
	return l.Close, nil
}
