package app

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"strings"
	"time"

	"aovuon/server/account"
	"aovuon/server/ledger"
	"aovuon/server/sqldb"
)

// proxies returns the networks of the proxies whose X-Forwarded-For is believed.
func (a AccessConfig) proxies() ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, s := range a.Proxies {
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

// newAccounts is what lets people in.
func newAccounts(c Config, db *sqldb.DB, now func() time.Time, log *slog.Logger) *account.Service {
	return account.New(account.Options{
		People: db, Factors: db, Sessions: db, Devices: db, Links: db, Cards: db, PINs: db, Hasher: account.NewHasher(), Coop: c.Name, Now: now, Log: log,
	})
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
