package app

import (
	"aovuon/server/watch/advice"
	"aovuon/server/watch/rule"
)

// advisers are the rules that tell people what to do at a pond today.
func (s *running) advisers() []rule.Rule {
	return advice.Rules(advice.Options{Farm: s.db, History: s.history, Diary: s.db, Calibrations: s.db})
}
