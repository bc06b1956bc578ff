package app

import (
	"context"
	"crypto/rand"

	"aovuon/server/sqldb"
	"aovuon/server/trace"
	"aovuon/server/trace/flow"
)

// goods is the desk and what is on record, as pages know them.
type goods struct {
	*sqldb.DB
	desk *flow.Desk
}

// Take implements web.Goods.
func (g goods) Take(ctx context.Context, who flow.Who, o trace.Goods) (trace.Goods, error) {
	return g.desk.Take(ctx, who, o)
}

// Account implements web.Goods.
func (g goods) Account(ctx context.Context, l trace.Link) (flow.Account, error) {
	return g.desk.Account(ctx, l)
}

// newGoods makes the desk that takes in what is done with goods after the harvest.
func newGoods(d deps) *flow.Desk {
	return flow.New(d.db, d.db, d.config.goods(), rand.Reader, d.now, d.log)
}
