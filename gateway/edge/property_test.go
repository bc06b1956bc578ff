package edge_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"aovuon/gateway/edge"
	"aovuon/gateway/measure"
)

// TestAerator_HoldsItsPromisesInAnyStory: the motor is never switched faster than allowed unless a person stops it; it is
// never off when oxygen was low, or unknown, for longer than the motor has to be spared; the relay always stands as
// commanded.
func TestAerator_HoldsItsPromisesInAnyStory(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		minRun := time.Duration(rapid.IntRange(0, 40).Draw(rt, "min run")) * time.Minute
		minRest := time.Duration(rapid.IntRange(0, 20).Draw(rt, "min rest")) * time.Minute
		stale := time.Duration(rapid.IntRange(1, 10).Draw(rt, "stale")) * time.Minute
		windows := rapid.SampledFrom([][]string{nil, {"22:00-06:00"}}).Draw(rt, "windows")
		cfg := config(func(a *edge.Aerator) {
			a.MinRun, a.MinRest, a.Stale, a.Always = &minRun, &minRest, stale, windows
		})
		p := newPond(t, cfg)
		last, since, long := p.engine.Status(p.now).Aerators[0].Command, p.now.Uptime-24*time.Hour, true
		begun, good, low := p.now.Uptime, time.Duration(-1), time.Duration(-1) // last good value; low since
		person := time.Duration(-1)
		for range rapid.IntRange(1, 80).Draw(rt, "steps") {
			switch rapid.IntRange(0, 9).Draw(rt, "what") {
			case 0:
				p.reading("ao1-do", measure.DissolvedOxygen, 0, measure.Fault)
			case 1:
				p.reading("ao1-do", measure.DissolvedOxygen, 9, rapid.SampledFrom([]measure.Quality{measure.Suspect, measure.OutOfRange}).Draw(rt, "quality"))
			case 2:
				m := rapid.SampledFrom([]edge.Mode{edge.On, edge.Off, edge.Auto}).Draw(rt, "mode")
				d := time.Duration(rapid.IntRange(1, 60).Draw(rt, "minutes")) * time.Minute
				if err := p.engine.SetOverride("ao1-quat", m, d, p.now); err != nil {
					rt.Fatal(err)
				}
				person = p.now.Uptime + d
				if m == edge.Auto {
					person = p.now.Uptime
				}
			case 3:
				p.start(cfg, p.engine.Saved(p.now))
				begun, good, low = p.now.Uptime, -1, -1
			case 4: // silence
			default:
				v := rapid.Float64Range(0, 9).Draw(rt, "oxygen")
				p.oxygen(v)
				good = p.now.Uptime
				if v < 4 && low < 0 {
					low = p.now.Uptime
				} else if v >= 4 {
					low = -1
				}
			}
			p.step()
			s := p.engine.Status(p.now).Aerators[0]
			if p.relay["ao1-quat"] != s.Command {
				rt.Fatalf("commanded %v, the relay is %v", s.Command, p.relay["ao1-quat"])
			}
			if s.Command != last {
				lasted := p.now.Uptime - since
				if s.Command && !long && lasted < minRest {
					rt.Fatalf("it started after a rest of %v", lasted)
				}
				if !s.Command && !long && lasted < minRun && s.Cause != edge.ByPerson {
					rt.Fatalf("it stopped after a run of %v: %s", lasted, s.Cause)
				}
				last, since, long = s.Command, p.now.Uptime, false
			}
			manual := p.now.Uptime < person
			spared := max(since+minRest, person+minRest)
			blind := p.now.Uptime-max(good, begun) >= stale
			if !s.Command && !manual && p.now.Uptime >= spared && (blind || low >= 0) {
				rt.Fatalf("off with oxygen unknown %v, low %v: %s", blind, low >= 0, s.Cause)
			}
			if blind && !manual && s.Command && s.Cause != edge.ByFailSafe && s.Cause != edge.ByWindow {
				rt.Fatalf("blind, and it runs because %s", s.Cause)
			}
			p.pass(time.Duration(rapid.IntRange(1, 900).Draw(rt, "seconds")) * time.Second)
		}
	})
}

// TestAlarm_OnlyTrustedValuesMoveIt: whatever else comes, the alarm stands as the values that count say.
func TestAlarm_OnlyTrustedValuesMoveIt(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		a := lowOxygen()
		a.For = new(time.Duration(0))
		p := alarmPond(t, a)
		want, known := false, false
		for range rapid.IntRange(1, 60).Draw(rt, "steps") {
			v := rapid.Float64Range(2, 5).Draw(rt, "oxygen")
			q := rapid.SampledFrom([]measure.Quality{measure.Good, measure.Uncalibrated, measure.Estimated, measure.Suspect, measure.OutOfRange, measure.Fault}).Draw(rt, "quality")
			p.reading("ao1-do", measure.DissolvedOxygen, v, q)
			if q <= measure.Estimated {
				known = true
				want = v < 3 || want && v < 3.5
			}
			p.step()
			if s := p.engine.Status(p.now).Alarms[0]; s.On != want || s.Known != known {
				rt.Fatalf("%g %s: %+v; want %v", v, q, s, want)
			}
			p.pass(time.Second)
		}
	})
}
