package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"aovuon/gateway/control"
	"aovuon/gateway/doctor"
	"aovuon/gateway/measure"
	"aovuon/gateway/spool"
	"aovuon/gateway/update"
	"aovuon/gateway/wire"
)

// UpdateConfig says which program a gateway should have, and whose word on that counts.
type UpdateConfig struct {
	KeyFile string        `yaml:"key_file"` // of the maker's keys; empty: installedKeys, if that is there
	URL     string        `yaml:"url"`      // of the server's pages; empty: as gateway enrol wrote it
	Version string        `yaml:"version"`  // hold, or the version that is wanted
	Attempt int           `yaml:"attempt"`  // a higher one than before has a version tried again that was rolled back
	Within  time.Duration `yaml:"within"`   // so long a new program may take to prove that it reports
	Rate    Bytes         `yaml:"rate"`     // a second, while a program is fetched
}

// hold is the version of a gateway that keeps the program it has.
const hold = "hold"

// installedKeys is where the package puts the key of its maker, which the gateway's user cannot change.
const installedKeys = "/usr/share/aovuon-gateway/release.vkey"

func (c *Config) validateUpdate(say func(key, problem, mend string)) {
	u := c.Update
	if _, err := wire.ParseVersion(u.Version); u.Version != hold && err != nil {
		say("$.update.version", fmt.Sprintf("bad version %q", u.Version), "write hold, or a version as the server's `release list` shows it, in quotes")
	}
	if u.URL != "" {
		if err := wire.CheckServerURL(u.URL); err != nil {
			say("$.update.url", fmt.Sprintf("bad address %q", u.URL), err.Error())
		}
	}
	if u.Attempt < 1 || u.Attempt > 1_000_000 {
		say("$.update.attempt", fmt.Sprintf("attempt %d", u.Attempt), "write a whole number from 1")
	}
	if u.Within < 5*time.Second || u.Within > 24*time.Hour {
		say("$.update.within", fmt.Sprintf("within %v", u.Within), "write a time from 5s to 24h")
	}
	if u.Rate < 1000 || u.Rate > 1_000_000_000 {
		say("$.update.rate", fmt.Sprintf("rate of %v", u.Rate), "write a size from 1kB to 1GB: it counts for a second")
	}
}

// wish is what the configuration wants of the program.
func (c *Config) wish() update.Wish {
	u := c.Update
	w := update.Wish{Attempt: u.Attempt, URL: u.URL, Within: u.Within, Rate: uint64(u.Rate)}
	if u.Version != hold {
		w.Version = wire.Version(u.Version)
	}
	if w.URL == "" {
		if raw, err := os.ReadFile(filepath.Join(c.DataDir, addressName)); err == nil {
			w.URL = strings.TrimSpace(string(raw))
		}
	}
	w.Keys, w.KeyErr = update.Keys(u.KeyFile)
	return w
}

// newUpdater sees to the program while the gateway runs; replace is called when another is to be tried.
func (v *view) newUpdater(t *tenure, replace func()) *update.Updater {
	clock, desk := v.clock, v.conf.plan.desk
	return update.NewUpdater(update.Options{
		Store: t.store, Self: t.self, Build: t.build, Log: v.g.log,
		Wish: func() update.Wish { return v.conf.present().cfg.wish() },
		Now: func() (time.Time, bool) {
			now := clock.Now()
			return now.Wall, now.Clock != measure.Unsynced
		},
		Linked: v.up.LastReceipt, Uptime: time.Now,
		Busy: func() bool {
			for _, x := range desk.Targets() {
				if x.Busy != "" {
					return true
				}
			}
			return false
		},
		Buses: func() []string { return workingBuses(v.snapshot(context.Background())) },
		Free: func() (uint64, error) {
			x, err := statFS(v.conf.present().cfg.DataDir)
			return x.Free, err
		},
		Sleep:  pause,
		Tell:   v.conf.tell,
		Switch: func(wire.Version) { replace() },
	})
}

// pause waits for d, or until ctx is done.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// settled is when a program that began counts as one that works.
const settled = 2 * time.Minute

// upkeep is the work on the program itself: of one in force, to look for another; of one on trial, to speak to the one before.
func (t *tenure) upkeep(ctx context.Context, g *gateway, updater *update.Updater) error {
	if t.parent != nil {
		return t.answer(ctx, g)
	}
	timer := time.AfterFunc(settled, func() { t.worked(g.log) })
	defer timer.Stop()
	return updater.Run(ctx)
}

func (t *tenure) worked(log *slog.Logger) {
	if t.self.Running == "" {
		return
	}
	if err := t.store.Worked(); err != nil {
		log.Error("programs from afar", slog.Any("err", err))
	}
}

// answer hands receipts and signs of life to the program that stands by.
func (t *tenure) answer(ctx context.Context, g *gateway) error {
	tick := time.NewTicker(t.parent.Every())
	defer tick.Stop()
	for {
		g.sealer.Health() // hangs when the sealer does, and then there is no beat
		err := t.parent.Beat()
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case sealed := <-g.receipts:
			err = errors.Join(err, t.parent.Receipt(sealed))
		}
		if err != nil {
			g.log.Warn("the program that stands by hears nothing", slog.Any("err", err))
		}
	}
}

