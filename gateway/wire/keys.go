package wire

import (
	"crypto/ed25519"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// CreateKey makes an Ed25519 key named name and writes it to path (mode 0600), unless path exists: then it is left
// alone. It returns the verifier key, the public half.
func CreateKey(path, name string) (vkey string, err error) {
	if _, err := os.Stat(path); err == nil {
		signer, vkey, err := LoadKey(path)
		if err != nil {
			return "", err
		}
		if signer.Name() != name {
			return "", fmt.Errorf("wire: key file %s belongs to %q, not to %q", path, signer.Name(), name)
		}
		return vkey, nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("wire: key file: %w", err)
	}
	skey, vkey, err := note.GenerateKey(rand.Reader, name)
	if err != nil {
		return "", fmt.Errorf("wire: make key %q: %w", name, err)
	}
	return vkey, WriteFile(path, []byte(skey+"\n"), 0o600)
}

// LoadKey reads a key file written by CreateKey.
func LoadKey(path string) (signer note.Signer, vkey string, err error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, "", fmt.Errorf("wire: key file: %w", err)
	}
	signer, err = note.NewSigner(strings.TrimSpace(string(raw)))
	if err != nil {
		return nil, "", fmt.Errorf("wire: key file %s holds no signing key: %w", path, err)
	}
	// The secret text is PRIVATE+KEY+<name>+<hash>+<base64 of type byte and seed>, and base64 may hold a + itself.
	parts := strings.SplitN(strings.TrimSpace(string(raw)), "+", 5)
	vkey, err = verifierOf(signer, parts[len(parts)-1])
	if err != nil {
		return nil, "", fmt.Errorf("wire: key file %s: %w", path, err)
	}
	return signer, vkey, nil
}

// LoadVerifier reads a file with one verifier key.
func LoadVerifier(path string) (note.Verifier, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("wire: verifier key file: %w", err)
	}
	v, err := note.NewVerifier(strings.TrimSpace(string(raw)))
	if err != nil {
		return nil, fmt.Errorf("wire: %s holds no verifier key (name+hash+base64): %w", path, err)
	}
	return v, nil
}

// CreateSecret writes a random 256-bit MQTT password to path (mode 0600), unless path exists.
func CreateSecret(path string) (secret string, err error) {
	if raw, err := os.ReadFile(path); err == nil {
		return strings.TrimSpace(string(raw)), nil
	}
	var b [32]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", fmt.Errorf("wire: make password: %w", err)
	}
	secret = hex.EncodeToString(b[:])
	return secret, WriteFile(path, []byte(secret+"\n"), 0o600)
}

const cardMagic = "aovuon/gateway/1"

// Card is what a gateway shows a server to be enrolled: no part of it is secret.
type Card struct {
	Gateway   string
	VKey      string   // verifier key, name+hash+base64; the name is Gateway
	SecretSHA [32]byte // SHA-256 of the MQTT password
	Mosquitto string   // the same password as Mosquitto's password file has it, see MosquittoHash; empty on cards of older gateways
}

// NewCard makes the card of a gateway.
func NewCard(gateway, vkey, secret string) Card {
	return Card{Gateway: gateway, VKey: vkey, SecretSHA: sha256.Sum256([]byte(secret)), Mosquitto: MosquittoHash(secret)}
}

// String returns the card's text: five lines, or four where it has nothing for Mosquitto.
func (c Card) String() string {
	text := cardMagic + "\n" + c.Gateway + "\n" + c.VKey + "\n" + base64.StdEncoding.EncodeToString(c.SecretSHA[:]) + "\n"
	if c.Mosquitto != "" {
		text += c.Mosquitto + "\n"
	}
	return text
}

// Mosquitto's password hash: $7$, rounds, salt and PBKDF2-HMAC-SHA512 in base64. The password has 256 random bits, so rounds add
// nothing: 101 is the number old Mosquittos write.
const (
	mosquittoRounds = 101
	mosquittoSalt   = 12
)

// MosquittoHash returns what stands for secret in a Mosquitto password file. The salt is drawn from the secret, so that a gateway's
// card is the same each time it is printed.
func MosquittoHash(secret string) string {
	salted := sha256.Sum256([]byte("aovuon/mosquitto-salt/1\n" + secret))
	salt := salted[:mosquittoSalt]
	key, err := pbkdf2.Key(sha512.New, secret, salt, mosquittoRounds, sha512.Size)
	if err != nil {
		return "" // only under FIPS rules, which forbid short salts
	}
	return fmt.Sprintf("$7$%d$%s$%s", mosquittoRounds, base64.StdEncoding.EncodeToString(salt), base64.StdEncoding.EncodeToString(key))
}

// validMosquitto keeps out what would add a line or a field to a password file.
func validMosquitto(s string) bool {
	if len(s) > 160 {
		return false
	}
	parts := strings.Split(s, "$")
	if len(parts) != 5 || parts[0] != "" || parts[1] != "7" {
		return false
	}
	rounds, err := strconv.ParseUint(parts[2], 10, 24)
	if err != nil || rounds == 0 || strconv.FormatUint(rounds, 10) != parts[2] {
		return false
	}
	salt, err1 := base64.StdEncoding.Strict().DecodeString(parts[3])
	key, err2 := base64.StdEncoding.Strict().DecodeString(parts[4])
	return err1 == nil && err2 == nil && len(salt) == mosquittoSalt && len(key) == sha512.Size && !strings.ContainsAny(s, "\r\n")
}

