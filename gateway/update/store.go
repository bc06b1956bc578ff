package update

import (
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"aovuon/gateway/wire"
)

// What lies in the folder of a version.
const (
	programName  = "gateway"
	manifestName = "release"
)

// ErrDamaged says that a program is not what its maker signed.
var ErrDamaged = errors.New("the program is not what its maker signed")

// Check returns the path of a version's program when its release is signed by one of keys and its bytes are those of the
// release. It is asked at every start: a memory card forgets.
func (s *Store) Check(v wire.Version, keys []note.Verifier) (string, error) {
	dir := filepath.Join(s.dir, string(v))
	raw, err := os.ReadFile(filepath.Join(dir, manifestName))
	if err != nil {
		return "", fmt.Errorf("update: version %s: %w", v, err)
	}
	r, err := wire.OpenRelease(raw, keys)
	if err == nil && r.Version != v {
		err = fmt.Errorf("%w: the release is of version %s", ErrDamaged, r.Version)
	}
	path := filepath.Join(dir, programName)
	if err == nil {
		err = matches(path, r)
	}
	if err != nil {
		return "", fmt.Errorf("update: version %s: %w", v, err)
	}
	return path, nil
}

func matches(path string, r wire.Release) (err error) {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	h := sha256.New()
	n, err := io.Copy(h, f)
	switch {
	case err != nil:
		return err
	case n != r.Size || [32]byte(h.Sum(nil)) != r.SHA256:
		return fmt.Errorf("%w: %d bytes, SHA-256 %x", ErrDamaged, n, h.Sum(nil))
	case info.Mode().Perm()&0o100 == 0 || !info.Mode().IsRegular():
		return fmt.Errorf("%w: mode %v", ErrDamaged, info.Mode())
	}
	return nil
}

// partFile is where a program gathers until all of it came; another file of the same version is another one.
func (s *Store) partFile(r wire.Release) string {
	return filepath.Join(s.dir, fmt.Sprintf("part-%x.gz", r.SHA256[:8]))
}

// install unpacks what came, and has it under its version when it is what its maker signed. Until then nothing is there under
// that name; the last step is a rename.
func (s *Store) install(manifest []byte, r wire.Release) (err error) {
	next := filepath.Join(s.dir, "next")
	if err := os.RemoveAll(next); err != nil {
		return fmt.Errorf("update: %w", err)
	}
	if err := os.Mkdir(next, 0o700); err != nil {
		return fmt.Errorf("update: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("update: version %s: %w", r.Version, err), os.RemoveAll(next))
		}
	}()
	if err := unpack(s.partFile(r), filepath.Join(next, programName), r.Size); err != nil {
		return err
	}
	if err := matches(filepath.Join(next, programName), r); err != nil {
		return err
	}
	if err := wire.WriteFile(filepath.Join(next, manifestName), manifest, 0o600); err != nil { // has the folder on the disk, too
		return err
	}
	at := filepath.Join(s.dir, string(r.Version))
	if err := os.RemoveAll(at); err != nil { // what was there was no good, or nobody would install it
		return err
	}
	if err := os.Rename(next, at); err != nil {
		return err
	}
	if err := syncFolder(s.dir); err != nil {
		return err
	}
	return os.Remove(s.partFile(r))
}

// unpack writes at most size bytes of what from holds.
func unpack(from, to string, size int64) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	z, err := gzip.NewReader(in)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o700)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	n, err := io.Copy(out, io.LimitReader(z, size+1)) // one that never ends must not fill the disk
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, gzip.ErrChecksum) || errors.Is(err, gzip.ErrHeader) || n > size {
		return fmt.Errorf("%w: unpacked %d of %d bytes", ErrDamaged, n, size)
	}
	if err != nil {
		return err
	}
	return out.Sync()
}

func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// clean removes every program but those named, and what never became one.
func (s *Store) clean(keep ...string) error {
	entries, err := os.ReadDir(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("update: %w", err)
	}
	kept := map[string]bool{"state.json": true, "": true}
	for _, k := range keep {
		kept[k] = true
	}
	var errs []error
	for _, e := range entries {
		if !kept[e.Name()] && !strings.HasPrefix(e.Name(), ".tmp-state") {
			errs = append(errs, os.RemoveAll(filepath.Join(s.dir, e.Name())))
		}
	}
	return errors.Join(errs...)
}
