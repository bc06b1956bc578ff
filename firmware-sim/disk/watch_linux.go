//go:build linux && (amd64 || arm64)

package disk

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// unwatched is why nobody asks us, as far as that is known before a program runs.
func unwatched() error { return nil }

// does is what a call does to files.
type does int

const (
	appends  does = iota // write: (fd, buffer, n) where the descriptor stands
	writes               // pwrite64: (fd, buffer, n, offset)
	cuts                 // ftruncate: (fd, size)
	reserves             // fallocate: (fd, mode, offset, n)
	syncs                // fsync, fdatasync: (fd)
	names                // renames and removes
	makes                // makes a folder
	measures             // statfs: (path, buffer), fstatfs: (fd, buffer)
)

// call is one call: paths are pairs of arguments, the folder's descriptor (-1: where the program is) and the path.
type call struct {
	does  does
	paths [][2]int
}

// commonCalls are those that every architecture has.
func commonCalls() map[uintptr]call {
	return map[uintptr]call{
		unix.SYS_WRITE: {does: appends}, unix.SYS_PWRITE64: {does: writes}, unix.SYS_FTRUNCATE: {does: cuts}, unix.SYS_FALLOCATE: {does: reserves},
		unix.SYS_FSYNC: {does: syncs}, unix.SYS_FDATASYNC: {does: syncs},
		unix.SYS_RENAMEAT2: {does: names, paths: [][2]int{{0, 1}, {2, 3}}}, unix.SYS_UNLINKAT: {does: names, paths: [][2]int{{0, 1}}},
		unix.SYS_MKDIRAT: {does: makes, paths: [][2]int{{0, 1}}},
		unix.SYS_STATFS:  {does: measures, paths: [][2]int{{-1, 0}}}, unix.SYS_FSTATFS: {does: measures},
	}
}

// notice is struct seccomp_notif: what the kernel asks about.
type notice struct {
	id    uint64
	pid   uint32 // the thread
	flags uint32
	nr    int32
	arch  uint32
	ip    uint64
	args  [6]uint64
}

// response is struct seccomp_notif_resp.
type response struct {
	id    uint64
	val   int64
	errno int32
	flags uint32
}

// Pair makes the two ends of the socket between Watch and Enter: theirs is given to the program's process.
func Pair() (ours *net.UnixConn, theirs *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("disk: %w", err)
	}
	near, far := os.NewFile(uintptr(fds[0]), "disk"), os.NewFile(uintptr(fds[1]), "disk")
	conn, err := net.FileConn(near)
	if err := errors.Join(err, near.Close()); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("disk: %w", err), far.Close())
	}
	return conn.(*net.UnixConn), far, nil
}

// Watch answers what the kernel asks about the program at the other end of conn, until the program has ended. A program whose
// kernel cannot ask runs unwatched; Fill and SetReadOnly then say why.
func (d *Disk) Watch(conn *net.UnixConn) (err error) {
	defer func() { err = errors.Join(err, conn.Close()) }()
	text, oob := make([]byte, 512), make([]byte, unix.CmsgSpace(4))
	n, rights, _, _, err := conn.ReadMsgUnix(text, oob)
	if err != nil || n == 0 { // it ended before it began
		return nil
	}
	listener, err := listenerIn(oob[:rights])
	if why, no := strings.CutPrefix(string(text[:n]), "no: "); no || err != nil {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.why = err; no {
			d.why = errors.New(why)
		}
		return nil
	}
	defer func() { err = errors.Join(err, unix.Close(listener)) }()
	for {
		ready := []unix.PollFd{{Fd: int32(listener), Events: unix.POLLIN}}
		if _, err := unix.Poll(ready, -1); err != nil && !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("disk: %w", err)
		}
		switch {
		case ready[0].Revents&unix.POLLIN != 0:
			d.serve(listener)
		case ready[0].Revents&(unix.POLLHUP|unix.POLLERR|unix.POLLNVAL) != 0: // nobody is left to ask about
			return nil
		}
	}
}

