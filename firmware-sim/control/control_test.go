package control_test

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"aovuon/firmware-sim/control"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// dry is an error of more than one line.
type dry struct{}

func (dry) Error() string { return "the pond is dry:\n\tfill it\n" }

// desk knows two verbs: one that repeats what it is told, a line a word, and one that always fails.
func desk(t *testing.T) *control.Desk {
	t.Helper()
	d := control.NewDesk()
	echo := func(_ context.Context, args []string) ([]string, error) { return args, nil }
	fail := func(context.Context, []string) ([]string, error) {
		return nil, dry{}
	}
	if err := d.Add(
		control.Verb{Name: "echo", Usage: []string{"echo WORD… - say it again"}, Do: echo},
		control.Verb{Name: "fail", Usage: []string{"fail - never works", "fail all - neither"}, Do: fail},
	); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDesk_Do(t *testing.T) {
	d := desk(t)
	for line, want := range map[string][]string{
		"echo":         {},
		"  echo a \tb": {"a", "b"},
		"help":         {"echo WORD… - say it again", "fail - never works", "fail all - neither", "help [VERB] - what there is to say"},
		"help fail":    {"fail - never works", "fail all - neither"},
	} {
		got, err := d.Do(t.Context(), line)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%q: %v\n%s", line, err, diff)
		}
	}
	for _, line := range []string{"", "   ", "love", "help love"} {
		if _, err := d.Do(t.Context(), line); !errors.Is(err, control.ErrUsage) || !strings.Contains(err.Error(), "echo, fail, help") {
			t.Errorf("%q: %v; want what there is", line, err)
		}
	}
}

func TestDesk_AddIsAllOrNothing(t *testing.T) {
	d := desk(t)
	do := func(context.Context, []string) ([]string, error) { return nil, nil }
	for name, verb := range map[string]control.Verb{
		"twice": {Name: "echo", Do: do}, "help": {Name: "help", Do: do}, "two words": {Name: "a b", Do: do}, "none": {Do: do}, "does nothing": {Name: "idle"},
	} {
		if err := d.Add(control.Verb{Name: "good", Do: do}, verb); !errors.Is(err, control.ErrUsage) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := d.Do(t.Context(), "good"); err == nil {
			t.Errorf("%s: its neighbour was added", name)
		}
	}
}

func TestDesk_WatchIsToldWhoSaidWhat(t *testing.T) {
	d := desk(t)
	var told []control.Told
	d.Watch(func(one control.Told) { told = append(told, one) })
	for _, one := range []struct{ who, line string }{{"socket", " echo  a"}, {"", "fail"}, {"192.168.1.7", "help"}, {"x", "love"}} {
		ctx := t.Context()
		if one.who != "" {
			ctx = control.By(ctx, one.who)
		}
		if _, err := d.Do(ctx, one.line); err != nil {
			t.Log(err)
		}
	}
	if len(told) != 2 || told[0].By != "socket" || told[0].Line != "echo a" || told[0].Err != nil || len(told[0].Lines) != 1 || told[1].By != "" || told[1].Err == nil {
		t.Errorf("told %+v", told)
	}
}

func TestVerb_Want(t *testing.T) {
	v := control.Verb{Usage: []string{"heal DEVICE - end its fault", "heal all"}}
	if got := v.Want(); !strings.HasSuffix(got.Error(), "want: heal DEVICE, or heal all") {
		t.Error(got)
	}
}

func TestServe_AnswersLines(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "c.sock")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- desk(t).Serve(ctx, l) }()

	idle, err := net.Dial("unix", socket) // a client that never says anything must not hold the end up
	if err != nil {
		t.Fatal(err)
	}
	got, err := control.Ask(t.Context(), socket, "echo ok error: a ok")
	if diff := cmp.Diff([]string{" ok", "error:", "a", " ok"}, got); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	for request, want := range map[string]string{
		"fail": "the pond is dry:; \tfill it", "": "empty line", "love": "want one of", strings.Repeat("x", 5000): "longer than 4096", "a\nb": "more than one line",
	} {
		if _, err := control.Ask(t.Context(), socket, request); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%.20q: %v; want %q", request, err, want)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Serve: %v", err)
	}
	if err := idle.Close(); err != nil {
		t.Error(err)
	}
	if _, err := control.Ask(t.Context(), socket, "help"); err == nil || !strings.Contains(err.Error(), "no simulator answers") {
		t.Errorf("answered after the end: %v", err)
	}
}
