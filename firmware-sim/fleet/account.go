package fleet

import (
	"context"
	"fmt"
	"time"
)

// How long one question to the server may take, and how much longer when the run was told to stop.
const (
	witnessPatience = 2 * time.Minute
	witnessGrace    = 15 * time.Second
)

// ask asks the witness once. Being told to stop does not end the question at once: its answer belongs to the result.
func (r *run) ask(user context.Context) (*Count, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(user), witnessPatience)
	defer cancel()
	defer context.AfterFunc(user, func() {
		if pause(ctx, witnessGrace) {
			cancel()
		}
	})()
	c, err := r.plan.Witness.Count(ctx)
	if err != nil {
		return nil, err
	}
	return &c, nil
}

// baseline is what the server has before the run, once its history is drawn up to the end of its log.
func (r *run) baseline(ctx context.Context) (err error) {
	if r.plan.Witness == nil {
		return nil
	}
	begin := r.plan.Now()
	for {
		if r.base, err = r.ask(ctx); err != nil {
			return err
		}
		if r.base.Drawn >= r.base.Log {
			return nil
		}
		if r.plan.Now().Sub(begin) > r.plan.Settle {
			return fmt.Errorf("fleet: before the run the server's history is drawn up to %d of %d, and that after %v: is the server running?",
				r.base.Drawn, r.base.Log, r.plan.Settle)
		}
		if !pause(ctx, time.Second) {
			return context.Cause(ctx)
		}
	}
}

// settle asks what the server has, until it is everything, for as long as the plan allows. A run that was cut off asks once.
func (r *run) settle(ctx context.Context) {
	if r.plan.Witness == nil {
		return
	}
	begin := r.plan.Now()
	for {
		if r.end, r.unasked = r.ask(ctx); r.unasked != nil {
			return
		}
		a := r.account()
		settled := a.missing == 0 && a.lost == 0 && r.end.Drawn >= r.end.Log
		if settled || ctx.Err() != nil || r.plan.Now().Sub(begin) > r.plan.Settle {
			return
		}
		pause(ctx, 500*time.Millisecond)
	}
}

// account is what the server has of this run against what the fleet knows.
type account struct {
	stored  int64 // batches in the log, and not before
	lost    int64 // receipted, or followed by a stored one, and not in the log
	twice   int64 // in the log more than once
	foreign int64 // in the log, numbered as the fleet never numbered any

	expected int64 // readings of the stored batches
	points   int64 // of the fleet in the history, and not before
	missing  int64 // readings of stored batches that are not in the history
	extra    int64 // points that no stored batch explains

	refused map[string]int64 // messages of the fleet's gateways, by reason
}

type chainKey struct{ gateway, epoch string }

func (c *Count) byChain() map[chainKey]ChainCount {
	m := make(map[chainKey]ChainCount, len(c.Chains))
	for _, one := range c.Chains {
		m[chainKey{one.Gateway, one.Epoch}] = one
	}
	return m
}

// account compares r.base and r.end with the chains.
func (r *run) account() account {
	chains := make(map[string][]epoch, len(r.gateways))
	for _, g := range r.gateways {
		chains[g.gateway] = g.epochs()
	}
	return compare(r.base, r.end, chains)
}

func compare(base, end *Count, chains map[string][]epoch) account {
	a := account{refused: map[string]int64{}}
	before, after := base.byChain(), end.byChain()
	for gateway, epochs := range chains {
		expected := int64(0)
		for i := range epochs {
			e := &epochs[i]
			k := chainKey{gateway, e.id}
			expected += a.chain(e, before[k], after[k], i == len(epochs)-1)
		}
		points := end.Points[gateway] - base.Points[gateway]
		a.expected += expected
		a.points += points
		a.missing += max(expected-points, 0)
		a.extra += max(points-expected, 0)
	}
	for _, c := range end.Refused {
		if _, ours := chains[c.Gateway]; ours {
			a.refused[c.Reason] += c.N
		}
	}
	for _, c := range base.Refused {
		if _, ours := chains[c.Gateway]; ours {
			a.refused[c.Reason] -= c.N
		}
	}
	return a
}

// chain adds one epoch and returns how many readings of it must have come into the history.
func (a *account) chain(e *epoch, before, after ChainCount, present bool) (readings int64) {
	rows, top := after.Batches, after.Seq
	a.stored += rows - before.Batches
	// The log is a chain: every number up to the highest, stored or promised, has to be there, and once.
	a.lost += max(int64(max(e.released, min(top, e.sealed)))-rows, 0)
	a.twice += max(rows-int64(top), 0)
	if top > e.sealed {
		a.foreign += int64(top - e.sealed)
	}
	upto := min(top, e.sealed)
	if !present { // what had no receipt was sealed again in the next epoch, with the same readings
		upto = min(upto, e.released)
	}
	return e.readings(before.Seq, upto)
}
