package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"aovuon/gateway/wire"
	"aovuon/server/account"
	"aovuon/server/farm"
	"aovuon/server/setup"
	"aovuon/server/sqldb"
)

// installedConfig is where the package puts the configuration.
const installedConfig = "/etc/aovuon-server/server.yaml"

// configOr returns the configuration file to use where none is named.
func configOr(named string) (path string, installed bool) {
	switch {
	case named != "":
		return named, named == installedConfig
	case !exists("server.yaml") && thereThoughHidden(installedConfig):
		return installedConfig, true
	}
	return "server.yaml", false
}

// thereThoughHidden reports whether a file is there, or in a folder that whoever asks may not look into.
func thereThoughHidden(path string) bool {
	_, err := os.Stat(path)
	return err == nil || errors.Is(err, fs.ErrPermission)
}

// becomeOwner makes root the user whose data folder it is, for a server that a package installed: what root would make there the service could
// not change. Whoever is not root stays who they are.
func becomeOwner(config string) (became bool, err error) {
	dir, ok := dataFolderOf(config)
	if !ok || os.Geteuid() != 0 {
		return false, nil
	}
	uid, gid := ownerOf(dir)
	if uid == 0 {
		return false, nil
	}
	if err := errors.Join(syscall.Setgroups([]int{gid}), syscall.Setgid(gid), syscall.Setuid(uid)); err != nil {
		return false, fmt.Errorf("acting as the owner of %s: %w", dir, err)
	}
	return true, nil
}

// ownerOf returns whose a folder is; 0 where there is none yet.
func ownerOf(dir string) (uid, gid int) {
	info, err := os.Stat(dir)
	if err != nil {
		return 0, 0
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0
	}
	return int(st.Uid), int(st.Gid)
}

// explained adds to an error of permissions why root has none.
func explained(err error, became bool) error {
	if !became || !errors.Is(err, fs.ErrPermission) {
		return err
	}
	return fmt.Errorf("%w (started by root, the program acts as the service's user, whom the data belongs to: put files where that user may read and write, such as /tmp)", err)
}

type setupLinkCmd struct {
	Again bool `help:"Open the setup page of a server that is set up already, to give it another address: restart the service then."`
}

// Run prints a link to the setup page, or to the page that makes the first admin.
func (cmd *setupLinkCmd) Run(e *env) error {
	c, _, err := loadDespite(e.config)
	if err != nil {
		return err
	}
	if !c.Setup {
		return fmt.Errorf("setup-link: %s does not say setup: true: this server is set up by that file; server user link prints the link of the first admin", e.config)
	}
	if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	store := setup.NewStore(c.DataDir, e.now)
	needed, err := c.setupNeeded(store)
	if err != nil {
		return err
	}
	if !needed && !cmd.Again {
		return e.setUpAlready(c)
	}
	listen := c.SetupListen
	if err := store.Change(func(st *setup.State) error {
		if cmd.Again && !needed {
			st.Again, st.Done, st.Problem = true, time.Time{}, ""
		}
		if needed && st.Listen != "" {
			listen = st.Listen
		}
		return nil
	}); err != nil {
		return err
	}
	token, err := store.NewLink()
	if err != nil {
		return err
	}
	if err := printSetupLinks(e.stdout, listen, token); err != nil || needed {
		return err
	}
	return e.printf("\nThe page answers after: systemctl restart aovuon-server\nUntil it is finished there are no pages; gateways keep what they read and send it then.\n")
}

// setUpAlready says how to go on with a server that is set up.
func (e *env) setUpAlready(c Config) error {
	if err := e.printf("This server is set up: %s\n", c.base()); err != nil {
		return err
	}
	return e.withAccounts(func(ctx context.Context, c Config, s *account.Service, _ *sqldb.DB) error {
		needed, err := s.SetupNeeded(ctx)
		if err != nil {
			return err
		}
		if !needed {
			return e.printf("It has an admin. Another address: server setup-link --again. A forgotten password: server user reset LOGIN\n")
		}
		return printSetup(ctx, c, s, e.by(), e.stdout)
	})
}

// found makes what the setup page settled into a server: keys, database, and whose farm it is. Doing it again changes nothing.
func (e *env) found(c Config, d setup.Draft) error {
	if err := e.makeKeys(c); err != nil {
		return err
	}
	return e.withDB(c, func(ctx context.Context, db *sqldb.DB) error {
		f, err := db.Farm(ctx)
		if err != nil {
			return err
		}
		if f.Coop.Name.VI != "" || d.Coop == "" { // it has been said, on its own page or in a farm file
			return nil
		}
		// As where a farm is changed on its pages: where no English was written the Vietnamese stands.
		f.Coop.Name = farm.Text{VI: d.Coop, EN: cmp.Or(d.CoopEN, d.Coop)}
		f.Coop.Addresses = []farm.Address{{Text: farm.Text{VI: d.Address, EN: cmp.Or(d.AddressEN, d.Address)}}}
		return db.SaveFarm(ctx, f, e.by())
	})
}

// makeKeys makes the folders and keys of a server that are not there yet.
func (e *env) makeKeys(c Config) error {
	for _, dir := range []string{c.DataDir, c.sharedDir()} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("data folder: %w", err)
		}
	}
	if _, err := wire.CreateKey(c.keyFile(), c.Name); err != nil {
		return err
	}
	if _, err := wire.CreateKey(c.ledgerKeyFile(), c.logName()); err != nil {
		return err
	}
	return c.createAuthority(e.now())
}

// dataFolderOf is the data folder of a configuration file; ok is false where that cannot be read.
func dataFolderOf(path string) (string, bool) {
	raw, err := readConfig(path)
	if err != nil {
		return "", false
	}
	c := defaults()
	if err := decode(raw, &c); err != nil {
		return "", false
	}
	return below(filepath.Dir(path), c.DataDir), true
}
