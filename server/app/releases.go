package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/mod/sumdb/note"

	"aovuon/gateway/wire"
	"aovuon/server/desired"
	"aovuon/server/release"
	"aovuon/server/sqldb"
)

// releaseCmd is about the programs of gateways.
type releaseCmd struct {
	Add    releaseAddCmd    `cmd:"" help:"Keep programs, signed by their maker, for gateways to fetch."`
	List   releaseListCmd   `cmd:"" help:"List the programs that are kept, and which gateway has and wants which."`
	Roll   releaseRollCmd   `cmd:"" help:"Want a version of gateways: of some first, then of all."`
	Hold   releaseHoldCmd   `cmd:"" help:"Want no other version of gateways than they have."`
	Remove releaseRemoveCmd `cmd:"" help:"Keep a version no longer."`
}

func (c *Config) releases() *release.Shelf {
	return release.NewShelf(filepath.Join(c.sharedDir(), releaseFolder))
}

// releaseFolder is where releases lie, in the folder that all processes share.
const releaseFolder = "releases"

type releaseAddCmd struct {
	Files []string `arg:"" name:"file" help:"FILE.release, with the program FILE beside it."`
	Key   string   `help:"File with the maker's verifier key: what it did not sign is refused here already."`
}

// Run adds releases, one after the other.
func (cmd *releaseAddCmd) Run(e *env) error {
	c, err := LoadConfig(e.config)
	if err != nil {
		return err
	}
	var keys []note.Verifier
	if cmd.Key != "" {
		v, err := wire.LoadVerifier(cmd.Key)
		if err != nil {
			return err
		}
		keys = []note.Verifier{v}
	}
	for _, f := range cmd.Files {
		r, err := c.releases().Add(f, keys)
		if err != nil {
			return err
		}
		if err := e.printf("version %s for %s is kept: %d bytes, good until %s\n", r.Version, r.Platform, r.Size, r.Until.Format(time.DateOnly)); err != nil {
			return err
		}
	}
	return e.printf("server release roll VERSION GATEWAY has a gateway fetch it\n")
}

type releaseRemoveCmd struct {
	Version string `arg:"" help:"The version."`
}

// Run removes one version.
func (cmd *releaseRemoveCmd) Run(e *env) error {
	c, err := LoadConfig(e.config)
	if err != nil {
		return err
	}
	if err := c.releases().Remove(wire.Version(cmd.Version)); err != nil {
		return err
	}
	return e.printf("version %s is kept no longer\n", cmd.Version)
}

type releaseListCmd struct{}

// Run lists releases, and how gateways stand.
func (releaseListCmd) Run(e *env) error {
	c, err := LoadConfig(e.config)
	if err != nil {
		return err
	}
	list, err := c.releases().List()
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(e.stdout, 0, 8, 2, ' ', 0)
	var bad []error
	say := func(format string, a ...any) {
		_, err := fmt.Fprintf(w, format, a...)
		bad = append(bad, err)
	}
	say("VERSION\tPLATFORM\tBYTES\tUNTIL\n")
	for _, r := range list {
		say("%s\t%s\t%d\t%s\n", r.Version, r.Platform, r.Size, r.Until.Format(time.DateOnly))
	}
	say("\nGATEWAY\tRUNS\tWANTED\tSTATE\tWHY\n")
	bad = append(bad, e.withDB(c, func(ctx context.Context, db *sqldb.DB) error {
		_, reports, err := db.AllSettings(ctx)
		if err != nil {
			return err
		}
		ids, err := ownGateways(ctx, db)
		for _, id := range ids {
			p := reports[id].Program
			if p == nil {
				p = &wire.ProgramReport{Version: "-", State: "-"}
			}
			say("%s\t%s\t%s\t%s\t%s\n", id, p.Version, p.Wanted, p.State, strings.TrimSpace(p.Code+" "+p.Why))
		}
		return err
	}), w.Flush())
	return errors.Join(bad...)
}

// ownGateways are the gateways in service that sign, by name.
func ownGateways(ctx context.Context, db *sqldb.DB) (ids []string, err error) {
	all, err := db.Enrolments(ctx)
	for _, g := range all {
		if g.Retired.IsZero() && !g.Unsigned() {
			ids = append(ids, g.Gateway)
		}
	}
	return ids, err
}

// which are the gateways a command is about.
type which struct {
	Gateways []string `arg:"" optional:"" name:"gateway" help:"Names of gateways."`
	All      bool     `help:"Every gateway in service."`
	By       string   `help:"Login of the account that asks for it; without one: the operator, who has this shell." placeholder:"LOGIN"`
}

