package audit

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"aovuon/server/ledger"
)

// compareRows compares what the server's tables say with the newest leaf about it, both ways.
func (a *auditor) compareRows(ctx context.Context) error {
	rows, err := a.src.Rows(ctx)
	if err != nil {
		return fmt.Errorf("audit: rows: %w", err)
	}
	a.report.Rows = len(rows)
	there := map[key]bool{}
	for _, r := range rows {
		k := key{r.Kind, r.Subject}
		there[k] = true
		where := fmt.Sprintf("row %s %s", r.Kind, r.Subject)
		n, ok := a.tree.newest[k]
		if !ok {
			a.report.find(where, "the ledger does not speak of it")
			continue
		}
		body, ok := a.tree.bodies[n]
		if !ok {
			a.report.note("%s: the body of leaf %d was erased, or is not what was recorded", where, n)
			continue
		}
		if !sameJSON(r.Body, body) {
			a.report.find(where, "says otherwise than leaf %d", n)
		}
	}
	for k, n := range a.tree.newest {
		if kept(k.kind) && !there[k] && !a.undone(k, n) {
			a.report.find(fmt.Sprintf("row %s %s", k.kind, k.subject), "is gone; leaf %d speaks of it", n)
		}
	}
	return nil
}

// undone reports whether leaf n, a retirement, was followed by a new key.
func (a *auditor) undone(k key, n int64) bool {
	again, ok := a.tree.newest[key{ledger.GatewayRekeyed, k.subject}]
	return k.kind == ledger.GatewayRetired && ok && again > n
}

// kept reports whether something of this kind stays in the tables for ever.
func kept(k ledger.Kind) bool {
	switch k {
	case ledger.FarmSaved, ledger.ProductSaved, ledger.LotSaved, ledger.CertificateSaved, ledger.GatewayEnrolled, ledger.GatewayRekeyed, ledger.GatewayRetired,
		ledger.LabelsPrinted:
		return true
	case ledger.LotSealed, ledger.ChainHeads, ledger.LedgerKey, ledger.AccountChanged, ledger.RecordSaved, ledger.EntryKept, ledger.Changed,
		ledger.GoodsMoved, ledger.LabelsIssued, ledger.LotReleased, ledger.LotsRecalled:
	}
	return false
}

// sameJSON reports whether two texts say the same: no list is an empty list, and times are instants to the millisecond, which is what tables
// keep of them.
func sameJSON(a, b []byte) bool {
	var x, y any
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
		return false
	}
	return same(x, y)
}

func same(a, b any) bool {
	switch x := a.(type) {
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for k, v := range x {
			w, ok := y[k]
			if !ok || !same(v, w) {
				return false
			}
		}
		return true
	case []any:
		y, ok := b.([]any)
		if !ok || len(x) != len(y) {
			return len(x) == 0 && b == nil
		}
		for i := range x {
			if !same(x[i], y[i]) {
				return false
			}
		}
		return true
	case string:
		y, ok := b.(string)
		if !ok || x == y {
			return ok
		}
		s, errS := time.Parse(time.RFC3339Nano, x)
		t, errT := time.Parse(time.RFC3339Nano, y)
		return errS == nil && errT == nil && s.Truncate(time.Millisecond).Equal(t.Truncate(time.Millisecond))
	case nil:
		y, ok := b.([]any)
		return b == nil || ok && len(y) == 0
	}
	return a == b
}
