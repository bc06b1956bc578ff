package web

import (
	"context"
	"slices"

	"aovuon/server/watch/advice"
	"aovuon/server/watch/rule"
)

// adviceLine is what one rule advises at a place.
type adviceLine struct {
	Level   level
	Topic   string
	Do, Why []string
	Source  string
	// Unsigned says that devices which cannot sign measured it; empty where none did.
	Unsigned string
}

// advicePanel is what to do at a place today, the most urgent first.
func (s *Server) advicePanel(ctx context.Context, w *words, at placeAt) (any, error) {
	if s.o.Board == nil {
		return nil, nil
	}
	var out []adviceLine
	for _, d := range s.decisions(ctx, at.Place.Code, at.Now) {
		if slices.Contains(advice.Topics(), d.Topic) {
			l := adviceLine{dawnLevel(d.Verdict), w.topic(d.Topic), w.reasons("do", d.Do, at.Now), w.reasons("why", d.Why, at.Now), d.Source.In(w.lang), unsignedDecision(w, at.Farm, d, d.At, d.At)}
			if d.Verdict == rule.Calm {
				l.Source = ""
			}
			out = append(out, l)
		}
	}
	if len(out) == 0 {
		return nil, nil
	}
	return out, nil
}
