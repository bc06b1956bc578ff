package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"aovuon/gateway/wire"
	"aovuon/server/account"
	"aovuon/server/desired"
	"aovuon/server/ledger"
	"aovuon/server/sqldb"
)

type gatewaySetCmd struct {
	ID       string   `arg:"" help:"Name of the gateway."`
	Settings []string `arg:"" optional:"" name:"path=value" help:"What is wanted, such as sensors.ao1-do.every=30s or seal.every=1m; a value is JSON, or a text."`
	Unset    []string `help:"Give a path back to the gateway's own file." placeholder:"PATH"`
	By       string   `help:"Login of the account that asks for it; without one: the operator, who has this shell." placeholder:"LOGIN"`
}

// Run makes the next version of what is wanted of a gateway. A running server sends it within a second.
func (cmd *gatewaySetCmd) Run(e *env) error {
	ask := desired.Ask{Set: map[string]json.RawMessage{}, Unset: cmd.Unset}
	for _, s := range cmd.Settings {
		path, value, ok := strings.Cut(s, "=")
		if !ok {
			return fmt.Errorf("%q: write path=value, such as sensors.ao1-do.every=30s", s)
		}
		if _, twice := ask.Set[path]; twice {
			return fmt.Errorf("%q is set twice: write it once", path)
		}
		ask.Set[path] = jsonOf(value)
	}
	if len(ask.Set)+len(ask.Unset) == 0 {
		return fmt.Errorf("nothing to set: write path=value or --unset PATH; `server gateway settings %s` lists what is in force", cmd.ID)
	}
	c, err := LoadConfig(e.config)
	if err != nil {
		return err
	}
	return e.withDB(c, func(ctx context.Context, db *sqldb.DB) error {
		if err := enrolled(ctx, db, cmd.ID); err != nil {
			return err
		}
		next, err := e.ask(ctx, c, db, cmd.ID, cmd.By, ask)
		if err != nil {
			return err
		}
		return e.printf("version %d for %s: %d settings differ from its file; it is sent until the gateway answers\n", next.Version, cmd.ID, len(next.Changes))
	})
}

// ask makes the next version of what is wanted of a gateway.
func (e *env) ask(ctx context.Context, c Config, db *sqldb.DB, id, login string, ask desired.Ask) (next desired.Wanted, err error) {
	signer, _, err := c.loadKey()
	if err != nil {
		return next, err
	}
	by, err := e.byLogin(ctx, db, login)
	if err != nil {
		return next, err
	}
	now, err := db.Wanted(ctx, id)
	if err != nil {
		return next, err
	}
	report, err := db.Report(ctx, id)
	if err != nil {
		return next, err
	}
	changes, err := desired.Next(now, report, ask)
	if err != nil {
		return next, fmt.Errorf("gateway %s: %w", id, err)
	}
	next = desired.Wanted{Gateway: id, Version: now.Version + 1, Changes: changes, Made: e.now().UTC()}
	next.Note, err = wire.SealDesired(wire.Desired{Gateway: next.Gateway, Version: next.Version, Time: next.Made, Changes: changes}, signer)
	if err != nil {
		return next, err
	}
	if err := db.SaveWanted(ctx, next, by); err != nil {
		return next, fmt.Errorf("gateway %s: %w", id, err)
	}
	return next, nil
}

// byLogin is a change that an account asked for by its login; empty: the operator did.
func (e *env) byLogin(ctx context.Context, db *sqldb.DB, login string) (ledger.By, error) {
	by := e.by()
	if login == "" {
		return by, nil
	}
	a, err := db.AccountByLogin(ctx, login)
	if errors.Is(err, account.ErrNone) {
		return by, fmt.Errorf("--by %q: no such login: server user list shows them; leave it out where somebody asks who has none", login)
	}
	if err != nil {
		return by, err
	}
	by.Actor = a.ID
	return by, nil
}

