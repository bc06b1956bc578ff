// Package statement writes what a co-op says of a lot as a JSON Web Signature (RFC 7515), which a buyer can keep and check with no server: when it
// is gone, too.
//
// A dossier comes in, and a signed statement in compact form goes out (Sign); a statement of somebody and the key one believes come in, and
// what it says goes out (Open). It is signed with the ledger's key (Ed25519, RFC 8037). No SQL, no HTTP.
package statement

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"aovuon/server/farm"
	"aovuon/server/trace"
)

// Type is the media type of a statement, as its header names it.
const Type = "aovuon-lot+jwt"

// ErrSignature says that a statement was not signed with the key one believes, or was changed.
var ErrSignature = errors.New("statement: the signature does not match: it was changed, or somebody else signed it")

// ErrUnknownKey says that a statement is signed by a ledger that its reader does not believe.
var ErrUnknownKey = errors.New("statement: signed by a ledger that the policy does not name")

// Statement is what is said of a lot. It holds nothing of a person.
type Statement struct {
	Issuer   string        `json:"iss"` // name of the ledger's key
	Issued   int64         `json:"iat"` // seconds since 1970
	Subject  string        `json:"sub"` // what stands in the code of the label
	Coop     string        `json:"coop"`
	Lot      Lot           `json:"lot"`
	Covers   []Certificate `json:"certificates,omitempty"`
	Evidence []Measured    `json:"evidence,omitempty"`
	Seal     *Seal         `json:"seal,omitempty"` // nil: the evidence is not sealed yet
	Key      string        `json:"key"`            // of the ledger, as auditors know it
	Means    string        `json:"means"`
	MeansVI  string        `json:"means_vi"`
}

// Lot is the lot.
type Lot struct {
	GTIN      string    `json:"gtin,omitempty"` // none: the product has a number of the co-op's own
	Code      string    `json:"code"`
	Product   string    `json:"product"`
	Species   string    `json:"species,omitempty"` // scientific
	Places    []string  `json:"places,omitempty"`  // codes
	Stocked   time.Time `json:"stocked,omitzero"`
	Harvested time.Time `json:"harvested,omitzero"`
	KG        float64   `json:"kg"`
	State     string    `json:"state"`
	Demo      bool      `json:"demo,omitempty"` // made up
}

// Certificate is one that covers the lot.
type Certificate struct {
	Scheme   string `json:"scheme"`
	Standard string `json:"standard"`
	Number   string `json:"number"`
	Issuer   string `json:"issuer"`
	From     string `json:"from"` // first day
	To       string `json:"to"`   // last day
	Demo     bool   `json:"demo,omitempty"`
}

// Measured is what was measured of a quantity at a place.
type Measured struct {
	Place    string    `json:"place"`
	Quantity string    `json:"quantity"`
	Unit     string    `json:"uom,omitempty"` // UN/ECE Recommendation 20
	From     time.Time `json:"from"`
	To       time.Time `json:"to"`
	N        int       `json:"n"`
	Unsigned int       `json:"unsigned,omitempty"` // of n, those of devices that cannot sign
	Min      *float64  `json:"min,omitempty"`
	Mean     *float64  `json:"mean,omitempty"`
	Max      *float64  `json:"max,omitempty"`
	Covered  float64   `json:"covered"` // share of the time
}

// Seal says where the evidence stands in the ledger.
type Seal struct {
	Leaf int64     `json:"leaf"`
	At   time.Time `json:"at"`
}

// What a statement means; it stands in each.
const (
	means   = "The co-op said this of the lot at the time iat. It does not say that what is in your hand is of this lot."
	meansVI = "Hợp tác xã công bố các thông tin này về lô hàng vào thời điểm iat. Bản kê không nói rằng món hàng trên tay bạn thuộc lô này."
)

