package fleet

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Result is what came of a run. FORMAT.md describes its JSON; null is what nobody was asked.
type Result struct {
	Version int       `json:"fleet"` // of this form: 1
	Began   time.Time `json:"began"`
	Load    float64   `json:"load_seconds"`
	Drain   float64   `json:"drain_seconds"`
	Cut     bool      `json:"cut"` // stopped before its end

	Plan     PlanResult    `json:"plan"`
	Batches  BatchResult   `json:"batches"`
	Readings ReadingResult `json:"readings"`
	Rate     RateResult    `json:"rate"`
	Latency  Latency       `json:"latency_ms"`
	Backlog  BacklogResult `json:"backlog"`
	Links    LinkResult    `json:"links"`
	Failures []string      `json:"failures"`
}

// PlanResult repeats what was asked.
type PlanResult struct {
	Gateways int     `json:"gateways"`
	Broker   string  `json:"broker"`
	Rate     float64 `json:"rate"`
	Readings int     `json:"readings"`
	Backlog  int     `json:"backlog"`
	Ramp     float64 `json:"ramp_seconds"`
	Churn    float64 `json:"churn_per_minute"`
	Faults   Faults  `json:"link"`
	Seed     uint64  `json:"seed"`
	Late     float64 `json:"late_seconds"`
}

// BatchResult counts batches.
type BatchResult struct {
	Asked     int64            `json:"asked"`     // whose time came, and the backlog
	Produced  int64            `json:"produced"`  // signed in this run
	Carried   int64            `json:"carried"`   // signed in an earlier run that ended without their receipt
	Published int64            `json:"published"` // PUBLISH packets, those of sending again included
	Repeated  int64            `json:"repeated"`  // PUBLISH packets doubled by the link
	PubAcked  int64            `json:"pubacked"`  // PUBLISH packets that the broker acknowledged
	Receipted int64            `json:"receipted"` // covered by a receipt of the server's key, for the first time
	Waiting   int64            `json:"waiting"`   // produced, or carried, without a receipt at the end
	Late      int64            `json:"late"`      // live ones whose receipt took longer than plan.late_seconds
	Stored    *int64           `json:"stored"`    // in the server's log, and not before
	Lost      *int64           `json:"lost"`      // receipted, or followed by a stored one, and not in the log
	Twice     *int64           `json:"twice"`     // more than once in the log
	Foreign   *int64           `json:"foreign"`   // in the log under numbers the fleet never used
	Refused   map[string]int64 `json:"refused"`   // messages of the fleet in the server's quarantine, by reason
}

// ReadingResult counts readings.
type ReadingResult struct {
	Produced  int64  `json:"produced"`
	Stored    *int64 `json:"stored"`     // in the stored batches
	InHistory *int64 `json:"in_history"` // points of the fleet's gateways, and not before
	Missing   *int64 `json:"missing"`    // stored and not in the history
	Extra     *int64 `json:"extra"`      // in the history, and no stored batch explains them
}

// RateResult compares live batches a second.
type RateResult struct {
	Asked     float64 `json:"asked"`
	Receipted float64 `json:"receipted"` // until the load ended
	Behind    float64 `json:"behind_ms"` // how much the fleet itself was late at worst
	Kept      bool    `json:"kept"`
}

// BacklogResult says when the last batch of the backlog was receipted, from the beginning of the load; null: not yet, or none.
type BacklogResult struct {
	Batches int64    `json:"batches"`
	Seconds *float64 `json:"seconds"`
}

// LinkResult counts what happened on the way.
type LinkResult struct {
	Sessions  uint64 `json:"sessions"`
	Churned   int64  `json:"churned"`   // goodbyes and comings back
	Dropped   int64  `json:"dropped"`   // connections cut
	Withheld  int64  `json:"withheld"`  // receipts that were not let through
	Reordered int64  `json:"reordered"` // publishes that were overtaken
	Rewinds   uint64 `json:"rewinds"`   // times a gateway sent again what had no receipt
	Silences  uint64 `json:"silences"`  // connections given up because no receipt came
	Forged    uint64 `json:"forged"`    // receipts that were refused
	Stale     uint64 `json:"stale"`     // receipts of another epoch
	NewEpochs int64  `json:"new_epochs"`
}

// Progress is how far a run is.
type Progress struct {
	Since     time.Duration // the load began; 0 while the gateways connect
	Connected int
	Asked     int64 // live batches and backlog
	Produced  int64
	Published int64
	Receipted int64
	Live      int64 // of the receipted
	Late      int64
	P50, P99  float64 // ms
}

func (r *run) progress() Progress {
	l := r.tally.latency()
	p := Progress{
		Asked: r.tally.asked.Load() + r.tally.backlog.Load(), Produced: r.tally.made.Load(),
		Published: r.tally.published.Load(), Receipted: r.tally.receipts.Load(), Live: r.tally.liveReceipts.Load(),
		Late: r.tally.lates.Load(), P50: l.P50, P99: l.P99,
	}
	if began := r.began.Load(); began != nil {
		p.Since = r.plan.Now().Sub(*began)
	}
	for _, g := range r.gateways {
		if g.connected() {
			p.Connected++
		}
	}
	return p
}

