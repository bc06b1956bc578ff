package audit

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/mod/sumdb/note"

	"aovuon/gateway/wire"
	"aovuon/server/ledger"
)

// keyring holds the keys of a gateway, in the order in which they followed each other. Batches come in the order of the log: what a key
// signed stands before all that the next one signed.
type keyring struct {
	keys []note.Verifier
	vkey string // of the newest
	at   int    // the key of the newest batch
	kind string // ingest.Kind: where there is one the server held the keys
}

var errReplacedKey = errors.New("signed with a key that had been replaced by then")

// open opens a batch with the key that signed it.
func (r *keyring) open(raw []byte) (*wire.Batch, error) {
	var first error
	for i, k := range slices.Backward(r.keys) {
		b, err := wire.Open(raw, k)
		switch {
		case err == nil && i < r.at:
			return nil, errReplacedKey
		case err == nil:
			r.at = i
			return b, nil
		case first == nil || !errors.Is(err, wire.ErrSignature):
			first = err
		}
	}
	return nil, first
}

// keyLeaf is what a leaf says of a key.
type keyLeaf struct{ Gateway, VKey, Previous, How, Note, Kind string }

// verifier is the key, which must be one of the gateway that the leaf is about.
func (l keyLeaf) verifier(subject string) (note.Verifier, error) {
	v, err := note.NewVerifier(l.VKey)
	if err == nil && (l.Gateway != subject || v.Name() != subject) {
		err = errors.New("it names another gateway")
	}
	return v, err
}

// gatewayKeys reads the keys that were enrolled, and those that followed them, from the ledger.
func (a *auditor) gatewayKeys() map[string]*keyring {
	rings := map[string]*keyring{}
	for n, l := range a.tree.leaves {
		if l.Kind != ledger.GatewayEnrolled && l.Kind != ledger.GatewayRekeyed {
			continue
		}
		var said keyLeaf
		v, err := note.Verifier(nil), json.Unmarshal(a.tree.bodies[int64(n)], &said)
		if err == nil {
			v, err = said.verifier(l.Subject)
		}
		if err != nil {
			a.report.note("leaf %d: the key of gateway %s cannot be read: %v", n, l.Subject, err)
			continue
		}
		ring := rings[l.Subject]
		switch {
		case ring == nil && l.Kind == ledger.GatewayEnrolled:
			rings[l.Subject] = &keyring{keys: []note.Verifier{v}, vkey: said.VKey, kind: said.Kind}
			continue
		case l.Kind == ledger.GatewayEnrolled && ring.keys[0].KeyHash() == v.KeyHash():
			continue
		case l.Kind == ledger.GatewayEnrolled:
			err = errors.New("has another key than it was enrolled with")
		default:
			err = said.follows(ring)
		}
		if err != nil {
			a.report.find(fmt.Sprintf("leaf %d", n), "gateway %s %v", l.Subject, err)
			continue
		}
		ring.keys, ring.vkey = append(ring.keys, v), said.VKey
	}
	return rings
}

// follows checks that a new key takes the place of the newest, and that this one says so where the leaf says it does.
func (l keyLeaf) follows(ring *keyring) error {
	if ring == nil {
		return errors.New("has a second key and no first")
	}
	if l.Previous != ring.vkey {
		return errors.New("has a key that follows another than the one in force")
	}
	switch l.How {
	case "claim": // on the operator's word, who signed for the leaf
		return nil
	case "signed":
		gateway, old, fresh, _, err := wire.OpenRekeyNote([]byte(l.Note))
		if err == nil && (gateway != l.Gateway || old != l.Previous || fresh != l.VKey) {
			err = errors.New("the note is of other keys")
		}
		if err != nil {
			return fmt.Errorf("has a key that the one before it did not sign for: %w", err)
		}
		return nil
	}
	return fmt.Errorf("has a key that came in by %q", l.How)
}

// unsigned lists the sources whose keys the server held, by name.
func unsigned(rings map[string]*keyring) (list []string) {
	for id, r := range rings {
		if r.kind != "" {
			list = append(list, id)
		}
	}
	slices.Sort(list)
	return list
}
