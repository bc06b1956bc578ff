// Package passkey speaks WebAuthn with browsers: questions for navigator.credentials go out, answers come in and go out again as what was
// proven. It keeps nothing: what a question was is given back with the answer (State), and which keys there are is told by the caller.
//
// No attestation is asked for: which maker's device somebody uses is nobody's business here.
package passkey

import (
	"bytes"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
)

// Limit is how long an answer may take. It is told the browser; the caller keeps no State for longer.
const Limit = 5 * time.Minute

// maxAnswer bounds what a browser sends, bytes.
const maxAnswer = 32 << 10

// The errors.
var (
	ErrHost   = errors.New("passkey: browsers bind passkeys to a name, and public_url has none: an address of numbers will not do")
	ErrPlain  = errors.New("passkey: browsers give passkeys to https:// alone (and to localhost): public_url is http://")
	ErrAnswer = errors.New("passkey: this answer proves nothing")
)

// Key is the public half of a passkey.
type Key struct {
	Credential []byte // the browser's name for it
	Public     []byte // COSE
	Counter    uint32 // of its signatures; 0 where it counts none, as those do that are shared between devices
	Flags      byte   // of the authenticator's data when it was made: verified, may be backed up, …
	Transports string // how the browser reaches it: usb,nfc,…
}

// Fingerprint names a key: another public half is another name.
func (k *Key) Fingerprint() string {
	h := sha256.New()
	h.Write(fmt.Appendf(nil, "%d\n", len(k.Credential)))
	h.Write(k.Credential)
	h.Write(k.Public)
	return "k-" + base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(h.Sum(nil)[:10])
}

// Owner is whose key it is. The id is kept within the authenticator: no name, no login.
type Owner struct {
	ID, Login, Name string
	Keys            []Key
}

// Question is what a browser is asked.
type Question struct {
	Options   []byte // JSON for the page's script
	Challenge string // names the question; comes back with the answer
	State     []byte // for Made or Answered
}

// Answer is what a browser's answer proves.
type Answer struct {
	Owner    string
	Key      Key    // of the owner's; its Counter as it was
	Counter  uint32 // as it is now
	Verified bool   // the authenticator made sure of the person: PIN, finger, face
	Cloned   bool   // the counter did not go on: somebody else has the key, too
}

// Party is this server, as authenticators know it.
type Party struct{ w *webauthn.WebAuthn }

// New returns the party of a public URL. The error wraps ErrHost or ErrPlain where browsers would refuse.
func New(publicURL, name string) (*Party, error) {
	u, err := url.Parse(publicURL)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("%w (%q)", ErrHost, publicURL)
	}
	host := strings.ToLower(u.Hostname())
	switch {
	case net.ParseIP(host) != nil || protocol.ValidateRPID(host) != nil:
		return nil, fmt.Errorf("%w (%s)", ErrHost, host)
	case u.Scheme != "https" && host != "localhost" && !strings.HasSuffix(host, ".localhost"):
		return nil, fmt.Errorf("%w (%s)", ErrPlain, host)
	}
	limit := webauthn.TimeoutConfig{Timeout: Limit, TimeoutUVD: Limit}
	w, err := webauthn.New(&webauthn.Config{
		RPID: host, RPDisplayName: name, RPOrigins: []string{strings.ToLower(u.Scheme + "://" + u.Host)}, AttestationPreference: protocol.PreferNoAttestation,
		Timeouts: webauthn.TimeoutsConfig{Login: limit, Registration: limit},
		// A client may say more than it was asked for; nothing of it is used.
		ExtensionsUnsolicitedOutputPolicy: protocol.UnsolicitedOutputPolicyIgnore,
	})
	if err != nil {
		return nil, fmt.Errorf("passkey: %w", err)
	}
	return &Party{w}, nil
}

// Make asks for a new key that can be found without a login, where the authenticator can keep one so. Those the owner has are refused by it.
func (p *Party) Make(o Owner) (Question, error) {
	u := user{o}
	var have []protocol.CredentialDescriptor
	for _, c := range u.WebAuthnCredentials() {
		have = append(have, c.Descriptor())
	}
	options, state, err := p.w.BeginRegistration(u, webauthn.WithExclusions(have), webauthn.WithAuthenticatorSelection(protocol.AuthenticatorSelection{
		ResidentKey: protocol.ResidentKeyRequirementPreferred, UserVerification: protocol.VerificationPreferred,
	}))
	if err != nil {
		return Question{}, fmt.Errorf("passkey: %w", err)
	}
	return question(options.Response, state)
}

