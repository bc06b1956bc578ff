package project_test

import (
	"context"
	"testing"
	"time"

	"aovuon/gateway/measure"
	"aovuon/gateway/wire"
	"aovuon/server/farm"
	"aovuon/server/project"
	"aovuon/server/watch/alarm"
)

// acid is a farm of one pond whose pH may not sink below 6.5 for a second.
type acid struct{}

func (acid) FarmRevision(context.Context) (string, error) { return "1", nil }
func (acid) LimitVersions(context.Context) (map[string]int64, error) {
	return map[string]int64{}, nil
}

func (acid) Farm(context.Context) (*farm.Farm, error) {
	return &farm.Farm{
		Places: []farm.Place{{Code: "AO1", Kind: farm.Pond, Profile: "ao"}},
		Mounts: []farm.Mount{{Gateway: "gw-one", Sensor: "ao1-ph", Place: "AO1", Measures: []measure.Quantity{measure.PH}}},
		Limits: []farm.Limit{{Profile: "ao", Quantity: measure.PH, Level: farm.Warn, Value: 6.5, For: time.Second}},
	}, nil
}

// What an alarm of now may be decided on, and what not; the same whether it is read at the start or followed.
func TestWindows_OnlyWhatIsDatedAndOfNowRingsABell(t *testing.T) {
	mounted := []project.Mount{{Gateway: "gw-one", Sensor: "ao1-ph", Place: "AO1"}}
	for name, tc := range map[string]struct {
		mounts []project.Mount
		log    func(f *field)
		want   alarm.Sign
	}{
		"two low readings of the last minutes": {mounted, func(f *field) {
			f.append(measure.Synced, boot(1), minute(-2), nil)
			f.append(measure.Synced, boot(1), minute(-1), nil)
		}, alarm.Exceeded},
		"one alone": {mounted, func(f *field) { f.append(measure.Synced, boot(1), minute(-1), nil) }, alarm.Beyond},
		"dated ahead of their receipt": {mounted, func(f *field) {
			f.append(measure.Synced, boot(1), minute(6), nil)
			f.append(measure.Synced, boot(1), minute(7), nil)
		}, alarm.Hidden},
		"of nobody knows when": {mounted, func(f *field) {
			f.append(measure.Unsynced, boot(1), minute(1), nil)
			f.append(measure.Unsynced, boot(1), minute(2), nil)
		}, alarm.Hidden},
		"of a boot that was dated": {mounted, func(f *field) {
			f.append(measure.Synced, boot(1), minute(-3), &wire.Anchor{Uptime: 10 * time.Minute, Wall: minute(-2)})
			f.append(measure.Unsynced, boot(1), minute(11), nil)
		}, alarm.Exceeded},
		"of last week": {mounted, func(f *field) {
			f.append(measure.Synced, boot(1), noon.AddDate(0, 0, -7), nil)
			f.append(measure.Synced, boot(1), noon.AddDate(0, 0, -7).Add(time.Minute), nil)
		}, alarm.Hidden},
		"of a probe that nobody has placed": {nil, func(f *field) {
			f.append(measure.Synced, boot(1), minute(-2), nil)
			f.append(measure.Synced, boot(1), minute(-1), nil)
		}, alarm.Hidden},
	} {
		for _, way := range []string{"at the start", "followed"} {
			t.Run(name+" "+way, func(t *testing.T) {
				f := newField(t)
				f.mount(tc.mounts...)
				now := func() time.Time { return noon }
				windows, dater := alarm.NewWindows(time.Hour), project.NewDater(f.db)
				p := project.NewWindows(windows, project.NewPlaces(f, now), dater, now)
				if way == "at the start" {
					tc.log(f)
				}
				learn(t, f, dater)
				at, err := p.Warm(t.Context(), f.db)
				if err != nil || at != int64(f.seq) || p.Position() != at {
					t.Fatalf("warm to %d, %d, %v", at, p.Position(), err)
				}
				if way == "followed" {
					tc.log(f)
					learn(t, f, dater)
					records, err := f.db.After(t.Context(), at, 100, 0)
					if err != nil || p.Apply(t.Context(), records) != nil || p.Position() != int64(f.seq) {
						t.Fatalf("followed to %d of %d, %v", p.Position(), f.seq, err)
					}
				}
				windows.Behind(false)
				got, err := alarm.NewLimits(acid{}, windows).Look(t.Context(), noon)
				if err != nil {
					t.Fatal(err)
				}
				for _, x := range got {
					if x.Topic == string(measure.PH) && x.Sign != tc.want {
						t.Errorf("it shows %d, want %d", x.Sign, tc.want)
					}
				}
			})
		}
	}
}

// learn keeps the anchors of the log, as the projection of the history does.
func learn(t *testing.T, f *field, d *project.Dater) {
	t.Helper()
	records, err := f.db.After(t.Context(), 0, 100, 0)
	if err != nil {
		t.Fatal(err)
	}
	for i := range records {
		if _, err := d.Learn(t.Context(), &records[i]); err != nil {
			t.Fatal(err)
		}
	}
}

func TestLogPosition_IsWhereATimeOfReceiptBegins(t *testing.T) {
	f := newField(t)
	for i := range 9 {
		f.append(measure.Synced, boot(1), minute(i-20), nil) // all are received at noon
	}
	for at, want := range map[time.Time]int64{noon.Add(-time.Hour): 0, noon: 0, noon.Add(time.Millisecond): 9} {
		if got, err := f.db.LogPosition(t.Context(), at); err != nil || got != want {
			t.Errorf("before %v: %d, %v; want %d", at, got, err, want)
		}
	}
}
