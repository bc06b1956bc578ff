package app_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"aovuon/firmware-sim/disk"
	"aovuon/server/parttest"
)

// A program that is asked to end before it has become another one ends: the other one would not know that it was asked.
func TestOnCard_EndsWhenItIsAskedBeforeItIsTheProgram(t *testing.T) {
	ours, theirs, err := disk.Pair()
	if err != nil {
		t.Skipf("SKIPPED: %v", err)
	}
	// What it says over the socket before it becomes the program has no room there: it waits.
	for err == nil {
		err = unix.Sendmsg(int(theirs.Fd()), make([]byte, 1<<10), nil, nil, unix.MSG_DONTWAIT)
	}
	if !errors.Is(err, unix.EAGAIN) {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program(t, "firmware-sim"), "on-card", "--", program(t, "gateway"), "sample")
	cmd.ExtraFiles = []*os.File{theirs}
	if err := errors.Join(cmd.Start(), theirs.Close()); err != nil {
		t.Fatal(err)
	}
	parttest.Await(t, "a filter on a thread of it", func() bool { return filtered(t, cmd.Process.Pid) })
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	killed := time.AfterFunc(20*time.Second, func() {
		if err := cmd.Process.Kill(); err != nil {
			t.Error(err)
		}
	})
	defer killed.Stop()
	var how *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &how) || how.Sys().(syscall.WaitStatus).Signal() != syscall.SIGTERM {
		t.Errorf("asked to end: %v", err)
	}
	if err := ours.Close(); err != nil {
		t.Error(err)
	}
}

// filtered reports whether the calls of a thread of a process are filtered.
func filtered(t *testing.T, pid int) bool {
	t.Helper()
	threads, err := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/task/*/status")
	if err != nil || len(threads) == 0 {
		t.Fatalf("it has ended: %v", err)
	}
	for _, name := range threads {
		raw, err := os.ReadFile(name)
		if err == nil && strings.Contains(string(raw), "\nSeccomp:\t2\n") {
			return true
		}
	}
	return false
}
