// Package account decides who may do what: roles, passwords, one-time codes, passkeys, sessions, one-time links and key cards. What a visitor
// brings comes in, who that is and what they may do goes out; rows are kept through the ports in Options. It knows no SQL and no HTTP.
//
// Every secret that a visitor shows is kept as a hash: passwords and PINs by argon2id, random ones of 128 bits and more by SHA-256. That of
// one-time codes must be read again: it is sealed with a key of the data folder.
package account

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
)

// Account is a person who may sign in.
type Account struct {
	ID       string // pseudonym: u- and 8 characters; the only name of the person that the ledger's leaves show
	Login    string // what is typed: small letters, digits, dots, hyphens
	Name     string
	Role     Role
	Places   []string // codes of a farmer's own places
	Password string   // its hash; empty: none was set yet
	Secret   []byte   // of one-time codes, as Vault sealed it; empty: none are asked for
	Passkeys []string // their ids
	Disabled time.Time
	Made     time.Time
}

// Second reports whether more than the password is asked for.
func (a *Account) Second() bool { return len(a.Secret) > 0 || len(a.Passkeys) > 0 }

// Active reports whether the person may sign in.
func (a *Account) Active() bool { return a.Disabled.IsZero() && a.Role != "" }

// The errors a visitor may see; they tell no more than they must.
var (
	ErrNone      = errors.New("no such account")
	ErrRefused   = errors.New("account: not let in")                 // whatever was wrong with it
	ErrLink      = errors.New("account: this link cannot be used")   // used, expired, or never made
	ErrTaken     = errors.New("this login is taken: choose another") //
	ErrLastAdmin = errors.New("this is the last admin: make another one first")
	ErrBound     = errors.New("account: this card belongs to another phone")
	ErrCode      = errors.New("account: wrong one-time code")
	ErrPasskey   = errors.New("account: this passkey is not taken")
	ErrLate      = errors.New("account: asked too long ago: try again")
	ErrCloned    = errors.New("account: the passkey's counter went back: somebody may have a copy of it")
	ErrProof     = errors.New("account: who is there must be shown once more")
	ErrLast      = errors.New("account: this is the last second factor: add another one first")
	ErrMany      = errors.New("account: no more passkeys than these")
	ErrLogin     = errors.New("want 2 to 40 small letters, digits, dots, hyphens")
	ErrName      = errors.New("want 1 to 120 bytes")
)

// WaitError says that too much was tried, and how long to wait. It ends by itself.
type WaitError struct{ Wait time.Duration }

func (e *WaitError) Error() string { return fmt.Sprintf("account: wait %s", e.Wait) }

// waitFor is the error of a wait; nil where there is none.
func waitFor(d time.Duration) error {
	if d <= 0 {
		return nil
	}
	return &WaitError{Wait: d}
}

// alphabet is Crockford's base32: no I, L, O, U.
const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// NewID draws the pseudonym of an account.
func NewID() (string, error) {
	s, err := draw(8)
	return "u-" + s, err
}

// draw returns n random characters of the alphabet, 5 bits each.
func draw(n int) (string, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(rand.Reader, b); err != nil {
		return "", fmt.Errorf("account: %w", err)
	}
	for i := range b {
		b[i] = alphabet[b[i]&31]
	}
	return string(b), nil
}

// NewToken draws a secret of 256 bits for a cookie or a link.
func NewToken() (string, error) {
	var b [32]byte
	if _, err := io.ReadFull(rand.Reader, b[:]); err != nil {
		return "", fmt.Errorf("account: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b[:]), nil
}

// HashToken is what is kept of a token.
func HashToken(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

// CleanLogin returns the login as it is kept; the error wraps ErrLogin.
func CleanLogin(s string) (string, error) {
	s = strings.ToLower(strings.TrimSpace(s))
	ok := len(s) >= 2 && len(s) <= 40
	for _, r := range s {
		ok = ok && (r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '.' || r == '-')
	}
	if !ok {
		return "", fmt.Errorf("login %.60q: %w", s, ErrLogin)
	}
	return s, nil
}

// CleanName returns a person's name in one line; the error wraps ErrName.
func CleanName(s string) (string, error) {
	s = strings.Join(strings.Fields(s), " ")
	if s == "" || len(s) > 120 || strings.ContainsFunc(s, unicode.IsControl) {
		return "", fmt.Errorf("name %.60q: %w", s, ErrName)
	}
	return s, nil
}
