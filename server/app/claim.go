package app

import (
	"context"
	"fmt"
	"os"
	"time"

	"aovuon/gateway/wire"
	"aovuon/server/label"
	"aovuon/server/sqldb"
)

// claimLife is how long a claim counts.
const claimLife = 10 * time.Minute

type gatewayClaimCmd struct {
	ID string `arg:"" optional:"" help:"Name of the gateway; one that was retired gets a new key. Without a name: any that is not enrolled yet."`
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
	_, vkey, err := c.loadKey()
	if err != nil {
		return err
	}
	code, err := wire.NewClaimCode()
	if err != nil {
		return err
	}
	a, err := c.authority(e.now())
	if err != nil {
		return err
	}
	listen := "localhost:1883" // of no account here: the certificate is what counts
	if em := c.Broker.Embedded; em != nil {
		listen = em.Listen
	}
	_, caPEM, err := c.gatewayBroker(listen, a)
	if err != nil {
		return err
	}
	now := e.now()
	return e.withDB(c, func(ctx context.Context, db *sqldb.DB) error {
		if err := db.AddClaim(ctx, sqldb.Claim{ID: code.ID(), Key: code.Key(), Gateway: cmd.ID, Made: now, Expires: now.Add(claimLife)}); err != nil {
			return err
		}
		text := wire.Claim{Code: code, Pin: wire.PinOf(vkey, caPEM), Server: c.PublicURL}.String()
		qr, err := label.NewText(text)
		if err != nil {
			return err
		}
		return e.printf("%s\n%s\n\ncode %s, once, until %s\nat the gateway:\n  gateway enrol --server %s %s\n",
			qr.Terminal(terminal()), text, code, now.Add(claimLife).Format("15:04:05"), c.PublicURL, code)
	})
}

// terminal reports whether colours can be set.
func terminal() bool {
	info, err := os.Stdout.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
