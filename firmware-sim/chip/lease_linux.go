package chip

import (
	"os"
	"os/signal"

	"golang.org/x/sys/unix"
)

// A lease (fcntl(2), F_SETLEASE) makes the kernel stop whoever opens a file until its holder has got it ready. It is dropped when
// the holder dies, so nobody waits for a simulator that is gone.

// takeLease takes one on f, which must be open for writing; it fails while anybody else has the file open.
func takeLease(f *os.File) error {
	_, err := unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_WRLCK)
	return err
}

// awaited reports whether somebody waits for f.
func awaited(f *os.File) bool {
	kind, err := unix.FcntlInt(f.Fd(), unix.F_GETLEASE, 0)
	return err == nil && kind != unix.F_WRLCK
}

// leaseSignals returns a channel that has something when somebody begins to wait for a file, and what ends that.
func leaseSignals() (news <-chan os.Signal, stop func()) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, unix.SIGIO)
	return c, func() { signal.Stop(c) }
}
