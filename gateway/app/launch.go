package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"golang.org/x/mod/sumdb/note"

	"aovuon/gateway/control"
	"aovuon/gateway/spool"
	"aovuon/gateway/status"
	"aovuon/gateway/update"
	"aovuon/gateway/wire"
)

// tenure is how this program came to run, and what may come after it.
type tenure struct {
	self   update.Self
	build  update.Build
	store  *update.Store
	parent *update.Parent // nil: it is on no trial
}

// launcher has the right program run: this one, or another in its place.
type launcher struct {
	path   string
	args   []string // with the program's name
	log    *slog.Logger
	stderr io.Writer
}

// launch is gateway run: it returns when the gateway was told to stop, or cannot run.
func (l *launcher) launch(ctx context.Context) error {
	t := &tenure{build: update.Built(), parent: update.OpenParent()}
	t.self = update.Self{Program: update.Program{Version: t.build.Version, Spool: spool.Format}, Running: wire.Version(os.Getenv(update.VarProgram))}
	t.self.Installed = os.Getenv(update.VarInstalled) == ""
	cfg, err := loosely(l.path)
	if err != nil {
		return err
	}
	t.store = update.NewStore(cfg.DataDir)
	if t.parent != nil {
		_, err := run(ctx, l.path, l.log, t)
		return err
	}
	for {
		keys, err := update.Keys(cfg.Update.KeyFile)
		if err != nil {
			keys = nil // then no program that came from afar is one
		}
		choice := t.store.Choose(t.self, keys, l.mayTry(), func(err error) { l.log.Error("programs from afar", slog.Any("err", err)) })
		switch {
		case choice.Trial != nil:
			stopped, err := l.try(ctx, t, choice)
			if stopped || err != nil {
				return err
			}
		case choice.Path != "":
			err := l.become(choice)
			l.log.Error("the program in force cannot be run; the one before takes its place", slog.Any("err", err))
			if err := t.store.Fall(wire.Version(choice.As), err); err != nil {
				return fmt.Errorf("app: %w", err)
			}
		default:
			replaced, err := run(ctx, l.path, l.log, t)
			if !replaced || err != nil {
				return err
			}
		}
	}
}

// mayTry reports whether the configuration is right: under a wrong one every program would fail.
func (l *launcher) mayTry() bool {
	cfg, err := load(l.path)
	if err == nil {
		_, err = cfg.openSecrets()
	}
	return err == nil
}

// become puts the chosen program in the place of this one, under the same process id. It returns only when it cannot.
func (l *launcher) become(c update.Choice) error {
	installed, err := installedPath()
	if err != nil {
		return err
	}
	l.log.Info("a program that came from afar takes over", slog.String("version", c.As))
	env := append(without(os.Environ(), update.VarProgram, update.VarInstalled, update.VarTrial),
		update.VarInstalled+"="+installed, update.VarProgram+"="+c.As)
	return fmt.Errorf("app: %s: %w", c.Path, syscall.Exec(c.Path, l.args, env))
}

func installedPath() (string, error) {
	if path := os.Getenv(update.VarInstalled); path != "" {
		return path, nil
	}
	path, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("app: %w", err)
	}
	return path, nil
}

func without(env []string, names ...string) []string {
	return slices.DeleteFunc(slices.Clone(env), func(line string) bool {
		name, _, _ := strings.Cut(line, "=")
		return slices.Contains(names, name)
	})
}

// try runs a program on trial while this one stands by; stopped: this one was told to stop meanwhile.
func (l *launcher) try(ctx context.Context, t *tenure, c update.Choice) (stopped bool, err error) {
	cfg, err := load(l.path)
	if err != nil {
		return false, err
	}
	installed, err := installedPath()
	if err != nil {
		return false, err
	}
	server, err := wire.LoadVerifier(cfg.Server.KeyFile)
	if err != nil {
		return false, fmt.Errorf("app: %w", err)
	}
	l.log.Info("a program is on trial", slog.String("version", c.As), slog.Duration("within", cfg.Update.Within))
	l.notify(daemon.SdNotifyReady)
	debug.FreeOSMemory() // two of them live side by side now
	trial := &update.Trial{
		Path: c.Path, Args: l.args, Within: cfg.Update.Within, Stderr: l.stderr, Log: l.log,
		Env: append(without(os.Environ(), "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", update.VarProgram, update.VarInstalled, update.VarTrial),
			update.VarInstalled+"="+installed, update.VarProgram+"="+c.As, update.VarTrial+"=1"),
		Proof: proofOf(ctx, cfg, server),
		Well:  func(ctx context.Context) error { return readsAgain(ctx, cfg.DataDir, c.Trial.Buses) },
		Alive: func() { l.notify(daemon.SdNotifyWatchdog) },
	}
	v := trial.Run(ctx)
	switch {
	case v.Good:
		l.log.Info("the program on trial reported; it is in force from now on", slog.String("version", c.As))
	case v.Code != "":
		l.log.Error("the program on trial failed and is rolled back", slog.String("version", c.As), slog.String("code", v.Code), slog.String("why", v.Why))
	}
	if err := t.store.Conclude(v); err != nil {
		l.log.Error("what became of the trial cannot be written down", slog.Any("err", err))
		if !v.Good && v.Code != "" {
			return true, fmt.Errorf("app: %w", err) // started again, it counts
		}
	}
	return ctx.Err() != nil, nil
}

func (l *launcher) notify(state string) {
	if err := notify(state); err != nil {
		l.log.Warn("systemd was not told", slog.Any("err", err))
	}
}

// proofOf asks the spool what is sealed already, before the program on trial opens it: a receipt for more than that is its own.
func proofOf(ctx context.Context, cfg *Config, server note.Verifier) func(context.Context, []byte) error {
	before, err := spool.ReadStats(ctx, cfg.spoolFile())
	if err != nil { // it cannot be read; the program on trial makes another, of another epoch
		before = spool.Stats{}
	}
	return func(ctx context.Context, sealed []byte) error {
		r, err := wire.OpenReceipt(sealed, server)
		if err != nil {
			return err
		}
		return update.Proves(r, cfg.Gateway, before.Epoch, before.NextSeq, func() (string, error) {
			now, err := spool.ReadStats(ctx, cfg.spoolFile())
			return now.Epoch, err
		})
	}
}

// readsAgain reports the buses that gave values before and give none under the program on trial.
func readsAgain(ctx context.Context, dataDir string, buses []string) error {
	if len(buses) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	var s status.Snapshot
	if err := control.NewClient(dataDir).Call(ctx, http.MethodGet, "/v1/status", nil, &s); err != nil {
		return fmt.Errorf("it does not say how it stands: %w", err)
	}
	working := workingBuses(s)
	var dead []error
	for _, b := range buses {
		if !slices.Contains(working, b) {
			dead = append(dead, fmt.Errorf("bus %s gave values before and gives none", b))
		}
	}
	return errors.Join(dead...)
}

// workingBuses are the buses with a probe that has a value, or that somebody calibrates.
func workingBuses(s status.Snapshot) (out []string) {
	for _, c := range s.Channels {
		if c.Bus != "" && (c.Value != nil || c.Reason == "calibrating") && !slices.Contains(out, c.Bus) {
			out = append(out, c.Bus)
		}
	}
	return out
}
