package field_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"aovuon/firmware-sim/field"
	"aovuon/gateway/bus"
	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
	"aovuon/gateway/sense/kind"
)

const levelField = `
seed: 7
places:
  - { id: ao1, kind: pond }
buses:
  - { id: muc, serial: muc }
devices:
  - { id: ao1-muc, kind: ultrasonic-uart, bus: muc, place: ao1, height: 200 }
`

func TestSmoke(t *testing.T) {
	dir := t.TempDir()
	c, err := field.Parse("field.yaml", []byte(levelField), dir)
	if err != nil {
		t.Fatal(err)
	}
	f, err := field.New(c, field.Options{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done, ready := make(chan error, 1), make(chan struct{})
	go func() { done <- f.Serve(ctx, slog.Default(), func() { close(ready) }) }()
	<-ready
	set := bus.NewSet(slog.Default())
	h := 200.0
	clock := sense.NewSystemClock(sense.SystemClockOptions{AssumeSynced: true})
	ch, err := kind.Build([]kind.Spec{{ID: "ao1-muc", Kind: "ultrasonic-uart", Bus: "muc", Height: &h}}, set, map[string]kind.BusSpec{"muc": {Serial: filepath.Join(dir, "muc")}}, clock)
	if err != nil {
		t.Fatal(err)
	}
	st := sense.NewStation(clock, ch, slog.Default())
	s := make(sink)
	if err := st.PollAll(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	t.Log(s)
	_ = measure.Good
	set.Close()
	cancel()
	t.Log(<-done)
}
