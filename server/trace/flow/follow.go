package flow

import (
	"context"
	"fmt"
	"strings"

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
		var found map[trace.Ref]string
		err := d.store.Look(ctx, func(ctx context.Context, s Shelf) (err error) {
			found, err = doubtful(ctx, s)
			return err
		})
		if err != nil || len(found) == 0 {
			return held, wrap("lots that follow others", err)
		}
		for _, ref := range sortedRefs(found) {
			order := trace.Goods{Kind: trace.Hold, Step: trace.StepUpstream, Reason: found[ref], In: []trace.Part{{Ref: ref}}}
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

// doubtful returns the lots that may be sold as they stand though some that they are made of may not, with the codes of those.
func doubtful(ctx context.Context, s Shelf) (map[trace.Ref]string, error) {
	suspects, err := s.Suspects(ctx)
	if err != nil {
		return nil, err
	}
	out := map[trace.Ref]string{}
	for _, ref := range suspects {
		bad, err := doubts(ctx, s, ref)
		if err != nil {
			return nil, err
		}
		var codes []string
		for _, l := range bad {
			link, _ := l.Ref.Link()
			codes = append(codes, link.Lot)
		}
		if len(codes) > 0 {
			out[ref] = strings.Join(codes[:min(len(codes), 10)], ", ")
		}
	}
	return out, nil
}
