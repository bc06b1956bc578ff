package app

import (
	"cmp"
	"context"
	"slices"
	"time"

	"aovuon/server/project"
)

// ownReport is what this process says of itself.
func (s *running) ownReport(context.Context) report {
	r := report{Version: version(), Leads: s.leads.list(), Trouble: s.trouble(), Stuck: s.stuckHere()}
	for lease, runner := range map[string]*project.Runner{leaseHistory: s.historyRunner.Load(), leaseCalibrations: s.calibrations, leaseSettings: s.settingsRunner} {
		if s.leads.leading(lease) {
			position, trouble := runner.Status()
			r.Projections = append(r.Projections, ProjectionState{Name: lease, Position: position, Err: trouble})
		}
	}
	if s.alarms != nil && s.leads.leading(leaseAlarms) {
		r.Looked = s.alarms.looked()
	}
	if s.broker != nil {
		state := s.broker.state()
		r.Broker = &state
	}
	if k := s.keeper.Load(); k != nil && s.leads.leading(leaseHistory) {
		state := k.State()
		r.Rollups = &state
	}
	if s.nightly != nil && s.leads.leading(leaseBackup) {
		state := s.nightly.State()
		r.Backup = &state
	}
	return r
}

// trouble says why this process cannot record, as far as it should; empty while it can.
func (s *running) trouble() string {
	if s.ingest != nil {
		return cmp.Or(s.ingest.Trouble(), s.disk.Trouble())
	}
	return s.disk.Trouble()
}

// stuckHere says since when this process cannot record; zero while it can.
func (s *running) stuckHere() (since time.Time) {
	if s.ingest == nil {
		return since
	}
	since = s.ingest.Stuck()
	if t := s.disk.trouble.Load(); t != nil && (since.IsZero() || t.since.Before(since)) {
		since = t.since
	}
	return since
}

// stuck says since when nothing can be recorded by one that should, as far as that is known; zero while all can.
func (s *running) stuck() (since time.Time) {
	since = s.stuckHere()
	for _, p := range s.others() {
		if !p.Silent && !p.Stuck.IsZero() && (since.IsZero() || p.Stuck.Before(since)) {
			since = p.Stuck
		}
	}
	return since
}

// looked is when alarms were last judged and kept, by whoever does; zero: not since it began.
func (s *running) looked() (at time.Time) {
	if s.leads.leading(leaseAlarms) {
		at = s.alarms.looked()
	}
	for _, p := range s.others() {
		if p.Looked.After(at) {
			at = p.Looked
		}
	}
	return at
}

// brokerState is that of this process, or of one that takes batches.
func (s *running) brokerState() BrokerState {
	if s.broker != nil {
		return s.broker.state()
	}
	for _, p := range s.others() {
		if !p.Silent && p.Broker != nil {
			return *p.Broker
		}
	}
	if o := s.config.Broker.Outside; o != nil {
		return BrokerState{Kind: "outside", Address: o.URL}
	}
	return BrokerState{Kind: "embedded", Address: s.config.Broker.Embedded.Listen}
}

// projected is how far what is drawn of the log for all is, by whoever draws it.
func (s *running) projected(ctx context.Context, list []peer, end int64) ([]ProjectionState, error) {
	var out []ProjectionState
	for _, name := range []string{leaseHistory, leaseCalibrations, leaseSettings} {
		p, ok := reported(list, name)
		if !ok {
			at, err := s.cursor(ctx, name)
			if err != nil {
				return nil, err
			}
			p = ProjectionState{Name: name, Position: at, Err: "no process does this now"}
		}
		p.Behind = max(0, end-p.Position)
		out = append(out, p)
	}
	return out, nil
}

// cursor is how far a projection is that no process reports.
func (s *running) cursor(ctx context.Context, name string) (int64, error) {
	if name == leaseHistory { // of the generation in use
		return s.db.Drawn(ctx)
	}
	return s.db.Cursor(ctx, name)
}

func reported(list []peer, name string) (ProjectionState, bool) {
	for _, p := range list {
		i := slices.IndexFunc(p.Projections, func(x ProjectionState) bool { return x.Name == name })
		if i >= 0 && !p.Silent {
			return p.Projections[i], true
		}
	}
	return ProjectionState{}, false
}
