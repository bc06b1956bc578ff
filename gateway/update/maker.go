package update

import (
	"bytes"
	"crypto/sha256"
	"debug/buildinfo"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"aovuon/gateway/wire"
)

// KeyName is the name of a maker's key.
const KeyName = "aovuon-release"

// CreateKey makes a maker's key, once, and writes its public half beside it as path.vkey. It returns that half.
func CreateKey(path string) (vkey string, err error) {
	if vkey, err = wire.CreateKey(path, KeyName); err != nil {
		return "", fmt.Errorf("update: %w", err)
	}
	if err := wire.WriteFile(path+".vkey", []byte(vkey+"\n"), 0o644); err != nil {
		return "", fmt.Errorf("update: %w", err)
	}
	return vkey, nil
}

// Keys reads a file of makers' verifier keys: a line each, empty ones and those that begin with # do not count. The signature
// of any of them counts, so that one key can follow another.
func Keys(path string) ([]note.Verifier, error) {
	if path == "" {
		return nil, fmt.Errorf("update: %w: name a file with it as update.key_file", wire.ErrNoReleaseKey)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("update: keys of the program's maker: %w", err)
	}
	var keys []note.Verifier
	for line := range bytes.Lines(raw) {
		text := strings.TrimSpace(string(line))
		if text == "" || text[0] == '#' {
			continue
		}
		v, err := note.NewVerifier(text)
		if err != nil {
			return nil, fmt.Errorf("update: %s: %.80q is no verifier key (name+hash+base64): %w", path, text, err)
		}
		keys = append(keys, v)
	}
	if keys == nil {
		return nil, fmt.Errorf("update: %s: %w", path, wire.ErrNoReleaseKey)
	}
	return keys, nil
}

// Sign makes the release of a program file and writes it beside the file, with the ending .release. r says everything but
// size and hash; an empty Platform is read from the program.
func Sign(path string, r wire.Release, signer note.Signer) (wire.Release, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return r, fmt.Errorf("update: %w", err)
	}
	if r.Platform == "" {
		if r.Platform, err = platformOf(path); err != nil {
			return r, fmt.Errorf("update: %s does not say what it runs on: %w: add --platform linux/arm64", path, err)
		}
	}
	r.Program, r.Size, r.SHA256 = wire.GatewayProgram, int64(len(raw)), sha256.Sum256(raw)
	r.Made, r.Until = r.Made.UTC().Truncate(time.Second), r.Until.UTC().Truncate(time.Second)
	sealed, err := wire.SealRelease(r, signer)
	if err != nil {
		return r, fmt.Errorf("update: %s: %w", path, err)
	}
	if err := wire.WriteFile(path+".release", sealed, 0o644); err != nil {
		return r, fmt.Errorf("update: %w", err)
	}
	return r, nil
}

// platformOf reads what Go wrote into a program.
func platformOf(path string) (string, error) {
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return "", err
	}
	var system, machine string
	for _, s := range info.Settings {
		switch s.Key {
		case "GOOS":
			system = s.Value
		case "GOARCH":
			machine = s.Value
		}
	}
	if system == "" || machine == "" {
		return "", errors.New("no GOOS and GOARCH in it")
	}
	return system + "/" + machine, nil
}
