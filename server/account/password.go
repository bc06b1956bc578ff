package account

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"
)

// The lengths of a password, in characters.
const (
	MinPassword = 12
	MaxPassword = 128
)

// The errors of a password that is not taken.
var (
	ErrShort  = fmt.Errorf("password: want %d to %d characters", MinPassword, MaxPassword)
	ErrCommon = errors.New("password: made of words that are tried first: use several words that only you would put together")
	ErrNamed  = errors.New("password: holds the login, the name of the co-op or of the product")
)

// params are argon2id's. They are kept with each hash; one of other parameters is made anew when its password is next given.
type params struct {
	memory, passes uint32 // KiB
	lanes          uint8
}

// current is OWASP's second choice: 19 MiB, two passes.
func current() params { return params{memory: 19 << 10, passes: 2, lanes: 1} }

const (
	saltLen = 16
	hashLen = 32
	// hashesAtOnce bounds the memory: what more want to sign in, wait.
	hashesAtOnce = 2
)

// Hasher hashes passwords, two at a time.
type Hasher struct {
	params params
	free   chan struct{}
	kdf    func(password, salt []byte, p params, length uint32) []byte
	dummy  string // the hash of no password: what is checked where there is no account
}

// NewHasher returns a hasher.
func NewHasher() *Hasher {
	h := &Hasher{params: current(), free: make(chan struct{}, hashesAtOnce), kdf: func(password, salt []byte, p params, length uint32) []byte {
		return argon2.IDKey(password, salt, p.passes, p.memory, p.lanes, length)
	}}
	h.dummy = format(h.params, make([]byte, saltLen), make([]byte, hashLen))
	return h
}

// work runs the function once a place is free.
func (h *Hasher) work(ctx context.Context, password string, salt []byte, p params, length int) ([]byte, error) {
	select {
	case h.free <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-h.free }()
	return h.kdf([]byte(norm.NFC.String(password)), salt, p, uint32(length)), nil
}

// Hash returns the hash of a password, with its parameters and salt: $argon2id$v=19$m=19456,t=2,p=1$salt$hash. Letters are put
// together first (NFC): keyboards write "ế" in three ways.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltLen)
	if _, err := io.ReadFull(rand.Reader, salt); err != nil {
		return "", fmt.Errorf("account: %w", err)
	}
	sum, err := h.work(ctx, password, salt, h.params, hashLen)
	return format(h.params, salt, sum), err
}

// Check reports whether password is the one hash was made of, and whether the hash is of other parameters than today's. An empty hash
// fits no password, and takes as long.
func (h *Hasher) Check(ctx context.Context, hash, password string) (ok, stale bool, err error) {
	nobody := hash == ""
	if nobody {
		hash = h.dummy
	}
	p, salt, want, err := parse(hash)
	if err != nil {
		return false, false, err
	}
	if len(password) > 4*MaxPassword { // no password of ours; hashed all the same, cut short
		password, nobody = password[:4*MaxPassword], true
	}
	sum, err := h.work(ctx, password, salt, p, len(want))
	if err != nil {
		return false, false, err
	}
	return subtle.ConstantTimeCompare(sum, want) == 1 && !nobody, p != h.params, nil
}

func format(p params, salt, sum []byte) string {
	b := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, p.memory, p.passes, p.lanes, b.EncodeToString(salt), b.EncodeToString(sum))
}

func parse(hash string) (p params, salt, sum []byte, err error) {
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return p, nil, nil, errors.New("account: a hash that is not argon2id's")
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.memory, &p.passes, &p.lanes); err != nil {
		return p, nil, nil, fmt.Errorf("account: hash: %w", err)
	}
	if p.memory > 1<<20 || p.passes > 64 || p.lanes < 1 || p.passes < 1 {
		return p, nil, nil, errors.New("account: a hash of parameters that would halt the server")
	}
	salt, errSalt := base64.RawStdEncoding.DecodeString(parts[4])
	sum, errSum := base64.RawStdEncoding.DecodeString(parts[5])
	if err := errors.Join(errSalt, errSum); err != nil {
		return p, nil, nil, fmt.Errorf("account: hash: %w", err)
	}
	if len(sum) < 16 || len(sum) > 64 {
		return p, nil, nil, errors.New("account: hash of a wrong length")
	}
	return p, salt, sum, nil
}

//go:embed common.txt
var commonWords string

// minOwn is how many letters a password must have that are not part of common words.
const minOwn = 4

// CheckPassword says why a password is not taken; nil: it is. names are those it may not hold: the login, the co-op's.
func CheckPassword(password string, names ...string) error {
	password = norm.NFC.String(password)
	if n := utf8.RuneCountInString(password); !utf8.ValidString(password) || n < MinPassword || n > MaxPassword {
		return ErrShort
	}
	for _, disguised := range []bool{false, true} {
		plain := plainLetters(password, disguised)
		for _, name := range append(names, "aovuon") {
			if n := plainLetters(name, disguised); len(n) >= 4 && strings.Contains(plain, n) {
				return ErrNamed
			}
		}
		if ownLetters(plain) < minOwn {
			return ErrCommon
		}
	}
	return nil
}

// ownLetters counts the different letters that are left without the common words: aaaaaaaaaaaa is one.
func ownLetters(plain string) int {
	for word := range strings.FieldsSeq(commonWords) { // the longest first
		plain = strings.ReplaceAll(plain, word, " ")
	}
	own := map[rune]bool{}
	for _, r := range plain {
		own[r] = r != ' '
	}
	delete(own, ' ')
	return len(own)
}

// plainLetters returns the letters of a text, small and without accents. disguised: what is written for letters (@, 0, 3, $) is read as
// them; otherwise it is left out, as in 123456789012.
func plainLetters(s string, disguised bool) string {
	var b strings.Builder
	for _, r := range norm.NFD.String(strings.ToLower(s)) {
		switch {
		case r == 'đ':
			r = 'd'
		case !disguised:
		case strings.ContainsRune("@4", r):
			r = 'a'
		case r == '0':
			r = 'o'
		case r == '3':
			r = 'e'
		case strings.ContainsRune("1!|", r):
			r = 'i'
		case r == '5' || r == '$':
			r = 's'
		case r == '7':
			r = 't'
		}
		if unicode.IsLetter(r) {
			b.WriteRune(r)
		}
	}
	return b.String()
}
