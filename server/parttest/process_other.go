//go:build !linux

package parttest

import "syscall"

// attributes sets the part's user. Only Linux can tie its life to ours.
func attributes(as *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Credential: as}
}
