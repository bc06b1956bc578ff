package account

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // RFC 6238's default, and the only one every app on a phone knows
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"
)

// One-time codes are RFC 6238's: HMAC-SHA-1, 30 s, 6 digits. Every app knows those.
const (
	totpStep   = 30 * time.Second
	totpDigits = 6
	totpSkew   = 1 // steps a clock may be off, either way
	secretLen  = 20
)

// NewSecret draws the secret of one-time codes.
func NewSecret() ([]byte, error) {
	b := make([]byte, secretLen)
	if _, err := io.ReadFull(rand.Reader, b); err != nil {
		return nil, fmt.Errorf("account: %w", err)
	}
	return b, nil
}

// SecretText is a secret as apps take it: base32.
func SecretText(secret []byte) string {
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret)
}

// ParseSecret reads what SecretText wrote.
func ParseSecret(s string) ([]byte, error) {
	b, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(s)
	if err != nil || len(b) != secretLen {
		return nil, fmt.Errorf("account: secret of one-time codes: want %d bytes in base32", secretLen)
	}
	return b, nil
}

// SecretURL is the address that a phone's app reads from a QR code.
func SecretURL(secret []byte, issuer, login string) string {
	q := url.Values{"secret": {SecretText(secret)}, "issuer": {issuer}, "algorithm": {"SHA1"}, "digits": {"6"}, "period": {"30"}}
	// PathEscape, and %20 rather than +: some apps show the + otherwise.
	return "otpauth://totp/" + url.PathEscape(issuer) + ":" + url.PathEscape(login) + "?" + strings.ReplaceAll(q.Encode(), "+", "%20")
}

// codeAt is the code of a step.
func codeAt(secret []byte, step int64) string {
	var counter [8]byte
	binary.BigEndian.PutUint64(counter[:], uint64(step))
	mac := hmac.New(sha1.New, secret)
	mac.Write(counter[:])
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 15
	n := binary.BigEndian.Uint32(sum[at:at+4]) & 0x7fffffff
	return fmt.Sprintf("%0*d", totpDigits, n%1_000_000)
}

// CodeNow is the code that is good at a time.
func CodeNow(secret []byte, now time.Time) string { return codeAt(secret, stepOf(now)) }

func stepOf(t time.Time) int64 { return t.Unix() / int64(totpStep/time.Second) }

// matchCode returns the step whose code was given; ok is false where it is none of those around now. Every step is compared, whatever
// fits: how long it takes tells nothing.
func matchCode(secret []byte, given string, now time.Time) (step int64, ok bool) {
	given = strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' {
			return -1
		}
		return r
	}, given)
	for at := stepOf(now) - totpSkew; at <= stepOf(now)+totpSkew; at++ {
		if subtle.ConstantTimeCompare([]byte(codeAt(secret, at)), []byte(given)) == 1 {
			step, ok = at, true
		}
	}
	return step, ok
}

// recoveryCodes is how many a person gets; each replaces the phone once.
const recoveryCodes = 10

// newRecovery draws recovery codes of 80 bits, and what is kept of them.
func newRecovery() (codes []string, hashes [][]byte, err error) {
	for range recoveryCodes {
		c, err := draw(16)
		if err != nil {
			return nil, nil, err
		}
		codes = append(codes, groups(c, 4))
		hashes = append(hashes, HashToken(c))
	}
	return codes, hashes, nil
}

// groups writes a code so that it can be read out.
func groups(code string, n int) string {
	var b strings.Builder
	for i := range len(code) {
		if i > 0 && i%n == 0 {
			b.WriteByte('-')
		}
		b.WriteByte(code[i])
	}
	return b.String()
}
