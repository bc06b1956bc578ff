// Package backup packs a server's files into one archive that only the holder of a key can open, and unpacks it again.
//
// A folder of staged files and what the server knows of itself go in; an archive goes out, under its name only once all of it is on the
// disk. An archive goes in; a folder comes out whose every byte is the one that was packed, or an error that says what is wrong and where.
// Which files those are, and what they mean, is the caller's. FORMAT.md has the bytes; keep.go says which archives stay, nightly.go when
// one is made.
package backup

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// Format is the number of the archive's form.
const Format = 1

// Manifest says what an archive holds. It is the archive's first member but for the signature.
type Manifest struct {
	Format    int       `json:"format"`
	Name      string    `json:"name"` // of the server
	Made      time.Time `json:"made"` // when the copy began
	Program   string    `json:"program"`
	Driver    string    `json:"driver"`    // sqlite, postgres
	Migration int64     `json:"migration"` // the newest that the tables have
	LogEnd    int64     `json:"log_end"`   // batches up to this position are in it, perhaps some more
	Ledger    Ledger    `json:"ledger"`
	Files     []File    `json:"files"` // in the order they are packed
}

// Ledger says how far the ledger had come: at least so far, when the copy began.
type Ledger struct {
	Size int64  `json:"size"` // leaves
	Head string `json:"head"` // the newest signed head, a note; empty while none was ever signed
	VKey string `json:"vkey"` // the log's public key
}

// File is one file of an archive.
type File struct {
	Path   string `json:"path"` // slashes, below data/ or config/, or "database.dump"
	Size   int64  `json:"size"`
	Mode   uint32 `json:"mode"` // permission bits
	SHA256 string `json:"sha256"`
}

// The places in an archive.
const (
	Data   = "data"          // the server's data folder
	Config = "config"        // its configuration, and the files that names
	Dump   = "database.dump" // pg_dump's custom format
)

// Bytes returns how many bytes all files have.
func (m *Manifest) Bytes() (n int64) {
	for _, f := range m.Files {
		n += f.Size
	}
	return n
}

// Bounds of what is read before anything is known of an archive.
const (
	maxManifest  = 64 << 20
	maxSignature = 8 << 10
	maxFiles     = 1_000_000
	maxBytes     = 1 << 46
)

// ErrDamaged says that an archive is not what was packed, or is no archive.
var ErrDamaged = errors.New("not a whole backup")

func damaged(format string, a ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrDamaged}, a...)...)
}

// ParseManifest reads a manifest and refuses one that would write outside its folder, or twice to one place.
func ParseManifest(raw []byte) (*Manifest, error) {
	var m Manifest
	d := json.NewDecoder(bytes.NewReader(raw))
	if err := d.Decode(&m); err != nil {
		return nil, damaged("manifest: %v", err)
	}
	if m.Format != Format {
		return nil, fmt.Errorf("backup: the archive has format %d, this program reads %d: restore it with the program that made it (%s)", m.Format, Format, m.Program)
	}
	if len(m.Files) == 0 || len(m.Files) > maxFiles {
		return nil, damaged("manifest: %d files", len(m.Files))
	}
	seen := make(map[string]bool, len(m.Files))
	var total int64
	for i, f := range m.Files {
		sum, err := hex.DecodeString(f.SHA256)
		total += max(f.Size, 0)
		switch {
		case !validPath(f.Path):
			return nil, damaged("manifest: file %d: %q is no place in a backup", i, f.Path)
		case seen[f.Path]:
			return nil, damaged("manifest: file %d: %q is there twice", i, f.Path)
		case f.Size < 0 || total > maxBytes:
			return nil, damaged("manifest: file %d: %d bytes", i, f.Size)
		case f.Mode&^0o777 != 0:
			return nil, damaged("manifest: file %d: mode %o", i, f.Mode)
		case err != nil || len(sum) != sha256.Size:
			return nil, damaged("manifest: file %d: %q is no SHA-256", i, f.SHA256)
		}
		seen[f.Path] = true
	}
	for _, f := range m.Files { // no file stands where another one needs a folder
		for dir := filepath.Dir(f.Path); dir != "."; dir = filepath.Dir(dir) {
			if seen[dir] {
				return nil, damaged("manifest: %q is a file and a folder", dir)
			}
		}
	}
	return &m, nil
}

func validPath(p string) bool {
	if p == Dump {
		return true
	}
	if len(p) > 4096 || !fs.ValidPath(p) || strings.ContainsAny(p, "\\\x00") {
		return false
	}
	return strings.HasPrefix(p, Data+"/") || strings.HasPrefix(p, Config+"/")
}

// List fills in the manifest's files from a folder of staged ones.
func (m *Manifest) List(stage string) error {
	return filepath.WalkDir(stage, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(stage, path)
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		f := File{Path: filepath.ToSlash(rel), Size: info.Size(), Mode: uint32(info.Mode().Perm())}
		if !info.Mode().IsRegular() || !validPath(f.Path) {
			return fmt.Errorf("backup: %s cannot be packed: only files below %s/ and %s/ are", path, Data, Config)
		}
		if f.SHA256, err = sumOf(path); err != nil {
			return err
		}
		m.Files = append(m.Files, f)
		return nil
	})
}

func sumOf(path string) (sum string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// signedText is what the server's key signs of a manifest.
func signedText(manifest []byte) string {
	sum := sha256.Sum256(manifest)
	return "aovuon/backup/1\n" + base64.StdEncoding.EncodeToString(sum[:]) + "\n"
}

// checkSignature checks that one key signed a manifest.
func checkSignature(signature, manifest []byte, vkey string) error {
	v, err := note.NewVerifier(strings.TrimSpace(vkey))
	if err != nil {
		return fmt.Errorf("backup: %q is no public key: %w", vkey, err)
	}
	n, err := note.Open(signature, note.VerifierList(v))
	if err != nil {
		return fmt.Errorf("backup: not made by the server %s with the key %s: %w", v.Name(), strings.TrimSpace(vkey), err)
	}
	if n.Text != signedText(manifest) {
		return damaged("the signature is of another manifest")
	}
	return nil
}
