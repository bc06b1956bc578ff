package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"aovuon/gateway/wire"
	"aovuon/server/backup"
	"aovuon/server/setup"
	"aovuon/server/sqldb"
	"aovuon/server/web"
)

// backupsOn is the folder that the page of backups makes on a disk, and keysFile the file in the data folder with the public keys it made.
const (
	backupsOn = "aovuon"
	keysFile  = "backup.keys"
)

// backupDesk settles where backups go, in the settings of the setup page. It implements web.Backups.
type backupDesk struct {
	c      Config
	config string // its file
	now    func() time.Time
	anew   func() // starts the server anew, with the settings of then
}

// Place implements web.Backups.
func (b backupDesk) Place(context.Context) (web.BackupPlace, error) {
	out := web.BackupPlace{Dir: b.c.Backup.Dir, Offers: backupsOn, Fixed: b.fixed()}
	if out.Dir != "" {
		out.Same = setup.SameDisk(b.c.DataDir, out.Dir)
	}
	if raw, err := os.ReadFile(b.keys()); err == nil {
		out.Keys = strings.Count(string(raw), "age1")
	} else if !errors.Is(err, fs.ErrNotExist) {
		return out, fmt.Errorf("backup: %w", err)
	}
	disks, err := setup.Disks(b.c.DataDir)
	if err != nil {
		return out, err
	}
	data, err := filepath.Abs(b.c.DataDir)
	if err != nil {
		return out, fmt.Errorf("backup: %w", err)
	}
	for i, d := range disks { // the disk is root's, and the folder was made for the service, as the page says
		if unix.Access(filepath.Join(d.Mount, backupsOn), unix.W_OK) == nil {
			disks[i].Error = ""
		}
	}
	out.Disks = slices.DeleteFunc(disks, func(d setup.Disk) bool {
		return d.Same && (d.Mount == data || strings.HasPrefix(d.Mount, data+"/") || d.Error != "")
	})
	return out, nil
}

// fixed names the file that says where backups go, where the page cannot change it.
func (b backupDesk) fixed() string {
	raw, err := readConfig(b.config)
	if err == nil && b.c.Setup && !slices.Contains(firstKeys(raw), "backup") {
		return ""
	}
	return b.config
}

// keys is the file of public keys.
func (b backupDesk) keys() string {
	if b.c.Backup.RecipientsFile != "" {
		return b.c.Backup.RecipientsFile
	}
	return filepath.Join(b.c.DataDir, keysFile)
}

// Try implements web.Backups.
func (b backupDesk) Try(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return setup.TryWrite(dir)
}

// NewKey implements web.Backups.
func (b backupDesk) NewKey() (text, recipient string, err error) {
	k, err := backup.NewKey(b.now())
	return k.Text, k.Recipient, err
}

// Keep implements web.Backups.
func (b backupDesk) Keep(dir, recipient string) error {
	if recipient != "" {
		if err := addRecipient(b.keys(), recipient); err != nil {
			return err
		}
	}
	s, _, err := setup.ReadSettings(b.c.DataDir)
	if err != nil {
		return err
	}
	s.Backup = &setup.Backup{Dir: dir, RecipientsFile: b.keys()}
	if rel, err := filepath.Rel(b.c.DataDir, b.keys()); err == nil && filepath.IsLocal(rel) {
		s.Backup.RecipientsFile = rel
	}
	if _, err := loadConfig(b.config, &s); err != nil {
		return err
	}
	if err := s.Write(b.c.DataDir); err != nil {
		return err
	}
	b.anew()
	return nil
}

// addRecipient adds a public key to a file of them.
func addRecipient(path, recipient string) error {
	raw, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("backup: %w", err)
	}
	text := strings.TrimRight(string(raw), "\n")
	if text != "" {
		text += "\n"
	}
	return wire.WriteFile(path, []byte(text+recipient+"\n"), 0o644)
}

// newClaim makes a claim with which one gateway can enrol itself.
func (c *Config) newClaim(ctx context.Context, db *sqldb.DB, gateway string, now time.Time, valid time.Duration) (code wire.ClaimCode, text string, err error) {
	_, vkey, err := c.loadKey()
	if err != nil {
		return "", "", err
	}
	if code, err = wire.NewClaimCode(); err != nil {
		return "", "", err
	}
	a, err := c.authority(now)
	if err != nil {
		return "", "", err
	}
	listen := "localhost:1883" // of no account here: the certificate is what counts
	if em := c.Broker.Embedded; em != nil {
		listen = em.Listen
	}
	_, caPEM, err := c.gatewayBroker(listen, a)
	if err != nil {
		return "", "", err
	}
	if err := db.AddClaim(ctx, sqldb.Claim{ID: code.ID(), Key: code.Key(), Gateway: gateway, Made: now, Expires: now.Add(valid)}); err != nil {
		return "", "", err
	}
	return code, wire.Claim{Code: code, Pin: wire.PinOf(vkey, caPEM), Server: c.PublicURL}.String(), nil
}

// claims makes claims for the pages.
func claims(d deps) web.Claims {
	return func(ctx context.Context, gateway string, valid time.Duration) (web.Claim, error) {
		now := d.now()
		code, text, err := d.config.newClaim(ctx, d.db, gateway, now, valid)
		switch {
		case errors.Is(err, sqldb.ErrInService):
			err = errors.Join(web.ErrClaimTaken, err)
		case errors.Is(err, sqldb.ErrTooManyClaims):
			err = errors.Join(web.ErrClaimMany, err)
		}
		return web.Claim{Text: text, Code: code.String(), Server: d.config.base(), Expires: now.Add(valid)}, err
	}
}
