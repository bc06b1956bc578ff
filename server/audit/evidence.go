package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/farm"
	"aovuon/server/history/sqlite"
	"aovuon/server/ingest"
	"aovuon/server/ledger"
	"aovuon/server/project"
	"aovuon/server/sqldb"
	"aovuon/server/trace"
)

// instant writes when something was, by whatever clock there was.
func instant(i measure.Instant) string {
	if i.Wall.IsZero() {
		return fmt.Sprintf("%s after boot %s", i.Uptime, i.Boot)
	}
	return i.Wall.UTC().Format(time.RFC3339)
}

// workshop is a server's history made anew, in a folder of its own, from batches alone.
type workshop struct {
	dir     string
	db      *sqldb.DB
	history *sqlite.Store
	hist    *project.History
}

// open makes the empty history. The farm says where each probe hung, and so whose its readings are.
func (w *workshop) open(ctx context.Context, f *farm.Farm) (err error) {
	if w.db, err = sqldb.Open(ctx, sqldb.Config{Driver: sqldb.SQLite, DSN: filepath.Join(w.dir, "audit.db")}); err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	if w.history, err = sqlite.Open(ctx, filepath.Join(w.dir, "history.db")); err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	now := func() time.Time { return time.Unix(1<<30, 0) }
	if err := w.db.SaveFarm(ctx, f, ledger.By{Actor: ledger.Operator, At: now()}); err != nil {
		return fmt.Errorf("audit: farm: %w", err)
	}
	w.hist = project.NewHistory(w.history, project.NewPlaces(w.db, now), project.NewDater(w.db), w.db, slog.New(slog.DiscardHandler))
	return nil
}

func (w *workshop) close() error {
	var errs []error
	if w.history != nil {
		errs = append(errs, w.history.Close())
	}
	if w.db != nil {
		errs = append(errs, w.db.Close())
	}
	return errors.Join(errs...)
}

// take draws batches into the history.
func (w *workshop) take(ctx context.Context, list []sealed) error {
	records := make([]ingest.Record, 0, len(list))
	for _, s := range list {
		records = append(records, ingest.Record{Position: s.position, Batch: s.batch})
	}
	if err := w.hist.Apply(ctx, records); err != nil {
		return fmt.Errorf("audit: history: %w", err)
	}
	return nil
}

// checkSeals computes the evidence of the seals that are left: those made at the end of the log.
func (a *auditor) checkSeals(ctx context.Context, w *workshop) error {
	if w.db == nil && !a.closed { // the log holds no batch
		if err := w.open(ctx, a.newestFarm()); err != nil {
			return err
		}
	}
	for _, s := range a.seals {
		if err := a.checkSeal(ctx, w, s); err != nil {
			return err
		}
	}
	return nil
}

// checkSeal computes the evidence of a seal again, from the farm and the lot as they had been recorded before it.
func (a *auditor) checkSeal(ctx context.Context, w *workshop, s seal) error {
	where := fmt.Sprintf("seal of lot %s (leaf %d)", s.Lot, s.leaf)
	if a.closed {
		a.report.note("%s: not computed again without the batches", where)
		return nil
	}
	if subject := a.tree.leaves[s.leaf].Subject; s.Lot != subject {
		a.report.find(where, "stands under the name of lot %s", subject)
	}
	var lot trace.Lot
	var f farm.Farm
	if err := errors.Join(a.readBefore(s.leaf, ledger.LotSaved, s.Lot, &lot), a.readBefore(s.leaf, ledger.FarmSaved, "farm", &f)); err != nil {
		a.report.note("%s: not computed again: %v", where, err)
		return nil
	}
	f.Unsigned = a.report.Unsigned
	rows, err := trace.Weigh(ctx, &f, w.history, lot, s.Weighed)
	if err != nil {
		a.report.find(where, "cannot be computed again: %v", err)
		return nil
	}
	a.report.Seals++
	same, err := trace.SameEvidence(s.Evidence, rows)
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	if !same {
		a.report.find(where, "the batches come to other evidence%s", firstDifference(s.Evidence, rows))
	}
	return nil
}

// firstDifference says which figure of the evidence differs first.
func firstDifference(told, again []trace.Evidence) string {
	if len(told) != len(again) {
		return fmt.Sprintf(": %d quantities instead of %d", len(again), len(told))
	}
	for i := range told {
		x, y := told[i], again[i]
		switch {
		case x.Place != y.Place || x.Quantity != y.Quantity:
			return fmt.Sprintf(": %s at %s instead of %s at %s", y.Quantity, y.Place, x.Quantity, x.Place)
		case x.Unsigned != y.Unsigned:
			return fmt.Sprintf(": %s at %s has %d readings of devices that cannot sign, not %d", x.Quantity, x.Place, y.Unsigned, x.Unsigned)
		case x.N != y.N:
			return fmt.Sprintf(": %s at %s has %d readings, not %d", x.Quantity, x.Place, y.N, x.N)
		case x.Min != y.Min || x.Max != y.Max || x.Mean != y.Mean:
			return fmt.Sprintf(": %s at %s is %g to %g, mean %g, not %g to %g, mean %g", x.Quantity, x.Place, y.Min, y.Max, y.Mean, x.Min, x.Max, x.Mean)
		case x.Within != y.Within || x.Covered != y.Covered:
			return fmt.Sprintf(": %s at %s is %s of %s within limits, not %s of %s", x.Quantity, x.Place, y.Within, y.Covered, x.Within, x.Covered)
		}
	}
	return ""
}

var errNoBody = errors.New("a body it needs was erased, or is not what was recorded")

// read decodes the body of leaf n.
func (a *auditor) read(n int64, into any) error {
	body, ok := a.tree.bodies[n]
	if !ok {
		return errNoBody
	}
	return json.Unmarshal(body, into)
}

// readBefore decodes the newest body of a kind and subject that had been recorded when leaf n was.
func (a *auditor) readBefore(n int64, kind ledger.Kind, subject string, into any) error {
	for i := n - 1; i >= 0; i-- {
		if l := a.tree.leaves[i]; l.Kind == kind && l.Subject == subject {
			return a.read(i, into)
		}
	}
	return fmt.Errorf("no %s %s had been recorded before it", kind, subject)
}

// newestFarm is the farm that batches are drawn with.
func (a *auditor) newestFarm() *farm.Farm {
	var f farm.Farm
	n, ok := a.tree.newest[key{ledger.FarmSaved, "farm"}]
	if !ok || a.read(n, &f) != nil {
		return &farm.Farm{}
	}
	return &f
}
