package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"text/tabwriter"
	"time"

	"aovuon/gateway/calibrate"
	"aovuon/gateway/control"
	"aovuon/gateway/sense"
	"aovuon/gateway/wire"
	"aovuon/gateway/yamlfile"
)

// folder is where the gateway's lock and its control socket are.
func (g *gateway) folder() string { return g.dir }

// openDesk lets calibrations begin; the function it returns ends them, and gives probes back what they had.
func (g *gateway) openDesk(ctx context.Context, desk *calibrate.Desk, station *sense.Station) (end func()) {
	desk.Open(ctx, station, g.sealer, g.log)
	return func() {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
		defer cancel()
		desk.Close(last)
	}
}

// againEvery is how often what could not be opened beside the readings is tried again.
const againEvery = 10 * time.Second

// persist calls f until it returns nil or ctx is done, and says each error whose cause is not the one before. A disk that is
// read-only at the start, a port that is taken, is mended without a restart.
func persist(ctx context.Context, f func(context.Context) error, say func(error)) {
	before := ""
	for {
		err := f(ctx)
		if err == nil || ctx.Err() != nil {
			return
		}
		cause := err // names of temporary files in what wraps it are new each time
		for next := err; next != nil; next = errors.Unwrap(next) {
			cause = next
		}
		if cause.Error() != before {
			say(err)
			before = cause.Error()
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(againEvery):
		}
	}
}

// control answers on the control socket until ctx is done. A socket that cannot be opened costs no reading: the gateway
// works without it, and tries again.
func (g *gateway) control(ctx context.Context, desk *calibrate.Desk, more ...func(mux *http.ServeMux)) {
	mux := http.NewServeMux()
	calibrate.Mount(mux, desk)
	for _, mount := range more {
		mount(mux)
	}
	mux.Handle("/", control.NotFound())
	persist(ctx, func(ctx context.Context) error {
		l, err := control.Listen(ctx, g.folder())
		if err != nil {
			return err
		}
		return l.Serve(ctx, mux)
	}, func(err error) {
		g.log.Error("nobody can reach the control socket: calibrating needs the gateway stopped", slog.Any("err", err))
	})
}

// mount serves what concerns the configuration; FORMAT.md beside this file lists the paths.
func (r *reloader) mount(mux *http.ServeMux) {
	mux.Handle("POST /v1/reload", control.Handle(func(req *http.Request) (any, error) {
		if err := r.reload(req.Context()); err != nil {
			return nil, control.Refuse("configuration", "%v", err)
		}
		return r.standing(), nil
	}))
	mux.Handle("GET /v1/settings", control.Handle(func(*http.Request) (any, error) { return r.standing(), nil }))
}

// reload asks the running gateway to read its file again, and prints what is in force then.
func reload(ctx context.Context, path string, stdout io.Writer) error {
	r, err := askSettings(ctx, path, http.MethodPost, "/v1/reload")
	if errors.Is(err, control.ErrNotRunning) {
		return fmt.Errorf("app: there is nothing to reload: %w; gateway check says what is wrong with the file, gateway run starts with it", err)
	} else if err != nil {
		return fmt.Errorf("app: the gateway works on as it did: %w", err)
	}
	if _, err := fmt.Fprintf(stdout, "%s is in force\n", path); err != nil {
		return err
	}
	return printReport(r, stdout)
}

// printSettings prints what can be set from afar and what is in force of it.
func printSettings(ctx context.Context, path string, stdout io.Writer) error {
	r, err := askSettings(ctx, path, http.MethodGet, "/v1/settings")
	if err != nil {
		return fmt.Errorf("app: %w", err)
	}
	if err := printReport(r, stdout); err != nil {
		return err
	}
	w := tabwriter.NewWriter(stdout, 0, 8, 2, ' ', 0)
	for _, p := range slices.Sorted(maps.Keys(r.Settings)) {
		if _, err := fmt.Fprintf(w, "%s\t%s\n", p, r.Settings[p]); err != nil {
			return err
		}
	}
	return w.Flush()
}

func askSettings(ctx context.Context, path, method, of string) (r wire.SettingsReport, err error) {
	dir, err := dataDirOf(path)
	if err != nil {
		return r, err
	}
	var in any
	if method == http.MethodPost {
		in = struct{}{}
	}
	return r, control.NewClient(dir).Call(ctx, method, of, in, &r)
}

// dataDirOf is where the gateway of a configuration works, also while the file has a mistake elsewhere: whoever asks it to
// reload the file wants to hear of that from it.
func dataDirOf(path string) (string, error) {
	cfg, err := loosely(path)
	if err != nil {
		return "", err
	}
	return cfg.DataDir, nil
}

// loosely reads where a gateway works and whose programs it runs, also of a file that has a mistake elsewhere or is of a later
// program.
func loosely(path string) (*Config, error) {
	raw, err := readConfig(path)
	if err != nil {
		return nil, err
	}
	var keys map[string]any
	if err := yamlfile.Decode(raw, &keys); err != nil {
		if _, told := parse(path, raw); told != nil { // with the line
			err = told
		}
		return nil, err
	}
	cfg := &Config{path: path}
	cfg.DataDir, _ = keys["data_dir"].(string)
	if section, ok := keys["update"].(map[string]any); ok {
		cfg.Update.KeyFile, _ = section["key_file"].(string)
	}
	cfg.resolve()
	return cfg, nil
}

// printReport says how the file and the desired settings agree.
func printReport(r wire.SettingsReport, stdout io.Writer) error {
	if r.Version > 0 {
		if _, err := fmt.Fprintf(stdout, "desired settings: version %d: %s %s\n", r.Version, r.State, r.Why); err != nil {
			return err
		}
	}
	for _, k := range r.Kept {
		if _, err := fmt.Fprintf(stdout, "the file stands at %s\n", k); err != nil {
			return err
		}
	}
	return nil
}
