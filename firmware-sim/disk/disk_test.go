package disk_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/goleak"

	"aovuon/firmware-sim/disk"
)

// TestMain makes the test binary stand in for the launcher and for a program that does to files what it is told.
func TestMain(m *testing.M) {
	switch os.Getenv("DISK_TEST") {
	case "enter":
		if err := os.Setenv("DISK_TEST", "program"); err != nil {
			os.Exit(3)
		}
		if err := disk.Enter(3, []string{os.Args[0]}); err != nil {
			os.Exit(4)
		}
	case "program":
		os.Exit(program(os.Stdin, os.Stdout))
	}
	goleak.VerifyTestMain(m)
}

// program does a line at a time and says what came of it: "ok", or the name of the error.
func program(in io.Reader, out io.Writer) int {
	files := make(map[string]*os.File)
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		err := obey(files, strings.Fields(lines.Text()))
		said := "ok"
		if err != nil {
			var errno syscall.Errno
			if said = err.Error(); errors.As(err, &errno) {
				said = map[syscall.Errno]string{syscall.ENOSPC: "full", syscall.EROFS: "read-only"}[errno]
			}
		}
		if _, err := fmt.Fprintln(out, said); err != nil {
			return 1
		}
	}
	return 0
}

func obey(files map[string]*os.File, words []string) (err error) {
	open := func(flag int) error {
		files[words[1]], err = os.OpenFile(words[1], flag, 0o600)
		return err
	}
	f := files[words[1]]
	switch words[0] {
	case "create":
		return open(os.O_RDWR | os.O_CREATE)
	case "append":
		return open(os.O_WRONLY | os.O_APPEND | os.O_CREATE)
	case "empty":
		return open(os.O_RDWR | os.O_TRUNC)
	case "read":
		return open(os.O_RDONLY)
	case "write":
		_, err = f.WriteString(words[2])
	case "at":
		at, bad := strconv.ParseInt(words[2], 10, 64)
		_, err = f.WriteAt([]byte(words[3]), at)
		err = errors.Join(bad, err)
	case "zeros":
		n, bad := strconv.Atoi(words[2])
		_, err = f.Write(make([]byte, n))
		err = errors.Join(bad, err)
	case "truncate":
		n, bad := strconv.ParseInt(words[2], 10, 64)
		err = errors.Join(bad, f.Truncate(n))
	case "sync":
		err = f.Sync()
	case "rename":
		err = os.Rename(words[1], words[2])
	case "remove":
		err = os.Remove(words[1])
	case "mkdir":
		err = os.Mkdir(words[1], 0o700)
	case "free":
		var st syscall.Statfs_t
		if err := syscall.Statfs(words[1], &st); err != nil {
			return err
		}
		return fmt.Errorf("%d", st.Bavail*uint64(st.Bsize))
	}
	return err
}

// rig is a program on a card.
type rig struct {
	t    *testing.T
	disk *disk.Disk
	dir  string
	in   io.Writer
	out  *bufio.Scanner
	kill func()
}

func newRig(t *testing.T, size int64) *rig {
	t.Helper()
	dir := t.TempDir()
	if whole, err := filepath.EvalSymlinks(dir); err == nil {
		dir = whole
	}
	d, err := disk.New(filepath.Join(dir, "card"), size)
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs, err := disk.Pair()
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip("SKIPPED: disk faults need Linux on amd64 or arm64")
	}
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), "DISK_TEST=enter")
	cmd.Dir, cmd.ExtraFiles, cmd.Stderr = dir, []*os.File{theirs}, os.Stderr
	in, err1 := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	if err := errors.Join(err1, err2, cmd.Start(), theirs.Close()); err != nil {
		t.Fatal(err)
	}
	watched := make(chan error, 1)
	go func() { watched <- d.Watch(ours) }()
	r := &rig{t: t, disk: d, dir: dir, in: in, out: bufio.NewScanner(out)}
	dead := false
	r.kill = func() {
		if dead {
			return
		}
		dead = true
		if err := cmd.Process.Kill(); err != nil {
			t.Error(err)
		}
		var exit *exec.ExitError
		if err := cmd.Wait(); !errors.As(err, &exit) {
			t.Error(err)
		}
		if err := <-watched; err != nil {
			t.Errorf("watch: %v", err)
		}
	}
	t.Cleanup(r.kill)
	r.says("ok", "create", "free.txt")
	if err := d.Fill(1 << 40); errors.Is(err, disk.ErrUnavailable) {
		if os.Getenv("AOVUON_REQUIRE") != "" {
			t.Fatal(err)
		}
		t.Skipf("SKIPPED: %v", err)
	}
	d.Free()
	return r
}

