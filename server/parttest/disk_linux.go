package parttest

import (
	"os"
	"syscall"
	"testing"
)

// Disk mounts a file system of its own, of so many megabytes in memory, over a folder until the test ends.
func Disk(t testing.TB, dir, megabytes string) {
	t.Helper()
	if os.Getuid() != 0 {
		Missing(t, "root", "the test mounts a tmpfs: run it as root")
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+megabytes+"m"); err != nil {
		Missing(t, "tmpfs", "mounting one failed ("+err.Error()+"): run the test where root may mount")
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Errorf("parttest: unmount %s: %v", dir, err)
		}
	})
}

// SetReadOnly makes a Disk read-only, or writable again.
func SetReadOnly(t testing.TB, dir string, readOnly bool) {
	t.Helper()
	flags := uintptr(syscall.MS_REMOUNT)
	if readOnly {
		flags |= syscall.MS_RDONLY
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", flags, ""); err != nil {
		t.Fatalf("parttest: mount %s again: %v", dir, err)
	}
}
