package account

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
)

// VaultKeyLen is the length of the key that a Vault is made of, bytes.
const VaultKeyLen = 32

// ErrVault says that something was sealed with another key, for another account, or was changed.
var ErrVault = errors.New("account: sealed with another account.key, or not by us")

// Vault seals what must be read again and so cannot be kept as a hash: the secrets of one-time codes. Who has the database and not the key
// of the data folder has nothing of them.
type Vault struct {
	aead cipher.AEAD
	mac  []byte
}

// NewVault returns a vault of a random key.
func NewVault(key []byte) (*Vault, error) {
	if len(key) != VaultKeyLen {
		return nil, fmt.Errorf("account: key of %d bytes, want %d", len(key), VaultKeyLen)
	}
	block, err := aes.NewCipher(derived(key, "seal"))
	if err != nil {
		return nil, fmt.Errorf("account: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("account: %w", err)
	}
	return &Vault{aead: aead, mac: derived(key, "name")}, nil
}

// derived makes a key for one use.
func derived(key []byte, use string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte("aovuon/account/" + use))
	return h.Sum(nil)
}

// sealed is the first byte of what Seal returns.
const sealed = 1

// Seal encrypts a secret of an account: 1, a nonce of 12 bytes, AES-256-GCM of the secret with the account's id beside it.
func (v *Vault) Seal(account string, secret []byte) ([]byte, error) {
	out := make([]byte, 1+v.aead.NonceSize(), 1+v.aead.NonceSize()+len(secret)+v.aead.Overhead())
	out[0] = sealed
	if _, err := io.ReadFull(rand.Reader, out[1:]); err != nil {
		return nil, fmt.Errorf("account: %w", err)
	}
	return v.aead.Seal(out, out[1:], secret, []byte(account)), nil
}

// Open returns what was sealed for an account; the error wraps ErrVault.
func (v *Vault) Open(account string, box []byte) ([]byte, error) {
	n := 1 + v.aead.NonceSize()
	if len(box) < n || box[0] != sealed {
		return nil, ErrVault
	}
	secret, err := v.aead.Open(nil, box[1:n], box[n:], []byte(account))
	if err != nil {
		return nil, ErrVault
	}
	return secret, nil
}

// name is what is kept in place of a text that says who somebody is, such as an address: nobody without the key finds it by trying.
func (v *Vault) name(s string) [32]byte {
	h := hmac.New(sha256.New, v.mac)
	h.Write([]byte(s))
	return [32]byte(h.Sum(nil))
}
