package audit

import (
	"context"
	"errors"

	"aovuon/server/ledger"
)

// Options are what an audit needs beside its source.
type Options struct {
	Policy *ledger.Policy // which log is believed
	Old    []byte         // a checkpoint kept from before; nil: none
	Dir    string         // an empty folder to work in; needs as much room as the server's history
	// UntilFirst ends the audit at the first finding.
	UntilFirst bool
}

type auditor struct {
	src    Source
	policy *ledger.Policy
	old    []byte
	log    ledger.PolicyLog
	tree   *tree
	seals  []seal // whose evidence is still to be computed
	report Report
	closed bool // batches are not shown
	first  bool // the first finding is enough
}

// Run audits. An error says that the audit could not be done; what does not agree is in the report.
func Run(ctx context.Context, src Source, o Options) (r *Report, err error) {
	a := &auditor{src: src, policy: o.Policy, old: o.Old, first: o.UntilFirst}
	w := &workshop{dir: o.Dir}
	defer func() { err = errors.Join(err, w.close()) }()
	for _, step := range []func(context.Context) error{
		a.readTree, a.readBodies, a.compareRows, a.compareInside, a.compareEdges, a.checkReleases, a.newestSeals,
		func(ctx context.Context) error { return a.readBatches(ctx, w) },
		func(ctx context.Context) error { return a.checkSeals(ctx, w) },
	} {
		if err := step(ctx); err != nil {
			return nil, err
		}
		if a.enough() {
			break
		}
	}
	return &a.report, nil
}

// enough reports whether the audit may end here.
func (a *auditor) enough() bool { return a.first && !a.report.Sound() }