func listenerIn(oob []byte) (int, error) {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil || len(messages) != 1 {
		return 0, fmt.Errorf("%d descriptors came: %w", len(messages), errors.Join(err, errors.ErrUnsupported))
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		return 0, fmt.Errorf("%d descriptors came: %w", len(fds), errors.Join(err, errors.ErrUnsupported))
	}
	unix.CloseOnExec(fds[0])
	return fds[0], nil
}

// serve answers one question. One that was withdrawn meanwhile (a signal, the end of the program) needs no answer.
func (d *Disk) serve(listener int) {
	var ask notice
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(listener), unix.SECCOMP_IOCTL_NOTIF_RECV, uintptr(unsafe.Pointer(&ask))); errno != 0 {
		return
	}
	say := response{id: ask.id, flags: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE}
	if done, errno := d.verdict(&ask); done || errno != 0 {
		say.flags, say.errno = 0, -int32(errno)
	}
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(listener), unix.SECCOMP_IOCTL_NOTIF_SEND, uintptr(unsafe.Pointer(&say))); errno != 0 {
		return
	}
}

// verdict is what becomes of a call: it goes on, it is refused, or it has been done here.
func (d *Disk) verdict(ask *notice) (done bool, errno unix.Errno) {
	d.mu.Lock()
	defer d.mu.Unlock()
	defer func() {
		if errno != 0 {
			d.refused++
		}
	}()
	if arg, ok := opens()[uintptr(ask.nr)]; ok {
		return false, d.opened(ask, arg)
	}
	c := calls()[uintptr(ask.nr)]
	switch c.does {
	case measures:
		return d.measured(ask, c)
	case names, makes:
		return false, d.named(ask, c)
	case appends, writes, cuts, reserves, syncs:
	}
	return false, d.changed(ask, c.does)
}

// named is the verdict about a call on paths.
func (d *Disk) named(ask *notice, c call) unix.Errno {
	full := false
	if free, _, limited := d.room(); c.does == makes {
		full = limited && free == 0
	}
	for _, p := range c.paths {
		path, ok := ask.path(p)
		switch {
		case !ok || !d.holds(path):
		case d.readOnly:
			return unix.EROFS
		case full:
			return unix.ENOSPC
		}
	}
	return 0
}

// opened is the verdict about an open that may change something.
func (d *Disk) opened(ask *notice, flagsArg int) unix.Errno {
	where := [2]int{-1, 0}
	if flagsArg == 2 {
		where = [2]int{0, 1}
	}
	path, ok := ask.path(where)
	if !ok || !d.holds(path) {
		return 0
	}
	if d.readOnly {
		return unix.EROFS
	}
	if ask.args[flagsArg]&unix.O_TRUNC != 0 {
		if info, err := os.Stat(path); err == nil && info.Size() > 0 {
			return d.noted(d.remember(path, 0, info.Size()))
		}
	}
	return 0
}

// changed is the verdict about a call on a descriptor.
func (d *Disk) changed(ask *notice, what does) unix.Errno {
	link := ask.proc("fd", strconv.Itoa(int(int32(ask.args[0]))))
	path, err := os.Readlink(link)
	if err != nil || !d.holds(path) {
		return 0
	}
	if what == syncs {
		return d.noted(d.synced(link))
	}
	if d.readOnly {
		return unix.EROFS
	}
	from, to := int64(ask.args[3]), int64(ask.args[3]+ask.args[2])
	switch what {
	case appends:
		if from, err = ask.position(link); err != nil {
			return 0
		}
		to = from + int64(ask.args[2])
	case cuts:
		size := int64(ask.args[1])
		if info, err := os.Stat(link); err == nil {
			return d.noted(d.remember(link, size, max(size, info.Size())))
		}
		return 0
	case reserves:
		from, to = int64(ask.args[2]), int64(ask.args[2]+ask.args[3])
	case writes, syncs, names, makes, measures:
	}
	if !d.fits(link, to) {
		return unix.ENOSPC
	}
	return d.noted(d.remember(link, from, to))
}

// noted turns an error of our own book-keeping into one of the card: a power cut must not come out better than it would have.
func (d *Disk) noted(err error) unix.Errno {
	if err == nil || errors.Is(err, os.ErrNotExist) {
		return 0
	}
	return unix.EIO
}

