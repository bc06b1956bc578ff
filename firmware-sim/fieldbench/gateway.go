package fieldbench

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"aovuon/gateway/measure"
	"aovuon/gateway/wire"
)

// Quantity is what every reading is of: the harness looks for all of them in one measurement, and the values of its channels lie within
// the limits of this one (0 to 4000).
const Quantity = measure.Turbidity

const (
	epoch = "00000000f1e1dbe2"
	boot  = "00f1e1dbe2000000"
)

// Reading is one reading of the harness.
type Reading struct {
	Sensor string // what the gateway calls it: the harness's channel
	Time   int64  // ms since 1970
	Value  float64
}

// Gateway seals what one device of the harness measures. It is not safe for concurrent use.
type Gateway struct {
	ID     string
	secret string
	vkey   string
	signer note.Signer
	seq    uint64
	prev   wire.Hash
	batch  wire.Batch
}

// NewGateway returns the gateway of that name; two of one name have the same key and password.
func NewGateway(id string) (*Gateway, error) {
	seed := sha256.Sum256([]byte("aovuon/fieldbench-key/1\n" + id))
	key := ed25519.NewKeyFromSeed(seed[:])
	public, ok := key.Public().(ed25519.PublicKey)
	if !ok {
		return nil, fmt.Errorf("fieldbench: gateway %s: no Ed25519 key", id)
	}
	vkey, err := note.NewEd25519VerifierKey(id, public)
	if err != nil {
		return nil, fmt.Errorf("fieldbench: gateway %q: %w", id, err)
	}
	hash := strings.Split(vkey, "+")[1]
	signer, err := note.NewSigner("PRIVATE+KEY+" + id + "+" + hash + "+" + base64.StdEncoding.EncodeToString(append([]byte{1}, seed[:]...)))
	if err != nil {
		return nil, fmt.Errorf("fieldbench: gateway %q: %w", id, err)
	}
	secret := sha256.Sum256([]byte("aovuon/fieldbench-password/1\n" + id))
	return &Gateway{ID: id, secret: hex.EncodeToString(secret[:]), vkey: vkey, signer: signer}, nil
}

// Card enrols the gateway.
func (g *Gateway) Card() wire.Card { return wire.NewCard(g.ID, g.vkey, g.secret) }

// Seal seals readings as the next batch of the gateway's chain.
func (g *Gateway) Seal(readings []Reading) ([]byte, error) {
	b := &g.batch
	b.Gateway, b.Epoch, b.Seq, b.Prev, b.Boot, b.Clock = g.ID, epoch, g.seq+1, g.prev, boot, measure.Synced
	b.Readings = b.Readings[:0]
	for _, r := range readings {
		b.Readings = append(b.Readings, measure.Reading{
			Sensor: r.Sensor, Quantity: Quantity, Time: measure.Instant{Wall: time.UnixMilli(r.Time).UTC(), Boot: boot}, Value: r.Value,
		})
	}
	sealed, err := wire.Seal(b, g.signer)
	if err != nil {
		return nil, fmt.Errorf("fieldbench: gateway %s, batch %d: %w", g.ID, b.Seq, err)
	}
	g.seq, g.prev = b.Seq, wire.HashOf(sealed)
	return sealed, nil
}