// result gathers everything.
func (r *run) result() Result {
	t := r.tally
	began, loaded := r.connected, r.connected
	if b := r.began.Load(); b != nil {
		began, loaded = *b, r.loaded
	}
	out := Result{
		Version: 1, Began: began.UTC().Truncate(time.Millisecond), Load: seconds(loaded.Sub(began)), Drain: seconds(r.drained.Sub(loaded)), Cut: r.cut,
		Plan: PlanResult{
			Gateways: len(r.gateways), Broker: r.plan.Broker, Rate: r.plan.Rate, Readings: r.plan.Readings, Backlog: r.plan.Backlog,
			Ramp: seconds(r.plan.Ramp), Churn: r.plan.Churn, Faults: r.plan.Faults, Seed: r.plan.Seed, Late: seconds(r.plan.Late),
		},
		Batches: BatchResult{
			Asked: t.asked.Load() + t.backlog.Load(), Produced: t.made.Load(), Published: t.published.Load(), Repeated: t.repeated.Load(),
			PubAcked: t.pubacked.Load(), Receipted: t.receipts.Load(), Late: t.lates.Load(),
		},
		Readings: ReadingResult{Produced: t.madeReadings.Load()},
		Latency:  t.latency(),
		Backlog:  BacklogResult{Batches: t.backlog.Load()},
		Links: LinkResult{
			Churned: t.churned.Load(), Dropped: t.dropped.Load(), Withheld: t.withheld.Load(), Reordered: t.reordered.Load(), NewEpochs: t.epochs.Load(),
		},
		Rate: RateResult{Asked: r.plan.Rate, Behind: float64(r.behind.Microseconds()) / 1000},
	}
	for _, g := range r.gateways {
		waiting, _ := g.left()
		out.Batches.Waiting += int64(waiting)
		c := g.up.Counters()
		out.Links.Sessions += c.Sessions
		out.Links.Rewinds += c.Rewinds
		out.Links.Silences += c.Silences
		out.Links.Forged += c.Forged
		out.Links.Stale += c.Stale
	}
	for i := range r.plan.Members {
		if s := r.plan.Members[i].Saved; s != nil {
			out.Batches.Carried += int64(len(s.Waiting))
		}
	}
	if done := t.backlogDone.Load(); done != nil {
		s := seconds(done.Sub(began))
		out.Backlog.Seconds = &s
	}
	r.rate(&out)
	out.Failures = r.failures(&out)
	return out
}

func seconds(d time.Duration) float64 { return float64(max(d, 0).Milliseconds()) / 1000 }

// What a rate may miss: one in a hundred of the batches that were due a second before the load's end, or earlier.
const (
	rateShare = 0.99
	rateGrace = time.Second
)

// rate says what came of the asked rate until the load ended.
func (r *run) rate(out *Result) {
	out.Rate.Kept = true
	if r.plan.Rate == 0 || out.Load == 0 {
		return
	}
	out.Rate.Receipted = float64(r.atLoadEnd.Live) / out.Load
	due := float64(r.tally.asked.Load()) - r.plan.Rate*min(rateGrace.Seconds(), out.Load/4)
	out.Rate.Kept = float64(r.atLoadEnd.Live) >= rateShare*due
}

// failures lists what the run has to answer for, and adds what the witness said to out.
func (r *run) failures(out *Result) []string {
	bad := []string{}
	say := func(n int64, format string, args ...any) {
		if n != 0 {
			bad = append(bad, fmt.Sprintf(format, append([]any{n}, args...)...))
		}
	}
	if r.unasked != nil {
		bad = append(bad, fmt.Sprintf("what was stored is unknown: %v", r.unasked))
	}
	if r.base != nil && r.end != nil {
		a := r.account()
		out.Batches.Stored, out.Batches.Lost, out.Batches.Twice, out.Batches.Foreign = &a.stored, &a.lost, &a.twice, &a.foreign
		out.Readings.Stored, out.Readings.InHistory, out.Readings.Missing, out.Readings.Extra = &a.expected, &a.points, &a.missing, &a.extra
		out.Batches.Refused = a.refused
		say(a.lost, "lost: %d batches are not in the server's log although it gave a receipt for them, or stored a later one")
		say(a.twice, "duplicated: %d batches are in the server's log more than once")
		say(a.foreign, "duplicated: %d numbers in the server's log were never used by the fleet")
		switch drawn := r.end.Drawn >= r.end.Log; {
		case drawn:
			say(a.missing, "lost: %d readings of stored batches are not in the history")
			say(a.extra, "duplicated: %d points in the history belong to no stored batch")
		case !r.cut:
			say(r.end.Log-r.end.Drawn, "the history is %d batches behind the log after %v", r.plan.Settle)
		}
		for _, reason := range slices.Sorted(maps.Keys(a.refused)) {
			say(a.refused[reason], "refused: %d messages are in the server's quarantine: %s", reason)
		}
	}
	if !r.cut {
		say(out.Batches.Waiting+max(out.Batches.Asked-out.Batches.Produced, 0), "%d batches had no receipt %v after the load ended", r.plan.Drain)
	}
	if !r.cut && !out.Rate.Kept {
		text := fmt.Sprintf("rate not kept: %.1f batches/s were receipted of %.1f asked", out.Rate.Receipted, out.Rate.Asked)
		if out.Rate.Behind > float64(rateGrace.Milliseconds()) {
			text += fmt.Sprintf("; the fleet itself was up to %.0f ms late: this machine is too slow for it", out.Rate.Behind)
		}
		bad = append(bad, text)
	}
	return bad
}

// tell reports progress once a second until ctx ends.
func (r *run) tell(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			r.plan.Progress(r.progress())
		}
	}
}
