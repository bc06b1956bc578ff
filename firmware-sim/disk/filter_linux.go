//go:build linux && (amd64 || arm64)

package disk

import (
	"fmt"
	"os"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// writing are the flags of an open that changes something.
const writing = unix.O_WRONLY | unix.O_RDWR | unix.O_CREAT | unix.O_TRUNC

// Enter has the kernel ask about the files of this process from now on, hands what it asks with to the other end of the Unix
// socket fd, and becomes the program of argv, whose first word is its path. Where the kernel cannot ask, the other end is told
// why, and the program runs all the same. It returns only when the program could not be run.
func Enter(fd int, argv []string) error {
	runtime.LockOSThread() // the filter is this thread's, and exec ends the others
	unix.CloseOnExec(fd)
	listener, err := install()
	if err != nil {
		if _, err := unix.Write(fd, []byte("no: "+err.Error())); err != nil {
			return fmt.Errorf("disk: %w", err)
		}
	} else if err := unix.Sendmsg(fd, []byte("ok"), unix.UnixRights(listener), nil, 0); err != nil {
		return fmt.Errorf("disk: %w", err)
	}
	if err := syscall.Exec(argv[0], argv, os.Environ()); err != nil {
		return fmt.Errorf("disk: %s: %w", argv[0], err)
	}
	return nil
}

// install makes the filter of this thread and returns what is asked with.
func install() (listener int, err error) {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return 0, fmt.Errorf("no_new_privs: %w", err)
	}
	code := program()
	prog := unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]}
	got, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_NEW_LISTENER, uintptr(unsafe.Pointer(&prog)))
	if errno != 0 {
		return 0, fmt.Errorf("seccomp: %w", errno)
	}
	return int(got), nil
}

// program asks about calls that change files, and about opens only when they can.
func program() []unix.SockFilter {
	const (
		load  = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
		equal = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
		some  = unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K
		ret   = unix.BPF_RET | unix.BPF_K
		// offsets in struct seccomp_data
		number, machine, args = 0, 4, 16
	)
	list := []unix.SockFilter{
		{Code: load, K: machine},
		{Code: equal, Jt: 1, K: auditArch},
		{Code: ret, K: unix.SECCOMP_RET_ALLOW},
		{Code: load, K: number},
	}
	for nr, arg := range opens() {
		list = append(list,
			unix.SockFilter{Code: equal, Jf: 4, K: uint32(nr)},
			unix.SockFilter{Code: load, K: uint32(args + 8*arg)},
			unix.SockFilter{Code: some, Jf: 1, K: writing},
			unix.SockFilter{Code: ret, K: unix.SECCOMP_RET_USER_NOTIF},
			unix.SockFilter{Code: ret, K: unix.SECCOMP_RET_ALLOW},
		)
	}
	for nr := range calls() {
		list = append(list,
			unix.SockFilter{Code: equal, Jf: 1, K: uint32(nr)},
			unix.SockFilter{Code: ret, K: unix.SECCOMP_RET_USER_NOTIF},
		)
	}
	return append(list, unix.SockFilter{Code: ret, K: unix.SECCOMP_RET_ALLOW})
}
