package parttest

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// Image is a disk of its own: an ext4 file system in a file, mounted until the test ends. Its power can be cut.
type Image struct {
	Dir string // where it is mounted

	t           testing.TB
	file        string
	after, seen string // the copy of the last cut, and where that is mounted
	cut         bool
}

// NewImage makes one of a size as truncate(1) takes it: 24M.
func NewImage(t testing.TB, size string) *Image {
	t.Helper()
	if os.Getuid() != 0 {
		Missing(t, "root", "the test mounts an ext4 image: run it as root")
	}
	dir := t.TempDir()
	m := &Image{
		Dir: filepath.Join(dir, "disk"), t: t, file: filepath.Join(dir, "disk.img"), after: filepath.Join(dir, "after.img"), seen: filepath.Join(dir, "after"),
	}
	for _, d := range []string{m.Dir, m.seen} {
		if err := os.Mkdir(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	m.run("truncate", "-s", size, m.file)
	m.run(Tool(t, "mkfs.ext4"), "-q", m.file)
	m.mount(m.file, m.Dir)
	return m
}

// Cut returns a folder with what a machine would find on the disk if its power had failed now: the image is copied while it is mounted, so
// that nothing of the page cache that was not synchronised is in the copy, and the copy is mounted (ext4 plays its journal). It models a
// machine that loses its memory, not a disk that lies about having written. Who wrote must have been killed. The folder holds until the
// next Cut.
func (m *Image) Cut() string {
	m.t.Helper()
	m.Heal()
	m.run("cp", "--sparse=always", m.file, m.after)
	m.mount(m.after, m.seen)
	m.cut = true
	return m.seen
}

// Heal unmounts what the last Cut returned.
func (m *Image) Heal() {
	m.t.Helper()
	if !m.cut {
		return
	}
	if err := syscall.Unmount(m.seen, 0); err != nil {
		m.t.Fatal(err)
	}
	m.cut = false
}

// Abort makes the disk read-only under whoever writes to it, as ext4 does when it finds an error. Mend makes it what it was.
func (m *Image) Abort() {
	m.t.Helper()
	m.run("mount", "-o", "remount,abort", m.Dir)
}

// Mend unmounts the disk and mounts it again, as a machine that is started again does after the check of its file system. Nobody may use it.
func (m *Image) Mend() {
	m.t.Helper()
	if err := syscall.Unmount(m.Dir, 0); err != nil {
		m.t.Fatal(err)
	}
	fsck := exec.CommandContext(m.t.Context(), Tool(m.t, "e2fsck"), "-p", m.file)
	if out, err := fsck.CombinedOutput(); err != nil && fsck.ProcessState.ExitCode() > 1 { // 1: errors were corrected
		m.t.Fatalf("e2fsck: %v: %s", err, out)
	}
	m.run("mount", "-o", "loop", m.file, m.Dir)
}

func (m *Image) run(name string, args ...string) {
	m.t.Helper()
	if out, err := exec.CommandContext(m.t.Context(), name, args...).CombinedOutput(); err != nil {
		m.t.Fatalf("%s %v: %v: %s", name, args, err, out)
	}
}

// mount mounts an image, and unmounts it when the test ends if it is still mounted.
func (m *Image) mount(image, at string) {
	m.t.Helper()
	if out, err := exec.CommandContext(m.t.Context(), "mount", "-o", "loop", image, at).CombinedOutput(); err != nil {
		Missing(m.t, "a loop device", "mounting an image failed ("+string(out)+"): run the test where root may do that")
	}
	m.t.Cleanup(func() {
		if err := syscall.Unmount(at, syscall.MNT_DETACH); err != nil && !errors.Is(err, syscall.EINVAL) {
			m.t.Error(err)
		}
	})
}
