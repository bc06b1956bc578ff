package flow

import (
	"context"
	"fmt"
	"slices"

	"aovuon/server/account"
	"aovuon/server/ledger"
	"aovuon/server/trace"
)

// mostSteps is how often something is made of something that is made.
const mostSteps = 8

// Follow holds every lot that is released though what it is made of is not to be sold any more: held, recalled, or taken back. It is asked
// after the diary was judged, since a treatment that was written down late holds a lot long after it went on. Nothing is let go by it: that
// takes a person.
func (d *Desk) Follow(ctx context.Context) (held int, err error) {
	for range mostSteps {
		var found []trace.Ref
		err := d.store.Look(ctx, func(ctx context.Context, s Shelf) (err error) {
			found, err = doubtful(ctx, s)
			return err
		})
		if err != nil || len(found) == 0 {
			return held, wrap("lots that follow others", err)
		}
		for _, ref := range found {
			order := trace.Goods{Kind: trace.Hold, Step: trace.StepUpstream, Reason: string(trace.StepUpstream), In: []trace.Part{{Ref: ref}}}
			if _, err := d.Take(ctx, Who{Actor: ledger.Server, Role: account.Admin}, order); err != nil {
				return held, err
			}
			held++
		}
	}
	return held, nil
}

func wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("flow: %s: %w", what, err)
}

// doubtful returns the lots that may be sold as they stand though one that they are made of may not.
func doubtful(ctx context.Context, s Shelf) (out []trace.Ref, err error) {
	suspects, err := s.Suspects(ctx)
	if err != nil {
		return nil, err
	}
	for _, ref := range suspects {
		bad, err := doubts(ctx, s, ref)
		if err != nil {
			return nil, err
		}
		if len(bad) > 0 && !slices.Contains(out, ref) {
			out = append(out, ref)
		}
	}
	return out, nil
}
