package update_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aovuon/gateway/update"
	"aovuon/gateway/wire"
)

// onTrial is a trial of a shell script.
func onTrial(t *testing.T, script string) *update.Trial {
	t.Helper()
	path := filepath.Join(t.TempDir(), "gateway")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return &update.Trial{
		Path: path, Args: []string{"gateway", "run"}, Env: append(os.Environ(), update.VarTrial+"=1"),
		Within: time.Minute, Beat: 30 * time.Second, Pause: time.Millisecond, Grace: 10 * time.Second,
		Proof: func(_ context.Context, receipt []byte) error {
			if string(receipt) == "good" {
				return nil
			}
			return update.ErrProvesNothing
		},
		Alive: func() {}, Stderr: io.Discard, Log: slog.New(slog.DiscardHandler),
	}
}

// Receipts as a program on trial says them: "bad" and "good" in base64.
const (
	sayBad  = "echo receipt YmFk >&3\n"
	sayGood = "echo receipt Z29vZA== >&3\n"
	wait    = "while :; do sleep 0.05; done"
)

func TestTrial_GoodOnceAReceiptProvesIt(t *testing.T) {
	marks := filepath.Join(t.TempDir(), "ended")
	x := onTrial(t, "trap 'echo in order > "+marks+"; exit 0' TERM\necho beat >&3\necho nonsense >&3\n"+sayBad+sayGood+wait)
	if v := x.Run(t.Context()); !v.Good {
		t.Errorf("%+v", v)
	}
	if raw, err := os.ReadFile(marks); err != nil || string(raw) != "in order\n" {
		t.Errorf("it was not asked to end: %q %v", raw, err)
	}
}

func TestTrial_Fails(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		script string
		set    func(*update.Trial)
		code   string
		why    []string
	}{
		"it ends":              {"echo no such key >&2; exit 3", nil, wire.CodeCrash, []string{"exit status 3", "no such key"}},
		"it ends well":         {"exit 0", nil, wire.CodeCrash, []string{"exit status 0"}},
		"it is killed":         {"kill -9 $$", nil, wire.CodeCrash, []string{"killed"}},
		"it says nothing":      {wait, func(x *update.Trial) { x.Beat = 50 * time.Millisecond }, wire.CodeHang, []string{"no sign of life"}},
		"it beats and is mute": {"echo beat >&3\n" + wait, func(x *update.Trial) { x.Within = 300 * time.Millisecond }, wire.CodeMute, []string{"no receipt"}},
		"old receipts":         {sayBad + wait, func(x *update.Trial) { x.Within = 300 * time.Millisecond }, wire.CodeMute, nil},
		"it takes no TERM": {"trap '' TERM\necho beat >&3\nwhile :; do sleep 0.05; done", func(x *update.Trial) {
			x.Within, x.Grace = 300*time.Millisecond, 50*time.Millisecond
		}, wire.CodeMute, nil},
		"no program": {"", func(x *update.Trial) { x.Path += "-none" }, wire.CodeCrash, []string{"cannot be started"}},
		"it reads nothing": {sayGood + wait, func(x *update.Trial) {
			x.Within, x.Well = 300*time.Millisecond, func(context.Context) error { return errors.New("bus ao-i2c gives none") }
		}, wire.CodeBlind, []string{"ao-i2c"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := onTrial(t, tc.script)
			if tc.set != nil {
				tc.set(x)
			}
			v := x.Run(t.Context())
			if v.Good || v.Code != tc.code {
				t.Errorf("%+v", v)
			}
			for _, want := range tc.why {
				if !strings.Contains(v.Why, want) {
					t.Errorf("why: %q, want %q in it", v.Why, want)
				}
			}
		})
	}
}

// TestTrial_MayFailTwice: what ends twice and then reports is good.
func TestTrial_MayFailTwice(t *testing.T) {
	marks := filepath.Join(t.TempDir(), "starts")
	x := onTrial(t, fmt.Sprintf("echo x >> %s\n[ $(wc -l < %s) -lt 3 ] && exit 1\n%s%s", marks, marks, sayGood, wait))
	if v := x.Run(t.Context()); !v.Good {
		t.Errorf("%+v", v)
	}
}

// TestTrial_ToldToStop: it ends the program in order, and says nothing against it.
func TestTrial_ToldToStop(t *testing.T) {
	for _, script := range []string{"trap 'exit 0' TERM\necho up >&2\n" + wait, "trap 'exit 5' TERM\necho up >&2\n" + wait} {
		ctx, stop := context.WithCancel(t.Context())
		x := onTrial(t, script)
		x.Stderr = whenTold(func() { stop() })
		if v := x.Run(ctx); v != (update.Verdict{}) {
			t.Errorf("%+v", v)
		}
		stop()
	}
}

// whenTold calls f at the first thing written.
type whenTold func()

// Write implements io.Writer.
func (f whenTold) Write(p []byte) (int, error) { f(); return len(p), nil }

func TestProves(t *testing.T) {
	fresh := func() (string, error) { return "0123456789abcdef", nil }
	for name, tc := range map[string]struct {
		r    wire.Receipt
		good bool
	}{
		"the next batch":             {wire.Receipt{Gateway: "gw", Epoch: "aaaaaaaaaaaaaaaa", Upto: 8}, true},
		"a later one":                {wire.Receipt{Gateway: "gw", Epoch: "aaaaaaaaaaaaaaaa", Upto: 80}, true},
		"what was sealed before":     {wire.Receipt{Gateway: "gw", Epoch: "aaaaaaaaaaaaaaaa", Upto: 7}, false},
		"a spool it began":           {wire.Receipt{Gateway: "gw", Epoch: "0123456789abcdef", Upto: 1}, true},
		"a spool it began, not sent": {wire.Receipt{Gateway: "gw", Epoch: "0123456789abcdef", Upto: 0}, false},
		"a spool of long ago":        {wire.Receipt{Gateway: "gw", Epoch: "bbbbbbbbbbbbbbbb", Upto: 99}, false},
		"of another gateway":         {wire.Receipt{Gateway: "gw-2", Epoch: "aaaaaaaaaaaaaaaa", Upto: 99}, false},
	} {
		if err := update.Proves(tc.r, "gw", "aaaaaaaaaaaaaaaa", 8, fresh); (err == nil) != tc.good {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := update.Proves(wire.Receipt{Gateway: "gw", Epoch: "b", Upto: 9}, "gw", "a", 8, func() (string, error) { return "", io.ErrUnexpectedEOF }); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a spool that cannot be read: %v", err)
	}
}
