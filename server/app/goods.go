package app

import (
	"crypto/rand"

	"aovuon/server/trace/flow"
)

// newGoods makes the desk that takes in what is done with goods after the harvest.
func newGoods(d deps) *flow.Desk {
	return flow.New(d.db, d.db, flow.Defaults(), rand.Reader, d.now, d.log)
}