// says has the program do something and compares what came of it.
func (r *rig) says(want string, words ...string) {
	r.t.Helper()
	if got := r.ask(words...); got != want {
		r.t.Errorf("%v: %s; want %s", words, got, want)
	}
}

func (r *rig) ask(words ...string) string {
	r.t.Helper()
	if _, err := fmt.Fprintln(r.in, strings.Join(words, " ")); err != nil {
		r.t.Fatal(err)
	}
	if !r.out.Scan() {
		r.t.Fatalf("%v: it has ended", words)
	}
	return r.out.Text()
}

func (r *rig) holds(name, want string) {
	r.t.Helper()
	got, err := os.ReadFile(filepath.Join(r.dir, name))
	if err != nil || string(got) != want {
		r.t.Errorf("%s holds %.40q (%d bytes), %v; want %.40q (%d)", name, got, len(got), err, want, len(want))
	}
}

func (r *rig) check(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func TestDisk_FullRefusesGrowthAlone(t *testing.T) {
	r := newRig(t, 0)
	r.says("ok", "create", "card/a")
	r.says("ok", "write", "card/a", "xxxx")
	r.check(r.disk.Fill(8192))
	r.says("ok", "zeros", "card/a", "8000")
	r.says("full", "zeros", "card/a", "9000")
	r.says("ok", "at", "card/a", "0", "yyyy")
	r.says("ok", "create", "card/b")
	r.says("ok", "write", "free.txt", "elsewhere")
	if got := r.ask("free", "card"); got != "4096" { // 4 + 8000 bytes are two blocks, one was there
		t.Errorf("%s bytes free; want 4096", got)
	}
	r.says("ok", "at", "card/b", "0", "z")
	r.says("full", "mkdir", "card/sub")
	r.says("full", "at", "card/b", "4096", "z")
	r.says("ok", "remove", "card/b")
	r.says("ok", "mkdir", "card/sub")
	if n := r.disk.Refused(); n != 3 || r.disk.State() != "full" {
		t.Errorf("%d refused, %s", n, r.disk.State())
	}
	r.disk.Free()
	r.says("ok", "zeros", "card/a", "90000")
	if r.disk.State() != "ok" {
		t.Error(r.disk.State())
	}
}

func TestDisk_AsLargeAsItIs(t *testing.T) {
	r := newRig(t, 3*4096)
	r.says("ok", "create", "card/a")
	r.says("ok", "zeros", "card/a", "12288")
	r.says("full", "zeros", "card/a", "1")
	r.says("0", "free", "card/a")
	r.says("ok", "truncate", "card/a", "4096")
	r.says("8192", "free", "card/a")
}

func TestDisk_ReadOnly(t *testing.T) {
	r := newRig(t, 0)
	r.says("ok", "create", "card/a")
	r.says("ok", "write", "card/a", "xxxx")
	r.check(r.disk.SetReadOnly(true))
	for _, words := range [][]string{
		{"write", "card/a", "y"},
		{"at", "card/a", "0", "y"},
		{"truncate", "card/a", "0"},
		{"create", "card/b"},
		{"empty", "card/a"},
		{"rename", "card/a", "card/c"},
		{"rename", "card/a", "away"},
		{"remove", "card/a"},
		{"mkdir", "card/sub"},
	} {
		r.says("read-only", words...)
	}
	r.says("ok", "read", "card/a")
	r.says("ok", "write", "free.txt", "elsewhere")
	r.holds("card/a", "xxxx")
	r.check(r.disk.SetReadOnly(false))
	r.says("ok", "create", "card/b")
	r.says("ok", "write", "card/b", "y")
}

func TestDisk_PowerCutUndoesWhatWasNotSynchronised(t *testing.T) {
	r := newRig(t, 0)
	long := strings.Repeat("0123456789abcdef", 1024) // four blocks
	for _, words := range [][]string{
		{"create", "card/kept"},
		{"write", "card/kept", long},
		{"sync", "card/kept"},
		{"at", "card/kept", "5000", "QQQQ"},
		{"at", "card/kept", "5002", "RRRR"},
		{"at", "card/kept", "16380", "across-the-end"},
		{"create", "card/new"},
		{"write", "card/new", "never synchronised"},
		{"create", "card/cut"},
		{"write", "card/cut", long},
		{"sync", "card/cut"},
		{"truncate", "card/cut", "100"},
		{"write", "card/cut", "tail"},
		{"create", "card/moved"},
		{"write", "card/moved", "first"},
		{"sync", "card/moved"},
		{"at", "card/moved", "0", "LATER"},
		{"rename", "card/moved", "card/here"},
		{"append", "card/log"},
		{"write", "card/log", "one,"},
		{"sync", "card/log"},
		{"write", "card/log", "two,"},
		{"create", "card/emptied"},
		{"write", "card/emptied", "whole"},
		{"sync", "card/emptied"},
		{"empty", "card/emptied"},
		{"write", "card/emptied", "new"},
		{"create", "card/done"},
		{"write", "card/done", "a"},
		{"sync", "card/done"},
		{"at", "card/done", "0", "b"},
		{"sync", "card/done"},
		{"write", "free.txt", "elsewhere"},
	} {
		r.says("ok", words...)
	}
	r.kill()
	lost, err := r.disk.Cut()
	r.check(err)
	r.holds("card/kept", long)
	r.holds("card/new", "")
	r.holds("card/cut", long)
	r.holds("card/here", "first")
	r.holds("card/log", "one,")
	r.holds("card/emptied", "whole")
	r.holds("card/done", "b")
	r.holds("free.txt", "elsewhere")
	if lost == 0 {
		t.Error("nothing was lost, it says")
	}
	if again, err := r.disk.Cut(); again != 0 || err != nil {
		t.Errorf("a second cut: %d, %v", again, err)
	}
}

func TestDisk_KilledProgramKeepsWhatItWroteUntilThePowerIsCut(t *testing.T) {
	r := newRig(t, 0)
	r.says("ok", "create", "card/a")
	r.says("ok", "write", "card/a", "xxxx")
	r.says("ok", "create", "card/b")
	r.says("ok", "write", "card/b", "yyyy")
	r.says("ok", "remove", "card/b")
	r.kill()
	r.check(r.disk.Settle())
	r.holds("card/a", "xxxx")
	if lost, err := r.disk.Cut(); lost != 4 || err != nil {
		t.Errorf("%d bytes lost, %v; want those of the file that is there", lost, err)
	}
	r.holds("card/a", "")
}

func TestDisk_CloseKeepsWhatWasWritten(t *testing.T) {
	r := newRig(t, 0)
	r.says("ok", "create", "card/a")
	r.says("ok", "write", "card/a", "xxxx")
	r.kill()
	r.check(r.disk.Close())
	if lost, err := r.disk.Cut(); lost != 0 || err != nil {
		t.Errorf("%d, %v", lost, err)
	}
	r.holds("card/a", "xxxx")
}

func TestNew_MakesTheFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	if _, err := disk.New(dir, 0); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		t.Error(err)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := disk.New(file, 0); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file for a folder: %v", err)
	}
}