func (x which) list(ctx context.Context, db *sqldb.DB) ([]string, error) {
	if x.All == (len(x.Gateways) > 0) {
		return nil, errors.New("which gateways? name them, or write --all")
	}
	if x.All {
		return ownGateways(ctx, db)
	}
	for _, id := range x.Gateways {
		if err := enrolled(ctx, db, id); err != nil {
			return nil, err
		}
	}
	return x.Gateways, nil
}

type releaseRollCmd struct {
	Version string `arg:"" help:"The version, as release list shows it."`
	which
	Now   bool `help:"With --all: although no gateway has tried it yet."`
	Again bool `help:"Try it once more where it was rolled back."`
}

// Run wants a version.
func (cmd *releaseRollCmd) Run(e *env) error {
	c, err := LoadConfig(e.config)
	if err != nil {
		return err
	}
	if _, err := c.releases().Has(wire.Version(cmd.Version)); err != nil {
		return err
	}
	return e.withDB(c, func(ctx context.Context, db *sqldb.DB) error {
		ids, err := cmd.list(ctx, db)
		if err != nil {
			return err
		}
		if cmd.All && !cmd.Now {
			if err := triedOut(ctx, db, cmd.Version); err != nil {
				return err
			}
		}
		return e.want(ctx, c, db, ids, cmd.By, func(now desired.Wanted) desired.Ask {
			ask := desired.Ask{Set: map[string]json.RawMessage{pathVersion: jsonText(cmd.Version)}}
			if cmd.Again {
				ask.Set[pathAttempt] = json.RawMessage(strconv.Itoa(attemptOf(now) + 1))
			}
			return ask
		})
	})
}

// The settings that say which program a gateway should have.
const (
	pathVersion = "update.version"
	pathAttempt = "update.attempt"
)

// attemptOf is the attempt that is wanted so far.
func attemptOf(w desired.Wanted) int {
	for _, c := range w.Changes {
		if n, err := strconv.Atoi(string(c.Value)); c.Path == pathAttempt && err == nil {
			return n
		}
	}
	return 1
}

// jsonText writes a text as JSON.
func jsonText(s string) json.RawMessage { return json.RawMessage(strconv.Quote(s)) }

// triedOut reports an error unless a gateway runs the version and it is in force there.
func triedOut(ctx context.Context, db *sqldb.DB, version string) error {
	_, reports, err := db.AllSettings(ctx)
	if err != nil {
		return err
	}
	for _, r := range reports {
		if p := r.Program; p != nil && p.Version == version && p.State == wire.ProgramCurrent {
			return nil
		}
	}
	return fmt.Errorf("no gateway has version %s in force yet: roll it out to one first, look at it for a day, then to all (--now does without)", version)
}

type releaseHoldCmd struct{ which }

// Run wants no other version.
func (cmd *releaseHoldCmd) Run(e *env) error {
	c, err := LoadConfig(e.config)
	if err != nil {
		return err
	}
	return e.withDB(c, func(ctx context.Context, db *sqldb.DB) error {
		ids, err := cmd.list(ctx, db)
		if err != nil {
			return err
		}
		return e.want(ctx, c, db, ids, cmd.By, func(desired.Wanted) desired.Ask {
			return desired.Ask{Set: map[string]json.RawMessage{pathVersion: jsonText("hold")}}
		})
	})
}

// want asks the same of several gateways. One that cannot be asked does not keep the others waiting.
func (e *env) want(ctx context.Context, c Config, db *sqldb.DB, ids []string, login string, ask func(desired.Wanted) desired.Ask) error {
	var bad []error
	for _, id := range ids {
		now, err := db.Wanted(ctx, id)
		if err == nil {
			_, err = e.ask(ctx, c, db, id, login, ask(now))
		}
		if err != nil {
			bad = append(bad, err)
			continue
		}
		bad = append(bad, e.printf("%s is told\n", id))
	}
	return errors.Join(bad...)
}

// openReleases makes what hands releases out.
func (s *running) openReleases() (http.Handler, error) {
	sent := prometheus.NewCounter(prometheus.CounterOpts{Name: "aovuon_release_bytes_total", Help: "Bytes of programs that gateways fetched since the start."})
	if err := s.metrics.Register(sent); err != nil {
		return nil, fmt.Errorf("releases: %w", err)
	}
	return s.config.releases().Handler(func(n int) { sent.Add(float64(n)) }), nil
}