// jsonOf takes what a person wrote as JSON if it is, else as a text: 30s is no JSON, 42 and {"dry": …} are.
func jsonOf(s string) json.RawMessage {
	if json.Valid([]byte(s)) {
		return json.RawMessage(s)
	}
	raw, err := json.Marshal(s)
	if err != nil { // a string always is
		return json.RawMessage("null")
	}
	return raw
}

type gatewaySettingsCmd struct {
	ID string `arg:"" help:"Name of the gateway."`
}

// Run prints what is in force at a gateway, what is wanted of it, and what it answered.
func (cmd *gatewaySettingsCmd) Run(e *env) error {
	c, err := LoadConfig(e.config)
	if err != nil {
		return err
	}
	return e.withDB(c, func(ctx context.Context, db *sqldb.DB) error {
		w, err := db.Wanted(ctx, cmd.ID)
		if err != nil {
			return err
		}
		r, err := db.Report(ctx, cmd.ID)
		if err != nil {
			return err
		}
		if r.State == "" && w.Version == 0 {
			if err := enrolled(ctx, db, cmd.ID); err != nil {
				return err
			}
			return fmt.Errorf("gateway %s: %w", cmd.ID, desired.ErrNoReport)
		}
		if err := e.printf("%s\n", stateLine(w, r)); err != nil {
			return err
		}
		return e.printSettings(w, r)
	})
}

// enrolled reports a gateway that is not in service here; most often its name was misspelt.
func enrolled(ctx context.Context, db *sqldb.DB, id string) error {
	all, err := db.Enrolments(ctx)
	if err != nil {
		return err
	}
	var names []string
	for _, g := range all {
		if !g.Retired.IsZero() {
			continue
		}
		if g.Gateway == id {
			return nil
		}
		names = append(names, g.Gateway)
	}
	if len(names) == 0 {
		return fmt.Errorf("gateway %s: %w; server gateway add CARD enrols one", id, sqldb.ErrNoGateway)
	}
	return fmt.Errorf("gateway %s: %w; there are %s", id, sqldb.ErrNoGateway, strings.Join(names, ", "))
}

// stateLine says in one line how a gateway and what is wanted of it agree.
func stateLine(w desired.Wanted, r desired.Report) string {
	switch {
	case r.State == "":
		return fmt.Sprintf("version %d of %s waits: the gateway has never told its settings", w.Version, stamp(w.Made))
	case !r.Answered(w):
		return fmt.Sprintf("version %d of %s waits for the gateway; in force is version %d (%s)", w.Version, stamp(w.Made), r.Version, r.State)
	case r.Why != "":
		return fmt.Sprintf("version %d: %s: %s", r.Version, r.State, r.Why)
	}
	return fmt.Sprintf("version %d: %s", r.Version, r.State)
}

func (e *env) printSettings(w desired.Wanted, r desired.Report) error {
	wanted := map[string]wire.Change{}
	for _, c := range w.Changes {
		wanted[c.Path] = c
	}
	paths := map[string]bool{}
	for p := range r.Settings {
		paths[p] = true
	}
	for p := range wanted {
		paths[p] = true
	}
	out := tabwriter.NewWriter(e.stdout, 0, 8, 2, ' ', 0)
	if _, err := fmt.Fprintln(out, "SETTING\tIN FORCE\tWANTED\tITS FILE"); err != nil {
		return err
	}
	for _, p := range slices.Sorted(maps.Keys(paths)) {
		value, want, file := "-", "-", "the same"
		if v, ok := r.Settings[p]; ok {
			value = string(v)
		}
		if c, ok := wanted[p]; ok {
			want = string(c.Value)
		}
		if v, ok := r.File[p]; ok {
			file = string(v)
		}
		if slices.Contains(r.Kept, p) {
			file = "edited there: stands"
		}
		if _, err := fmt.Fprintf(out, "%s\t%s\t%s\t%s\n", p, value, want, file); err != nil {
			return err
		}
	}
	return out.Flush()
}
