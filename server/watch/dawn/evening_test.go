package dawn_test

import (
	"testing"
	"time"

	"aovuon/server/farm"
	"aovuon/server/privacy"
	"aovuon/server/watch/dawn"
)

const (
	pondLat, pondLon = 20.769, 106.238
	step             = 5 * time.Minute
)

func point(north, east float64) privacy.Point {
	p, err := privacy.NewPoint(north, east)
	if err != nil {
		panic(err)
	}
	return p
}

// tonight is the night of 1 July 2026.
func tonight() dawn.Night {
	return dawn.NightOf(time.Date(2026, 7, 1, 20, 0, 0, 0, farm.Time()), farm.Time(), point(pondLat, pondLon))
}

// falling is oxygen that falls by a rate from 8 mg/L at dusk, one sample every five minutes from 15:00 to the morning.
func falling(n dawn.Night, rate float64) (out []dawn.Sample) {
	for at := n.Dusk.Add(-3 * time.Hour); at.Before(n.Over()); at = at.Add(step) {
		out = append(out, dawn.Sample{At: at, Value: 8 - rate*at.Sub(n.Dusk).Hours()})
	}
	return out
}

func without(all []dawn.Sample, from, to time.Time) (out []dawn.Sample) {
	for _, s := range all {
		if s.At.Before(from) || s.At.After(to) {
			out = append(out, s)
		}
	}
	return out
}

func TestNightOf_BeginsAtNoonAndEndsAtNoon(t *testing.T) {
	zone := farm.Time()
	for at, day := range map[time.Time]string{
		time.Date(2026, 7, 1, 12, 0, 0, 0, zone): "2026-07-01", time.Date(2026, 7, 2, 11, 59, 0, 0, zone): "2026-07-01", time.Date(2026, 7, 2, 0, 0, 0, 0, zone): "2026-07-01",
		time.Date(2026, 7, 1, 11, 59, 0, 0, zone): "2026-06-30",
	} {
		n := dawn.NightOf(at.UTC(), zone, point(pondLat, pondLon))
		if n.Day != day || n.Dusk.In(zone).Format("2006-01-02") != day || n.Rise.Sub(n.Dusk) < 10*time.Hour || n.Rise.Sub(n.Dusk) > 14*time.Hour {
			t.Errorf("%v: night of %s, dusk %v, sunrise %v; want %s", at, n.Day, n.Dusk, n.Rise, day)
		}
	}
}

func TestJudge_SaysWhatIsMissing(t *testing.T) {
	n := tonight()
	begin := n.Begin()
	all := falling(n, 0.3)
	c := 28.0
	after := func(d time.Duration) time.Time { return begin.Add(d) }
	for name, x := range map[string]struct {
		now     time.Time
		oxygen  []dawn.Sample
		aerated []dawn.Span
		want    dawn.State
	}{
		"by day":                          {n.Dusk.Add(-time.Hour), all, nil, dawn.Day},
		"at dusk":                         {begin.Add(-time.Second), all, nil, dawn.Day},
		"after dawn":                      {n.Dawn().Add(time.Second), all, nil, dawn.Day},
		"a minute of night":               {after(time.Minute), all, nil, dawn.Early},
		"not quite two hours":             {after(2*time.Hour - time.Second), all, nil, dawn.Early},
		"two hours":                       {after(2 * time.Hour), all, nil, dawn.Ready},
		"until dawn":                      {n.Dawn(), all, nil, dawn.Ready},
		"nothing at all":                  {after(2 * time.Hour), nil, nil, dawn.Silent},
		"nothing for 40 minutes":          {after(3 * time.Hour), without(all, after(140*time.Minute), after(10*time.Hour)), nil, dawn.Silent},
		"seven samples":                   {after(2 * time.Hour), without(all, after(-time.Hour), after(87*time.Minute)), nil, dawn.Short},
		"eight samples of half an hour":   {after(2 * time.Hour), without(all, after(-time.Hour), after(80*time.Minute)), nil, dawn.Short},
		"a hole, and two hours around it": {after(2 * time.Hour), without(all, after(30*time.Minute), after(70*time.Minute)), nil, dawn.Ready},
		"the aerator runs":                {after(3 * time.Hour), all, []dawn.Span{{From: after(2 * time.Hour), To: after(4 * time.Hour)}}, dawn.Aerating},
		"it ran an hour ago":              {after(3 * time.Hour), all, []dawn.Span{{From: after(time.Hour), To: after(2 * time.Hour)}}, dawn.Aerating},
		"it ran two hours ago":            {after(4 * time.Hour), all, []dawn.Span{{From: after(time.Hour), To: after(2 * time.Hour)}}, dawn.Ready},
		"it ran in the afternoon":         {after(2 * time.Hour), all, []dawn.Span{{From: n.Dusk.Add(-3 * time.Hour), To: n.Dusk}}, dawn.Ready},
		"it will run":                     {after(2 * time.Hour), all, []dawn.Span{{From: after(5 * time.Hour), To: after(6 * time.Hour)}}, dawn.Ready},
	} {
		if got := n.Judge(dawn.Water{Oxygen: x.oxygen, Aerated: x.aerated, Celsius: &c}, x.now); got.State != x.want {
			t.Errorf("%s: %s with %d samples, want %s", name, got.State, got.Samples, x.want)
		}
	}
}

