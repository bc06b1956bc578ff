package backup_test

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"math/big"
	mrand "math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"aovuon/server/backup"
	"aovuon/server/parttest"
)

// asMaker makes the test binary write archives into the folder it names, until it is killed.
const asMaker = "AOVUON_TEST_BACKUP_TO"

// TestMain runs the tests, or is the program that is killed in them.
func TestMain(m *testing.M) {
	if dir := os.Getenv(asMaker); dir != "" {
		fmt.Fprintln(os.Stderr, makeForEver(dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// makeForEver makes one archive after the other, says "made NAME" once it is, and removes all but the newest three, as the nights do.
func makeForEver(dir string) error {
	stage, err := os.MkdirTemp("", "backup-stage")
	if err != nil {
		return err
	}
	skey, _, err := note.GenerateKey(rand.Reader, "htx")
	if err != nil {
		return err
	}
	signer, err := note.NewSigner(skey)
	if err != nil {
		return err
	}
	if err := backup.Sweep(dir); err != nil { // what the last power cut left
		return err
	}
	for at := time.Now().UTC().Truncate(time.Second); ; at = at.Add(time.Second) {
		size, err := rand.Int(rand.Reader, big.NewInt(300_000))
		if err != nil {
			return err
		}
		body := make([]byte, size.Int64())
		if _, err := rand.Read(body); err != nil {
			return err
		}
		path := filepath.Join(stage, "data", "server.db")
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, body, 0o600)); err != nil {
			return err
		}
		m := &backup.Manifest{Format: backup.Format, Name: "htx", Made: at, Driver: "sqlite", Migration: 6}
		if err := m.List(stage); err != nil {
			return err
		}
		name := backup.Name("htx", at, false)
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			continue // of a life before this one
		}
		if _, err := backup.Create(filepath.Join(dir, name), nil, func(w io.Writer) error { return backup.Pack(w, m, stage, signer) }); err != nil {
			return err
		}
		fmt.Println("made", name)
		list, err := backup.Archives(dir, "htx")
		if err != nil {
			return err
		}
		for _, a := range list[min(3, len(list)):] {
			if err := os.Remove(a.Path); err != nil {
				return err
			}
		}
	}
}

// TestTorture_PowerCutsAroundTheRename cuts the power while archives are written, renamed and removed: what has the name of an archive is a
// whole archive, the newest that was said to be made is there, and what was cut off is swept away.
func TestTorture_PowerCutsAroundTheRename(t *testing.T) {
	image := parttest.NewImage(t, "64M")
	cuts, made, halves := parttest.Effort(t, 3, 8, 60, 500), 0, 0
	for cut := range cuts {
		lines := makeAndKill(t, image.Dir, 1+mrand.IntN(6))
		seen := image.Cut()
		made += len(lines)
		list, err := backup.Archives(seen, "htx")
		if err != nil || len(list) == 0 {
			t.Fatalf("cut %d: %d archives, %v", cut, len(list), err)
		}
		for _, a := range list {
			checkWhole(t, a.Path)
		}
		newest := strings.TrimPrefix(lines[len(lines)-1], "made ")
		if filepath.Base(list[0].Path) < newest {
			t.Errorf("cut %d: %s was made, the newest on the disk is %s", cut, newest, list[0].Path)
		}
		parts, err := filepath.Glob(filepath.Join(seen, ".*.part"))
		if err != nil {
			t.Fatal(err)
		}
		halves += len(parts)
		if err := backup.Sweep(seen); err != nil {
			t.Fatal(err)
		}
		if left, err := filepath.Glob(filepath.Join(seen, ".*")); err != nil || len(left) > 0 {
			t.Errorf("cut %d: not swept: %v, %v", cut, left, err)
		}
		image.Heal()
	}
	t.Logf("%d power cuts, %d archives made, %d cut off and swept, 0 lost, 0 broken under the name of an archive", cuts, made, halves)
}

func checkWhole(t *testing.T, path string) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := backup.Unpack(bytes.NewReader(raw), t.TempDir(), backup.Options{}); err != nil {
		t.Errorf("%s of %d bytes: %v", path, len(raw), err)
	}
}

// makeAndKill runs the program on a folder and kills it a moment after so many words.
func makeAndKill(t *testing.T, dir string, after int) (lines []string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), asMaker+"="+dir, "TMPDIR="+t.TempDir())
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewScanner(out)
	for in.Scan() {
		if lines = append(lines, in.Text()); len(lines) == after {
			time.AfterFunc(time.Duration(mrand.IntN(8000))*time.Microsecond, func() { // somewhere within the next one
				if err := cmd.Process.Kill(); err != nil {
					t.Error(err)
				}
			})
		}
	}
	if err := cmd.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Fatalf("the program ended by itself: %v", err)
	}
	return lines
}
