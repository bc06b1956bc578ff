package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"aovuon/gateway/wire"
	"aovuon/server/enrol"
	"aovuon/server/ledger"
	"aovuon/server/pki"
	"aovuon/server/sqldb"
)

func (c *Config) caFile() string    { return filepath.Join(c.sharedDir(), "ca.pem") }
func (c *Config) caKeyFile() string { return filepath.Join(c.sharedDir(), "ca.key") }

// createAuthority makes the server's own authority, once.
func (c *Config) createAuthority(now time.Time) error {
	return pki.Create(c.caFile(), c.caKeyFile(), c.Name, c.ownNames(), now)
}

// authority returns the server's own authority where the configuration uses it, nil where not.
func (c *Config) authority(now time.Time) (*pki.Authority, error) {
	e := c.Broker.Embedded
	if !c.TLS.LAN && (e == nil || !e.LAN && e.ClientCertificates == "") {
		return nil, nil //nolint:nilnil // none is no error
	}
	if err := c.createAuthority(now); err != nil { // a server older than its authority
		return nil, err
	}
	return pki.Load(c.caFile(), c.caKeyFile())
}

// publicHost is the host that labels and gateways name.
func (c *Config) publicHost() string {
	u, err := url.Parse(c.PublicURL)
	if err != nil {
		return "localhost"
	}
	return u.Hostname()
}

// ownNames are the names this machine goes by.
func (c *Config) ownNames() []string {
	names := []string{"localhost", c.publicHost()}
	if h, err := os.Hostname(); err == nil && h != "" {
		h = strings.ToLower(h)
		names = append(names, h)
		if !strings.Contains(h, ".") {
			names = append(names, h+".local")
		}
	}
	return names
}

// ownHosts are names and addresses, in order and each once: what a certificate on the local network must be for.
func (c *Config) ownHosts() []string {
	hosts := c.ownNames()
	addrs, err := net.InterfaceAddrs()
	if err == nil {
		for _, a := range addrs {
			if n, ok := a.(*net.IPNet); ok && (n.IP.IsPrivate() || n.IP.IsLoopback()) {
				hosts = append(hosts, n.IP.String())
			}
		}
	}
	slices.Sort(hosts)
	return slices.Compact(hosts)
}

// gatewayBroker is where gateways connect to, and whose certificate they see there.
func (c *Config) gatewayBroker(address string, a *pki.Authority) (brokerURL, caPEM string, err error) {
	var caFile string
	if o := c.Broker.Outside; o != nil {
		brokerURL, caFile = o.URL, o.CAFile
	} else {
		e := c.Broker.Embedded
		_, port, err := net.SplitHostPort(address)
		if err != nil {
			return "", "", fmt.Errorf("broker address: %w", err)
		}
		scheme := "tcp://"
		if e.LAN || e.CertFile != "" {
			scheme = "ssl://"
		}
		brokerURL, caFile = scheme+net.JoinHostPort(c.publicHost(), port), e.CAFile
		if e.LAN {
			return c.override(brokerURL), string(a.PEM()), nil
		}
	}
	if caFile != "" {
		raw, err := os.ReadFile(caFile)
		if err != nil {
			return "", "", fmt.Errorf("ca_file: %w", err)
		}
		caPEM = string(raw)
	}
	return c.override(brokerURL), caPEM, nil
}

// override puts the configured address in the place of the one that was guessed.
func (c *Config) override(brokerURL string) string {
	if c.Broker.Address == "" {
		return brokerURL
	}
	scheme, _, _ := strings.Cut(brokerURL, "://")
	return scheme + "://" + c.Broker.Address
}

// register is the database as enrolment sees it: what the asker got wrong is a refusal.
type register struct{ db *sqldb.DB }

func refusal(err error) error {
	for _, his := range []error{sqldb.ErrNoClaim, sqldb.ErrInService, sqldb.ErrNotInForce, sqldb.ErrKeyUsed, sqldb.ErrNoGateway} {
		if errors.Is(err, his) {
			return fmt.Errorf("%w: %w", enrol.ErrRefused, err)
		}
	}
	return err
}

func (r register) ClaimKey(ctx context.Context, id string, now time.Time) ([]byte, error) {
	key, err := r.db.ClaimKey(ctx, id, now)
	return key, refusal(err)
}

func (r register) EnrolByClaim(ctx context.Context, id string, card wire.Card, by ledger.By) error {
	return refusal(r.db.EnrolByClaim(ctx, id, card, by))
}

func (r register) Rekey(ctx context.Context, q wire.Rekey, by ledger.By) error {
	return refusal(r.db.Rekey(ctx, q, by))
}

// enrolment makes the handler that lets gateways in.
func (s *running) enrolment(signer note.Signer, vkey string, a *pki.Authority) (*enrol.Server, error) {
	brokerURL, caPEM, err := s.config.gatewayBroker(s.brokerState().Address, a)
	if err != nil {
		return nil, err
	}
	o := enrol.Options{Register: register{s.db}, Broker: brokerURL, VKey: vkey, Signer: signer, CAPEM: caPEM, Now: s.now, Log: s.log}
	if e := s.config.Broker.Embedded; e != nil && e.ClientCertificates != "" {
		o.Certificate = func(csr []byte, gateway string) ([]byte, error) { return a.Client(csr, gateway, s.now()) }
	}
	return enrol.New(o), nil
}
