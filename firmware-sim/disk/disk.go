// Package disk is the memory card of a simulated gateway: it can be full, read-only, or lose its power.
//
// A program's folder and its system calls come in (Run, Watch), and they are let through, refused as the kernel of a machine with
// such a card would refuse them, or undone. The program is the real one and its files are real files in that folder; nothing is
// mounted, and nobody has to be root: the kernel asks the simulator about every system call of the program that changes a file
// (seccomp user notification, Linux 5.5 and later).
//
// A power cut undoes what the program wrote after it last called fsync on a file. That is the worst that a card that does not lie
// does; what it does not model: names (a file that was made, renamed or removed stays so), pages in memory-mapped files, a block
// that was torn in the middle, and cards that lie.
package disk

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
)

// block is what files grow by.
const block = 4096

// ErrUnavailable is wrapped by the errors of faults that this machine cannot play.
var ErrUnavailable = errors.New("disk faults need Linux 5.5 or later, and a container that allows seccomp")

// Disk is the card below one folder. It is safe for concurrent use.
type Disk struct {
	folder string // without symbolic links
	size   int64  // bytes on the whole card; 0: as many as the machine's disk has

	mu       sync.Mutex
	readOnly bool
	limit    int64 // bytes below the folder beyond which nothing fits; -1: none
	dirty    map[inode]*file
	why      error // nobody asks us
	refused  int
}

// inode names a file whatever it is called.
type inode struct{ dev, ino uint64 }

// file is what the power cut would bring back of a file.
type file struct {
	f     *os.File
	size  int64            // when it was synchronised last
	pages map[int64][]byte // by number: what was there then
}

// New returns the card below a folder, which is made. size is its bytes in all; 0: as many as the machine's disk has.
func New(folder string, size int64) (*Disk, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("disk: %w", err)
	}
	abs, err := filepath.Abs(folder)
	if err != nil {
		return nil, fmt.Errorf("disk: %w", err)
	}
	if abs, err = filepath.EvalSymlinks(abs); err != nil {
		return nil, fmt.Errorf("disk: %w", err)
	}
	return &Disk{folder: abs, size: size, limit: -1, dirty: make(map[inode]*file), why: unwatched()}, nil
}

// Fill leaves so many bytes free.
func (d *Disk) Fill(free int64) error {
	if err := d.available(); err != nil {
		return err
	}
	used, err := d.used()
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.limit = used + free
	return nil
}

// SetReadOnly makes the card one that takes no writes, as the kernel does with one that fails, or ends that.
func (d *Disk) SetReadOnly(readOnly bool) error {
	if err := d.available(); readOnly && err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.readOnly = readOnly
	return nil
}

// Free ends Fill.
func (d *Disk) Free() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.limit = -1
}

// State is how the card is, for people: "ok", "full", "read-only".
func (d *Disk) State() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var list []string
	if d.readOnly {
		list = append(list, "read-only")
	}
	if d.limit >= 0 {
		list = append(list, "full")
	}
	if len(list) == 0 {
		return "ok"
	}
	return strings.Join(list, "+")
}

// Refused is how many system calls were refused.
func (d *Disk) Refused() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.refused
}

// available reports why nobody asks us about the program's files, if so.
func (d *Disk) available() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.why != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, d.why)
	}
	return nil
}

// Cut undoes what was written and not synchronised, and forgets it. The program must be dead. It returns how many bytes that
// were.
func (d *Disk) Cut() (lost int64, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var errs []error
	for id, f := range d.dirty {
		n, err := f.undo()
		lost += n
		errs = append(errs, err, f.f.Close())
		delete(d.dirty, id)
	}
	return lost, errors.Join(errs...)
}

// Settle forgets files that nobody has any more, when the program has ended and its machine lives: what is not synchronised
// stays in the machine's memory, and a power cut still takes it.
func (d *Disk) Settle() error {
	return d.forget(func(f *file) bool {
		info, err := f.f.Stat()
		if err != nil {
			return true
		}
		st, ok := info.Sys().(*syscall.Stat_t)
		return !ok || st.Nlink == 0
	})
}

// Close forgets everything: the program has ended, and what it wrote stays.
func (d *Disk) Close() error { return d.forget(func(*file) bool { return true }) }

func (d *Disk) forget(which func(*file) bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	var errs []error
	for id, f := range d.dirty {
		if which(f) {
			errs = append(errs, f.f.Close())
			delete(d.dirty, id)
		}
	}
	return errors.Join(errs...)
}

func (f *file) undo() (lost int64, err error) {
	info, err := f.f.Stat()
	if err != nil {
		return 0, fmt.Errorf("disk: %w", err)
	}
	lost = max(0, info.Size()-f.size)
	for n, was := range f.pages {
		lost += int64(len(was))
		if _, err := f.f.WriteAt(was, n*block); err != nil {
			return lost, fmt.Errorf("disk: %w", err)
		}
	}
	if err := f.f.Truncate(f.size); err != nil {
		return lost, fmt.Errorf("disk: %w", err)
	}
	return lost, nil
}

// remember keeps what a write to [from, to) of the file at path would destroy. path may be one below /proc.
func (d *Disk) remember(path string, from, to int64) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || !info.Mode().IsRegular() {
		return nil
	}
	id := inode{uint64(st.Dev), st.Ino} //nolint:unconvert // Dev is 32 bits wide elsewhere
	f := d.dirty[id]
	if f == nil {
		opened, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			return err
		}
		f = &file{f: opened, size: info.Size(), pages: make(map[int64][]byte)}
		d.dirty[id] = f
	}
	for n := from / block; n*block < min(to, f.size); n++ {
		if _, kept := f.pages[n]; kept {
			continue
		}
		was := make([]byte, min(block, f.size-n*block))
		got, err := f.f.ReadAt(was, n*block)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		f.pages[n] = was[:got]
	}
	return nil
}

// synced forgets what was remembered of the file at path.
func (d *Disk) synced(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	id := inode{uint64(st.Dev), st.Ino} //nolint:unconvert // see above
	if f := d.dirty[id]; f != nil {
		delete(d.dirty, id)
		return f.f.Close()
	}
	return nil
}

// used is how many bytes the files below the folder take.
func (d *Disk) used() (total int64, err error) {
	err = filepath.WalkDir(d.folder, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return ignoreGone(err)
		}
		info, err := e.Info()
		if err != nil {
			return ignoreGone(err)
		}
		total += blocks(info.Size())
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("disk: %w", err)
	}
	return total, nil
}

func ignoreGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// blocks is a size in whole blocks.
func blocks(n int64) int64 { return (n + block - 1) / block * block }

// room is how many bytes still fit, and how many there are in all; false when that is for the machine's disk to say. The caller
// holds d.
func (d *Disk) room() (free, size int64, ok bool) {
	limit := d.limit
	if d.size > 0 && (limit < 0 || limit > d.size) {
		limit = d.size
	}
	if limit < 0 {
		return 0, 0, false
	}
	used, err := d.used()
	if err != nil {
		return 0, 0, false
	}
	return max(0, limit-used), max(d.size, limit), true
}

// fits reports whether the file at path may grow to end. The caller holds d.
func (d *Disk) fits(path string, end int64) bool {
	info, err := os.Stat(path)
	if err != nil {
		return true
	}
	growth := blocks(end) - blocks(info.Size())
	if growth <= 0 {
		return true
	}
	free, _, limited := d.room()
	return !limited || growth <= free
}

// holds reports whether a path is below the folder.
func (d *Disk) holds(path string) bool {
	return path == d.folder || strings.HasPrefix(path, d.folder+string(filepath.Separator))
}
