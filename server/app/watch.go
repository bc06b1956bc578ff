package app

import (
	"time"

	"aovuon/server/watch/outbreak"
	"aovuon/server/watch/rule"
)

// ruleEvery is how often forecasts and advice are made anew. Limits of the water are watched every few seconds by themselves.
const ruleEvery = 15 * time.Minute

// watchers are the forecasts and the advice of this server.
func (s *running) watchers() []rule.Rule {
	return []rule.Rule{s.dawn, s.blight, s.soil, s.drying, outbreak.New(s.db, outbreak.Defaults())}
}
