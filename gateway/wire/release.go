package wire

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"time"

	"golang.org/x/mod/sumdb/note"
)

const releaseMagic = "aovuon/release/1"

// Limits of a release.
const (
	MaxReleaseBytes = 2048        // of the manifest
	MaxProgramBytes = 256_000_000 // of the program
)

// GatewayProgram is the name of the gateway's program in a release.
const GatewayProgram = "gateway"

// ErrNoReleaseKey says that no key of the maker is known.
var ErrNoReleaseKey = errors.New("no key of the program's maker")

// Release is the maker's word on one file of a program. Its signature is the only reason to run the file: who serves it
// proves nothing.
type Release struct {
	Program  string  // GatewayProgram
	Version  Version //
	Platform string  // GOOS/GOARCH: linux/arm64
	Size     int64   // of the file, bytes
	SHA256   [32]byte
	From     Version   // the least version it may be put in the place of; empty: any
	Spool    int       // the format its spool file is written in
	Made     time.Time // whole seconds, UTC
	Until    time.Time // after that nobody installs it
}

// SealRelease signs r with the maker's key.
func SealRelease(r Release, signer note.Signer) ([]byte, error) {
	if err := r.valid(); err != nil {
		return nil, fmt.Errorf("wire: release: %w", err)
	}
	return sign(r.text(), signer)
}

// OpenRelease checks a release against the maker's keys, any of them. The error wraps ErrTooLarge, ErrMalformed,
// ErrSignature or ErrNoReleaseKey. Whether it is over, and whether it suits a gateway, is for who installs it to say.
func OpenRelease(sealed []byte, keys []note.Verifier) (Release, error) {
	if len(sealed) > MaxReleaseBytes {
		return Release{}, fmt.Errorf("wire: release: %w", ErrTooLarge)
	}
	err := ErrNoReleaseKey
	for _, v := range keys {
		var text []byte
		if text, err = open(sealed, v); err == nil {
			return parseRelease(text)
		}
	}
	return Release{}, fmt.Errorf("wire: release: %w", err)
}

// ReadRelease reads a release without checking whose it is: for those who keep it and do not run it.
func ReadRelease(sealed []byte) (Release, error) {
	i := bytes.LastIndex(sealed, []byte(blankLine))
	if i < 0 || len(sealed) > MaxReleaseBytes {
		return Release{}, fmt.Errorf("wire: release: %w: no signature", ErrMalformed)
	}
	return parseRelease(sealed[:i+1])
}

func parseRelease(text []byte) (Release, error) {
	r, err := releaseOf(text)
	if err == nil && !bytes.Equal(r.text(), text) {
		err = errors.New("written again it differs")
	}
	if err == nil {
		err = r.valid()
	}
	if err != nil {
		return Release{}, fmt.Errorf("wire: release: %w: %w", ErrMalformed, err)
	}
	return r, nil
}

func releaseOf(text []byte) (r Release, err error) {
	lines := bytes.Split(text, []byte("\n"))
	if len(lines) != 11 || string(lines[0]) != releaseMagic {
		return r, fmt.Errorf("%d lines, the first %.32q", len(lines), lines[0])
	}
	line := func(i int) string { return string(lines[i]) }
	r.Program, r.Version, r.Platform = line(1), Version(line(2)), line(3)
	if r.Size, err = strconv.ParseInt(line(4), 10, 64); err != nil {
		return r, err
	}
	sum, err := base64.StdEncoding.Strict().DecodeString(line(5))
	if err != nil || len(sum) != sha256.Size {
		return r, errors.New("no SHA-256")
	}
	copy(r.SHA256[:], sum)
	if from := line(6); from != "-" {
		r.From = Version(from)
	}
	if r.Spool, err = strconv.Atoi(line(7)); err != nil {
		return r, err
	}
	if r.Made, err = time.Parse(time.RFC3339, line(8)); err != nil {
		return r, err
	}
	r.Until, err = time.Parse(time.RFC3339, line(9))
	return r, err
}

func (r Release) text() []byte {
	from := string(r.From)
	if from == "" {
		from = "-"
	}
	at := func(t time.Time) string { return t.UTC().Format(time.RFC3339) }
	return fmt.Appendf(nil, "%s\n%s\n%s\n%s\n%d\n%s\n%s\n%d\n%s\n%s\n", releaseMagic, r.Program, r.Version, r.Platform, r.Size,
		base64.StdEncoding.EncodeToString(r.SHA256[:]), from, r.Spool, at(r.Made), at(r.Until))
}

// ValidPlatform reports whether s is a platform as releases name it: GOOS/GOARCH.
func ValidPlatform(s string) bool {
	return regexp.MustCompile(`^[a-z0-9]{2,16}/[a-z0-9]{2,16}$`).MatchString(s)
}

func (r Release) valid() error {
	if _, err := ParseVersion(string(r.Version)); err != nil {
		return err
	}
	if _, err := ParseVersion(string(r.From)); r.From != "" && err != nil {
		return err
	}
	switch {
	case r.Program != GatewayProgram:
		return fmt.Errorf("program %.32q: only %q is released so", r.Program, GatewayProgram)
	case !ValidPlatform(r.Platform):
		return fmt.Errorf("bad platform %.48q: write GOOS/GOARCH, as in linux/arm64", r.Platform)
	case r.Size < 1 || r.Size > MaxProgramBytes:
		return fmt.Errorf("size %d: from 1 to %d bytes", r.Size, MaxProgramBytes)
	case r.Spool < 1 || r.Spool > 1_000_000:
		return fmt.Errorf("spool format %d", r.Spool)
	case r.Made.Unix() < 0 || !r.Until.After(r.Made) || r.Until.Year() > 9999 || r.Made.Nanosecond() != 0 || r.Until.Nanosecond() != 0:
		return fmt.Errorf("times %v and %v: whole seconds, the first before the second", r.Made, r.Until)
	}
	return nil
}
