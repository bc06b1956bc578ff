package app

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"

	"aovuon/server/account"
	"aovuon/server/farm"
	"aovuon/server/sqldb"
)

type userCmd struct {
	Add     userAddCmd     `cmd:"" help:"Add a person; prints the link with which they set their password."`
	List    userListCmd    `cmd:"" help:"List the people who may sign in."`
	Disable userDisableCmd `cmd:"" help:"Keep a person out from now on, also from sessions that are open."`
	Enable  userEnableCmd  `cmd:"" help:"Let a disabled person in again."`
	Reset   userResetCmd   `cmd:"" help:"Take password, one-time codes, passkeys and sessions away; prints a link for a new password."`
	Erase   userEraseCmd   `cmd:"" help:"Erase all that says who an account is: name, login, places, cards, sessions, their name at calibrations. It cannot be undone."`
	Link    userLinkCmd    `cmd:"" help:"Print a link with which a person sets a password; without a login the one that makes the first admin."`
}

// withAccounts opens what lets people in around f.
func (e *env) withAccounts(f func(ctx context.Context, c Config, s *account.Service, db *sqldb.DB) error) error {
	c, err := LoadConfig(e.config)
	if err != nil {
		return err
	}
	return e.withDB(c, func(ctx context.Context, db *sqldb.DB) error {
		s, err := newAccounts(ctx, c, db, e.now, e.log)
		if err != nil {
			return err
		}
		return f(ctx, c, s, db)
	})
}

// printLink prints the link of a token.
func (e *env) printLink(c Config, login, token string) error {
	return e.printf("link for %s, once, within 24 hours: %s/setup/%s\n", login, c.base(), token)
}

type userAddCmd struct {
	Login string   `arg:"" help:"What is typed to sign in: small letters, digits, dots, hyphens."`
	Name  string   `required:"" help:"The person's name."`
	Role  string   `required:"" help:"admin, technician, farmer or inspector."`
	Place []string `help:"Code of a farmer's own place; may be given several times." sep:"none"`
}

// Run adds a person.
func (cmd *userAddCmd) Run(e *env) error {
	return e.withAccounts(func(ctx context.Context, c Config, s *account.Service, db *sqldb.DB) error {
		places, err := knownPlaces(ctx, db, cmd.Place)
		if err != nil {
			return err
		}
		a, err := s.Add(ctx, account.Person{Login: cmd.Login, Name: cmd.Name, Role: account.Role(cmd.Role), Places: places}, e.by())
		if err != nil {
			return err
		}
		token, err := s.NewLink(ctx, a.ID, e.by())
		if err != nil {
			return err
		}
		if err := e.printf("%s %s added as %s\n", a.Login, a.ID, a.Role); err != nil {
			return err
		}
		return e.printLink(c, a.Login, token)
	})
}

// knownPlaces brings codes into the form they are kept in; one that the farm does not have is an error.
func knownPlaces(ctx context.Context, db *sqldb.DB, codes []string) ([]string, error) {
	if len(codes) == 0 {
		return nil, nil
	}
	f, err := db.Farm(ctx)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, s := range codes {
		code, err := farm.ParseCode(s)
		if err != nil {
			return nil, err
		}
		if _, ok := f.Place(code); !ok {
			return nil, fmt.Errorf("place %s: the farm has none of that code; it stands on the place's board", code)
		}
		out = append(out, code)
	}
	return out, nil
}

type userListCmd struct{}

// Run lists the people.
func (userListCmd) Run(e *env) error {
	return e.withAccounts(func(ctx context.Context, _ Config, s *account.Service, _ *sqldb.DB) error {
		all, err := s.People.Accounts(ctx)
		if err != nil {
			return err
		}
		w := tabwriter.NewWriter(e.stdout, 0, 8, 2, ' ', 0)
		if _, err := fmt.Fprintln(w, "LOGIN\tID\tROLE\tPASSWORD\tCODES\tPASSKEYS\tDISABLED\tPLACES\tNAME"); err != nil {
			return err
		}
		for _, a := range all {
			yes := map[bool]string{true: "yes", false: "-"}
			if _, err := fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s\t%s\n", a.Login, a.ID, a.Role, yes[a.Password != ""], yes[len(a.Secret) > 0], len(a.Passkeys),
				stamp(a.Disabled), strings.Join(a.Places, ","), a.Name); err != nil {
				return err
			}
		}
		return w.Flush()
	})
}

type userDisableCmd struct {
	Login string `arg:"" help:"Whom."`
}

// Run disables a person.
func (cmd *userDisableCmd) Run(e *env) error { return e.disable(cmd.Login, true, "disabled") }

type userEnableCmd struct {
	Login string `arg:"" help:"Whom."`
}

// Run lets a person in again.
func (cmd *userEnableCmd) Run(e *env) error { return e.disable(cmd.Login, false, "enabled") }

func (e *env) disable(login string, out bool, word string) error {
	return e.withAccounts(func(ctx context.Context, _ Config, s *account.Service, _ *sqldb.DB) error {
		a, err := s.Find(ctx, login)
		if err != nil {
			return err
		}
		if _, err := s.Disable(ctx, a.ID, out, e.by()); err != nil {
			return err
		}
		return e.printf("%s %s\n", a.Login, word)
	})
}

type userResetCmd struct {
	Login string `arg:"" help:"Whom."`
}

// Run takes away what a person signs in with.
func (cmd *userResetCmd) Run(e *env) error {
	return e.withAccounts(func(ctx context.Context, c Config, s *account.Service, _ *sqldb.DB) error {
		a, err := s.Find(ctx, cmd.Login)
		if err != nil {
			return err
		}
		token, err := s.Reset(ctx, a.ID, e.by())
		if err != nil {
			return err
		}
		return e.printLink(c, a.Login, token)
	})
}

type userLinkCmd struct {
	Login string `arg:"" optional:"" help:"Whose password it sets."`
}

// Run prints a link.
func (cmd *userLinkCmd) Run(e *env) error {
	return e.withAccounts(func(ctx context.Context, c Config, s *account.Service, _ *sqldb.DB) error {
		if cmd.Login == "" {
			needed, err := s.SetupNeeded(ctx)
			if err == nil && !needed {
				err = fmt.Errorf("there is an admin: name whose password the link is to set (server user list)")
			}
			if err != nil {
				return err
			}
			return printSetup(ctx, c, s, e.by(), e.stdout)
		}
		a, err := s.Find(ctx, cmd.Login)
		if err != nil {
			return err
		}
		token, err := s.NewLink(ctx, a.ID, e.by())
		if err != nil {
			return err
		}
		return e.printLink(c, a.Login, token)
	})
}

type cardCmd struct {
	Print  cardPrintCmd  `cmd:"" help:"Make new key cards for farmers and print them; the ones they had stop working."`
	List   cardListCmd   `cmd:"" help:"List the key cards."`
	Revoke cardRevokeCmd `cmd:"" help:"Stop a card, and what is open with it."`
}

type userEraseCmd struct {
	Login string `arg:"" help:"Whom."`
	Yes   bool   `help:"Do it; without it nothing is erased."`
}

// Run erases an account.
func (cmd *userEraseCmd) Run(e *env) error {
	if !cmd.Yes {
		return errNotAsked
	}
	return e.withConfiguredDB(func(ctx context.Context, db *sqldb.DB) error {
		id, err := accountOf(ctx, db, cmd.Login)
		if err != nil {
			return err
		}
		if err := db.EraseAccount(ctx, id, e.by()); err != nil {
			return err
		}
		return e.toldErased("account " + id)
	})
}
