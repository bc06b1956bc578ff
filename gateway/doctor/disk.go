package doctor

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// What a disk must have left. 30 days of a 30-channel gateway are some 100 MB.
const (
	leastFree = 50 << 20
	lowFree   = 500 << 20
)

// mount is a line of /proc/self/mountinfo.
type mount struct {
	device string // major:minor
	point  string
	kind   string
	source string
	opts   []string // of the mount and of the file system
}

// volume looks at the file system of the data folder: what it is, and what is left of it.
func (p *Patient) volume(context.Context) []Finding {
	const check = "disk"
	if p.DataDir == "" {
		return nil
	}
	var out []Finding
	if m, found := p.mountOf(p.DataDir); found {
		out = append(out, fileSystem(m))
	}
	v, err := p.StatFS(existing(p.DataDir))
	if err != nil {
		return append(out, bad(check, "see the finding of the data folder", "%v", err))
	}
	free := fmt.Sprintf("%s of %s free", size(v.Free), size(v.Size))
	switch {
	case v.Free < leastFree:
		out = append(out, bad(check, "free some room (journalctl --vacuum-size=50M, apt-get clean), or put a larger card in", "%s: the spool will soon not fit", free))
	case v.Inode > 0 && v.Files < 100:
		out = append(out, bad(check, "delete the many small files: find / -xdev -type d -size +100k shows their folders", "%d files can still be made", v.Files))
	case v.Free < lowFree:
		out = append(out, warn(check, "free some room: a month without the server needs up to 500 MB", "%s", free))
	default:
		out = append(out, ok(check, "%s", free))
	}
	return out
}

// existing returns the nearest folder above path that is there.
func existing(path string) string {
	for {
		parent := filepath.Dir(path)
		if _, err := os.Stat(path); err == nil || parent == path {
			return path
		}
		path = parent
	}
}

// fileSystem says whether a spool can live on a file system.
func fileSystem(m mount) Finding {
	const check = "file system"
	what := fmt.Sprintf("%s on %s", m.kind, m.point)
	has := func(o string) bool { return slices.Contains(m.opts, o) }
	switch {
	case has("ro"):
		return bad(check, "look for the reason in `dmesg`, check the card with fsck, then mount it read-write; a card that does this again is worn out", "%s is read-only", what)
	case slices.Contains([]string{"tmpfs", "ramfs", "devtmpfs", "overlay", "squashfs"}, m.kind):
		return bad(check, "name a data_dir on the card or on a disk; with an overlay root, one on a partition of its own", "%s is forgotten at a power cut", what)
	case slices.Contains([]string{"nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs"}, m.kind):
		return bad(check, "name a data_dir on a disk of this machine", "%s is on another machine: the spool's locks do not work there", what)
	case slices.Contains([]string{"vfat", "exfat", "msdos", "fuseblk", "ntfs", "ntfs3"}, m.kind):
		return bad(check, "name a data_dir on an ext4 file system", "%s has no file permissions and does not survive power cuts", what)
	case has("nobarrier") || has("barrier=0"):
		return bad(check, "remove nobarrier from /etc/fstab", "%s does not wait for the disk: a power cut loses what was said to be written", what)
	case has("data=writeback"):
		return warn(check, "remove data=writeback from /etc/fstab", "%s may hold old bytes in new files after a power cut", what)
	}
	return ok(check, "%s", what)
}

// mountOf finds the file system a folder is on.
func (p *Patient) mountOf(folder string) (best mount, found bool) {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return mount{}, false
	}
	if target, err := filepath.EvalSymlinks(existing(folder)); err == nil {
		folder = target
	}
	for line := range strings.Lines(p.read("proc/self/mountinfo")) {
		m, ok := parseMount(line)
		if !ok || len(m.point) < len(best.point) {
			continue
		}
		if folder == m.point || strings.HasPrefix(folder, strings.TrimSuffix(m.point, "/")+"/") {
			best, found = m, true
		}
	}
	return best, found
}

// parseMount reads a line of mountinfo (proc_pid_mountinfo(5)):
// 36 35 98:0 /root /point rw,noatime master:1 - ext4 /dev/root rw,errors=continue.
func parseMount(line string) (mount, bool) {
	left, right, ok := strings.Cut(strings.TrimSpace(line), " - ")
	a, b := strings.Fields(left), strings.Fields(right)
	if !ok || len(a) < 6 || len(b) < 3 {
		return mount{}, false
	}
	unescape := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\134`, `\`)
	return mount{
		device: a[2], point: unescape.Replace(a[4]), kind: b[0], source: unescape.Replace(b[1]),
		opts: append(strings.Split(a[5], ","), strings.Split(b[2], ",")...),
	}, true
}

// wear looks for signs that the card is coming to its end.
func (p *Patient) wear(context.Context) []Finding {
	const check = "disk wear"
	m, found := p.mountOf(p.DataDir)
	if p.DataDir == "" || !found {
		return nil
	}
	var out []Finding
	partition := filepath.Base(m.source)
	for line := range strings.Lines(p.read("sys/dev/block/" + m.device + "/uevent")) { // the source may be /dev/root
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "DEVNAME="); ok {
			partition = name
		}
	}
	disk := diskOf(partition)
	if n, err := strconv.Atoi(p.read("sys/fs/ext4/" + partition + "/errors_count")); err == nil && n > 0 {
		out = append(out, bad(check, "check the file system (touch /forcefsck, or fsck from another machine), and have a new card ready", "%s counted %d errors of the file system", m.source, n))
	}
	// eMMC tells in steps of 10 % how much of its life is over (JEDEC EXT_CSD 267 to 269); SD cards tell nothing.
	for part := range strings.FieldsSeq(p.read("sys/block/" + disk + "/device/life_time")) {
		if n, err := strconv.ParseUint(strings.TrimPrefix(part, "0x"), 16, 8); err == nil && n >= 0x0A {
			out = append(out, bad(check, "replace the storage: copy what is needed while it can be read", "%s has used 90 %% or more of its life", disk))
			break
		}
	}
	switch p.read("sys/block/" + disk + "/device/pre_eol_info") {
	case "0x02":
		out = append(out, warn(check, "have a replacement ready", "%s has used 80 %% of its spare blocks", disk))
	case "0x03":
		out = append(out, bad(check, "replace the storage now: copy what is needed while it can be read", "%s has used 90 %% of its spare blocks", disk))
	}
	if strings.HasPrefix(disk, "mmcblk") && slices.Contains(m.opts, "sync") {
		out = append(out, warn(check, "remove sync from /etc/fstab: the spool syncs by itself", "%s writes every byte at once, which wears the card", m.point))
	}
	if len(out) == 0 {
		out = append(out, ok(check, "no sign of it on %s", m.source))
	}
	return out
}

// diskOf returns the disk of a partition: mmcblk0 of mmcblk0p2, sda of sda1.
func diskOf(partition string) string {
	digits := strings.TrimRight(partition, "0123456789")
	if strings.HasPrefix(partition, "mmcblk") || strings.HasPrefix(partition, "nvme") {
		if d, ok := strings.CutSuffix(digits, "p"); ok {
			return d
		}
		return partition
	}
	return digits
}

// size writes bytes for a person.
func size(n uint64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%d MB", n>>20)
	}
	return fmt.Sprintf("%d KB", n>>10)
}
