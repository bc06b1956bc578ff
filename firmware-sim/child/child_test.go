package child_test

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"aovuon/firmware-sim/child"
)

// TestMain makes the test binary stand in for programs.
func TestMain(m *testing.M) {
	switch os.Getenv("CHILD_TEST") {
	case "says":
		_, err := io.WriteString(os.Stdout, os.Args[0]+"\nand no end")
		if err != nil {
			os.Exit(9)
		}
		os.Exit(3)
	case "waits":
		if _, err := io.Copy(io.Discard, os.NewFile(3, "pipe")); err != nil {
			os.Exit(9)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

type buffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func household(t *testing.T) (*child.Household, *buffer, string) {
	t.Helper()
	b := &buffer{}
	h := child.NewHousehold(child.NewScreen(b), "a", "longer")
	t.Cleanup(func() {
		if err := h.StopAll(time.Minute); err != nil {
			t.Error(err)
		}
		h.Close()
	})
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return h, b, self
}

func TestSpawn_PrefixesLinesAndTellsTheEnd(t *testing.T) {
	h, screen, self := household(t)
	c, err := h.Spawn(child.Spec{Name: "a", Bin: self, As: "somebody", Env: []string{"CHILD_TEST=says"}})
	if err != nil {
		t.Fatal(err)
	}
	if ended := <-h.Ended(); ended != c || c.Asked() || c.Alive() || c.How() != "exit status 3" || !strings.Contains(c.Died().Error(), "a ended by itself (exit status 3)") {
		t.Errorf("%+v: %s", ended, c.How())
	}
	if got, want := screen.String(), "a      | somebody\na      | and no end\n"; got != want {
		t.Errorf("%q; want %q", got, want)
	}
	if err := c.Await(t.Context(), "it", func(context.Context) bool { return false }); err == nil {
		t.Error("awaited one that has ended")
	}
}

func TestStop_AsksAndKillKills(t *testing.T) {
	h, _, self := household(t)
	for name, end := range map[string]func(c *child.Child) error{
		"stop": func(c *child.Child) error { return c.Stop(time.Minute) },
		"kill": (*child.Child).Kill,
	} {
		in, out, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		c, err := h.Spawn(child.Spec{Name: name, Bin: self, Env: []string{"CHILD_TEST=waits"}, Files: []*os.File{in}})
		if err != nil {
			t.Fatal(err)
		}
		if !c.Alive() || c.Asked() || c.PID() == 0 {
			t.Errorf("%s: it does not run", name)
		}
		if err := end(c); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if c.Alive() || !c.Asked() {
			t.Errorf("%s: it runs, or ended by itself", name)
		}
		if err := errors.Join(end(c), in.Close(), out.Close()); err != nil {
			t.Errorf("%s, again: %v", name, err)
		}
	}
	if _, err := h.Spawn(child.Spec{Name: "nobody", Bin: "/nowhere/at/all"}); err == nil || !strings.Contains(err.Error(), "start nobody") {
		t.Error(err)
	}
}
