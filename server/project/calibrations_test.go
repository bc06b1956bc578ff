package project_test

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aovuon/gateway/measure"
	"aovuon/gateway/wire"
	"aovuon/server/calibration"
	"aovuon/server/ingest"
	"aovuon/server/project"
)

// appendDocs puts a batch into the log with calibrations of these bodies. With clock Unsynced at is the uptime after noon.
func (f *field) appendDocs(clock measure.ClockState, bootID string, at time.Time, anchor *wire.Anchor, bodies ...string) {
	f.t.Helper()
	now := measure.Instant{Clock: clock, Boot: bootID, Wall: at}
	if clock == measure.Unsynced {
		now.Wall, now.Uptime = time.Time{}, at.Sub(noon)
	}
	b := &wire.Batch{Gateway: "gw-one", Epoch: "00000000000000e1", Seq: f.seq + 1, Prev: f.prev, Clock: clock, Boot: bootID, Anchor: anchor}
	for _, body := range bodies {
		b.Documents = append(b.Documents, wire.Document{Time: now, Kind: wire.DocCalibration, Body: body})
	}
	b.Documents = append(b.Documents, wire.Document{Time: now, Kind: wire.DocSettings, Body: `{"version":1}`})
	sealed, err := wire.Seal(b, f.signer)
	if err != nil {
		f.t.Fatal(err)
	}
	f.seq, f.prev = f.seq+1, wire.HashOf(sealed)
	c := ingest.Chain{Gateway: "gw-one", Epoch: b.Epoch}
	_, err = f.db.Append(f.t.Context(), []ingest.Chain{c}, func(map[ingest.Chain]ingest.Head, ingest.HashAt) ([]ingest.Row, error) {
		return []ingest.Row{{Chain: c, Seq: b.Seq, Hash: f.prev, Received: noon, Body: f.db.Pack(sealed)}}, nil
	})
	if err != nil {
		f.t.Fatal(err)
	}
}

func doc(id int) string {
	return fmt.Sprintf(`{"format":"aovuon/calibration/1","id":"%016x","sensor":"ao1-ph","quantity":"ph","verdict":"good","who":"A","points":[]}`, id)
}

// project reads the log's calibrations from the cursor on.
func (f *field) project() {
	f.t.Helper()
	err := project.NewRunner(project.RunnerOptions{
		Projection: project.NewCalibrations(f.db, project.NewDater(f.db)), Source: f.db, Cursors: f.db, Now: time.Now, Log: slog.New(slog.DiscardHandler),
	}).CatchUp(f.t.Context(), int64(f.seq), func(int64) {})
	if err != nil {
		f.t.Fatal(err)
	}
}

// minutesOf lists the calibrations of a sensor, newest first: minutes after noon, -1 for one that is not dated.
func (f *field) minutesOf(sensor string) []float64 {
	f.t.Helper()
	list, err := f.db.Calibrations(f.t.Context(), "gw-one", sensor, 100)
	if err != nil {
		f.t.Fatal(err)
	}
	out := []float64{}
	for _, e := range list {
		m := -1.0
		if !e.Time.IsZero() {
			m = e.Time.Sub(noon).Minutes()
		}
		out = append(out, m)
	}
	return out
}

func TestCalibrations_OfAReplayedBacklogStandInTheirOrder(t *testing.T) {
	f := newField(t)
	f.appendDocs(measure.Unsynced, boot(1), minute(1), nil, doc(1))
	f.appendDocs(measure.Synced, boot(2), minute(60), nil, doc(2), doc(3))
	f.project()
	if d := cmp.Diff([]float64{-1, 60, 60}, f.minutesOf("ao1-ph")); d != "" {
		t.Error(d)
	}
	// The anchor of the first boot: its uptime of 10 minutes was 12:30. Then the same records once more, sent again.
	f.append(measure.Synced, boot(1), minute(30), &wire.Anchor{Uptime: 10 * time.Minute, Wall: minute(30)})
	f.appendDocs(measure.Unsynced, boot(1), minute(2), nil, doc(4))
	f.appendDocs(measure.Synced, boot(2), minute(60), nil, doc(2), doc(3))
	f.project()
	want := []float64{60, 60, 22, 21}
	if d := cmp.Diff(want, f.minutesOf("ao1-ph")); d != "" {
		t.Error(d)
	}
	for _, forget := range []bool{false, true} { // applied again, and drawn anew
		if forget {
			if err := f.db.ForgetCalibrations(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if err := f.db.SaveCursor(t.Context(), project.CalibrationsName, 0); err != nil {
			t.Fatal(err)
		}
		f.project()
		if d := cmp.Diff(want, f.minutesOf("ao1-ph")); d != "" {
			t.Errorf("again (emptied %v): %s", forget, d)
		}
	}
}

func TestCalibrations_AHostileDocumentIsKeptAndHarmsNothing(t *testing.T) {
	f := newField(t)
	bodies := []string{`{}`, `{"sensor":["ao1-ph"]}`, `{"format":"aovuon/calibration/1","sensor":"ao1-ph","quantity":"ph","verdict":{"a":1}}`}
	f.appendDocs(measure.Synced, boot(1), minute(1), nil, append(bodies, doc(9))...)
	f.project()
	if got := f.minutesOf("ao1-ph"); len(got) != 1 {
		t.Errorf("%v", got)
	}
	list, err := f.db.Calibrations(t.Context(), "gw-one", "", 10)
	if err != nil || len(list) != len(bodies) {
		t.Fatalf("%d kept of %d, %v", len(list), len(bodies), err)
	}
	for i, e := range list {
		if e.Body != bodies[len(bodies)-1-i] {
			t.Errorf("%d: %s", i, e.Body)
		}
		if _, err := calibration.Read(e.Body); err == nil {
			t.Errorf("%s is no record", e.Body)
		}
	}
}
