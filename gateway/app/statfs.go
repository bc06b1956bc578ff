package app

import (
	"fmt"
	"syscall"

	"aovuon/gateway/doctor"
)

// statFS asks the system about the file system a folder is on.
func statFS(path string) (doctor.Volume, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(path, &st); err != nil {
		return doctor.Volume{}, fmt.Errorf("statfs %s: %w", path, err)
	}
	block := uint64(st.Bsize)
	return doctor.Volume{Free: st.Bavail * block, Size: st.Blocks * block, Files: st.Ffree, Inode: st.Files}, nil
}
