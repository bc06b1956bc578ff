package push

import (
	"crypto/ecdh"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"aovuon/server/channel/outbound"
)

// MostSubscription is how long a subscription may be, bytes: those of browsers have some 400.
const MostSubscription = 2000

// Subscription is a browser that asked to be told (Push API, PushSubscription.toJSON).
type Subscription struct {
	Endpoint string
	P256dh   string // its public key, base64url
	Auth     string // its secret, base64url
}

// subscriptionJSON is how browsers write it.
type subscriptionJSON struct {
	Endpoint string `json:"endpoint"`
	Keys     struct {
		P256dh string `json:"p256dh"`
		Auth   string `json:"auth"`
	} `json:"keys"`
}

// ErrSubscription is wrapped by the errors of ParseSubscription.
var ErrSubscription = errors.New("push: no subscription of a browser")

// ParseSubscription reads a subscription. Members that are not known are passed over: browsers add some.
func ParseSubscription(s string) (Subscription, error) {
	wrong := func(what string) (Subscription, error) {
		return Subscription{}, fmt.Errorf("%w: %s: press the button on that phone again", ErrSubscription, what)
	}
	if len(s) > MostSubscription {
		return wrong("too long")
	}
	var j subscriptionJSON
	if err := json.Unmarshal([]byte(s), &j); err != nil {
		return wrong("not JSON")
	}
	u, err := outbound.CheckURL(j.Endpoint)
	if err != nil {
		return wrong("its address is none")
	}
	public, err := decode(j.Keys.P256dh)
	if err != nil {
		return wrong("its key cannot be read")
	}
	if _, err := ecdh.P256().NewPublicKey(public); err != nil {
		return wrong("its key is none of P-256")
	}
	auth, err := decode(j.Keys.Auth)
	if err != nil || len(auth) != 16 { // RFC 8291 §3.2
		return wrong("its secret is not 16 bytes")
	}
	out := Subscription{Endpoint: u.String(), P256dh: base64.RawURLEncoding.EncodeToString(public), Auth: base64.RawURLEncoding.EncodeToString(auth)}
	if len(out.String()) > MostSubscription {
		return wrong("too long")
	}
	return out, nil
}

// decode reads base64 in the spellings that browsers have had.
func decode(s string) ([]byte, error) {
	s = strings.NewReplacer("+", "-", "/", "_").Replace(strings.TrimRight(s, "="))
	return base64.RawURLEncoding.DecodeString(s)
}

// String is the subscription's one spelling, the same for two that are the same.
func (s Subscription) String() string {
	var j subscriptionJSON
	j.Endpoint, j.Keys.P256dh, j.Keys.Auth = s.Endpoint, s.P256dh, s.Auth
	raw, err := json.Marshal(j)
	if err != nil { // three strings
		return ""
	}
	return string(raw)
}

// Key is what the server shows push services that it is itself: subscriptions are bound to it.
type Key struct {
	Public  string // for browsers, base64url
	private string
}

// NewKey makes one, as the text of a file (PEM, PKCS 8).
func NewKey() ([]byte, error) {
	k, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("push: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		return nil, fmt.Errorf("push: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// ParseKey reads what NewKey wrote.
func ParseKey(raw []byte) (Key, error) {
	block, _ := pem.Decode(raw)
	if block == nil {
		return Key{}, errors.New("push: no private key (PEM)")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return Key{}, fmt.Errorf("push: %w", err)
	}
	signing, ok := parsed.(interface {
		ECDH() (*ecdh.PrivateKey, error)
	})
	if !ok {
		return Key{}, errors.New("push: the key is none of P-256")
	}
	k, err := signing.ECDH()
	if err != nil || k.Curve() != ecdh.P256() {
		return Key{}, errors.New("push: the key is none of P-256")
	}
	return Key{Public: base64.RawURLEncoding.EncodeToString(k.PublicKey().Bytes()), private: base64.RawURLEncoding.EncodeToString(k.Bytes())}, nil
}
