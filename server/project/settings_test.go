package project_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aovuon/gateway/measure"
	"aovuon/gateway/wire"
	"aovuon/server/desired"
	"aovuon/server/ingest"
	"aovuon/server/project"
)

// reports keeps what is saved.
type reports struct {
	saved []desired.Report
	fail  error
}

func (r *reports) SaveReport(_ context.Context, s desired.Report) error {
	r.saved = append(r.saved, s)
	return r.fail
}

func TestSettings_KeepsTheNewestOfEachGateway(t *testing.T) {
	doc := func(kind wire.DocumentKind, body string) wire.Document {
		return wire.Document{Time: measure.Instant{Wall: noon}, Kind: kind, Body: body}
	}
	at := func(position int64, gateway string, docs ...wire.Document) ingest.Record {
		return ingest.Record{Position: position, Received: noon, Batch: &wire.Batch{Gateway: gateway, Documents: docs}}
	}
	records := []ingest.Record{
		at(1, "gw-one", doc(wire.DocSettings, `{"version":1,"state":"applied"}`), doc(wire.DocSettings, `{"version":2,"state":"refused","why":"no"}`)),
		at(2, "gw-one", doc(wire.DocSettings, `{"version":"x"}`), doc(wire.DocCalibration, `{"version":9,"state":"applied"}`)), // hostile, and another kind
		at(3, "gw-one"),
	}
	r := &reports{}
	s := project.NewSettings(r, slog.New(slog.DiscardHandler))
	if err := s.Apply(t.Context(), records); err != nil {
		t.Fatal(err)
	}
	want := []desired.Report{{
		Gateway: "gw-one", Position: 1, Time: noon,
		SettingsReport: wire.SettingsReport{Version: 2, State: wire.SettingsRefused, Why: "no"},
	}}
	if d := cmp.Diff(want, r.saved); d != "" {
		t.Error(d)
	}
	r.fail = errors.New("database is gone")
	if err := s.Apply(t.Context(), records); !errors.Is(err, r.fail) {
		t.Errorf("a report that was not saved is passed over: %v", err)
	}
}
