//go:build linux || darwin

package spool

import "syscall"

// room returns how many bytes of the file system that holds dir are free for this program, and how many it has in all.
func room(dir string) (free, total uint64, err error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, 0, err
	}
	block := uint64(st.Bsize)
	return st.Bavail * block, st.Blocks * block, nil
}
