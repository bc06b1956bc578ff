package app

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"aovuon/server/label"
	"aovuon/server/trace"
)

// announce tells the person at the terminal where to look.
func announce(ctx context.Context, d deps, w io.Writer) error {
	base := strings.TrimSuffix(d.config.PublicURL, "/")
	if _, err := fmt.Fprintf(w, "\nAoVườn: %s\n", base); err != nil {
		return err
	}
	lots, err := d.db.Lots(ctx)
	lots = slices.DeleteFunc(lots, func(l trace.Lot) bool { return l.State != trace.Released && l.State != trace.Shipped })
	if err != nil || len(lots) == 0 {
		return err
	}
	// One that something was measured of, the latest harvest.
	lot := slices.MaxFunc(lots, func(a, b trace.Lot) int {
		return cmp.Or(cmp.Compare(min(1, len(a.Places)), min(1, len(b.Places))), b.Stocked.Compare(a.Stocked), a.Harvested.Compare(b.Harvested))
	})
	address, err := trace.Address(base, lot.Link())
	if err != nil {
		return err
	}
	code, err := label.New(address)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "\nLabel of lot %s:\n%s\n%s\n", lot.Code, code.Terminal(false), code.URL())
	return err
}
