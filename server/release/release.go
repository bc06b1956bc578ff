// Package release keeps the programs that gateways may install by themselves, and hands them out.
//
// A program file and its release, signed by the program's maker, come in; a folder with both, the program packed, and the
// answers to gateways that fetch them go out. The server vouches for nothing here: a gateway believes the maker's key alone
// (gateway/update). What is checked is that file and release belong together, so that a mistake is told where it is made.
package release

import (
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"aovuon/gateway/wire"
)

// The endings of the two files of a release; before them stands the platform: linux-arm64.
const (
	manifestEnd = ".release"
	programEnd  = ".gz"
)

// Shelf is a folder of releases.
type Shelf struct{ dir string }

// NewShelf returns the shelf in a folder, which need not exist.
func NewShelf(dir string) *Shelf { return &Shelf{dir} }

// Add keeps a release and its program: manifest is the file FILE.release, the program the file FILE beside it. With keys it
// must be signed by one of them. Adding the same again changes nothing; another program under the same version and platform
// is refused.
func (s *Shelf) Add(manifest string, keys []note.Verifier) (wire.Release, error) {
	sealed, err := os.ReadFile(manifest)
	if err != nil {
		return wire.Release{}, fmt.Errorf("release: %w", err)
	}
	r, err := wire.ReadRelease(sealed)
	if err == nil && keys != nil {
		r, err = wire.OpenRelease(sealed, keys)
	}
	program, ok := strings.CutSuffix(manifest, manifestEnd)
	switch {
	case err != nil:
		return r, fmt.Errorf("release: %s: %w", manifest, err)
	case !ok:
		return r, fmt.Errorf("release: %s: a release is named as its program, with %s behind it", manifest, manifestEnd)
	}
	at := filepath.Join(s.dir, string(r.Version))
	to := filepath.Join(at, platformName(r.Platform))
	if have, err := readManifest(to + manifestEnd); err == nil && have.SHA256 != r.SHA256 {
		return r, fmt.Errorf("release: version %s for %s is there already and is another program: a version is given once", r.Version, r.Platform)
	}
	if err := os.MkdirAll(at, 0o700); err != nil {
		return r, fmt.Errorf("release: %w", err)
	}
	if err := pack(program, to+programEnd, r); err != nil {
		return r, fmt.Errorf("release: %s: %w", program, err)
	}
	if err := wire.WriteFile(to+manifestEnd, sealed, 0o600); err != nil { // last: it says that the program is there
		return r, fmt.Errorf("release: %w", err)
	}
	return r, nil
}

// pack writes the program smaller, when it is what its release says.
func pack(from, to string, r wire.Release) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	out, err := os.CreateTemp(filepath.Dir(to), ".tmp-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, out.Close(), os.Remove(out.Name()))
		}
	}()
	z, err := gzip.NewWriterLevel(out, gzip.BestCompression)
	if err != nil {
		return err
	}
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(z, h), io.LimitReader(in, wire.MaxProgramBytes+1))
	if err == nil && (n != r.Size || [32]byte(h.Sum(nil)) != r.SHA256) {
		err = fmt.Errorf("this is not the program that was signed: %d bytes and SHA-256 %x, the release says %d and %x", n, h.Sum(nil), r.Size, r.SHA256)
	}
	if err = errors.Join(err, z.Close()); err != nil {
		return err
	}
	if err = out.Sync(); err != nil {
		return err
	}
	if err = os.Rename(out.Name(), to); err != nil {
		return err
	}
	return out.Close()
}

func platformName(platform string) string { return strings.ReplaceAll(platform, "/", "-") }

func readManifest(path string) (wire.Release, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return wire.Release{}, err
	}
	return wire.ReadRelease(raw)
}

// List returns every release, the newest version first.
func (s *Shelf) List() ([]wire.Release, error) {
	files, err := filepath.Glob(filepath.Join(s.dir, "*", "*"+manifestEnd))
	if err != nil {
		return nil, fmt.Errorf("release: %w", err)
	}
	var out []wire.Release
	for _, f := range files {
		r, err := readManifest(f)
		if err != nil {
			return nil, fmt.Errorf("release: %s: %w: remove it and add it again", f, err)
		}
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b wire.Release) int {
		if c := b.Version.Compare(a.Version); c != 0 {
			return c
		}
		return strings.Compare(a.Platform, b.Platform)
	})
	return out, nil
}

// Has returns the releases of a version; the error lists what there is.
func (s *Shelf) Has(v wire.Version) ([]wire.Release, error) {
	all, err := s.List()
	if err != nil {
		return nil, err
	}
	var out []wire.Release
	var there []string
	for _, r := range all {
		if r.Version == v {
			out = append(out, r)
		}
		if !slices.Contains(there, string(r.Version)) {
			there = append(there, string(r.Version))
		}
	}
	if out == nil {
		return nil, fmt.Errorf("release: version %q is not here: %s; server release add FILE.release adds one", v, strings.Join(slices.Concat([]string{"there are"}, there), " "))
	}
	return out, nil
}

// Remove takes a version off the shelf.
func (s *Shelf) Remove(v wire.Version) error {
	if _, err := wire.ParseVersion(string(v)); err != nil { // it becomes a path
		return err
	}
	at := filepath.Join(s.dir, string(v))
	if _, err := os.Stat(at); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("release: version %s is not here", v)
	}
	if err := os.RemoveAll(at); err != nil {
		return fmt.Errorf("release: %w", err)
	}
	return nil
}
