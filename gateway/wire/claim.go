package wire

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// A claim code is 15 characters of Crockford's base32, 75 random bits, and a check character.
const (
	claimAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	claimLength   = 16
)

// ErrClaim says that a claim code, or what was made with one, is not right.
var ErrClaim = errors.New("no valid claim")

// ClaimCode lets one gateway be enrolled. It is shown to a person and typed or scanned at the gateway; it is never sent.
type ClaimCode string

// NewClaimCode draws a code.
func NewClaimCode() (ClaimCode, error) {
	var b [claimLength - 1]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", fmt.Errorf("wire: claim code: %w", err)
	}
	for i := range b {
		b[i] = claimAlphabet[b[i]&31]
	}
	return ClaimCode(string(b[:]) + string(claimCheck(string(b[:])))), nil
}

// ParseClaimCode reads a code as a person may have typed it: small letters, spaces and hyphens are fine, O is read as 0, I and L as 1.
func ParseClaimCode(s string) (ClaimCode, error) {
	var b strings.Builder
	for _, r := range strings.ToUpper(s) {
		switch r {
		case ' ', '-':
			continue
		case 'O':
			r = '0'
		case 'I', 'L':
			r = '1'
		}
		if !strings.ContainsRune(claimAlphabet, r) || b.Len() == claimLength {
			return "", fmt.Errorf("wire: %w: want %d of %s, in groups as you like", ErrClaim, claimLength, claimAlphabet)
		}
		b.WriteRune(r)
	}
	code := b.String()
	if len(code) != claimLength {
		return "", fmt.Errorf("wire: %w: %d characters, want %d", ErrClaim, len(code), claimLength)
	}
	if code[claimLength-1] != claimCheck(code[:claimLength-1]) {
		return "", fmt.Errorf("wire: %w: the check character does not match: one is wrong, or two are swapped", ErrClaim)
	}
	return ClaimCode(code), nil
}

// claimCheck makes the code, as a polynomial over GF(32), zero at the primitive element 2: any one wrong character and any two
// swapped ones are found.
func claimCheck(s string) byte {
	sum := 0
	for i := range len(s) {
		sum = (sum ^ strings.IndexByte(claimAlphabet, s[i])) << 1
		if sum > 31 {
			sum ^= 0b100101
		}
	}
	return claimAlphabet[sum]
}

// String returns the code in groups of four.
func (c ClaimCode) String() string {
	var groups []string
	for s := string(c); s != ""; s = s[min(4, len(s)):] {
		groups = append(groups, s[:min(4, len(s))])
	}
	return strings.Join(groups, "-")
}

// ID names the claim to the server: 32 hexadecimal digits that do not tell the code.
func (c ClaimCode) ID() string {
	sum := sha256.Sum256([]byte("aovuon/claim-id/1\n" + string(c)))
	return hex.EncodeToString(sum[:16])
}

// Key is what both sides authenticate with.
func (c ClaimCode) Key() []byte {
	sum := sha256.Sum256([]byte("aovuon/claim-key/1\n" + string(c)))
	return sum[:]
}

const claimScheme = "aovuon-claim:"

// Claim is what a claim's QR code says.
type Claim struct {
	Code   ClaimCode
	Pin    string // PinOf the server's key and CA: 22 characters; empty where only the code was typed
	Server string // https://host[:port], or http:// within a machine
}

