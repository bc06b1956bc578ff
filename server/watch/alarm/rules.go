package alarm

import (
	"context"
	"time"

	"aovuon/server/watch/rule"
)

// RulesID is the Looker of what the slow rules decided.
const RulesID = "rules"

const (
	// rulesKeep is how long a rule must say that all is well: two of its looks.
	rulesKeep = 30 * time.Minute
	// rulesBlind is how long a rule may fail to look before that is an alarm.
	rulesBlind = time.Hour
)

// Rules makes alarms of the decisions on a Board: the rules persist by themselves, so what they warn of fires at once.
type Rules struct{ board *rule.Board }

// NewRules returns the Looker.
func NewRules(board *rule.Board) *Rules { return &Rules{board} }

// ID implements Looker.
func (*Rules) ID() string { return RulesID }

// Parts returns the parts that could look: each rule is one, so that an alarm of a rule that has not decided since the start stays.
func (r *Rules) Parts() []string {
	ids := r.board.Decided()
	for i := range ids {
		ids[i] = part(ids[i])
	}
	return ids
}

func part(rule string) string { return "rule " + rule }

// Look implements Looker. What a rule says nothing of since the start, or calls unknown, stays as it is.
func (r *Rules) Look(_ context.Context, now time.Time) ([]Finding, error) {
	var out []Finding
	for _, d := range r.board.Decisions("", now) {
		f := Finding{Key: Key{d.Place, d.Topic}, Looker: part(d.Rule), Keep: rulesKeep, Explain: func() rule.Decision { return d }}
		switch d.Verdict {
		case rule.Warn, rule.Crit:
			f.Sign, f.Level = Exceeded, d.Verdict
		case rule.Unknown:
			f.Sign = Hidden
		case rule.Calm, rule.Notice:
			f.Sign = Clear
		}
		out = append(out, f)
	}
	for _, b := range r.board.Blinds() {
		if now.Sub(b.Since) < rulesBlind {
			continue
		}
		f := blinded("watch_rules", b.Since, now)
		f.Level = rule.Warn
		out = append(out, f)
	}
	return out, nil
}
