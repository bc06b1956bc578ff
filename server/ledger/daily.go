package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"
)

// ChainHead is how far the chain of one gateway has come.
type ChainHead struct {
	Gateway string `json:"gateway"`
	Epoch   string `json:"epoch"`
	Seq     uint64 `json:"seq"`
	Hash    []byte `json:"hash"` // SHA-256 of the batch, base64 in JSON
}

// Chains knows the gateways' chains.
type Chains interface {
	ChainHeads(ctx context.Context) ([]ChainHead, error) // by gateway and epoch
	LedgerFind(ctx context.Context, subject string, kind Kind) ([]int64, error)
	Enter(ctx context.Context, e Entry) (added bool, err error)
}

// dailyLook is how often the day is looked at.
const dailyLook = time.Minute

// RunDaily enters once a day, by the calendar of Viet Nam, how far every gateway's chain has come, until ctx is done: from then on no
// batch of the days before can be taken out, put in or changed unseen. A server that was off at midnight does it when it is on again.
func RunDaily(ctx context.Context, c Chains, now func() time.Time, log *slog.Logger) error {
	tick := time.NewTicker(dailyLook)
	defer tick.Stop()
	for {
		if err := EnterDay(ctx, c, now()); err != nil && ctx.Err() == nil {
			log.Warn("the day's chain heads are not in the ledger", slog.Any("err", err))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// EnterDay enters the chain heads, unless the day that holds now has them.
func EnterDay(ctx context.Context, c Chains, now time.Time) error {
	day := now.In(time.FixedZone("+07", 7*60*60)).Format(time.DateOnly)
	if n, err := c.LedgerFind(ctx, day, ChainHeads); err != nil || len(n) > 0 {
		return err
	}
	heads, err := c.ChainHeads(ctx)
	if err != nil || len(heads) == 0 {
		return err
	}
	body, err := json.Marshal(heads)
	if err != nil {
		return fmt.Errorf("ledger: chain heads: %w", err)
	}
	_, err = c.Enter(ctx, Entry{Kind: ChainHeads, Subject: day, Body: body, By: By{Actor: Server, At: now}})
	return err
}
