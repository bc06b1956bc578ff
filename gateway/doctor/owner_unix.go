//go:build unix

package doctor

import (
	"io/fs"
	"os"
	"syscall"
)

// ownerOf returns the user and ownerGroup the group a file belongs to; -1 when that is not known.
func ownerOf(info fs.FileInfo) int {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(st.Uid)
	}
	return -1
}

func ownerGroup(info fs.FileInfo) int {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(st.Gid)
	}
	return -1
}

// Owner returns the user a file or folder belongs to; -1 when that is not known.
func Owner(path string) int {
	info, err := os.Stat(path)
	if err != nil {
		return -1
	}
	return ownerOf(info)
}

// GiveTo gives a file, and no link's target, to whom another one belongs.
func GiveTo(path string, like fs.FileInfo) error {
	info, err := os.Lstat(path)
	if err != nil || ownerOf(info) == ownerOf(like) && ownerGroup(info) == ownerGroup(like) {
		return err
	}
	return os.Lchown(path, ownerOf(like), ownerGroup(like))
}
