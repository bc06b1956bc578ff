package app

import (
	"context"
	"fmt"
	"os"
	"time"

	"aovuon/gateway/wire"
	"aovuon/server/farm"
	"aovuon/server/label"
	"aovuon/server/sqldb"
)

// mostClaim is how long a claim may count: its code has 75 random bits, but who finds the stick or the paper can use it.
const mostClaim = 7 * 24 * time.Hour

type gatewayClaimCmd struct {
	ID string `arg:"" optional:"" help:"Name of the gateway; one that was retired gets a new key. Without a name: any that is not enrolled yet."`

	Valid time.Duration `default:"10m" help:"How long it counts, at most 168h: longer for a gateway that is enrolled at the pond from a USB stick."`
}

// Run makes a claim and prints its code and QR.
func (cmd *gatewayClaimCmd) Run(e *env) error {
	c, err := LoadConfig(e.config)
	if err != nil {
		return err
	}
	if cmd.ID != "" && !wire.ValidGatewayID(cmd.ID) {
		return fmt.Errorf("bad gateway id %q: use 2 to 39 of a-z, 0-9 and -, not - first", cmd.ID)
	}
	if cmd.Valid < time.Minute || cmd.Valid > mostClaim {
		return fmt.Errorf("--valid %v: from 1m to %v", cmd.Valid, mostClaim)
	}
	now := e.now()
	return e.withDB(c, func(ctx context.Context, db *sqldb.DB) error {
		code, text, err := c.newClaim(ctx, db, cmd.ID, now, cmd.Valid)
		if err != nil {
			return err
		}
		qr, err := label.NewText(text)
		if err != nil {
			return err
		}
		return e.printf("%s\n%s\n\ncode %s, once, until %s\nat the gateway:\n  gateway enrol --server %s %s\n",
			qr.Terminal(terminal()), text, code, now.Add(cmd.Valid).In(farm.Time()).Format("15:04:05 02/01/2006"), c.PublicURL, code)
	})
}

// terminal reports whether colours can be set.
func terminal() bool {
	info, err := os.Stdout.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
