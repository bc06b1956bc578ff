package chip

import (
	"os"

	"golang.org/x/sys/unix"
)

// A lease (fcntl(2), F_SETLEASE) makes the kernel stop whoever opens a file until its holder has got it ready. It is dropped when
// the holder dies, so nobody waits for a simulator that is gone.

// takeLease takes one on f, which must be open for writing; it fails while anybody else has the file open. No signal tells of readers:
// it could interrupt one in this process, who would ask again.
func takeLease(f *os.File) error {
	if _, err := unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_WRLCK); err != nil {
		return err
	}
	_, err := unix.FcntlInt(f.Fd(), unix.F_SETOWN, 0)
	return err
}

// awaited reports whether somebody waits for f.
func awaited(f *os.File) bool {
	kind, err := unix.FcntlInt(f.Fd(), unix.F_GETLEASE, 0)
	return err == nil && kind != unix.F_WRLCK
}
