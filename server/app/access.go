package app

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"strings"
	"time"

	"aovuon/gateway/wire"
	"aovuon/server/account"
	"aovuon/server/ledger"
	"aovuon/server/passkey"
	"aovuon/server/sqldb"
)

// proxies returns the networks of the proxies whose X-Forwarded-For is believed.
func (a AccessConfig) proxies() ([]netip.Prefix, error) { return networks(a.Proxies) }

// networks reads addresses and networks; an address is the network of it alone.
func networks(list []string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, s := range list {
		if addr, err := netip.ParseAddr(s); err == nil {
			out = append(out, netip.PrefixFrom(addr, addr.BitLen()))
			continue
		}
		p, err := netip.ParsePrefix(s)
		if err != nil {
			return nil, fmt.Errorf("%q is no address and no network", s)
		}
		out = append(out, p)
	}
	return out, nil
}

// newAccounts is what lets people in. Secrets that an older program left open are sealed.
func newAccounts(ctx context.Context, c Config, db *sqldb.DB, now func() time.Time, log *slog.Logger) (*account.Service, error) {
	key, err := accountKey(c.accountKeyFile())
	if err != nil {
		return nil, err
	}
	vault, err := account.NewVault(key)
	if err != nil {
		return nil, err
	}
	party, noParty := passkey.New(c.PublicURL, "AoVườn")
	s := account.New(account.Options{
		People: db, Factors: db, Sessions: db, Devices: db, Links: db, Cards: db, PINs: db, Passkeys: db, Proofs: db, Tally: db, Hasher: account.NewHasher(), Vault: vault,
		Party: party, NoParty: noParty, Required: c.Access.SecondFactor == "required", Shared: db.Driver() == sqldb.Postgres, Coop: c.Name, Now: now, Log: log,
	})
	sealed, foreign, err := s.SealSecrets(ctx, db.SealSecret)
	if err != nil {
		return nil, err
	}
	if sealed > 0 {
		log.Info("secrets of one-time codes sealed", slog.Int("count", sealed))
	}
	if foreign > 0 {
		log.Error("one-time codes were sealed with another account.key: put that back; passkeys and recovery codes go on, and server user reset lets in",
			slog.Int("accounts", foreign), slog.String("file", c.accountKeyFile()))
	}
	return s, nil
}

// accountKeyText begins account.key.
const accountKeyText = "aovuon-account-key-1 "

// accountKey reads the key that secrets of accounts are sealed with, or makes it. Of two processes that make it at once, one does.
func accountKey(path string) ([]byte, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := makeAccountKey(path); err != nil {
			return nil, fmt.Errorf("account key: %w", err)
		}
		raw, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, fmt.Errorf("account key: %w", err)
	}
	text, ok := strings.CutPrefix(strings.TrimSpace(string(raw)), accountKeyText)
	key, err := base64.StdEncoding.DecodeString(text)
	if !ok || err != nil || len(key) != account.VaultKeyLen {
		return nil, fmt.Errorf("account key: %s holds none: put back the copy of a backup; without one remove the file, and server user reset whoever has one-time codes", path)
	}
	return key, nil
}

func makeAccountKey(path string) (err error) {
	key := make([]byte, account.VaultKeyLen)
	if _, err := io.ReadFull(rand.Reader, key); err != nil {
		return err
	}
	return wire.WriteOnce(path, []byte(accountKeyText+base64.StdEncoding.EncodeToString(key)+"\n"), 0o600)
}

// base is the public URL without a slash at its end.
func (c *Config) base() string { return strings.TrimSuffix(c.PublicURL, "/") }

// printSetup prints the link with which the first admin is made, while there is none.
func printSetup(ctx context.Context, c Config, s *account.Service, by ledger.By, w io.Writer) error {
	needed, err := s.SetupNeeded(ctx)
	if err != nil || !needed {
		return err
	}
	token, err := s.SetupLink(ctx, by)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "\nThere is no admin yet. Make one here, within 24 hours; this link, and those printed before it, work until one is used:\n%s/setup/%s\n", c.base(), token)
	return err
}
