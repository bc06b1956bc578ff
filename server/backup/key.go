package backup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"filippo.io/age"
)

// Key is a new pair of keys: what opens backups, as text to print and put away, and its public half.
type Key struct{ Text, Recipient string }

// NewKey makes one.
func NewKey(at time.Time) (Key, error) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		return Key{}, fmt.Errorf("backup: key: %w", err)
	}
	r := id.Recipient().String()
	return Key{Text: fmt.Sprintf("# opens the backups of AoVườn; made %s\n# public key: %s\n%s\n", at.Format(time.RFC3339), r, id), Recipient: r}, nil
}

// ReadRecipients reads a file of public keys, one a line.
func ReadRecipients(path string) ([]age.Recipient, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("backup: no file %s with the public keys that backups are encrypted to: server backup key makes a pair", path)
	}
	if err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	list, err := age.ParseRecipients(f)
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("backup: %s: %w: want lines that begin with age1; server backup key makes them", path, err)
	}
	return list, nil
}

// ReadIdentities reads a file with a key that opens backups.
func ReadIdentities(path string) ([]age.Identity, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("backup: key: %w", err)
	}
	list, err := age.ParseIdentities(f)
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("backup: %s: want a line that begins with AGE-SECRET-KEY-, as server backup key printed it: %s", path, safe(err))
	}
	return list, nil
}

// safe keeps what may be of a key out of an error.
func safe(err error) string {
	if strings.Contains(strings.ToUpper(err.Error()), "AGE-SECRET") {
		return "the line is damaged"
	}
	return err.Error()
}

// Ephemeral returns recipients and one more, whose key exists in this process alone: with it the finished file can be read back and tried,
// though the machine has no key that opens backups.
func Ephemeral(recipients []age.Recipient) (all []age.Recipient, id age.Identity, err error) {
	for _, r := range recipients {
		if _, ok := r.(*age.HybridRecipient); !ok {
			continue
		}
		id, err := age.GenerateHybridIdentity() // age does not mix the two kinds
		if err != nil {
			return nil, nil, fmt.Errorf("backup: key: %w", err)
		}
		return append(append([]age.Recipient{}, recipients...), id.Recipient()), id, nil
	}
	x, err := age.GenerateX25519Identity()
	if err != nil {
		return nil, nil, fmt.Errorf("backup: key: %w", err)
	}
	return append(append([]age.Recipient{}, recipients...), x.Recipient()), x, nil
}
