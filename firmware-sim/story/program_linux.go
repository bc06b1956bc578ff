package story

import "syscall"

// ownGroup puts a program into a process group of its own, and has the kernel end it should we be killed.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
