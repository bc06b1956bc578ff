package app

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"aovuon/server/sqldb"
)

type initCmd struct{}

// Run makes what a server needs before its first start. Doing it again changes nothing.
func (initCmd) Run(e *env) error {
	c, err := LoadConfig(e.config)
	if err != nil {
		return err
	}
	if err := e.makeKeys(c); err != nil {
		return err
	}
	_, vkey, err := c.loadKey()
	if err != nil {
		return err
	}
	return e.withDB(c, func(ctx context.Context, db *sqldb.DB) error {
		if err := e.printf("%s\n", vkey); err != nil {
			return err
		}
		s, err := newAccounts(ctx, c, db, e.now, e.log)
		if err != nil {
			return err
		}
		return printSetup(ctx, c, s, e.by(), e.stderr)
	})
}

//go:embed server.example.yaml
var example string

//go:embed office.example.yaml
var office string

type exampleCmd struct {
	Office bool `help:"The short one of a co-op's office, which is set up on a page in the browser."`
}

// Run prints the sample configuration.
func (cmd *exampleCmd) Run(e *env) error {
	if cmd.Office {
		return e.printf("%s", office)
	}
	return e.printf("%s", example)
}

type keyCmd struct{}

// Run prints the server's verifier key.
func (keyCmd) Run(e *env) error {
	c, err := LoadConfig(e.config)
	if err != nil {
		return err
	}
	_, vkey, err := c.loadKey()
	if err != nil {
		return err
	}
	return e.printf("%s\n", vkey)
}

type gatewayCmd struct {
	Add      gatewayAddCmd      `cmd:"" help:"Enrol the gateways of cards, all or none; a running server knows them within a second."`
	Claim    gatewayClaimCmd    `cmd:"" help:"Print a code, and its QR, with which one gateway can enrol itself (gateway enrol), once, within ten minutes or --valid."`
	List     gatewayListCmd     `cmd:"" help:"List the enrolled gateways."`
	Set      gatewaySetCmd      `cmd:"" help:"Say what a gateway should do otherwise than its own file says: how often, with which coefficients."`
	Settings gatewaySettingsCmd `cmd:"" help:"Print what is in force at a gateway, what is wanted of it, and what it answered."`
	Retire   gatewayRetireCmd   `cmd:"" help:"Take a gateway out of service: what it sends is refused from now on, what it sent stays."`
}

type gatewayListCmd struct{}

// Run lists the gateways.
func (gatewayListCmd) Run(e *env) error {
	c, err := LoadConfig(e.config)
	if err != nil {
		return err
	}
	return e.withDB(c, func(ctx context.Context, db *sqldb.DB) error {
		list, err := db.Standings(ctx)
		if err != nil {
			return err
		}
		w := tabwriter.NewWriter(e.stdout, 0, 8, 2, ' ', 0)
		if _, err := fmt.Fprintln(w, "GATEWAY\tSTATE\tSEEN\tSEQ\tENROLLED\tRETIRED"); err != nil {
			return err
		}
		for _, s := range list {
			state := s.State.State
			if state == "" {
				state = "-"
			}
			if _, err := fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\t%s\n", s.Gateway, state, stamp(s.Seen), s.Seq, stamp(s.Enrolled), stamp(s.Retired)); err != nil {
				return err
			}
		}
		return w.Flush()
	})
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.RFC3339)
}

type gatewayRetireCmd struct {
	ID string `arg:"" help:"Name of the gateway."`
}

// Run retires one gateway.
func (cmd *gatewayRetireCmd) Run(e *env) error {
	c, err := LoadConfig(e.config)
	if err != nil {
		return err
	}
	return e.withDB(c, func(ctx context.Context, db *sqldb.DB) error {
		if err := db.RetireGateway(ctx, cmd.ID, e.by()); err != nil {
			return err
		}
		return e.printf("gateway %s retired\n", cmd.ID)
	})
}

// withDB opens the database around f.
func (e *env) withDB(c Config, f func(context.Context, *sqldb.DB) error) (err error) {
	db, err := c.openDB(e.ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return f(e.ctx, db)
}
