//go:build !linux

package parttest

import "testing"

// Disk ends the test: only Linux has a tmpfs.
func Disk(t testing.TB, _, _ string) {
	t.Helper()
	Missing(t, "tmpfs", "run the test on Linux")
}

// SetReadOnly is not reached: there is no Disk.
func SetReadOnly(testing.TB, string, bool) {}
