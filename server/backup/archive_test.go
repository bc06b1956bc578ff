package backup_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"golang.org/x/mod/sumdb/note"

	"aovuon/server/backup"
	"aovuon/server/parttest"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// packed is a small archive, and the key that signed it.
func packed(t testing.TB) (raw []byte, vkey string) {
	t.Helper()
	stage := t.TempDir()
	files := map[string]string{
		"data/server.key": "key", "data/server.db": strings.Repeat("row ", 5000), "data/tls/ca.pem": "pem", "config/server.yaml": "name: htx\n", "data/empty": "",
	}
	for name, text := range files {
		path := filepath.Join(stage, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	m := &backup.Manifest{Format: backup.Format, Name: "htx", Made: noon, Driver: "sqlite", Migration: 6, LogEnd: 3}
	if err := m.List(stage); err != nil {
		t.Fatal(err)
	}
	skey, vkey, err := note.GenerateKey(rand.Reader, "htx")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := backup.Pack(&out, m, stage, signer); err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), vkey
}

func unpack(t testing.TB, raw []byte, o backup.Options) (*backup.Manifest, string, error) {
	t.Helper()
	dir := t.TempDir()
	m, s, err := backup.Unpack(bytes.NewReader(raw), dir, o)
	if err == nil && o.VKey != "" {
		err = s.Check(o.VKey)
	}
	return m, dir, err
}

func TestUnpack_GivesBackWhatWasPacked(t *testing.T) {
	raw, vkey := packed(t)
	m, dir, err := unpack(t, raw, backup.Options{VKey: vkey})
	if err != nil || m.Name != "htx" || m.LogEnd != 3 || len(m.Files) != 5 || !m.Made.Equal(noon) {
		t.Fatalf("%+v, %v", m, err)
	}
	db, err := os.ReadFile(filepath.Join(dir, "data/server.db"))
	if err != nil || string(db) != strings.Repeat("row ", 5000) {
		t.Errorf("%d bytes, %v", len(db), err)
	}
	_, other, err := note.GenerateKey(rand.Reader, "htx")
	if err != nil {
		t.Fatal(err)
	}
	if _, dir, err := unpack(t, raw, backup.Options{VKey: other}); err == nil || !empty(t, dir) {
		t.Errorf("signed by another key: %v", err)
	}
	full := errors.New("full")
	if _, dir, err := unpack(t, raw, backup.Options{Room: func(n int64) error {
		if n != m.Bytes() {
			t.Errorf("asked for %d bytes of %d", n, m.Bytes())
		}
		return full
	}}); !errors.Is(err, full) || !empty(t, dir) {
		t.Errorf("no room: %v", err)
	}
}

func empty(t testing.TB, dir string) bool {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	return len(list) == 0
}

// Every length that is too short and every byte that is another is refused; no more than what was packed is taken.
func TestUnpack_RefusesEveryCutAndEveryFlip(t *testing.T) {
	raw, vkey := packed(t)
	step := parttest.Effort(t, 7, 1, 1, 1)
	for n := 0; n < len(raw); n += step {
		if _, _, err := unpack(t, raw[:n], backup.Options{VKey: vkey}); err == nil {
			t.Errorf("the first %d bytes of %d pass for a backup", n, len(raw))
		}
		flipped := bytes.Clone(raw)
		flipped[n] ^= 1 << (n % 8)
		if m, dir, err := unpack(t, flipped, backup.Options{VKey: vkey}); err == nil && !same(t, m, dir) {
			t.Errorf("byte %d flipped: other files than were packed", n)
		}
	}
	if _, _, err := unpack(t, append(bytes.Clone(raw), raw...), backup.Options{}); err == nil {
		t.Error("two archives in one pass for one")
	}
}

// same reports whether the unpacked files are those that the signed manifest speaks of: a flipped bit that zstd does not use changes nothing.
func same(t testing.TB, m *backup.Manifest, dir string) bool {
	t.Helper()
	db, err := os.ReadFile(filepath.Join(dir, "data/server.db"))
	return err == nil && len(m.Files) == 5 && string(db) == strings.Repeat("row ", 5000)
}

func TestCreate_EncryptsAndLeavesNoHalfFile(t *testing.T) {
	raw, _ := packed(t)
	dir := t.TempDir()
	key, err := backup.NewKey(noon)
	if err != nil {
		t.Fatal(err)
	}
	recipients, identities := filepath.Join(dir, "keys"), filepath.Join(dir, "id")
	if err := errors.Join(os.WriteFile(recipients, []byte(key.Recipient+"\n"), 0o600), os.WriteFile(identities, []byte(key.Text), 0o600)); err != nil {
		t.Fatal(err)
	}
	list, err := backup.ReadRecipients(recipients)
	if err != nil {
		t.Fatal(err)
	}
	all, once, err := backup.Ephemeral(list)
	if err != nil || len(all) != 2 || len(list) != 1 {
		t.Fatalf("%d recipients of %d, %v", len(all), len(list), err)
	}
	path := filepath.Join(dir, backup.Name("htx", noon, true))
	write := func(w io.Writer) error { _, err := w.Write(raw); return err }
	if _, err := backup.Create(path, all, write); err != nil {
		t.Fatal(err)
	}
	ids, err := backup.ReadIdentities(identities)
	if err != nil {
		t.Fatal(err)
	}
	for _, who := range [][]age.Identity{ids, {once}} {
		r, closeFile, err := backup.Open(path, who)
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = backup.Unpack(r, t.TempDir(), backup.Options{})
		if err := errors.Join(err, closeFile()); err != nil {
			t.Error(err)
		}
	}
	if _, err := backup.Create(path, all, write); err == nil {
		t.Error("an archive took the place of another")
	}
	torn := errors.New("torn")
	if _, err := backup.Create(filepath.Join(dir, "x"), all, func(io.Writer) error { return torn }); !errors.Is(err, torn) {
		t.Error(err)
	}
	left, err := filepath.Glob(filepath.Join(dir, ".*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left: %q, %v", left, err)
	}
	half := filepath.Join(dir, "."+backup.Name("htx", noon, true)+".part")
	if err := errors.Join(os.WriteFile(half, nil, 0o600), backup.Sweep(dir)); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(half); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what was cut off stays: %v", err)
	}
}

