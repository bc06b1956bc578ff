//go:build !linux || !(amd64 || arm64)

package disk

import (
	"errors"
	"net"
	"os"
	"syscall"
)

// Enter becomes the program of argv. Only Linux can ask about its files.
func Enter(_ int, argv []string) error { return syscall.Exec(argv[0], argv, os.Environ()) }

// Pair is not available here.
func Pair() (ours *net.UnixConn, theirs *os.File, err error) {
	return nil, nil, errors.ErrUnsupported
}

// unwatched is why nobody asks us.
func unwatched() error { return errors.ErrUnsupported }

// Watch is not reached here.
func (d *Disk) Watch(*net.UnixConn) error { return errors.ErrUnsupported }
