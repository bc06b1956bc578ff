package ledger

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

// Kind says what was recorded.
type Kind string

// The kinds. Their bodies are JSON; FORMAT.md says of what.
const (
	FarmSaved        Kind = "farm"             // places, probes, limits as they are from now on
	ProductSaved     Kind = "product"          //
	LotSaved         Kind = "lot"              //
	LotSealed        Kind = "seal"             // what was measured while a lot grew
	CertificateSaved Kind = "certificate"      //
	GatewayEnrolled  Kind = "gateway-enrolled" // a key signs from now on
	GatewayRekeyed   Kind = "gateway-rekeyed"  // another key signs from now on; what the one before it signed stays signed
	GatewayRetired   Kind = "gateway-retired"  // nothing it signs is taken any more
	ChainHeads       Kind = "chain-heads"      // of a day: how far each gateway's chain had come
	LedgerKey        Kind = "ledger-key"       // the key that signs the tree's heads from now on
	AccountChanged   Kind = "account"          // who may do what; the body is not public
	RecordSaved      Kind = "record"           // an entry of the farm's register; the body is not public
	EntryKept        Kind = "entry"            // an event of the diary; the body is not public
	GoodsMoved       Kind = "goods"            // an event of the goods after the harvest; the body is not public
	LabelsIssued     Kind = "labels"           // a run of serials of a lot: how many, and a hash over them
	LabelsPrinted    Kind = "print"            // labels of packed goods, or of boxes: how many, on what, and which again
	LotReleased      Kind = "release"          // a lot may be sold: its events, evidence and mass account
	LotsRecalled     Kind = "recall"           // a recall or a drill of one: what was asked, which lots, how long it took, its end
	Changed          Kind = "change"           // any other change somebody made, with before and after; the body is not public
)

// Kinds lists every kind.
func Kinds() []Kind {
	return []Kind{
		FarmSaved, ProductSaved, LotSaved, LotSealed, CertificateSaved, GatewayEnrolled, GatewayRekeyed, GatewayRetired, ChainHeads, LedgerKey, AccountChanged,
		RecordSaved, EntryKept, GoodsMoved, LabelsIssued, LabelsPrinted, LotReleased, LotsRecalled, Changed,
	}
}

// Public reports whether the body of the kind may be shown to everybody. Of the others the log shows the salted hash alone.
func (k Kind) Public() bool {
	switch k {
	case AccountChanged, RecordSaved, EntryKept, GoodsMoved, Changed:
		return false
	case FarmSaved, ProductSaved, LotSaved, LotSealed, CertificateSaved, GatewayEnrolled, GatewayRekeyed, GatewayRetired, ChainHeads, LedgerKey,
		LabelsIssued, LabelsPrinted, LotReleased, LotsRecalled:
		return true
	}
	return false
}

// By says who recorded something, and when by the server's clock.
type By struct {
	Actor string // a pseudonym: Server, or the id of an account; never a person's name
	At    time.Time
}

// The actors that are no accounts.
const (
	Server   = "server"   // what nobody in particular did
	Operator = "operator" // who has the machine itself: a command on its shell
)

// Entry is what is to be recorded.
type Entry struct {
	Kind    Kind
	Subject string // what it is about, by a name that tells nothing of a person: a lot's path, a gateway's id
	Body    []byte // what is said, as it will be checked: kept byte by byte
	By      By
}

// Row is what a table says now of something the ledger speaks of, in the form of the kind's body.
type Row struct {
	Kind    Kind            `json:"kind"`
	Subject string          `json:"subject"`
	Body    json.RawMessage `json:"body"`
}

// Leaf is one leaf of the tree.
type Leaf struct {
	Kind     Kind
	Subject  string
	Actor    string
	Time     time.Time // whole milliseconds, UTC
	Content  [sha256.Size]byte
	Previous *tlog.Hash // of the leaf before it of the same kind and subject; nil: there is none
}

// SaltSize is how many random bytes stand before a body when it is hashed, so that nobody can guess a body from its hash and an
// erased body is gone.
const SaltSize = 16

// ErrMalformed is wrapped by the errors of bytes that are no leaf, checkpoint or proof.
var ErrMalformed = errors.New("ledger: malformed")

// ErrNoLeaf says that the tree has no leaf of that number.
var ErrNoLeaf = errors.New("ledger: no such leaf")

const leafHeader = "aovuon/leaf/1"