func TestJudge_TheSlopeIsThatOfTheLastThreeHoursWithoutTheAerator(t *testing.T) {
	n := tonight()
	c := 28.0
	now := n.Begin().Add(5 * time.Hour)
	var bent []dawn.Sample // 0.9 mg/L an hour until an hour after the night began, then 0.2
	for _, s := range falling(n, 0) {
		switch h := s.At.Sub(n.Begin()).Hours(); {
		case h < 1:
			s.Value -= 0.9 * h
		default:
			s.Value -= 0.9 + 0.2*(h-1)
		}
		bent = append(bent, s)
	}
	o := n.Judge(dawn.Water{Oxygen: bent, Celsius: &c}, now)
	if o.State != dawn.Ready || !near(o.Curve.Slope, -0.2, 1e-9) || !near(o.Curve.Now, 8-0.9-0.8, 1e-6) || !near(o.Curve.Mean, 8-0.9-0.2*2.5, 0.01) || o.Curve.K != dawn.UsualK {
		t.Errorf("%+v", o)
	}
	jumped := make([]dawn.Sample, 0, len(bent)) // the aerator lifted it by 3 mg/L, two and a half hours ago
	for _, s := range bent {
		if s.At.After(now.Add(-150 * time.Minute)) {
			s.Value += 3
		}
		jumped = append(jumped, s)
	}
	o = n.Judge(dawn.Water{Oxygen: jumped, Celsius: &c, Aerated: []dawn.Span{{From: now.Add(-170 * time.Minute), To: now.Add(-150 * time.Minute)}}}, now)
	if o.State != dawn.Ready || !near(o.Curve.Slope, -0.2, 1e-9) || !near(o.Curve.Now, 11-0.9-0.8, 1e-6) {
		t.Errorf("after an aerator: %+v", o)
	}
	if o = n.Judge(dawn.Water{Oxygen: bent}, now); o.State != dawn.Ready || o.Curve.Respired(n.Dawn()) != o.Curve.Linear(n.Dawn()) {
		t.Errorf("without a temperature: %+v", o)
	}
}

func TestLowest_IsNotKnownOfANightThatWasNotSeen(t *testing.T) {
	n := tonight()
	all := falling(n, 0.3)
	if low, ok := n.Lowest(all, n.Cast()); !ok || !low.At.After(n.Over().Add(-2*step)) {
		t.Errorf("%v %v", low, ok)
	}
	for name, x := range map[string]struct {
		oxygen []dawn.Sample
		ok     bool
	}{
		"a hole at midnight":            {without(all, n.Rise.Add(-5*time.Hour), n.Rise.Add(-3*time.Hour)), true},
		"a hole at sunrise":             {without(all, n.Rise.Add(-50*time.Minute), n.Rise.Add(30*time.Minute)), false},
		"a short hole at sunrise":       {without(all, n.Rise.Add(-20*time.Minute), n.Rise.Add(20*time.Minute)), true},
		"nothing from midnight on":      {without(all, n.Rise.Add(-5*time.Hour), n.Over()), false},
		"it ends an hour before it may": {without(all, n.Rise.Add(50*time.Minute), n.Over()), false},
		"nothing":                       {nil, false},
	} {
		if low, ok := n.Lowest(x.oxygen, n.Cast()); ok != x.ok {
			t.Errorf("%s: %v, %v", name, low, ok)
		}
	}
}

func TestThin_IsTheMedianOfFiveMinutes(t *testing.T) {
	from := time.Date(2026, 7, 1, 20, 0, 0, 0, time.UTC)
	var raw []dawn.Sample
	for i := range 10 {
		raw = append(raw, dawn.Sample{At: from.Add(time.Duration(i) * time.Minute), Value: float64(i)})
	}
	raw[3].Value = 400
	got := dawn.Thin(raw)
	if len(got) != 2 || got[0].Value != 2 || !got[0].At.Equal(from.Add(4*time.Minute)) || got[1].Value != 7 {
		t.Errorf("%v", got)
	}
}
