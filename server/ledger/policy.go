package ledger

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	cosign "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
)

// Policy says which logs are believed, and how many of which witnesses must have seen a head: a C2SP tlog-policy file.
type Policy struct {
	Logs      []PolicyLog
	Witnesses []PolicyWitness
	groups    map[string]group
	quorum    string // "none", or the name of a witness or a group
}

// PolicyLog is a log that is believed.
type PolicyLog struct {
	VKey     string
	Verifier note.Verifier
	URL      string // empty where the file names none
}

// PolicyWitness is a witness that counts.
type PolicyWitness struct {
	Name     string // in the policy; its key may bear another
	Verifier note.Verifier
	URL      string // where it is asked; empty where the file names none
}

type group struct {
	enough  int // members that are enough
	members []string
}

// maxPolicy bounds what is read of a policy file.
const maxPolicy = 256 << 10

// ParsePolicy reads a policy file. Errors name its line and wrap ErrMalformed; name stands in them.
func ParsePolicy(name string, raw []byte) (*Policy, error) {
	if len(raw) > maxPolicy {
		return nil, fmt.Errorf("%w policy: %s: %d bytes, want at most %d", ErrMalformed, name, len(raw), maxPolicy)
	}
	p := &policyParser{Policy: Policy{groups: map[string]group{}}, keys: map[string]bool{}, used: map[string]bool{}}
	for i, line := range strings.Split(string(raw), "\n") {
		if strings.ContainsFunc(line, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
			return nil, fmt.Errorf("%w policy: %s:%d: a control character: save it as plain text with lines ended by \\n", ErrMalformed, name, i+1)
		}
		fields := strings.FieldsFunc(line, func(r rune) bool { return r == ' ' || r == '\t' })
		if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		if err := p.line(fields); err != nil {
			return nil, fmt.Errorf("%w policy: %s:%d: %w", ErrMalformed, name, i+1, err)
		}
	}
	if p.quorum == "" {
		return nil, fmt.Errorf("%w policy: %s: no quorum: add a line such as \"quorum none\", or the name of a witness or group", ErrMalformed, name)
	}
	return &p.Policy, nil
}

type policyParser struct {
	Policy
	keys map[string]bool // public keys that are there
	used map[string]bool // names that are members already: each counts in one way alone
}

func (p *policyParser) line(f []string) error {
	switch {
	case f[0] == "log" && (len(f) == 2 || len(f) == 3):
		return p.log(f[1], strings.Join(f[2:], ""))
	case f[0] == "witness" && (len(f) == 3 || len(f) == 4):
		return p.witness(f[1], f[2], strings.Join(f[3:], ""))
	case f[0] == "group" && len(f) >= 4:
		return p.group(f[1], f[2], f[3:])
	case f[0] == "quorum" && len(f) == 2:
		if p.quorum != "" {
			return fmt.Errorf("a second quorum: want one")
		}
		if f[1] != "none" && !p.known(f[1]) {
			return fmt.Errorf("quorum %q: no witness or group of that name above it", f[1])
		}
		p.quorum = f[1]
		return nil
	}
	return fmt.Errorf("%q: want log VKEY [URL], witness NAME VKEY [URL], group NAME all|any|K MEMBER..., or quorum NAME|none", strings.Join(f, " "))
}

func (p *policyParser) log(vkey, address string) error {
	v, err := note.NewVerifier(vkey)
	if err != nil {
		return fmt.Errorf("log key %q: %w: want name+hash+base64 of an Ed25519 key", vkey, err)
	}
	if err := p.newKey(vkey); err != nil {
		return err
	}
	p.Logs = append(p.Logs, PolicyLog{VKey: vkey, Verifier: v, URL: address})
	return checkURL(address)
}

func (p *policyParser) witness(name, vkey, address string) error {
	if name == "none" || p.known(name) {
		return fmt.Errorf("name %q is taken: give every witness and group a name of its own", name)
	}
	v, err := cosign.NewVerifierForCosignatureV1(vkey)
	if err != nil {
		return fmt.Errorf("witness key %q: %w: want the key that the witness prints", vkey, err)
	}
	if err := p.newKey(vkey); err != nil {
		return err
	}
	p.Witnesses = append(p.Witnesses, PolicyWitness{Name: name, Verifier: v, URL: address})
	return checkURL(address)
}

