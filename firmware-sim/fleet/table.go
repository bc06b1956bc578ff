package fleet

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"
)

// WriteTable prints a result for a person.
func (r *Result) WriteTable(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	var err error
	row := func(format string, args ...any) {
		if _, werr := fmt.Fprintf(t, format+"\n", args...); err == nil {
			err = werr
		}
	}
	b, l := &r.Batches, &r.Latency
	row("fleet\t%d gateways at %s, %.1f s of load, %.1f s until the last receipt", r.Plan.Gateways, r.Plan.Broker, r.Load, r.Drain)
	row("batches asked\t%d\t", b.Asked)
	row("  produced\t%d\tof %d readings each; %d carried from an earlier run", b.Produced, r.Plan.Readings, b.Carried)
	row("  published\t%d\t%d doubled by the link; %d acknowledged by the broker", b.Published, b.Repeated, b.PubAcked)
	row("  receipted\t%d\t%d without a receipt, %d later than %g s", b.Receipted, b.Waiting, b.Late, r.Plan.Late)
	row("  stored\t%s\tlost %s, twice %s", number(b.Stored), number(b.Lost), number(b.Twice))
	row("readings\t%d\tstored %s, in history %s, missing %s, extra %s", r.Readings.Produced, number(r.Readings.Stored),
		number(r.Readings.InHistory), number(r.Readings.Missing), number(r.Readings.Extra))
	for _, reason := range slices.Sorted(maps.Keys(b.Refused)) {
		if n := b.Refused[reason]; n != 0 {
			row("refused\t%d\t%s", n, reason)
		}
	}
	if r.Plan.Rate > 0 {
		row("batches/s\t%.1f\treceipted of %.1f asked; the fleet itself at most %.0f ms late", r.Rate.Receipted, r.Rate.Asked, r.Rate.Behind)
		row("receipt after, ms\tp50 %.1f\tp90 %.1f, p99 %.1f, p99.9 %.1f, max %.1f", l.P50, l.P90, l.P99, l.P999, l.Max)
	}
	if r.Backlog.Batches > 0 {
		took := "not all receipted"
		if r.Backlog.Seconds != nil {
			took = fmt.Sprintf("receipted after %.1f s", *r.Backlog.Seconds)
		}
		row("backlog\t%d\t%s", r.Backlog.Batches, took)
	}
	k := &r.Links
	row("links\t%d sessions\t%d churned, %d dropped, %d receipts withheld, %d publishes overtaken, sent again %d times, %d new epochs",
		k.Sessions, k.Churned, k.Dropped, k.Withheld, k.Reordered, k.Rewinds, k.NewEpochs)
	if ferr := t.Flush(); err == nil {
		err = ferr
	}
	return err
}

// number prints what nobody was asked as a dash.
func number(n *int64) string {
	if n == nil {
		return "–"
	}
	return fmt.Sprint(*n)
}
