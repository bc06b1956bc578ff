package backup

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/mod/sumdb/note"
)

// The members before the files.
const (
	signatureName = "signature"
	manifestName  = "manifest.json"
)

// window bounds the memory of whoever unpacks.
const window = 8 << 20

// Pack writes the files of m from a folder as one archive, signed with the server's key.
func Pack(w io.Writer, m *Manifest, stage string, signer note.Signer) error {
	raw, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return fmt.Errorf("backup: manifest: %w", err)
	}
	if _, err := ParseManifest(raw); err != nil { // what cannot be read back is not written
		return err
	}
	signature, err := note.Sign(&note.Note{Text: signedText(raw)}, signer)
	if err != nil {
		return fmt.Errorf("backup: manifest: %w", err)
	}
	z, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(window), zstd.WithEncoderCRC(true))
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	t := tar.NewWriter(z)
	err = errors.Join(member(t, m, signatureName, signature), member(t, m, manifestName, raw))
	for i := 0; err == nil && i < len(m.Files); i++ {
		err = packFile(t, m, m.Files[i], stage)
	}
	if err == nil {
		err = t.Close()
	}
	if err := errors.Join(err, z.Close()); err != nil {
		return fmt.Errorf("backup: pack: %w", err)
	}
	return nil
}

func header(m *Manifest, name string, size int64, mode uint32) *tar.Header {
	return &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: int64(mode), ModTime: m.Made, Format: tar.FormatPAX}
}

func member(t *tar.Writer, m *Manifest, name string, raw []byte) error {
	if err := t.WriteHeader(header(m, name, int64(len(raw)), 0o600)); err != nil {
		return err
	}
	_, err := t.Write(raw)
	return err
}

func packFile(t *tar.Writer, m *Manifest, f File, stage string) (err error) {
	src, err := os.Open(filepath.Join(stage, filepath.FromSlash(f.Path)))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	if err := t.WriteHeader(header(m, f.Path, f.Size, f.Mode)); err != nil {
		return err
	}
	n, err := io.Copy(t, src)
	if err == nil && n != f.Size {
		err = fmt.Errorf("%s changed while it was packed", f.Path)
	}
	return err
}

// Options are what an archive is unpacked with.
type Options struct {
	// VKey is the key that must have signed the archive; empty: the one in it, which proves only that it is whole.
	VKey string
	// Room is asked whether so many bytes may be written; nil: they may.
	Room func(bytes int64) error
}

// ServerKey is the file of an archive that holds the key it is signed with.
const ServerKey = Data + "/server.key"

// Unpack writes the files of an archive into an empty folder, and returns what the archive says of itself once every byte was compared.
func Unpack(r io.Reader, dir string, o Options) (m *Manifest, signature Signature, err error) {
	z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(window), zstd.WithDecoderLowmem(true))
	if err != nil {
		return nil, Signature{}, fmt.Errorf("backup: %w", err)
	}
	defer z.Close()
	t := tar.NewReader(z)
	if signature.note, err = readMember(t, signatureName, maxSignature); err != nil {
		return nil, signature, err
	}
	if signature.manifest, err = readMember(t, manifestName, maxManifest); err != nil {
		return nil, signature, err
	}
	if o.VKey != "" {
		if err := signature.Check(o.VKey); err != nil {
			return nil, signature, err
		}
	}
	if m, err = ParseManifest(signature.manifest); err != nil {
		return nil, signature, err
	}
	if o.Room != nil {
		if err := o.Room(m.Bytes()); err != nil {
			return nil, signature, err
		}
	}
	for i, f := range m.Files {
		if err := unpackFile(t, f, dir); err != nil {
			return nil, signature, fmt.Errorf("backup: file %d of %d: %w", i+1, len(m.Files), err)
		}
	}
	switch h, err := t.Next(); {
	case err == nil:
		return nil, signature, damaged("%q is in the archive, the manifest does not speak of it", h.Name)
	case !errors.Is(err, io.EOF):
		return nil, signature, damaged("its end: %v", err)
	}
	if n, err := io.Copy(io.Discard, z); err != nil || n > 0 {
		return nil, signature, damaged("%d bytes after its end: %v", n, err)
	}
	return m, signature, nil
}

// Signature is what the server's key signed of an archive.
type Signature struct{ note, manifest []byte }

// Check checks that the archive was made by the server that has the key.
func (s Signature) Check(vkey string) error { return checkSignature(s.note, s.manifest, vkey) }

func readMember(t *tar.Reader, name string, limit int64) ([]byte, error) {
	h, err := t.Next()
	switch {
	case err != nil:
		return nil, damaged("%s: %v", name, err)
	case h.Name != name || h.Typeflag != tar.TypeReg:
		return nil, damaged("%q stands where %s should", h.Name, name)
	case h.Size > limit:
		return nil, damaged("%s: %d bytes", name, h.Size)
	}
	raw, err := io.ReadAll(io.LimitReader(t, limit))
	if err != nil {
		return nil, damaged("%s: %v", name, err)
	}
	return raw, nil
}

func unpackFile(t *tar.Reader, f File, dir string) (err error) {
	h, err := t.Next()
	switch {
	case err != nil:
		return damaged("%s: %v", f.Path, err)
	case h.Name != f.Path || h.Typeflag != tar.TypeReg:
		return damaged("%q stands where %s should", h.Name, f.Path)
	case h.Size != f.Size:
		return damaged("%s: %d bytes, the manifest says %d", f.Path, h.Size, f.Size)
	}
	to := filepath.Join(dir, filepath.FromSlash(f.Path))
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fs.FileMode(f.Mode)|0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	sum := sha256.New()
	src := &reading{r: t}
	if _, err := io.Copy(io.MultiWriter(out, sum), src); err != nil {
		if src.failed { // the archive, not the disk
			return damaged("%s: %v", f.Path, err)
		}
		return err
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != f.SHA256 {
		return damaged("%s: its SHA-256 is %s, the manifest says %s", f.Path, got, f.SHA256)
	}
	return out.Sync()
}

// reading remembers whether it was the source that failed.
type reading struct {
	r      io.Reader
	failed bool
}

// Read implements io.Reader.
func (r *reading) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		r.failed = true
	}
	return n, err
}