// PinOf returns the first 16 bytes of a hash of the server's verifier key and of the PEM of its authority (empty: none), in base64url.
func PinOf(vkey, caPEM string) string {
	sum := sha256.Sum256([]byte("aovuon/claim-pin/1\n" + vkey + "\n" + caPEM))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// String returns aovuon-claim:CODE.PIN@URL.
func (c Claim) String() string { return claimScheme + string(c.Code) + "." + c.Pin + "@" + c.Server }

// ParseClaim reads the text of a claim's QR code, or a code that was typed: then Pin and Server are empty.
func ParseClaim(s string) (Claim, error) {
	s = strings.TrimSpace(s)
	rest, scanned := strings.CutPrefix(s, claimScheme)
	if !scanned {
		code, err := ParseClaimCode(s)
		return Claim{Code: code}, err
	}
	head, server, ok1 := strings.Cut(rest, "@")
	text, pin, ok2 := strings.Cut(head, ".")
	code, err := ParseClaimCode(text)
	if err != nil {
		return Claim{}, err
	}
	raw, perr := base64.RawURLEncoding.Strict().DecodeString(pin)
	if !ok1 || !ok2 || perr != nil || len(raw) != 16 {
		return Claim{}, fmt.Errorf("wire: %w: want %sCODE.PIN@URL", ErrClaim, claimScheme)
	}
	if err := CheckServerURL(server); err != nil {
		return Claim{}, err
	}
	return Claim{Code: code, Pin: pin, Server: server}, nil
}

// CheckServerURL reports what is wrong with the address of a server's pages.
func CheckServerURL(s string) error {
	u, err := url.Parse(s)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || (u.Path != "" && u.Path != "/") || u.RawQuery != "" || u.Fragment != "" || u.User != nil || len(s) > 200 {
		return fmt.Errorf("wire: server %.80q: want https:// and a host", s)
	}
	return nil
}

// The first lines of what is sent.
const (
	enrolMagic    = "aovuon/enrol/1"
	enrolledMagic = "aovuon/enrolled/1"
	rekeyMagic    = "aovuon/rekey/1"
	rekeyedMagic  = "aovuon/rekeyed/1"
)

// Bounds of what is sent.
const (
	MaxEnrol    = 8 << 10
	MaxEnrolled = 64 << 10
)

// Enrol asks to be enrolled with a claim.
type Enrol struct {
	ClaimID string
	Card    Card
	CSR     []byte // DER of a certificate request for MQTT; nil: none
}

// Seal returns the bytes to send.
func (e Enrol) Seal(code ClaimCode) []byte {
	text := enrolMagic + "\n" + e.ClaimID + "\n" + cardLines(e.Card) + b64(e.CSR) + "\n"
	return []byte(text + tag(code.Key(), text))
}

// ParseEnrol reads a request without knowing its key: Verify must follow. Its errors wrap ErrMalformed.
func ParseEnrol(raw []byte) (Enrol, error) {
	lines, err := linesOf(raw, MaxEnrol, 8, enrolMagic)
	if err != nil {
		return Enrol{}, err
	}
	e := Enrol{ClaimID: lines[1]}
	if !validHex(e.ClaimID, 32, 32) {
		return Enrol{}, fmt.Errorf("wire: enrolment: %w: claim %.40q", ErrMalformed, lines[1])
	}
	if e.Card, err = cardOfLines(lines[2:6]); err != nil {
		return Enrol{}, err
	}
	if e.CSR, err = unb64(lines[6]); err != nil {
		return Enrol{}, err
	}
	return e, nil
}

// VerifyTag reports whether the last line of raw was made with key.
func VerifyTag(raw, key []byte) bool {
	at := strings.LastIndexByte(strings.TrimSuffix(string(raw), "\n"), '\n') + 1
	return subtle.ConstantTimeCompare(raw[at:], []byte(tag(key, string(raw[:at])))) == 1
}

// Enrolled is the server's answer to Enrol.
type Enrolled struct {
	Request     Hash   // of the request that is answered
	Broker      string // tcp://host:port or ssl://host:port
	ServerVKey  string // who signs receipts
	CAPEM       string // who signed the broker's certificate; empty: the system knows them, or no TLS
	Certificate []byte // DER of the gateway's certificate for MQTT; nil: none
}

// Seal returns the bytes to send.
func (e Enrolled) Seal(key []byte) []byte {
	text := strings.Join([]string{enrolledMagic, e.Request.String(), e.Broker, e.ServerVKey, b64([]byte(e.CAPEM)), b64(e.Certificate), ""}, "\n")
	return []byte(text + tag(key, text))
}

// OpenEnrolled checks that an answer comes from who made the claim and reads it. Its errors wrap ErrClaim or ErrMalformed.
func OpenEnrolled(raw []byte, code ClaimCode, request []byte) (Enrolled, error) {
	if len(raw) > MaxEnrolled || !VerifyTag(raw, code.Key()) {
		return Enrolled{}, fmt.Errorf("wire: %w: the answer is not from the server that printed the code", ErrClaim)
	}
	lines, err := linesOf(raw, MaxEnrolled, 7, enrolledMagic)
	if err != nil {
		return Enrolled{}, err
	}
	e := Enrolled{Request: HashOf(request), Broker: lines[2], ServerVKey: lines[3]}
	if lines[1] != e.Request.String() {
		return Enrolled{}, fmt.Errorf("wire: %w: it answers another request", ErrClaim)
	}
	if _, err := note.NewVerifier(e.ServerVKey); err != nil {
		return Enrolled{}, fmt.Errorf("wire: answer: %w: %w", ErrMalformed, err)
	}
	ca, err1 := unb64(lines[4])
	certificate, err2 := unb64(lines[5])
	if err := errors.Join(err1, err2); err != nil {
		return Enrolled{}, err
	}
	e.CAPEM, e.Certificate = string(ca), certificate
	return e, nil
}

func cardLines(c Card) string {
	return c.Gateway + "\n" + c.VKey + "\n" + b64(c.SecretSHA[:]) + "\n" + dash(c.Mosquitto) + "\n"
}

func cardOfLines(lines []string) (Card, error) {
	text := cardMagic + "\n" + strings.Join(lines[:3], "\n")
	if lines[3] != "-" {
		text += "\n" + lines[3]
	}
	c, err := ParseCard(text)
	if err == nil && cardLines(c) != strings.Join(lines, "\n")+"\n" {
		err = fmt.Errorf("wire: card: %w", ErrMalformed)
	}
	return c, err
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func b64(raw []byte) string { return dash(base64.StdEncoding.EncodeToString(raw)) }

func unb64(s string) ([]byte, error) {
	if s == "-" {
		return nil, nil
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil || len(raw) == 0 || b64(raw) != s {
		return nil, fmt.Errorf("wire: %w: base64 %.40q", ErrMalformed, s)
	}
	return raw, nil
}

// tag is the last line: HMAC-SHA256 of the text before it.
func tag(key []byte, text string) string {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(m.Sum(nil)) + "\n"
}

// linesOf splits a message of n lines, each ended, the first of them magic.
func linesOf(raw []byte, most, n int, magic string) ([]string, error) {
	lines := strings.Split(string(raw), "\n")
	if len(raw) > most || len(lines) != n+1 || lines[0] != magic || lines[n] != "" {
		return nil, fmt.Errorf("wire: %w: want %d lines, the first %q, and at most %d bytes", ErrMalformed, n, magic, most)
	}
	return lines[:n], nil
}
