package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"

	"golang.org/x/mod/sumdb/note"
)

const desiredMagic = "aovuon/desired/1"

// Limits of desired settings.
const (
	MaxDesiredBytes = 16_384
	MaxChanges      = 200
)

// Desired is what the server wants a gateway to do otherwise than its own configuration file says: all of it, not what
// changed since the version before.
type Desired struct {
	Gateway string
	Version uint64 // 1, 2, 3 ...: a gateway takes only a higher one than it has
	Time    time.Time
	Changes []Change // no two of one path; none means that the file alone counts
}

// Change is one setting. It holds only while the gateway's file says what Was says: who edits the file at the gateway is
// never overruled by somebody who did not know.
type Change struct {
	Path  string          `json:"path"`  // "seal.every", "sensors.ao1-do.every"
	Was   json.RawMessage `json:"was"`   // what the gateway's file says, null where it says nothing
	Value json.RawMessage `json:"value"` // what counts instead, null for nothing
}

// SealDesired signs d with the server's key.
func SealDesired(d Desired, signer note.Signer) ([]byte, error) {
	text, err := d.appendText(nil)
	if err != nil {
		return nil, fmt.Errorf("wire: desired: %w", err)
	}
	sealed, err := sign(text, signer)
	if err == nil && len(sealed) > MaxDesiredBytes {
		err = fmt.Errorf("wire: desired: %w: %d bytes, at most %d", ErrTooLarge, len(sealed), MaxDesiredBytes)
	}
	return sealed, err
}

// OpenDesired checks desired settings against the server's key. The error wraps ErrTooLarge, ErrMalformed or ErrSignature.
func OpenDesired(sealed []byte, v note.Verifier) (Desired, error) {
	if len(sealed) > MaxDesiredBytes {
		return Desired{}, fmt.Errorf("wire: desired: %w", ErrTooLarge)
	}
	text, err := open(sealed, v)
	if err != nil {
		return Desired{}, err
	}
	d, err := parseDesired(text)
	if err != nil {
		return Desired{}, fmt.Errorf("wire: desired: %w: %w", ErrMalformed, err)
	}
	if again, err := d.appendText(nil); err != nil || !bytes.Equal(again, text) {
		return Desired{}, fmt.Errorf("wire: desired: %w: written again it differs", ErrMalformed)
	}
	return d, nil
}

func parseDesired(text []byte) (d Desired, err error) {
	lines := bytes.Split(text, []byte("\n"))
	if len(lines) != 6 {
		return d, fmt.Errorf("%d lines", len(lines))
	}
	d.Gateway = string(lines[1])
	if d.Version, err = strconv.ParseUint(string(lines[2]), 10, 63); err != nil {
		return d, err
	}
	if d.Time, err = time.Parse(receiptTime, string(lines[3])); err != nil {
		return d, err
	}
	return d, json.Unmarshal(lines[4], &d.Changes)
}

// appendText appends the text that is signed. The changes are one line of JSON in their only spelling: no white space,
// members in the order of Change, strings as Go's encoding/json escapes them.
func (d Desired) appendText(dst []byte) ([]byte, error) {
	if err := d.valid(); err != nil {
		return nil, err
	}
	changes := d.Changes
	if changes == nil {
		changes = []Change{}
	}
	raw, err := json.Marshal(changes)
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(dst, "%s\n%s\n%d\n%s\n%s\n", desiredMagic, d.Gateway, d.Version, d.Time.UTC().Format(receiptTime), raw), nil
}

func (d Desired) valid() error {
	switch {
	case !ValidGatewayID(d.Gateway):
		return fmt.Errorf("bad gateway id %.64q", d.Gateway)
	case d.Version == 0 || d.Version > math.MaxInt64:
		return fmt.Errorf("version %d: must be 1 or more", d.Version)
	case d.Time.UnixMilli() < 0 || d.Time.UnixMilli() > latest:
		return fmt.Errorf("time %v out of range", d.Time)
	case len(d.Changes) > MaxChanges:
		return fmt.Errorf("%d changes: at most %d", len(d.Changes), MaxChanges)
	}
	seen := make(map[string]bool, len(d.Changes))
	for _, c := range d.Changes {
		if c.Path == "" || seen[c.Path] {
			return fmt.Errorf("path %q is empty or there twice", c.Path)
		}
		seen[c.Path] = true
		for _, v := range []json.RawMessage{c.Was, c.Value} {
			if len(v) == 0 || !json.Valid(v) {
				return fmt.Errorf("%s: a value that is no JSON", c.Path)
			}
		}
	}
	return nil
}