// maxLeaf bounds a leaf far below the 65,535 bytes of a tlog-tiles entry.
const maxLeaf = 1024

// NewLeaf makes the leaf of an entry, with a new salt. previous is the hash of the leaf before it of the same kind and subject.
func NewLeaf(e Entry, previous *tlog.Hash) (l Leaf, salt []byte, err error) {
	salt = make([]byte, SaltSize)
	if _, err := rand.Read(salt); err != nil {
		return Leaf{}, nil, err
	}
	l = Leaf{
		Kind: e.Kind, Subject: e.Subject, Actor: e.By.Actor, Time: e.By.At.UTC().Truncate(time.Millisecond),
		Content: ContentHash(salt, e.Body), Previous: previous,
	}
	if err := l.check(); err != nil {
		return Leaf{}, nil, fmt.Errorf("ledger: %s of %q: %w", e.Kind, e.Subject, err)
	}
	return l, salt, nil
}

// ContentHash returns SHA-256(salt || body).
func ContentHash(salt, body []byte) [sha256.Size]byte {
	return sha256.Sum256(append(bytes.Clone(salt), body...))
}

// Bytes returns the leaf as it stands in the tree.
func (l Leaf) Bytes() []byte {
	previous := "-"
	if l.Previous != nil {
		previous = l.Previous.String()
	}
	return []byte(strings.Join([]string{
		leafHeader, string(l.Kind), l.Subject, l.Actor, l.Time.Format(leafTime), base64.StdEncoding.EncodeToString(l.Content[:]), previous, "",
	}, "\n"))
}

// Hash returns the leaf's hash in the tree (RFC 6962: SHA-256 of 0x00 and its bytes).
func (l Leaf) Hash() tlog.Hash { return tlog.RecordHash(l.Bytes()) }

const leafTime = "2006-01-02T15:04:05.000Z"

// ParseLeaf is the inverse of Bytes: it takes those bytes and no others. Its errors wrap ErrMalformed.
func ParseLeaf(raw []byte) (Leaf, error) {
	if len(raw) > maxLeaf {
		return Leaf{}, fmt.Errorf("%w leaf: %d bytes, want at most %d", ErrMalformed, len(raw), maxLeaf)
	}
	lines := strings.Split(string(raw), "\n")
	if len(lines) != 8 || lines[0] != leafHeader || lines[7] != "" {
		return Leaf{}, fmt.Errorf("%w leaf: want 7 lines, the first %q", ErrMalformed, leafHeader)
	}
	l := Leaf{Kind: Kind(lines[1]), Subject: lines[2], Actor: lines[3]}
	var err error
	if l.Time, err = time.Parse(leafTime, lines[4]); err != nil {
		return Leaf{}, fmt.Errorf("%w leaf: time %q", ErrMalformed, lines[4])
	}
	content, err := base64.StdEncoding.DecodeString(lines[5])
	if err != nil || copy(l.Content[:], content) != len(l.Content) || len(content) != len(l.Content) {
		return Leaf{}, fmt.Errorf("%w leaf: content hash %q", ErrMalformed, lines[5])
	}
	if lines[6] != "-" {
		h, err := tlog.ParseHash(lines[6])
		if err != nil {
			return Leaf{}, fmt.Errorf("%w leaf: previous hash %q", ErrMalformed, lines[6])
		}
		l.Previous = &h
	}
	if err := l.check(); err != nil {
		return Leaf{}, fmt.Errorf("%w leaf: %w", ErrMalformed, err)
	}
	if !bytes.Equal(l.Bytes(), raw) {
		return Leaf{}, fmt.Errorf("%w leaf: not in the one form it is written in", ErrMalformed)
	}
	return l, nil
}

// check holds what a leaf's fields may be: a line each, of printable ASCII.
func (l Leaf) check() error {
	for _, f := range []struct {
		name, value string
		most        int
	}{{"kind", string(l.Kind), 32}, {"subject", l.Subject, 200}, {"actor", l.Actor, 40}} {
		if f.value == "" || len(f.value) > f.most || strings.ContainsFunc(f.value, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return fmt.Errorf("%s %q: want 1 to %d printable ASCII characters without spaces", f.name, f.value, f.most)
		}
	}
	if y := l.Time.Year(); y < 2000 || y > 9999 {
		return fmt.Errorf("time %s: want a year from 2000 to 9999", l.Time)
	}
	return nil
}
