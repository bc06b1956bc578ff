package doctor

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// keys looks at the files nobody else may read, and at the certificates of the server's authority.
func (p *Patient) keys(context.Context) []Finding {
	var out []Finding
	for _, f := range []struct{ check, path string }{{"key", p.KeyFile}, {"password", p.PasswordFile}, {"pin", p.PINFile}} {
		if f.path != "" {
			out = append(out, p.secret(f.check, f.path))
		}
	}
	if p.CAFile != "" {
		out = append(out, p.authority())
	}
	return out
}

func (p *Patient) secret(check, path string) Finding {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return bad(check, "make it with: gateway init --config "+p.ConfigFile+"; a claim makes it by itself", "%s is not there", path)
	case err != nil:
		return bad(check, "run the doctor as the user the gateway runs as, or as root", "%v", err)
	case !info.Mode().IsRegular():
		return bad(check, "put the file back from a copy, or make a new gateway", "%s is no file", path)
	case info.Mode().Perm()&0o077 != 0:
		return bad(check, "chmod 600 "+path+"; who may have read it can sign as this gateway: if that is not only you, enrol it anew",
			"%s can be read or written by others (mode %04o)", path, info.Mode().Perm())
	}
	if owner := ownerOf(info); p.User > 0 && owner >= 0 && owner != p.User {
		return bad(check, fmt.Sprintf("sudo chown %s %s", p.userName(p.User), path), "%s belongs to user %s: the gateway, user %s, cannot read it",
			path, p.userName(owner), p.userName(p.User))
	}
	return ok(check, "%s is there and private", path)
}

// authority wants a certificate that is still good: an expired one ends the link without a word at the pond.
func (p *Patient) authority() Finding {
	const check = "certificate authority"
	const mend = "put the present PEM certificate of the authority that signed the server's into this file"
	raw, err := os.ReadFile(p.CAFile)
	if err != nil {
		return bad(check, mend, "%v", err)
	}
	var last time.Time
	n := 0
	for {
		var block *pem.Block
		if block, raw = pem.Decode(raw); block == nil {
			break
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return bad(check, mend, "%s: %v", p.CAFile, err)
		}
		n++
		if cert.NotAfter.After(last) {
			last = cert.NotAfter
		}
	}
	now := p.Now.Wall
	switch {
	case n == 0:
		return bad(check, mend, "%s holds no PEM certificate", p.CAFile)
	case now.IsZero() || last.Sub(now) > 60*24*time.Hour:
		return ok(check, "%s is good until %s", p.CAFile, last.UTC().Format(time.DateOnly))
	case last.Before(now):
		return bad(check, mend, "%s ended on %s", p.CAFile, last.UTC().Format(time.DateOnly))
	}
	return warn(check, mend, "%s ends on %s", p.CAFile, last.UTC().Format(time.DateOnly))
}

// folder wants the data folder to be there, writable, and closed to others.
func (p *Patient) folder(context.Context) []Finding {
	const check = "data folder"
	if p.DataDir == "" {
		return nil
	}
	info, err := os.Stat(p.DataDir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return []Finding{bad(check, "make it with: gateway init --config "+p.ConfigFile, "%s is not there", p.DataDir)}
	case err != nil:
		return []Finding{bad(check, "run the doctor as the user the gateway runs as, or as root", "%v", err)}
	case !info.IsDir():
		return []Finding{bad(check, "name a folder as data_dir", "%s is no folder", p.DataDir)}
	case info.Mode().Perm()&0o022 != 0:
		return []Finding{bad(check, "chmod 700 "+p.DataDir, "others may write into %s (mode %04o)", p.DataDir, info.Mode().Perm())}
	}
	f, err := os.CreateTemp(p.DataDir, ".doctor-*")
	if err != nil {
		return []Finding{bad(check, "let the gateway's user write there: chown and chmod 700; if the disk is read-only, see its finding", "%v", err)}
	}
	_, err = f.WriteString("doctor\n")
	if err := errors.Join(err, f.Sync(), f.Close(), os.Remove(f.Name())); err != nil {
		return []Finding{bad(check, "the disk does not take what is written: free some room, or replace the card", "%v", err)}
	}
	if owner := ownerOf(info); p.User > 0 && owner >= 0 && owner != p.User {
		return []Finding{bad(check, fmt.Sprintf("sudo chown -R %s %s", p.userName(p.User), p.DataDir), "%s belongs to user %s, the gateway is user %s",
			p.DataDir, p.userName(owner), p.userName(p.User))}
	}
	return []Finding{ok(check, "%s can be written", p.DataDir)}
}

// read returns a small file of the machine, trimmed; "" when it is not there.
func (p *Patient) read(name string) string {
	b, err := os.ReadFile(p.at(name))
	if err != nil {
		return "" // every caller takes a file that is not there for a machine that does not have it
	}
	return strings.TrimSpace(strings.TrimRight(string(b), "\x00"))
}

func (p *Patient) at(name string) string { return filepath.Join(p.Root, name) }

func (p *Patient) exists(name string) bool {
	_, err := os.Stat(p.at(name))
	return err == nil
}
