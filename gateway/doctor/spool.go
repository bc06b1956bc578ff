package doctor

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"time"

	"aovuon/gateway/measure"
)

// How long a batch may wait for its receipt before somebody should look, and before something is wrong.
const (
	waitLong    = time.Hour
	waitTooLong = 24 * time.Hour
)

// spool looks at what waits for the server: whether it can be read, how much it is, how old.
func (p *Patient) spool(ctx context.Context) []Finding {
	const check = "spool"
	if p.SpoolFile == "" || p.Inspect == nil {
		return nil
	}
	var out []Finding
	if aside, err := filepath.Glob(p.SpoolFile + ".corrupt-*"); err == nil && len(aside) > 0 {
		out = append(out, warn(check, "what could be read of it was sent and the rest declared lost; look at the card, then move the file away", "a damaged spool was set aside: %s", filepath.Base(aside[len(aside)-1])))
	}
	in, err := p.Inspect(ctx)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return append(out, ok(check, "none yet: no gateway ran here"))
	case err != nil:
		return append(out, bad(check, "restart the gateway: it sets a damaged spool aside, saves what can be read and declares the rest lost; then look at the card", "%v", err))
	}
	out = append(out, ok(check, "whole; %d readings and %d batches wait, %s", in.Pending, in.Sealed, size(in.Bytes)))
	return append(out, p.receipts(in.Oldest, in.Released))
}

// receipts judges by the oldest batch that waits: with a server that answers, that is one of the last minutes.
func (p *Patient) receipts(oldest []byte, released uint64) Finding {
	const check = "receipts"
	const mend = "see the findings of the server; on the server, the gateway's line under /system says what it last took"
	if len(oldest) == 0 {
		if released == 0 {
			return ok(check, "nothing was sent yet, nothing waits")
		}
		return ok(check, "the server has everything up to batch %d", released)
	}
	at, err := p.Oldest(oldest)
	if err != nil {
		return bad(check, "gateway renew --config "+p.ConfigFile+" seals what waits again", "the oldest batch cannot be read: %v", err)
	}
	if at.IsZero() || p.Now.Clock == measure.Unsynced {
		return warn(check, mend, "batches wait for a receipt, and the clock does not say how long")
	}
	waited := p.Now.Wall.Sub(at).Round(time.Minute)
	switch {
	case waited > waitTooLong:
		return bad(check, mend, "the oldest batch without a receipt is of %s UTC, %v ago", at.UTC().Format("2006-01-02 15:04"), waited)
	case waited > waitLong:
		return warn(check, mend, "the oldest batch without a receipt is %v old", waited)
	}
	return ok(check, "the server has everything but the last %v", waited)
}