// measured answers how much room there is, when it is us who say.
func (d *Disk) measured(ask *notice, c call) (done bool, errno unix.Errno) {
	path := ask.proc("fd", strconv.Itoa(int(int32(ask.args[0]))))
	target, err := os.Readlink(path)
	if len(c.paths) > 0 {
		var ok bool
		if target, ok = ask.path(c.paths[0]); !ok {
			return false, 0
		}
		path, err = target, nil
	}
	if err != nil || !d.holds(target) {
		return false, 0
	}
	free, size, limited := d.room()
	var st unix.Statfs_t
	if !limited || unix.Statfs(path, &st) != nil || st.Bsize <= 0 {
		return false, 0
	}
	unit := uint64(st.Bsize)
	st.Bfree = min(st.Bfree, uint64(free)/unit)
	st.Bavail = min(st.Bavail, uint64(free)/unit)
	if d.size > 0 {
		st.Blocks = min(st.Blocks, uint64(size)/unit)
	}
	raw := unsafe.Slice((*byte)(unsafe.Pointer(&st)), unsafe.Sizeof(st))
	if err := ask.memory(os.O_WRONLY, func(m *os.File) error {
		_, err := m.WriteAt(raw, int64(ask.args[1]))
		return err
	}); err != nil {
		return false, 0
	}
	return true, 0
}

// proc is a path below the thread's folder of /proc.
func (n *notice) proc(parts ...string) string {
	return filepath.Join(append([]string{"/proc", strconv.FormatUint(uint64(n.pid), 10)}, parts...)...)
}

// memory has f look into the program's memory.
func (n *notice) memory(flag int, f func(m *os.File) error) error {
	m, err := os.OpenFile(n.proc("mem"), flag, 0)
	if err != nil {
		return err
	}
	return errors.Join(f(m), m.Close())
}

// path is the file that a pair of arguments names, without symbolic links above its last part.
func (n *notice) path(where [2]int) (string, bool) {
	var raw [4096]byte
	got := 0
	if err := n.memory(os.O_RDONLY, func(m *os.File) (err error) {
		at := int64(n.args[where[1]])
		// Not over the end of a page at once: the next one may not be there.
		for got < len(raw) && err == nil {
			part := raw[got:min(len(raw), got+block-int((at+int64(got))%block))]
			var k int
			k, err = m.ReadAt(part, at+int64(got))
			got += k
			if strings.IndexByte(string(raw[:got]), 0) >= 0 {
				return nil
			}
		}
		return err
	}); err != nil {
		return "", false
	}
	name, _, whole := strings.Cut(string(raw[:got]), "\x00")
	if !whole || name == "" {
		return "", false
	}
	if !filepath.IsAbs(name) {
		base := n.proc("cwd")
		if where[0] >= 0 && int32(n.args[where[0]]) != unix.AT_FDCWD {
			base = n.proc("fd", strconv.Itoa(int(int32(n.args[where[0]]))))
		}
		folder, err := os.Readlink(base)
		if err != nil {
			return "", false
		}
		name = filepath.Join(folder, name)
	}
	name = filepath.Clean(name)
	if folder, err := filepath.EvalSymlinks(filepath.Dir(name)); err == nil {
		name = filepath.Join(folder, filepath.Base(name))
	}
	return name, true
}

// position is where a descriptor stands: at the end of the file when it appends.
func (n *notice) position(link string) (int64, error) {
	raw, err := os.ReadFile(n.proc("fdinfo", strconv.Itoa(int(int32(n.args[0])))))
	if err != nil {
		return 0, err
	}
	var pos, flags int64
	for line := range strings.Lines(string(raw)) {
		if text, ok := strings.CutPrefix(line, "pos:"); ok {
			pos, err = strconv.ParseInt(strings.TrimSpace(text), 10, 64)
		}
		if text, ok := strings.CutPrefix(line, "flags:"); ok {
			flags, err = strconv.ParseInt(strings.TrimSpace(text), 8, 64)
		}
		if err != nil {
			return 0, err
		}
	}
	if flags&unix.O_APPEND == 0 {
		return pos, nil
	}
	info, err := os.Stat(link)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
