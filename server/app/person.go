package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"aovuon/server/account"
	"aovuon/server/farm"
	"aovuon/server/privacy"
	"aovuon/server/sqldb"
)

type personCmd struct {
	Add      personAddCmd      `cmd:"" help:"Put a person on record; prints their pseudonym. Nothing is shown of them to anybody."`
	Account  personAccountCmd  `cmd:"" help:"Say which account a person signs in with, so that export and erasure reach it."`
	List     personListCmd     `cmd:"" help:"List the people on record and what they agreed to."`
	Text     personTextCmd     `cmd:"" help:"Print the text that people agree to, to read it out or to have it signed."`
	Consent  personConsentCmd  `cmd:"" help:"Note that a person agreed that a field is shown to everybody on the pages of their lots."`
	Withdraw personWithdrawCmd `cmd:"" help:"Take a consent back; pages stop showing the field at once."`
	Export   personExportCmd   `cmd:"" help:"Write everything that is kept about a person as JSON and as a page to read."`
	Erase    personEraseCmd    `cmd:"" help:"Erase a person: their row, their account, their name at calibrations and the bodies behind the ledger's leaves. It cannot be undone."`
	Request  personRequestCmd  `cmd:"" help:"Note a request of a person, with its legal deadlines."`
	Answer   personAnswerCmd   `cmd:"" help:"Note that a person was told that their request came in, or that it is done."`
	Requests personRequestsCmd `cmd:"" help:"List the requests and their deadlines; exit code 1 when one is late."`
}

type personAddCmd struct {
	Name      string   `required:"" help:"Name."`
	Phone     string   `help:"Telephone number."`
	Photo     string   `help:"What the co-op's file of their picture is called. It is shown to nobody."`
	Household string   `help:"Household."`
	Place     []string `help:"Code of a place that is theirs; any number."`
	Account   string   `help:"Login of the account they sign in with." placeholder:"LOGIN"`
}

// Run puts a person on record.
func (cmd *personAddCmd) Run(e *env) error {
	id, err := privacy.NewID(rand.Reader)
	if err != nil {
		return err
	}
	p := privacy.Person{ID: id, Name: strings.TrimSpace(cmd.Name), Phone: cmd.Phone, Photo: cmd.Photo, Household: strings.TrimSpace(cmd.Household)}
	for _, place := range cmd.Place {
		code, err := farm.ParseCode(place)
		if err != nil {
			return fmt.Errorf("--place: %w", err)
		}
		p.Places = append(p.Places, code)
	}
	return e.withConfiguredDB(func(ctx context.Context, db *sqldb.DB) (err error) {
		if p.Account, err = accountOf(ctx, db, cmd.Account); err != nil {
			return err
		}
		if err := db.AddPerson(ctx, p, e.by()); err != nil {
			return err
		}
		return e.printf("%s\n", id)
	})
}

// accountOf returns the pseudonym of the account of a login; none for none.
func accountOf(ctx context.Context, db *sqldb.DB, login string) (string, error) {
	if login == "" {
		return "", nil
	}
	a, err := db.AccountByLogin(ctx, login)
	if errors.Is(err, account.ErrNone) {
		err = fmt.Errorf("%q: %w: server user list shows the logins", login, err)
	}
	return a.ID, err
}

type personAccountCmd struct {
	Person string `arg:"" help:"Pseudonym."`
	Login  string `arg:"" optional:"" help:"Login of the account; without it the person has none any more."`
}

// Run ties an account to a person.
func (cmd *personAccountCmd) Run(e *env) error {
	return e.withConfiguredDB(func(ctx context.Context, db *sqldb.DB) error {
		id, err := accountOf(ctx, db, cmd.Login)
		if err != nil {
			return err
		}
		if err := db.TieAccount(ctx, cmd.Person, id, e.by()); err != nil {
			return err
		}
		if id == "" {
			return e.printf("%s has no account\n", cmd.Person)
		}
		return e.printf("%s signs in as %s (%s): exported and erased with them\n", cmd.Person, cmd.Login, id)
	})
}

// withConfiguredDB reads the configuration and opens its database around f.
func (e *env) withConfiguredDB(f func(context.Context, *sqldb.DB) error) error {
	c, err := LoadConfig(e.config)
	if err != nil {
		return err
	}
	return e.withDB(c, f)
}

type personListCmd struct{}

// Run lists people.
func (personListCmd) Run(e *env) error {
	return e.withConfiguredDB(func(ctx context.Context, db *sqldb.DB) error {
		all, err := db.People(ctx)
		if err != nil {
			return err
		}
		w := tabwriter.NewWriter(e.stdout, 0, 8, 2, ' ', 0)
		if _, err := fmt.Fprintln(w, "PERSON\tNAME\tHOUSEHOLD\tPHONE\tPLACES\tSHOWN TO EVERYBODY"); err != nil {
			return err
		}
		for _, p := range all {
			agreed, err := db.Consents(ctx, p.ID)
			if err != nil {
				return err
			}
			var shown []string
			for _, c := range agreed {
				if c.Holds() {
					shown = append(shown, strings.TrimPrefix(c.Field, "person."))
				}
			}
			if len(shown) == 0 {
				shown = []string{"nothing"}
			}
			if _, err := fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", p.ID, p.Name, p.Household, p.Phone, strings.Join(p.Places, " "), strings.Join(shown, " ")); err != nil {
				return err
			}
		}
		return w.Flush()
	})
}