// Verifier returns the key the card names.
func (c Card) Verifier() (note.Verifier, error) { return note.NewVerifier(c.VKey) }

// ParseCard reads the text of a card.
func ParseCard(text string) (Card, error) {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	if (len(lines) != 4 && len(lines) != 5) || lines[0] != cardMagic {
		return Card{}, fmt.Errorf("wire: not a gateway card: want four or five lines, the first %q", cardMagic)
	}
	c := Card{Gateway: lines[1], VKey: lines[2]}
	v, err := note.NewVerifier(c.VKey)
	if err != nil {
		return Card{}, fmt.Errorf("wire: gateway card, line 3: %w", err)
	}
	if !ValidGatewayID(c.Gateway) || v.Name() != c.Gateway {
		return Card{}, fmt.Errorf("wire: gateway card: id %q on line 2, key of %q on line 3", c.Gateway, v.Name())
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(lines[3])
	if err != nil || len(raw) != len(c.SecretSHA) {
		return Card{}, fmt.Errorf("wire: gateway card, line 4: want a SHA-256 in base64")
	}
	copy(c.SecretSHA[:], raw)
	if len(lines) == 5 {
		if c.Mosquitto = lines[4]; !validMosquitto(c.Mosquitto) {
			return Card{}, fmt.Errorf("wire: gateway card, line 5: want a password hash of Mosquitto, $7$rounds$salt$key")
		}
	}
	return c, nil
}

// ParseCards reads the text of one card or of several, one after the other; empty lines between them are fine. Its errors name
// the card and the line it begins at. A gateway that is there twice is an error.
func ParseCards(text string) ([]Card, error) {
	lines := strings.Split(text, "\n")
	var starts []int
	for i, line := range lines {
		if line = strings.TrimSpace(line); line == cardMagic || line != "" && len(starts) == 0 {
			starts = append(starts, i) // what stands before the first card is for ParseCard to refuse
		}
	}
	if len(starts) == 0 {
		return nil, fmt.Errorf("wire: no gateway card: want four or five lines for each, the first %q", cardMagic)
	}
	cards := make([]Card, 0, len(starts))
	at := make(map[string]int, len(starts))
	for i, start := range starts {
		end := len(lines)
		if i+1 < len(starts) {
			end = starts[i+1]
		}
		c, err := ParseCard(strings.Join(lines[start:end], "\n"))
		if err != nil && len(starts) > 1 {
			err = fmt.Errorf("card %d, from line %d on: %w", i+1, start+1, err)
		}
		if err != nil {
			return nil, err
		}
		if first, twice := at[c.Gateway]; twice {
			return nil, fmt.Errorf("wire: gateway %s has two cards, at lines %d and %d: leave the one that counts", c.Gateway, first, start+1)
		}
		at[c.Gateway] = start + 1
		cards = append(cards, c)
	}
	return cards, nil
}

// WriteFile replaces path so that after a power cut it holds either the old bytes or all of data.
func WriteFile(path string, data []byte, perm fs.FileMode) (err error) {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, ".tmp-*")
	if err != nil {
		return fmt.Errorf("wire: write %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("wire: write %s: %w", path, err), f.Close(), os.Remove(f.Name()))
		}
	}()
	if _, err = f.Write(data); err != nil {
		return err
	}
	if err = f.Chmod(perm); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("wire: write %s: %w", path, err)
	}
	return syncDir(dir)
}

// WriteOnce writes path as WriteFile does, unless there is something already: of two that do so at once, one does.
func WriteOnce(path string, data []byte, perm fs.FileMode) error {
	dir := filepath.Dir(path)
	made := filepath.Join(dir, ".tmp-"+rand.Text())
	if err := WriteFile(made, data, perm); err != nil {
		return err
	}
	err := os.Link(made, path) // unlike a rename, it replaces nothing
	if errors.Is(err, fs.ErrExist) {
		err = nil
	}
	if err := errors.Join(err, os.Remove(made)); err != nil {
		return fmt.Errorf("wire: write %s: %w", path, err)
	}
	return syncDir(dir)
}

// syncDir makes a rename in dir survive a power cut.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("wire: sync folder: %w", err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("wire: sync folder %s: %w", dir, err)
	}
	return nil
}

// verifierOf derives the verifier key from the base64 tail of a signing key.
func verifierOf(signer note.Signer, tail string) (string, error) {
	raw, err := base64.StdEncoding.DecodeString(tail)
	if err != nil || len(raw) != 1+ed25519.SeedSize {
		return "", fmt.Errorf("not an Ed25519 key")
	}
	pub, ok := ed25519.NewKeyFromSeed(raw[1:]).Public().(ed25519.PublicKey)
	if !ok {
		return "", fmt.Errorf("not an Ed25519 key")
	}
	return note.NewEd25519VerifierKey(signer.Name(), pub)
}