func TestCreate_LeavesTheReserveOfADiskAlone(t *testing.T) {
	dir := t.TempDir()
	parttest.Disk(t, dir, "96")
	chunk := make([]byte, 1<<20)
	_, err := backup.Create(filepath.Join(dir, "x"), nil, func(w io.Writer) error {
		for range 96 {
			if _, err := w.Write(chunk); err != nil {
				return err
			}
		}
		return nil
	})
	if !errors.Is(err, backup.ErrNoRoom) {
		t.Errorf("written: %v", err)
	}
	if free, err := backup.Free(dir); err != nil || free < 95<<20 {
		t.Errorf("%d MB free afterwards, %v", free>>20, err)
	}
	if err := backup.HasRoom(dir, 40<<20); !errors.Is(err, backup.ErrNoRoom) {
		t.Errorf("40 MB: %v", err)
	}
}

func FuzzUnpack(f *testing.F) {
	raw, _ := packed(f)
	f.Add(raw)
	f.Add(raw[:len(raw)/2])
	f.Add([]byte("\x28\xb5\x2f\xfd"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		dir := t.TempDir()
		room := func(n int64) error {
			if n > 1<<20 {
				return errors.New("too much for a test")
			}
			return nil
		}
		m, _, err := backup.Unpack(bytes.NewReader(raw), filepath.Join(dir, "in"), backup.Options{Room: room})
		if list, rerr := os.ReadDir(dir); rerr != nil || len(list) > 1 {
			t.Errorf("written outside: %v, %v", list, rerr)
		}
		if err == nil && len(m.Files) == 0 {
			t.Error("an archive of nothing")
		}
	})
}

func FuzzManifest(f *testing.F) {
	sum := strings.Repeat("0", 64)
	f.Add([]byte(`{"format":1,"files":[{"path":"data/x","size":1,"mode":384,"sha256":"` + sum + `"}]}`))
	f.Add([]byte(`{"format":1,"files":[{"path":"data/../x","size":1,"sha256":"` + sum + `"}]}`))
	f.Add([]byte(`{"format":2}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := backup.ParseManifest(raw)
		if err != nil {
			return
		}
		for _, file := range m.Files {
			clean := filepath.Clean(file.Path)
			if clean != file.Path || filepath.IsAbs(clean) || strings.HasPrefix(clean, "..") || file.Size < 0 {
				t.Errorf("%q of %d bytes passes", file.Path, file.Size)
			}
		}
	})
}

// FuzzOpen: a file that is handed in as a backup, encrypted or not, is read to its end or refused with the place of the fault.
func FuzzOpen(f *testing.F) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		f.Fatal(err)
	}
	dir := f.TempDir()
	path := filepath.Join(dir, "whole")
	text := strings.Repeat("row ", 100)
	if _, err := backup.Create(path, []age.Recipient{id.Recipient()}, func(w io.Writer) error { _, err := io.WriteString(w, text); return err }); err != nil {
		f.Fatal(err)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add(raw[:len(raw)-5])
	f.Add([]byte("age-encryption.org/v1\n-> X25519 AAAA\nAAAA\n--- AAAA\n"))
	f.Add([]byte("age-encryption.org/v1\n-> scrypt AAAAAAAAAAAAAAAAAAAAAA 63\n"))
	f.Add([]byte("age-encryption.org/"))
	f.Fuzz(func(t *testing.T, in []byte) {
		path := filepath.Join(t.TempDir(), "in")
		if err := os.WriteFile(path, in, 0o600); err != nil {
			t.Fatal(err)
		}
		r, closeFile, err := backup.Open(path, []age.Identity{id})
		if err != nil {
			return
		}
		out, err := io.ReadAll(r)
		encrypted := bytes.HasPrefix(in, []byte("age-encryption.org/"))
		if err == nil && encrypted && !bytes.Equal(in, raw) && string(out) != text && len(out) > 0 {
			t.Logf("another archive to the same key: %d bytes", len(out)) // the key's public half is public
		}
		if err == nil && !encrypted && !bytes.Equal(out, in) {
			t.Errorf("%d bytes of %d", len(out), len(in))
		}
		if err := closeFile(); err != nil {
			t.Error(err)
		}
	})
}
