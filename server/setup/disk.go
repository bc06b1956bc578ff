package setup

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Disk is a mounted file system that backups may go to.
type Disk struct {
	Mount  string // where it is mounted
	Source string // what is mounted there: /dev/sda1, //nas/saoluu
	Kind   string // its file system
	Size   uint64 // bytes
	Free   uint64 // bytes
	Same   bool   // it is on the disk that the data is on: it is lost with it
	Error  string // why nothing can be written there; empty: it can
}

// kinds are the file systems that files stay in, on disks and in the net.
func kinds() []string {
	return []string{"ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "vfat", "exfat", "ntfs", "ntfs3", "fuseblk", "hfsplus", "nfs", "nfs4", "cifs", "smb3", "zfs", "overlay"}
}

// mountInfo is where Linux says what is mounted: proc(5).
const mountInfo = "/proc/self/mountinfo"

// Disks lists what is mounted that backups may go to, other disks than that of the data folder first, the emptiest first among them.
func Disks(dataDir string) ([]Disk, error) {
	f, err := os.Open(mountInfo)
	if err != nil {
		return nil, fmt.Errorf("setup: mounted disks: %w", err)
	}
	list, err := readMounts(f)
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	var out []Disk
	for _, d := range list {
		var st unix.Statfs_t
		if err := unix.Statfs(d.Mount, &st); err != nil || st.Blocks == 0 {
			continue
		}
		d.Size, d.Free = st.Blocks*uint64(st.Bsize), st.Bavail*uint64(st.Bsize)
		d.Same = SameDisk(dataDir, d.Mount)
		if err := unix.Access(d.Mount, unix.W_OK); err != nil {
			d.Error = err.Error()
		}
		out = append(out, d)
	}
	slices.SortStableFunc(out, func(a, b Disk) int {
		if a.Same != b.Same {
			if a.Same {
				return 1
			}
			return -1
		}
		return int(b.Free>>20) - int(a.Free>>20)
	})
	return out, nil
}

// readMounts reads mountinfo: the newest mount of each place that is a folder of a file system whose files stay.
func readMounts(r io.Reader) (out []Disk, err error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		// 36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
		before, after, ok := strings.Cut(lines.Text(), " - ")
		left, right := strings.Fields(before), strings.Fields(after)
		if !ok || len(left) < 6 || len(right) < 3 || !slices.Contains(kinds(), right[0]) {
			continue
		}
		d := Disk{Mount: unescape(left[4]), Source: unescape(right[1]), Kind: right[0]}
		if d.Mount == "/tmp" || d.Mount == "/var/tmp" { // the service's own, empty after every start
			continue
		}
		if strings.HasPrefix(d.Mount, "/boot") || strings.HasPrefix(d.Mount, "/proc") || strings.HasPrefix(d.Mount, "/sys") || strings.HasPrefix(d.Mount, "/etc") || strings.HasPrefix(d.Mount, "/run/credentials") {
			continue
		}
		if info, err := os.Stat(d.Mount); err == nil && !info.IsDir() { // a file that a container mounted
			continue
		}
		out = slices.DeleteFunc(out, func(o Disk) bool { return o.Mount == d.Mount })
		out = append(out, d)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("setup: mounted disks: %w", err)
	}
	return out, nil
}

// unescape undoes \040 and the like: proc(5).
func unescape(s string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(s)
}

// SameDisk reports whether two folders lie on one piece of hardware, as far as the kernel tells: the same file system, or partitions of one disk.
func SameDisk(a, b string) bool {
	x, xok := device(a)
	y, yok := device(b)
	return xok && yok && (x == y || whole(x) != "" && whole(x) == whole(y))
}

// device returns the number of the device a folder is on.
func device(path string) (uint64, bool) {
	var st unix.Stat_t
	for {
		err := unix.Stat(path, &st)
		if err == nil {
			return uint64(st.Dev), true //nolint:unconvert // its type differs between machines
		}
		if up := filepath.Dir(path); up != path && errors.Is(err, unix.ENOENT) { // not made yet: where it will be
			path = up
			continue
		}
		return 0, false
	}
}

// whole names the disk that a partition is of; empty where there is none, as in the net.
func whole(dev uint64) string {
	at, err := filepath.EvalSymlinks(fmt.Sprintf("/sys/dev/block/%d:%d", unix.Major(dev), unix.Minor(dev)))
	if err != nil {
		return ""
	}
	if _, err := os.Stat(filepath.Join(at, "partition")); err == nil {
		return filepath.Dir(at)
	}
	return at
}
