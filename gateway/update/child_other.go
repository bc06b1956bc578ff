//go:build !linux

package update

import "syscall"

// diesWithUs: elsewhere than on Linux the lock of the data folder keeps a second gateway out.
func diesWithUs() *syscall.SysProcAttr { return nil }
