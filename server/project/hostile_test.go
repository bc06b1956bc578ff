package project_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"aovuon/gateway/measure"
	"aovuon/gateway/wire"
	"aovuon/server/ingest"
	"aovuon/server/project"
	"aovuon/server/watch"
)

// TestLive_ClockThatWasAheadOnceDoesNotFreezeTheValue: a reading of the year 2040 must not stand until 2040, neither over
// later chunks nor within its own.
func TestLive_ClockThatWasAheadOnceDoesNotFreezeTheValue(t *testing.T) {
	for name, chunk := range map[string]int{"chunk by chunk": 1, "in one chunk": 10} {
		t.Run(name, func(t *testing.T) {
			f := newField(t)
			f.append(measure.Synced, boot(1), minute(-3), nil)
			f.append(measure.Synced, boot(1), noon.AddDate(14, 0, 0), nil)
			f.append(measure.Synced, boot(1), minute(-1), nil)
			f.append(measure.Synced, boot(1), minute(-2), nil)
			live := watch.NewLive()
			p := project.NewLive(live, project.NewPlaces(f, time.Now), project.NewDater(f.db))
			for at := int64(0); ; {
				records, err := f.db.After(t.Context(), at, chunk, 0)
				if err != nil {
					t.Fatal(err)
				}
				if len(records) == 0 {
					break
				}
				if err := p.Apply(t.Context(), records); err != nil {
					t.Fatal(err)
				}
				at = records[len(records)-1].Position
			}
			if got := live.Snapshot(); len(got) != 1 || !got[0].Time.Equal(minute(-1)) {
				t.Errorf("live %+v", got)
			}
		})
	}
}

// TestLive_SaysWhatIsDatedAheadOfItsReceipt: a clock may be a little off; one that is further ahead makes the age unknown.
func TestLive_SaysWhatIsDatedAheadOfItsReceipt(t *testing.T) {
	for n, want := range map[int]bool{-60: false, 0: false, 5: false, 6: true, 60 * 24 * 365: true} {
		f := newField(t) // receives everything at noon
		f.append(measure.Synced, boot(1), minute(n), nil)
		live := watch.NewLive()
		if _, err := project.NewLive(live, project.NewPlaces(f, time.Now), project.NewDater(f.db)).Warm(t.Context(), f.db); err != nil {
			t.Fatal(err)
		}
		if got := live.Snapshot(); len(got) != 1 || got[0].Ahead != want || !got[0].Time.Equal(minute(n)) {
			t.Errorf("%d minutes after the receipt: %+v", n, got)
		}
	}
}

// TestHistory_RefusedPointsAreToldOncePerWrite: two thousand readings of the year 9999 neither stop the queue nor fill
// the log of the program.
func TestHistory_RefusedPointsAreToldOncePerWrite(t *testing.T) {
	f := newField(t)
	b := &wire.Batch{Gateway: "gw-one", Epoch: "00000000000000e1", Seq: 1, Clock: measure.Synced, Boot: boot(1)}
	for i := range wire.MaxRecords {
		b.Readings = append(b.Readings, measure.Reading{
			Sensor: fmt.Sprint("s", i), Quantity: measure.PH, Value: 7,
			Time: measure.Instant{Clock: measure.Synced, Boot: boot(1), Wall: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)},
		})
	}
	b.Readings[5].Sensor, b.Readings[5].Time.Wall = "ao1-ph", noon
	var log strings.Builder
	h := project.NewHistory(f.store, project.NewPlaces(f, time.Now), project.NewDater(f.db), f.db, slog.New(slog.NewTextHandler(&log, nil)))
	if err := h.Apply(t.Context(), []ingest.Record{{Position: 1, Received: noon, Batch: b}}); err != nil {
		t.Fatal(err)
	}
	f.want(project.Unplaced, 0)
	if n := strings.Count(log.String(), "\n"); n != 1 || !strings.Contains(log.String(), "points=1999") {
		t.Errorf("%d lines: %.300s", n, log.String())
	}
	if h.Written() != 1 {
		t.Errorf("%d written", h.Written())
	}
}

// gapSource is a log behind Recent that counts how often it is asked.
type gapSource struct{ asked int }

func (g *gapSource) After(context.Context, int64, int, int) ([]ingest.Record, error) {
	g.asked++
	return nil, nil
}

func (g *gapSource) LogEnd(context.Context) (int64, error) { return 0, nil }

// TestRecent_GapsCountLikeReadings: batches that hold nothing but gaps must not fill the memory.
func TestRecent_GapsCountLikeReadings(t *testing.T) {
	src := &gapSource{}
	r := project.NewRecent(src)
	b := &wire.Batch{Gateway: "gw-one", Gaps: make([]wire.Gap, 1000)}
	for i := range int64(1000) {
		r.Add([]ingest.Record{{Position: i + 1, Batch: b}})
	}
	if _, err := r.After(t.Context(), 0, 10, 10); err != nil || src.asked != 1 {
		t.Errorf("a million gaps are still held: %v", err)
	}
	got, err := r.After(t.Context(), 990, 100, 2000)
	if err != nil || len(got) != 2 {
		t.Errorf("a chunk of %d records, %v; want 2", len(got), err)
	}
}