// newKey refuses a public key that is there already, under whatever name.
func (p *policyParser) newKey(vkey string) error {
	parts := strings.SplitN(vkey, "+", 3) // name, hash, base64 of the type and the key
	raw, err := base64.StdEncoding.DecodeString(parts[len(parts)-1])
	if err != nil || len(raw) < 2 {
		return fmt.Errorf("key %q: want name+hash+base64", vkey)
	}
	key := string(raw[1:])
	if p.keys[key] {
		return fmt.Errorf("key %q is there already: a key counts once", vkey)
	}
	p.keys[key] = true
	return nil
}

func checkURL(address string) error {
	if address == "" {
		return nil
	}
	if u, err := url.Parse(address); err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return fmt.Errorf("address %q: want http:// or https:// and a host", address)
	}
	return nil
}

func (p *policyParser) group(name, threshold string, members []string) error {
	if name == "none" || p.known(name) {
		return fmt.Errorf("name %q is taken: give every witness and group a name of its own", name)
	}
	g := group{members: members}
	switch threshold {
	case "any":
		g.enough = 1
	case "all":
		g.enough = len(members)
	default:
		k, err := strconv.Atoi(threshold)
		if err != nil || k < 1 || k > len(members) || strconv.Itoa(k) != threshold {
			return fmt.Errorf("group %s: %q of %d members: want any, all or a number from 1 to %d", name, threshold, len(members), len(members))
		}
		g.enough = k
	}
	for _, m := range members {
		if !p.known(m) {
			return fmt.Errorf("group %s: no witness or group %q above it", name, m)
		}
		if p.used[m] {
			return fmt.Errorf("group %s: %q is a member already: each counts in one way alone", name, m)
		}
		p.used[m] = true
	}
	p.groups[name] = g
	return nil
}

func (p *Policy) known(name string) bool {
	_, ok := p.groups[name]
	return ok || slices.ContainsFunc(p.Witnesses, func(w PolicyWitness) bool { return w.Name == name })
}

// Seen is a cosignature: which witness saw a head, and when by its clock.
type Seen struct {
	Name string
	Time time.Time
}

// Verdict is what a policy says of a head.
type Verdict struct {
	Proven
	Seen   []Seen // by witnesses of the policy, in its order
	Of     int    // witnesses of the policy
	Quorum bool   // enough of them
}

// Check checks a tlog-proof against the policy, offline. What is not signed by a log of the policy is an error; whether enough witnesses
// have seen it is in the verdict.
func (p *Policy) Check(proof []byte) (Verdict, error) {
	var witnesses []note.Verifier
	for _, w := range p.Witnesses {
		witnesses = append(witnesses, w.Verifier)
	}
	var last error
	for _, l := range p.Logs {
		proven, err := CheckProof(proof, l.Verifier, witnesses...)
		if err != nil {
			last = err
			continue
		}
		v := Verdict{Proven: proven, Seen: p.SeenBy(proven.Note), Of: len(p.Witnesses)}
		v.Quorum = p.Enough(v.Seen)
		return v, nil
	}
	if last == nil {
		last = fmt.Errorf("ledger: the policy names no log")
	}
	return Verdict{}, last
}

// Believes reports whether the policy names the log of a public key.
func (p *Policy) Believes(vkey string) bool {
	return slices.ContainsFunc(p.Logs, func(l PolicyLog) bool { return l.VKey == vkey })
}

// SeenBy returns the policy's witnesses among the verified signatures of a checkpoint.
func (p *Policy) SeenBy(n *note.Note) []Seen {
	var out []Seen
	for _, w := range p.Witnesses {
		for _, s := range n.Sigs {
			if s.Name != w.Verifier.Name() || s.Hash != w.Verifier.KeyHash() {
				continue
			}
			at, err := cosign.CoSigV1Timestamp(s)
			if err != nil {
				continue
			}
			out = append(out, Seen{Name: w.Name, Time: at.UTC()})
			break
		}
	}
	return out
}

// Enough reports whether the quorum has seen.
func (p *Policy) Enough(seen []Seen) bool { return p.quorum == "none" || p.saw(p.quorum, seen) }

func (p *Policy) saw(name string, seen []Seen) bool {
	g, ok := p.groups[name]
	if !ok {
		return slices.ContainsFunc(seen, func(s Seen) bool { return s.Name == name })
	}
	n := 0
	for _, m := range g.members {
		if p.saw(m, seen) {
			n++
		}
	}
	return n >= g.enough
}
