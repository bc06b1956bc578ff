package update_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"aovuon/gateway/update"
	"aovuon/gateway/wire"
	"aovuon/server/parttest"
)

// varSteps makes this test program take the steps of an update in a folder, and say which are done.
const varSteps = "AOVUON_UPDATE_STEPS"

func TestMain(m *testing.M) {
	if dir := os.Getenv(varSteps); dir != "" {
		if err := takeSteps(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// takeSteps installs what lies in a folder, tries it, and finds it good: what is there already is not done again.
func takeSteps(dir string) error {
	store := update.NewStore(dir)
	keys, err := update.Keys(filepath.Join(dir, "maker.vkey"))
	if err != nil {
		return err
	}
	st, err := store.State()
	if err != nil {
		return err
	}
	if st.Current != "1.1" && st.Trial == nil {
		if _, err := store.Check("1.1", keys); err != nil {
			if err := fetchAgain(dir, store, keys); err != nil {
				return err
			}
		}
		fmt.Println("installed")
		if err := store.Begin(installed, update.TrialState{Version: "1.1", Attempt: 1}); err != nil {
			return err
		}
		fmt.Println("begun")
	}
	var bad error
	if c := store.Choose(installed, keys, true, func(err error) { bad = errors.Join(bad, err) }); c.Trial != nil {
		fmt.Println("tried")
		bad = errors.Join(bad, store.Conclude(update.Verdict{Good: true}))
	}
	if bad == nil {
		fmt.Println("concluded")
	}
	return bad
}

// fetchAgain puts the packed program where a transfer would have it, and installs it.
func fetchAgain(dir string, store *update.Store, keys []note.Verifier) error {
	sealed, err := os.ReadFile(filepath.Join(dir, "manifest"))
	if err != nil {
		return err
	}
	r, err := wire.OpenRelease(sealed, keys)
	if err != nil {
		return err
	}
	packed, err := os.ReadFile(filepath.Join(dir, "packed"))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(dir, "program"), 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(store.PartFile(r), packed, 0o600); err != nil {
		return err
	}
	return store.Install(sealed, r)
}

// steps runs takeSteps in a process of its own, by strace where that is named, and returns what it said was done.
func (b *bench) steps(strace ...string) (done string, err error) {
	b.t.Helper()
	self, err := os.Executable()
	if err != nil {
		b.t.Fatal(err)
	}
	args := append(strace, self)
	cmd := exec.CommandContext(b.t.Context(), args[0], args[1:]...)
	cmd.Env = append(os.Environ(), varSteps+"="+b.dir, "GOMAXPROCS=1")
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err = cmd.Run(); err != nil {
		err = fmt.Errorf("%w: %s", err, complaint.String())
	}
	return out.String(), err
}

// prepared is a bench whose folder holds what takeSteps needs.
func prepared(t *testing.T) *bench {
	t.Helper()
	b := newBench(t)
	vkey, err := update.CreateKey(filepath.Join(b.dir, "maker"))
	if err != nil {
		t.Fatal(err)
	}
	signer, _, err := wire.LoadKey(filepath.Join(b.dir, "maker"))
	if err != nil {
		t.Fatal(err)
	}
	v, err := note.NewVerifier(vkey)
	if err != nil {
		t.Fatal(err)
	}
	b.signer, b.keys = signer, []note.Verifier{v}
	sealed, err := wire.SealRelease(b.release("1.1", program), signer)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"manifest": sealed, "packed": zip(t, program)} {
		if err := os.WriteFile(filepath.Join(b.dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// settled checks what must hold whenever the program was stopped: what it said was done is done, what is to be run is whole,
// and taking the steps again leads to the end.
func (b *bench) settled(done, when string) {
	b.t.Helper()
	st, err := b.store.State()
	if err != nil {
		b.t.Fatalf("%s: %v", when, err)
	}
	if strings.Contains(done, "installed") {
		if _, err := b.store.Check("1.1", b.keys); err != nil {
			b.t.Errorf("%s: it was installed: %v", when, err)
		}
	}
	if strings.Contains(done, "begun") && st.Trial == nil && st.Current == "" {
		b.t.Errorf("%s: the trial was begun: %+v", when, st)
	}
	if strings.Contains(done, "concluded") && st.Current != "1.1" {
		b.t.Errorf("%s: it was in force: %+v", when, st)
	}
	if c := b.choose(installed); c.Path != "" {
		if _, err := b.store.Check(wire.Version(c.As), b.keys); err != nil {
			b.t.Errorf("%s: %+v would be run: %v", when, c, err)
		}
	}
	if again, err := b.steps(); err != nil || b.state().Current != "1.1" {
		b.t.Errorf("%s: once more: %v %s %+v", when, err, again, b.state())
	}
}

// writing are the system calls through which an update changes what is on the disk.
const writing = "write,ftruncate,fsync,fdatasync,renameat,rename,renameat2,unlinkat,unlink,openat,mkdirat,fchmod,fchmodat"

// TestTorture_KilledAtEveryStep kills the program on entering its first system call that writes, then its second, and so on to
// the last. In CI every so many of them.
func TestTorture_KilledAtEveryStep(t *testing.T) {
	strace := parttest.Tool(t, "strace")
	step := parttest.Effort(t, 6, 3, 1, 1)
	kills := 0
	for at := 1; ; at += step {
		b := prepared(t)
		done, err := b.steps(strace, "-f", "-qq", "-o", os.DevNull, "-e", "trace="+writing, "-e", fmt.Sprintf("inject=%s:signal=KILL:when=%d", writing, at))
		if err == nil && strings.Contains(done, "concluded") { // it has no such call
			break
		}
		kills++
		b.settled(done, fmt.Sprintf("killed at call %d", at))
		if at > 3000 {
			t.Fatal("it never ends by itself")
		}
	}
	if kills < 5 {
		t.Errorf("only %d kills", kills)
	}
	t.Logf("%d kills at every %d. of the system calls that write", kills, step)
}

// TestTorture_DiskErrors lets the kernel answer ENOSPC and EIO to what writes, for six calls from the n-th on: the gateway goes
// on with the program it has, and takes the new one when the disk is good again.
func TestTorture_DiskErrors(t *testing.T) {
	strace := parttest.Tool(t, "strace")
	runs := 0
	for _, fault := range []string{"write:error=ENOSPC", "fsync:error=EIO", "renameat:error=EIO", "mkdirat:error=EROFS"} {
		calls, _, _ := strings.Cut(fault, ":")
		for at := 1; at < 24; at += parttest.Effort(t, 12, 6, 1, 1) {
			b := prepared(t)
			done, _ := b.steps(strace, "-f", "-qq", "-o", os.DevNull, "-e", "trace="+calls, "-e", fmt.Sprintf("inject=%s:when=%d..%d", fault, at, at+5)) //nolint:errcheck // it may fail; what counts is what it leaves
			runs++
			b.settled(done, fmt.Sprintf("%s from call %d on", fault, at))
		}
	}
	t.Logf("%d runs", runs)
}

// TestTorture_HalfAFile: what a power cut can leave of a transfer, of any length, is gone on with or begun again, and never run.
func TestTorture_HalfAFile(t *testing.T) {
	packed := zip(t, program)
	for _, n := range []int{0, 1, 17, len(packed) / 2, len(packed) - 1, len(packed)} {
		b := newBench(t)
		r := b.release("1.1", program)
		b.offer(r, b.signer, packed)
		if err := os.MkdirAll(filepath.Dir(b.store.PartFile(r)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(b.store.PartFile(r), packed[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		if x := b.look(); x.State != wire.ProgramTrial {
			t.Errorf("%d of %d bytes: %+v", n, len(packed), x)
		}
	}
	b := newBench(t) // zeros where the file system had promised bytes
	r := b.release("1.1", program)
	b.offer(r, b.signer, packed)
	if err := os.MkdirAll(filepath.Dir(b.store.PartFile(r)), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(b.store.PartFile(r), make([]byte, 100), 0o600); err != nil {
		t.Fatal(err)
	}
	if x := b.look(); x.State != wire.ProgramWaiting || x.Code != wire.CodeDamaged {
		t.Errorf("zeros: %+v", x)
	}
	if _, err := os.Stat(b.store.PartFile(r)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what can never become the program stays: %v", err)
	}
	if x := b.look(); x.State != wire.ProgramTrial {
		t.Errorf("after that: %+v", x)
	}
}