// told is what the server is told of the program.
func (t *tenure) told(updater *update.Updater) wire.ProgramReport {
	if t.parent != nil {
		return wire.ProgramReport{Version: string(t.self.Version), Wanted: string(t.self.Running), State: wire.ProgramTrial}
	}
	return updater.Report()
}

type updateCmd struct {
	What string `arg:"" optional:"" enum:"status,again,reset" default:"status" help:"status; again: try once more what was rolled back; reset: drop what came from afar, so that the installed program runs after a restart."`
}

func (cmd *updateCmd) run(ctx context.Context, path string, stdout io.Writer) error {
	cfg, err := loosely(path)
	if err != nil {
		return err
	}
	store := update.NewStore(cfg.DataDir)
	switch cmd.What {
	case "again":
		return tryAgain(ctx, cfg, store, stdout)
	case "reset":
		if err := store.Reset(); err != nil {
			return fmt.Errorf("app: %w", err)
		}
		_, err := fmt.Fprintln(stdout, "what came from afar is dropped; the installed program runs after a restart: systemctl restart aovuon-gateway")
		return err
	}
	return printProgram(ctx, cfg, store, stdout)
}

// tryAgain asks the gateway that runs, which owns the file; where none runs it writes the file itself.
func tryAgain(ctx context.Context, cfg *Config, store *update.Store, stdout io.Writer) error {
	var failed []update.Failure
	err := control.NewClient(cfg.DataDir).Call(ctx, http.MethodPost, "/v1/update/again", struct{}{}, &failed)
	if errors.Is(err, control.ErrNotRunning) {
		if failed, err = store.Again(); err == nil {
			err = store.Give(doctor.Owner(cfg.DataDir))
		}
	}
	if err != nil {
		return fmt.Errorf("app: %w", err)
	}
	if len(failed) == 0 {
		_, err := fmt.Fprintln(stdout, "nothing was rolled back")
		return err
	}
	for _, f := range failed {
		if _, err := fmt.Fprintf(stdout, "%s may be tried again; it had failed: %s: %s\n", f.Version, f.Code, f.Why); err != nil {
			return err
		}
	}
	return nil
}

func printProgram(ctx context.Context, cfg *Config, store *update.Store, stdout io.Writer) error {
	st, err := store.State()
	if err != nil {
		return fmt.Errorf("app: %w", err)
	}
	var r wire.SettingsReport
	err = control.NewClient(cfg.DataDir).Call(ctx, http.MethodGet, "/v1/settings", nil, &r)
	switch {
	case errors.Is(err, control.ErrNotRunning):
		_, err = fmt.Fprintln(stdout, "the gateway does not run")
	case err == nil && r.Program != nil:
		p := r.Program
		_, err = fmt.Fprintf(stdout, "running %s, wanted %s: %s %s %s\n", named(p.Version), named(p.Wanted), p.State, p.Code, p.Why)
	}
	for _, f := range st.Failed {
		if err == nil && !f.Open {
			_, err = fmt.Fprintf(stdout, "rolled back: %s: %s: %s\n", f.Version, f.Code, f.Why)
		}
	}
	if err == nil {
		_, err = fmt.Fprintf(stdout, "from afar in force: %s; before: %s; maker's key: %s\n", named(string(st.Current)), named(string(st.Previous)), named(cfg.Update.KeyFile))
	}
	return err
}

func named(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// mountUpdate serves gateway update again on the control socket.
func mountUpdate(mux *http.ServeMux, t *tenure, wake func()) {
	mux.Handle("POST /v1/update/again", control.Handle(func(*http.Request) (any, error) {
		failed, err := t.store.Again()
		if err != nil {
			return nil, control.Refuse("update", "%v", err)
		}
		wake()
		return slices.Concat([]update.Failure{}, failed), nil
	}))
}

// keepReceipt hands a receipt on to where the program that stands by is told; it never blocks.
func (g *gateway) keepReceipt(sealed []byte, _ wire.Receipt) {
	select {
	case <-g.receipts: // an older one that nobody took
	default:
	}
	select {
	case g.receipts <- slices.Clone(sealed):
	default:
	}
}

// receiptsFor is what the uplink tells of receipts: only a program on trial has somebody to tell.
func (t *tenure) receiptsFor(g *gateway) func([]byte, wire.Receipt) {
	if t.parent == nil {
		return nil
	}
	return g.keepReceipt
}

// standsToProgram fits what the server is told of the program into the reloader.
func (t *tenure) standsToProgram(u *update.Updater) func() *wire.ProgramReport {
	return func() *wire.ProgramReport {
		r := t.told(u)
		return &r
	}
}

func printVersion(asJSON bool, stdout io.Writer) error {
	b := update.Built()
	if asJSON {
		return json.NewEncoder(stdout).Encode(struct {
			update.Build
			Spool int `json:"spool"` // the format its spool file is written in
		}{b, spool.Format})
	}
	_, err := fmt.Fprintln(stdout, named(string(b.Version)), named(b.Commit), b.Platform)
	return err
}