// Of puts together what is said of a lot at a time. vkey is the ledger's.
func Of(d trace.Dossier, coop farm.Text, base, vkey string, at time.Time) (Statement, error) {
	address, err := trace.Address(base, d.Lot.Link())
	if err != nil {
		return Statement{}, err
	}
	l := d.Lot
	s := Statement{
		Issued: at.Unix(), Subject: address, Coop: coop.VI, Key: vkey, Means: means, MeansVI: meansVI,
		Lot: Lot{Code: l.Code, Product: d.Product.Name.VI, Species: l.Scientific, Places: l.Places, Stocked: l.Stocked.UTC(), Harvested: l.Harvested.UTC(), KG: l.KG, State: string(l.State), Demo: l.Demo},
	}
	s.Issuer, _, _ = strings.Cut(vkey, "+")
	if !farm.Internal(l.GTIN) {
		s.Lot.GTIN = l.GTIN
	}
	for _, c := range d.Certificates {
		s.Covers = append(s.Covers, Certificate{c.Scheme, c.Standard, c.Number, c.Issuer, dayOf(c.From), dayOf(c.LastDay()), c.Demo})
	}
	for _, e := range d.Evidence {
		info, _ := e.Quantity.Info()
		m := Measured{Place: e.Place, Quantity: string(e.Quantity), Unit: info.UNECE, From: e.From.UTC(), To: e.To.UTC(), N: e.N, Unsigned: e.Unsigned, Covered: e.Share()}
		if e.N > 0 {
			m.Min, m.Mean, m.Max = &e.Min, &e.Mean, &e.Max
		}
		s.Evidence = append(s.Evidence, m)
	}
	if d.Seal != nil {
		s.Seal = &Seal{d.Seal.Leaf, d.Seal.At.UTC()}
	}
	return s, nil
}

func dayOf(t time.Time) string { return t.In(farm.Time()).Format(time.DateOnly) }

type header struct {
	Algorithm string `json:"alg"`
	Type      string `json:"typ"`
	KeyID     string `json:"kid"` // the whole vkey
}

// Sign signs a statement with the ledger's key: sign gets the bytes that RFC 7515 calls the signing input.
func Sign(s Statement, sign func([]byte) ([]byte, error)) ([]byte, error) {
	head, err := json.Marshal(header{"EdDSA", Type, s.Key})
	if err != nil {
		return nil, fmt.Errorf("statement: %w", err)
	}
	body, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("statement: %w", err)
	}
	input := base64.RawURLEncoding.AppendEncode(nil, head)
	input = base64.RawURLEncoding.AppendEncode(append(input, '.'), body)
	sig, err := sign(input)
	if err != nil {
		return nil, fmt.Errorf("statement: %w", err)
	}
	return base64.RawURLEncoding.AppendEncode(append(input, '.'), sig), nil
}

// mostBytes bounds a statement: what a lot says is some kilobytes.
const mostBytes = 256 << 10

// Open checks a statement and returns what it says. believes tells whether the reader believes a ledger's key: what a statement says of its own
// key proves nothing.
func Open(jws []byte, believes func(vkey string) bool) (Statement, error) {
	parts := bytes.Split(bytes.TrimSpace(jws), []byte("."))
	if len(parts) != 3 || len(jws) > mostBytes {
		return Statement{}, errors.New("statement: no JSON Web Signature in compact form: want three parts with points between")
	}
	var raw [3][]byte
	var err error
	for i, p := range parts {
		if raw[i], err = base64.RawURLEncoding.Strict().AppendDecode(nil, p); err != nil {
			return Statement{}, fmt.Errorf("statement: part %d is not written in base64url: %w", i+1, err)
		}
	}
	var h header
	if err := json.Unmarshal(raw[0], &h); err != nil {
		return Statement{}, fmt.Errorf("statement: header: %w", err)
	}
	if h.Algorithm != "EdDSA" || h.Type != Type { // never an algorithm that somebody else chose
		return Statement{}, fmt.Errorf("statement: header says %.40q, %.40q: want EdDSA, %s", h.Algorithm, h.Type, Type)
	}
	if !believes(h.KeyID) {
		return Statement{}, fmt.Errorf("%w: its key is %.120q", ErrUnknownKey, h.KeyID)
	}
	key, err := publicKey(h.KeyID)
	if err != nil {
		return Statement{}, err
	}
	input := bytes.TrimSpace(jws)[:len(parts[0])+1+len(parts[1])]
	if !ed25519.Verify(key, input, raw[2]) {
		return Statement{}, ErrSignature
	}
	var s Statement
	if err := json.Unmarshal(raw[1], &s); err != nil {
		return Statement{}, fmt.Errorf("statement: %w", err)
	}
	if s.Key != h.KeyID {
		return Statement{}, ErrSignature
	}
	return s, nil
}

// publicKey reads the Ed25519 key of a note's verifier: name+hash+base64 of 1 and the key.
func publicKey(vkey string) (ed25519.PublicKey, error) {
	fields := strings.SplitN(vkey, "+", 3)
	if len(fields) == 3 {
		raw, err := base64.StdEncoding.DecodeString(fields[2])
		if err == nil && len(raw) == 1+ed25519.PublicKeySize && raw[0] == 1 {
			return ed25519.PublicKey(raw[1:]), nil
		}
	}
	return nil, fmt.Errorf("statement: %.80q is no verifier key of a ledger: want name+hash+key", vkey)
}
