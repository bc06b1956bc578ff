package control

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Name is the socket's file name in the data folder.
const Name = "control.sock"

// maxSocketPath is what fits a Unix socket's address on Linux, without its final zero.
const maxSocketPath = 107

// address returns a path of the socket in dir that fits an address, and what to close when it is not needed any more.
func address(dir string) (path string, done func() error, err error) {
	path = filepath.Join(dir, Name)
	if len(path) <= maxSocketPath {
		return path, func() error { return nil }, nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return "", nil, err
	}
	return fmt.Sprintf("/proc/self/fd/%d/%s", d.Fd(), Name), d.Close, nil
}

// clearStale removes a socket that a killed gateway left behind. The caller holds the lock of the data folder, so nobody answers
// on it.
func clearStale(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode().Type() != fs.ModeSocket {
		return fmt.Errorf("%s is there and is no socket: move it away", filepath.Base(path))
	}
	return os.Remove(path)
}
