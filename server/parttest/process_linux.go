package parttest

import "syscall"

// attributes makes the kernel end the part when the test binary dies without cleaning up, and sets its user. The signal is
// SIGINT: every part here ends on it, and PostgreSQL also takes its children and its shared memory along.
func attributes(as *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGINT, Setpgid: true, Credential: as}
}
