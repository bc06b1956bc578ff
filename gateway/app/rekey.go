package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"aovuon/gateway/wire"
)

// rekeyFlags are what gateway rekey is told.
type rekeyFlags struct {
	Server string `help:"Address of the server's pages, https://...; known after gateway enrol."`
}

// next is what a file is called until the server has agreed to it.
const next = ".next"

// rekey puts a new key, password and certificate in the place of the old ones. The old key signs for the new one. Whatever stops it, doing
// it again goes on: the key that ends in .next is made last, and goes last.
func rekey(ctx context.Context, path string, f rekeyFlags, stdout io.Writer, log *slog.Logger) error {
	cfg, err := load(path)
	if err != nil {
		return err
	}
	s, err := cfg.openKeys() // what TLS needs may be in the middle of a run that was stopped: certificate new, key old
	if err != nil {
		return err
	}
	lock, err := lockFolder(cfg.DataDir) // a running gateway would go on signing with the old key
	if err != nil {
		return err
	}
	if err := lock.Close(); err != nil {
		return err
	}
	_, oldVKey, err := wire.LoadKey(cfg.KeyFile)
	if err != nil {
		return fmt.Errorf("app: %w", err)
	}
	tlsKey := filepath.Join(cfg.DataDir, certKeyName)
	if _, err := os.Stat(cfg.KeyFile + next); errors.Is(err, fs.ErrNotExist) {
		for _, left := range []string{cfg.PasswordFile + next, tlsKey + next} { // of a run that came to no key, or was done with it
			if err := os.Remove(left); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("app: %w", err)
			}
		}
	}
	secret, err := wire.CreateSecret(cfg.PasswordFile + next)
	if err != nil {
		return fmt.Errorf("app: %w", err)
	}
	csr, err := certificateRequest(tlsKey+next, cfg.Gateway)
	if err != nil {
		return err
	}
	vkey, err := wire.CreateKey(cfg.KeyFile+next, cfg.Gateway)
	if err != nil {
		return fmt.Errorf("app: %w", err)
	}
	if vkey != oldVKey { // else the files were changed already and only the rest is to do
		fresh, _, err := wire.LoadKey(cfg.KeyFile + next)
		if err != nil {
			return fmt.Errorf("app: %w", err)
		}
		request, err := wire.SealRekey(s.signer, fresh, oldVKey, wire.NewCard(cfg.Gateway, vkey, secret), csr)
		if err != nil {
			return fmt.Errorf("app: %w", err)
		}
		server, err := f.server(cfg)
		if err != nil {
			return err
		}
		answer, err := post(ctx, server, "/rekey", request)
		if err != nil {
			return err
		}
		certificate, err := wire.OpenRekeyed(answer, request, s.server)
		if err != nil {
			return fmt.Errorf("app: %w: the answer is not the server's", err)
		}
		if err := cfg.takeOver(certificate, tlsKey); err != nil {
			return err
		}
	}
	// What waits was sealed with the old key, which the server takes no more.
	if _, err := os.Stat(cfg.spoolFile()); err == nil {
		if err := renew(ctx, path, stdout, log); err != nil {
			return err
		}
	}
	for _, name := range []string{cfg.KeyFile, cfg.PasswordFile, tlsKey} {
		if err := os.Remove(name + next); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("app: %w", err)
		}
	}
	_, err = fmt.Fprintf(stdout, "gateway %s signs with %s from now on\n", cfg.Gateway, vkey)
	return err
}

// takeOver writes certificate, password and key over the old ones, the key last.
func (c *Config) takeOver(certificate []byte, tlsKey string) error {
	copies := []string{c.PasswordFile, c.KeyFile}
	if certificate != nil && c.Server.CertFile != "" {
		if err := wire.WriteFile(c.Server.CertFile, pemOf(certificate), 0o644); err != nil {
			return fmt.Errorf("app: %w", err)
		}
		copies = append([]string{tlsKey}, copies...)
	}
	for _, name := range copies {
		raw, err := os.ReadFile(name + next)
		if err == nil {
			err = wire.WriteFile(name, raw, 0o600)
		}
		if err != nil {
			return fmt.Errorf("app: %w", err)
		}
	}
	return nil
}

// server is where the new key is sent to.
func (f rekeyFlags) server(c *Config) (string, error) {
	if f.Server != "" {
		return f.Server, wire.CheckServerURL(f.Server)
	}
	raw, err := os.ReadFile(filepath.Join(c.DataDir, addressName))
	if errors.Is(err, fs.ErrNotExist) {
		return "", errors.New("app: which server? add --server and its address")
	}
	return strings.TrimSpace(string(raw)), err
}
