package disk

import "golang.org/x/sys/unix"

const auditArch = unix.AUDIT_ARCH_X86_64

// opens are the calls that open, and which argument has their flags.
func opens() map[uintptr]int {
	return map[uintptr]int{unix.SYS_OPENAT: 2, unix.SYS_OPEN: 1}
}

// calls are the others that change files, as verdict knows them.
func calls() map[uintptr]call {
	list := commonCalls()
	list[unix.SYS_RENAME] = call{does: names, paths: [][2]int{{-1, 0}, {-1, 1}}}
	list[unix.SYS_UNLINK] = call{does: names, paths: [][2]int{{-1, 0}}}
	list[unix.SYS_RMDIR] = call{does: names, paths: [][2]int{{-1, 0}}}
	list[unix.SYS_MKDIR] = call{does: makes, paths: [][2]int{{-1, 0}}}
	list[unix.SYS_RENAMEAT] = call{does: names, paths: [][2]int{{0, 1}, {2, 3}}}
	return list
}
