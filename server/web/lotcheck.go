package web

import (
	"context"
	"errors"
	"slices"

	"aovuon/server/farm"
	"aovuon/server/trace"
	"aovuon/server/trace/flow"
)

// thinEvidence is the share of a lot's time below which its measurements are called thin before it is released.
const thinEvidence = 0.8

// releaseChecks are what somebody looks at before a lot is sold: nothing of it stops the release, which flow does where a rule says so.
func (s *Server) releaseChecks(ctx context.Context, a deedAsked, acc flow.Account) ([]deedCheck, error) {
	w := a.t.w
	var out []deedCheck
	add := func(lv level, text, href string) { out = append(out, deedCheck{lv, text, href}) }
	if acc.Over() || acc.InKG <= 0 {
		add(danger, w.t("lot.check.mass.bad", w.mass(acc.InKG), w.mass(acc.RemainingKG)), "")
	} else {
		add(fine, w.t("lot.check.mass", w.mass(acc.InKG), w.mass(acc.RemainingKG)), "")
	}
	if farm.Internal(a.lot.GTIN) {
		add(noted, w.t("lot.check.internal"), "/farm/product")
	}
	if len(a.lot.Places) == 0 {
		add(warned, w.t("lot.check.noplace"), "")
	}
	gates, err := s.gateChecks(ctx, a)
	if err != nil {
		return nil, err
	}
	out = append(out, gates...)
	d, err := s.o.Lots.Dossier(ctx, a.lot.Link())
	if errors.Is(err, trace.ErrUnknown) {
		return out, nil
	}
	if err != nil {
		return nil, err
	}
	for _, c := range d.Certificates {
		add(fine, w.t("lot.check.cert", c.Scheme, c.Standard, c.Number, w.date(c.LastDay())), "")
	}
	if len(d.Certificates) == 0 {
		add(noted, w.t("lot.check.nocert"), "/farm/certificate")
	}
	file, err := s.portalCheck(ctx, w, a.lot.Link())
	if err != nil {
		return nil, err
	}
	return slices.Concat(out, evidenceChecks(w, d), file), nil
}

// gateChecks are what the gates find where the lot grew that stands in the way of selling it, or warns.
func (s *Server) gateChecks(ctx context.Context, a deedAsked) (out []deedCheck, err error) {
	w := a.t.w
	if s.o.Gates == nil || a.lot.Cycle == "" {
		return nil, nil
	}
	for _, place := range a.lot.Places {
		v, err := s.verdict(ctx, place)
		if err != nil {
			return nil, err
		}
		for _, f := range v.Of(place) {
			if f.Cycle != "" && f.Cycle != a.lot.Cycle {
				continue
			}
			line := newRuleLine(w, f, s.o.Now())
			out = append(out, deedCheck{line.Level, line.Text, "/places/" + place})
		}
	}
	if !slices.ContainsFunc(out, func(c deedCheck) bool { return c.Level == danger || c.Level == warned }) {
		out = append(out, deedCheck{fine, w.t("lot.check.gates"), ""})
	}
	return out, nil
}

func evidenceChecks(w *words, d trace.Dossier) (out []deedCheck) {
	if len(d.Evidence) == 0 {
		return []deedCheck{{warned, w.t("lot.check.noevidence"), ""}}
	}
	for _, e := range d.Evidence {
		name := w.t("quantity." + string(e.Quantity))
		switch {
		case e.N == 0:
			out = append(out, deedCheck{warned, w.t("evidence.none", name), ""})
		case e.Share() < thinEvidence:
			out = append(out, deedCheck{warned, w.t("lot.check.thin", name, w.percent(e.Share())), ""})
		default:
			out = append(out, deedCheck{fine, w.t("lot.check.evidence", name, w.percent(e.Share())), ""})
		}
	}
	for _, e := range d.Evidence {
		if e.Unsigned > 0 {
			out = append(out, deedCheck{noted, w.t("lot.check.unsigned", w.t("quantity."+string(e.Quantity)), w.percent(float64(e.Unsigned)/float64(e.N))), ""})
		}
	}
	if d.Seal == nil {
		out = append(out, deedCheck{noted, w.t("lot.check.noseal"), ""})
	}
	return out
}
