package app

import (
	"cmp"
	"context"
	"runtime/debug"
	"time"

	"aovuon/server/project"
)

// samplesShown bounds the refused messages on the system page.
const samplesShown = 50

// system gathers what the server knows of itself.
func (s *running) system(ctx context.Context) (System, error) {
	out := System{Started: s.started, Version: version()}
	if s.nightly != nil {
		state := s.nightly.State()
		out.Backup = &state
	}
	var err error
	if out.LogEnd, err = s.db.LogEnd(ctx); err != nil {
		return out, err
	}
	undated, err := s.db.Undated(ctx)
	if err != nil {
		return out, err
	}
	h := projectionState("history", s.historyRunner, out.LogEnd)
	h.Undated = undated
	out.Projections = []ProjectionState{
		h, projectionState(project.CalibrationsName, s.calibrations, out.LogEnd), projectionState(project.SettingsName, s.settingsRunner, out.LogEnd),
	}
	if live := s.liveRunner.Load(); live != nil {
		out.Projections = append(out.Projections, projectionState("live", live, out.LogEnd))
	}
	if t := cmp.Or(s.ingest.Trouble(), s.disk.Trouble()); t != "" {
		out.Projections = append(out.Projections, ProjectionState{Name: "ingest", Position: out.LogEnd, Err: t})
	}
	counts, err := s.db.Refusals(ctx)
	if err != nil {
		return out, err
	}
	refused := map[string]int64{}
	for _, c := range counts {
		refused[c.Gateway] += c.N
		out.Refusals = append(out.Refusals, Refusals{Gateway: c.Gateway, Reason: string(c.Reason), Count: c.N, First: c.First, Last: c.Last})
	}
	samples, err := s.db.Samples(ctx, samplesShown)
	if err != nil {
		return out, err
	}
	for _, r := range samples {
		out.Samples = append(out.Samples, Sample{
			Gateway: r.Gateway, Reason: string(r.Reason), Detail: r.Detail, Received: r.Received, Size: r.Size, Bytes: r.Sample,
		})
	}
	standings, err := s.db.Standings(ctx)
	if err != nil {
		return out, err
	}
	wanted, reports, err := s.db.AllSettings(ctx)
	if err != nil {
		return out, err
	}
	for _, g := range standings {
		out.Gateways = append(out.Gateways, GatewayState{
			ID: g.Gateway, State: g.State.State, StateTime: g.State.Time, Seen: g.Seen, Enrolled: g.Enrolled, Retired: g.Retired,
			Epoch: g.Epoch, Seq: g.Seq, Clock: s.liveProjection.Clock(g.Gateway), Refused: refused[g.Gateway],
			Wanted: wanted[g.Gateway], Report: reports[g.Gateway],
		})
	}
	out.Broker = s.broker.state()
	return out, nil
}

func projectionState(name string, r *project.Runner, end int64) ProjectionState {
	position, trouble := r.Status()
	return ProjectionState{Name: name, Position: position, Behind: max(0, end-position), Err: trouble}
}

// version is the commit the program was built from, as far as the build knows.
func version() string {
	b, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	var revision, at string
	for _, s := range b.Settings {
		switch s.Key {
		case "vcs.revision":
			revision = s.Value[:min(12, len(s.Value))]
		case "vcs.time":
			if t, err := time.Parse(time.RFC3339, s.Value); err == nil {
				at = t.Format(" 2006-01-02")
			}
		}
	}
	return revision + at
}
