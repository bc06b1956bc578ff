package story_test

import "syscall"

// ownGroup puts a program into a process group of its own, and has the kernel end it should the test binary be killed.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