type personTextCmd struct {
	Lang string `enum:"vi,en" default:"vi" help:"vi or en."`
}

// Run prints the text.
func (cmd *personTextCmd) Run(e *env) error {
	return e.printf("%s\n(bản %s)\n", strings.TrimSpace(privacy.Text(cmd.Lang)), privacy.TextVersion)
}

type personConsentCmd struct {
	Person string   `arg:"" help:"Pseudonym."`
	Field  []string `arg:"" help:"name, household or phone; each is agreed to by itself."`
}

// Run notes consents.
func (cmd *personConsentCmd) Run(e *env) error {
	var all []privacy.Consent
	for _, f := range cmd.Field {
		c, err := privacy.NewConsent(cmd.Person, f)
		if err != nil {
			return err
		}
		all = append(all, c)
	}
	return e.withConfiguredDB(func(ctx context.Context, db *sqldb.DB) error {
		for _, c := range all {
			given, err := db.GiveConsent(ctx, c, e.by())
			if err != nil {
				return err
			}
			told := "agreed to since before"
			if given {
				told = "shown to everybody from now on"
			}
			if err := e.printf("%s of %s: %s (text %s)\n", c.Field, c.Person, told, c.Text); err != nil {
				return err
			}
		}
		return nil
	})
}

type personWithdrawCmd struct {
	Person string `arg:"" help:"Pseudonym."`
	Field  string `arg:"" optional:"" help:"name, household or phone: no page shows it any more; alarms: nobody tells them of alarms any more; without it all of these."`
}

// ofAlarms is what a person may be told of, as a consent beside the fields of pages.
const ofAlarms = "alarms"

// Run takes consents back.
func (cmd *personWithdrawCmd) Run(e *env) error {
	field := ""
	if cmd.Field != "" && cmd.Field != ofAlarms {
		c, err := privacy.NewConsent(cmd.Person, cmd.Field)
		if err != nil {
			return err
		}
		field = c.Field
	}
	return e.withConfiguredDB(func(ctx context.Context, db *sqldb.DB) error {
		if cmd.Field != ofAlarms {
			n, err := db.WithdrawConsent(ctx, cmd.Person, field, e.by())
			if err != nil {
				return err
			}
			if err := e.printf("%d consents of %s withdrawn: no page shows them from now on\n", n, cmd.Person); err != nil {
				return err
			}
		}
		if cmd.Field != ofAlarms && cmd.Field != "" {
			return nil
		}
		n, err := db.WithdrawAlarms(ctx, cmd.Person, e.by())
		if err != nil {
			return err
		}
		if n == 0 {
			return e.printf("%s was told of no alarms\n", cmd.Person)
		}
		return e.printf("%s is told of no alarms from now on (%d contacts): see that somebody else is\n", cmd.Person, n)
	})
}

type personExportCmd struct {
	Person string `arg:"" help:"Pseudonym."`
	Dir    string `help:"Folder for the two files." default:"." type:"path"`
}

// Run writes the export.
func (cmd *personExportCmd) Run(e *env) error {
	return e.withConfiguredDB(func(ctx context.Context, db *sqldb.DB) error {
		all, err := db.EverythingOf(ctx, cmd.Person)
		if err != nil {
			return err
		}
		all.Made = e.now().UTC().Truncate(time.Second)
		base := filepath.Join(cmd.Dir, cmd.Person)
		for path, write := range map[string]func(io.Writer) error{
			base + ".json": all.WriteJSON,
			base + ".html": func(w io.Writer) error { return all.WriteHTML(w, farm.Time()) },
		} {
			if err := writePrivate(path, write); err != nil {
				return err
			}
		}
		return e.printf("%s.json\n%s.html\n", base, base)
	})
}

// writePrivate writes a file that its owner alone may read.
func writePrivate(path string, write func(io.Writer) error) (err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return write(f)
}

type personEraseCmd struct {
	Person string `arg:"" help:"Pseudonym."`
	Yes    bool   `help:"Do it; without it nothing is erased."`
}

// errNotAsked says that erasing was not confirmed.
var errNotAsked = errors.New("nothing was erased: it cannot be undone, so say --yes; server person export keeps a copy for the person")

// Run erases a person.
func (cmd *personEraseCmd) Run(e *env) error {
	if !cmd.Yes {
		return errNotAsked
	}
	return e.withConfiguredDB(func(ctx context.Context, db *sqldb.DB) error {
		if err := db.ErasePerson(ctx, cmd.Person, e.by()); err != nil {
			return err
		}
		return e.toldErased(cmd.Person)
	})
}

// toldErased says what is left of who was erased: what backups hold, and until when.
func (e *env) toldErased(who string) error {
	c, err := LoadConfig(e.config)
	if err != nil {
		return err
	}
	err = e.withDB(c, func(ctx context.Context, db *sqldb.DB) error {
		_, err := c.shelf(db).Sweep(ctx, e.now())
		return err
	})
	if err != nil {
		return fmt.Errorf("%s is erased, but files of photos and voice notes may be left in %s: %w", who, mediaFolder, err)
	}
	until := "delete them when a newer one is good"
	if days := c.backupDays(); days > 0 {
		until = fmt.Sprintf("the nightly ones are gone by themselves in %d days; delete others, and copies elsewhere, when a newer one is good", days)
	}
	return e.printf("%s erased; the ledger's leaves stay and still verify. Backups made before this still hold them: %s. "+
		"Batches that gateways signed are kept as they are, with the name in them if somebody calibrated under it; no page shows it\n", who, until)
}
