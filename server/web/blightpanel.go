package web

import (
	"context"

	"aovuon/server/account"
	"aovuon/server/watch/blight"
	"aovuon/server/watch/outbreak"
	"aovuon/server/watch/rule"
)

// cropNotes is what the rules of late blight and of spreading disease decided about a place, for its page.
type cropNotes struct{ Notes []cropNote }

// cropNote is one decision, with the way to the page that says all of it.
type cropNote struct {
	Topic, Href string
	Level       level
	Word        string
	Why, Do     []string
}

// cropPanel shows them to those who read the diary, which their reasons come from. What is calm is left out, but for late blight.
func (s *Server) cropPanel(ctx context.Context, w *words, at placeAt) (any, error) {
	if s.o.Board == nil || s.o.Book == nil || !s.may(ctx, account.ReadBook) {
		return nil, nil //nolint:nilnil // a panel that has nothing to say
	}
	hrefs := map[string]string{outbreak.Topic: "/pests"}
	if s.o.Blight != nil {
		hrefs[blight.Topic] = "/blight#b-" + at.Place.Code
	}
	var v cropNotes
	for _, d := range s.decisions(ctx, at.Place.Code, at.Now) {
		href, mine := hrefs[d.Topic]
		if !mine || d.Verdict == rule.Calm && d.Topic != blight.Topic {
			continue
		}
		v.Notes = append(v.Notes, cropNote{
			Topic: w.topic(d.Topic), Href: href, Level: verdictLevel(d.Verdict), Word: w.t("note.verdict." + string(d.Verdict)), Why: w.reasons("why", d.Why, at.Now), Do: w.reasons("do", d.Do, at.Now),
		})
	}
	if len(v.Notes) == 0 {
		return nil, nil //nolint:nilnil // the same
	}
	return v, nil
}
