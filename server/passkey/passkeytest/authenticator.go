// Package passkeytest is an authenticator in software, for tests: it answers a server's questions as a browser and a security key would, and, on
// demand, as they never should.
package passkeytest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"slices"
	"testing"
)

// The flags of an authenticator's data.
const (
	present  = 0x01
	verified = 0x04
	attested = 0x40
)

// Key is one passkey, both halves. Its fields may be set to what a liar would say.
type Key struct {
	t       testing.TB
	private *ecdsa.PrivateKey
	ID      []byte
	Owner   []byte
	Origin  string
	Host    string
	Counter uint32 // of the signature before; counted on by each
	Step    uint32 // by which it counts; 0: it counts nothing
	Known   bool   // the person is verified
	Type    string // of what is signed: webauthn.get, if empty
}

// New makes a key for an origin and its host.
func New(t testing.TB, origin, host string) *Key {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &Key{t: t, private: private, ID: []byte(rand.Text()), Origin: origin, Host: host, Step: 1, Known: true}
}

type question struct {
	Challenge string `json:"challenge"`
	User      struct {
		ID string `json:"id"`
	} `json:"user"`
}

func (k *Key) read(options []byte) question {
	k.t.Helper()
	var q question
	if err := json.Unmarshal(options, &q); err != nil {
		k.t.Fatal(err)
	}
	return q
}

func text(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func (k *Key) client(kind, challenge string) []byte {
	k.t.Helper()
	raw, err := json.Marshal(map[string]any{"type": kind, "challenge": challenge, "origin": k.Origin, "crossOrigin": false})
	if err != nil {
		k.t.Fatal(err)
	}
	return raw
}

func (k *Key) data(flags byte) []byte {
	host := sha256.Sum256([]byte(k.Host))
	if k.Known {
		flags |= verified
	}
	k.Counter += k.Step
	return binary.BigEndian.AppendUint32(append(host[:], flags|present), k.Counter)
}

func (k *Key) answer(response map[string]any) []byte {
	k.t.Helper()
	raw, err := json.Marshal(map[string]any{"id": text(k.ID), "rawId": text(k.ID), "type": "public-key", "clientExtensionResults": map[string]any{}, "response": response})
	if err != nil {
		k.t.Fatal(err)
	}
	return raw
}

// Make answers the question for a new key.
func (k *Key) Make(options []byte) []byte {
	k.t.Helper()
	q := k.read(options)
	owner, err := base64.RawURLEncoding.DecodeString(q.User.ID)
	if err != nil {
		k.t.Fatal(err)
	}
	k.Owner = owner
	data := append(k.data(attested), make([]byte, 16)...) // no maker is named
	data = binary.BigEndian.AppendUint16(data, uint16(len(k.ID)))
	data = append(append(data, k.ID...), k.public()...)
	// CBOR: {"fmt": "none", "attStmt": {}, "authData": data}
	object := append([]byte("\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x59"), byte(len(data)>>8), byte(len(data)))
	return k.answer(map[string]any{"clientDataJSON": text(k.client("webauthn.create", q.Challenge)), "attestationObject": text(append(object, data...))})
}

// public is the public half in COSE: {1: 2, 3: -7, -1: 1, -2: x, -3: y}.
func (k *Key) public() []byte {
	k.t.Helper()
	point, err := k.private.PublicKey.Bytes() // 4, x, y
	if err != nil {
		k.t.Fatal(err)
	}
	out := append([]byte("\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20"), point[1:33]...)
	return append(append(out, "\x22\x58\x20"...), point[33:]...)
}

// Sign answers the question for a signature.
func (k *Key) Sign(options []byte) []byte {
	k.t.Helper()
	kind := "webauthn.get"
	if k.Type != "" {
		kind = k.Type
	}
	client, data := k.client(kind, k.read(options).Challenge), k.data(0)
	sum := sha256.Sum256(client)
	signed := sha256.Sum256(append(slices.Clip(data), sum[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, k.private, signed[:])
	if err != nil {
		k.t.Fatal(err)
	}
	response := map[string]any{"clientDataJSON": text(client), "authenticatorData": text(data), "signature": text(signature)}
	if k.Owner != nil {
		response["userHandle"] = text(k.Owner)
	}
	return k.answer(response)
}