// Made reads the answer to Make.
func (p *Party) Made(o Owner, state, answer []byte) (Key, error) {
	s, err := stateOf(state, answer)
	if err != nil {
		return Key{}, err
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(answer)
	if err != nil {
		return Key{}, refused(err)
	}
	c, err := p.w.CreateCredential(user{o}, s, parsed)
	if err != nil {
		return Key{}, refused(err)
	}
	var ways []string
	for _, t := range c.Transport {
		if len(ways) < 8 && len(t) <= 16 {
			ways = append(ways, string(t))
		}
	}
	return Key{
		Credential: c.ID, Public: c.PublicKey, Counter: c.Authenticator.SignCount, Flags: byte(c.Flags.ProtocolValue()), Transports: strings.Join(ways, ","),
	}, nil
}

// Ask asks for a signature. Of an owner: with one of the owner's keys, verified where it can be. Of nobody (an empty ID): with any key the browser finds, and
// then the person must be verified, since nothing else is asked.
func (p *Party) Ask(o Owner) (Question, error) {
	var options *protocol.CredentialAssertion
	var state *webauthn.SessionData
	var err error
	if o.ID == "" {
		options, state, err = p.w.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	} else {
		options, state, err = p.w.BeginLogin(user{o}, webauthn.WithUserVerification(protocol.VerificationPreferred))
	}
	if err != nil {
		return Question{}, fmt.Errorf("passkey: %w", err)
	}
	return question(options.Response, state)
}

// Answered reads the answer to Ask. find returns the owner of an id, with all keys; its error comes back.
func (p *Party) Answered(state, answer []byte, find func(id string) (Owner, error)) (Answer, error) {
	s, err := stateOf(state, answer)
	if err != nil {
		return Answer{}, err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return Answer{}, refused(err)
	}
	id := s.UserID
	if len(id) == 0 {
		id = parsed.Response.UserHandle
	}
	o, err := find(string(id))
	if err != nil {
		return Answer{}, err
	}
	var c *webauthn.Credential
	if len(s.UserID) == 0 {
		_, c, err = p.w.ValidatePasskeyLogin(func(_, _ []byte) (webauthn.User, error) { return user{o}, nil }, s, parsed)
	} else {
		c, err = p.w.ValidateLogin(user{o}, s, parsed)
	}
	if err != nil {
		return Answer{}, refused(err)
	}
	a := Answer{Owner: o.ID, Counter: parsed.Response.AuthenticatorData.Counter, Verified: parsed.Response.AuthenticatorData.Flags.UserVerified(), Cloned: c.Authenticator.CloneWarning}
	for _, k := range o.Keys {
		if bytes.Equal(k.Credential, c.ID) {
			a.Key = k
		}
	}
	return a, nil
}

// ChallengeOf returns which question an answer is to.
func ChallengeOf(answer []byte) (string, error) {
	if len(answer) > maxAnswer {
		return "", ErrAnswer
	}
	var a struct {
		Response struct {
			ClientData protocol.URLEncodedBase64 `json:"clientDataJSON"`
		} `json:"response"`
	}
	var said struct {
		Challenge string `json:"challenge"`
	}
	if err := json.Unmarshal(answer, &a); err != nil {
		return "", refused(err)
	}
	if err := json.Unmarshal(a.Response.ClientData, &said); err != nil {
		return "", refused(err)
	}
	if said.Challenge == "" || len(said.Challenge) > 200 {
		return "", ErrAnswer
	}
	return said.Challenge, nil
}

func question(options any, s *webauthn.SessionData) (Question, error) {
	raw, err := json.Marshal(options)
	if err != nil {
		return Question{}, fmt.Errorf("passkey: %w", err)
	}
	state, err := json.Marshal(s)
	if err != nil {
		return Question{}, fmt.Errorf("passkey: %w", err)
	}
	return Question{Options: raw, Challenge: s.Challenge, State: state}, nil
}

func stateOf(raw, answer []byte) (s webauthn.SessionData, err error) {
	if len(answer) > maxAnswer {
		return s, ErrAnswer
	}
	if err := json.Unmarshal(raw, &s); err != nil {
		return s, fmt.Errorf("passkey: state: %w", err)
	}
	return s, nil
}

// refused tells why in the log, and people only that.
func refused(err error) error {
	why := err.Error()
	if e, ok := errors.AsType[*protocol.Error](err); ok {
		why = e.Details + " " + e.DevInfo
	}
	return fmt.Errorf("%w: %.300s", ErrAnswer, why)
}

// user is an Owner as the library asks for one.
type user struct{ o Owner }

func (u user) WebAuthnID() []byte          { return []byte(u.o.ID) }
func (u user) WebAuthnName() string        { return u.o.Login }
func (u user) WebAuthnDisplayName() string { return u.o.Name }
func (u user) WebAuthnCredentials() (out []webauthn.Credential) {
	for _, k := range u.o.Keys {
		c := webauthn.Credential{ID: k.Credential, PublicKey: k.Public, Flags: webauthn.NewCredentialFlags(protocol.AuthenticatorFlags(k.Flags))}
		c.Authenticator.SignCount = k.Counter
		for t := range strings.SplitSeq(k.Transports, ",") {
			if t != "" {
				c.Transport = append(c.Transport, protocol.AuthenticatorTransport(t))
			}
		}
		out = append(out, c)
	}
	return out
}
