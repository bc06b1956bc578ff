package app

import (
	"context"
	"maps"
	"slices"

	"aovuon/server/project"
)

// samplesShown bounds the refused messages on the system page.
const samplesShown = 50

// system gathers what the server knows of itself.
func (s *running) system(ctx context.Context) (System, error) {
	out := System{Started: s.started, Version: version()}
	var err error
	if out.LogEnd, err = s.db.LogEnd(ctx); err != nil {
		return out, err
	}
	undated, err := s.db.Undated(ctx)
	if err != nil {
		return out, err
	}
	processes := s.all(ctx)
	if out.Projections, err = s.projected(ctx, processes, out.LogEnd); err != nil {
		return out, err
	}
	out.Projections[0].Undated = undated
	if live := s.liveRunner.Load(); live != nil {
		out.Projections = append(out.Projections, projectionState("live", live, out.LogEnd))
	}
	for _, p := range processes {
		if p.Trouble != "" && !p.Silent {
			out.Projections = append(out.Projections, ProjectionState{Name: "ingest", Position: out.LogEnd, Err: p.Trouble})
		}
		if p.Backup != nil && !p.Silent {
			out.Backup = p.Backup
		}
		if p.Rollups != nil && !p.Silent {
			out.Rollups = p.Rollups
		}
		if s.peers != nil {
			out.Processes = append(out.Processes, ProcessState{
				Name: p.Name, Roles: p.Roles, Leads: p.Leads, Started: p.Started, Seen: p.Seen, Silent: p.Silent, Own: p.own, Trouble: p.Trouble, Version: p.Version,
			})
		}
	}
	if s.intakes != nil {
		for _, name := range slices.Sorted(maps.Keys(s.intakes.sources)) {
			if t := s.intakes.sources[name].Trouble(); t != "" {
				out.Projections = append(out.Projections, ProjectionState{Name: name, Position: out.LogEnd, Err: t})
			}
		}
	}
	if out.Unkept, out.UnkeptLast, err = s.db.RefusedPoints(ctx, samplesShown); err != nil {
		return out, err
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
			ID: g.Gateway, State: g.State.State, StateTime: g.State.Time, Seen: g.Seen, Enrolled: g.Enrolled, Retired: g.Retired, Kind: g.Kind,
			Epoch: g.Epoch, Seq: g.Seq, Clock: s.liveProjection.Clock(g.Gateway), Refused: refused[g.Gateway],
			Wanted: wanted[g.Gateway], Report: reports[g.Gateway],
		})
	}
	out.Broker = s.brokerState()
	return out, nil
}

func projectionState(name string, r *project.Runner, end int64) ProjectionState {
	position, trouble := r.Status()
	return ProjectionState{Name: name, Position: position, Behind: max(0, end-position), Err: trouble}
}
