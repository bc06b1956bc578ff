package trace

import (
	"bytes"
	"crypto/sha256"

	"aovuon/server/farm"
)

// Short returns the nine characters, the last a check, by which a label is named over the telephone. They are drawn from
// the link itself, so nothing is kept; a co-op's ten thousand lots share one with a chance of 1 in 20,000, and staff who look one up are shown all that have it.
// It is the co-op's own: no global id, and no address.
func (l Link) Short() (string, error) {
	sum := sha256.Sum256([]byte("aovuon label " + l.Path()))
	return farm.NewCode(bytes.NewReader(sum[:]))
}
