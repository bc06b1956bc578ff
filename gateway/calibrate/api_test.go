package calibrate_test

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"aovuon/gateway/calibrate"
	"aovuon/gateway/control"
	"aovuon/gateway/measure"
)

// overSocket serves the rig's desk on a control socket and returns a client of it.
func overSocket(t *testing.T, r *rig) *calibrate.Client {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	dir := t.TempDir()
	l, err := control.Listen(ctx, dir)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	calibrate.Mount(mux, r.desk)
	mux.Handle("/", control.NotFound())
	done := make(chan error, 1)
	go func() { done <- l.Serve(ctx, mux) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return calibrate.NewClient(control.NewClient(dir))
}

func TestClient_LeadsASessionOverTheSocket(t *testing.T) {
	circuit := drifted()
	r := newRig(t, phSpec(), measure.PH, circuit)
	c := overSocket(t, r)
	ctx := t.Context()
	st, err := c.Begin(ctx, calibrate.Begin{Sensor: "ao1-x", Who: "Tâm"})
	if err != nil || st.Phase != calibrate.Asking || len(st.Steps) != 3 {
		t.Fatal(st, err)
	}
	if list, err := c.Targets(ctx); err != nil || len(list) != 1 || list[0].Busy != "Tâm" || list[0].Standing != calibrate.Missing {
		t.Errorf("%+v, %v", list, err)
	}
	st, err = c.Answer(ctx, "ao1-x", calibrate.Answer{Step: "mid"})
	for err == nil && st.Phase == calibrate.Measuring {
		st, err = c.State(ctx, "ao1-x", st.Version)
	}
	if err != nil || len(st.Points) != 1 || st.Problem != "" {
		t.Fatal(st, err)
	}
	if st, err = c.Finish(ctx, "ao1-x", "qua mạng"); err != nil || st.Record == nil || st.Record.Note != "qua mạng" {
		t.Fatal(st, err)
	}
	if list, err := c.Targets(ctx); err != nil || list[0].Standing != calibrate.InForce || list[0].Last.Who != "Tâm" {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestClient_RefusesAsTheDeskDoes(t *testing.T) {
	r := newRig(t, phSpec(), measure.PH, drifted())
	c := overSocket(t, r)
	ctx := t.Context()
	refused := func(what, want string, err error) {
		t.Helper()
		if e, ok := errors.AsType[*calibrate.Refusal](err); !ok || e.Code != want || e.Text == "" {
			t.Errorf("%s: %v; want %s", what, err, want)
		}
	}
	_, err := c.State(ctx, "ao1-x", 0)
	refused("no session", "none", err)
	_, err = c.Begin(ctx, calibrate.Begin{Sensor: "ao9", Who: "B"})
	refused("unknown sensor", "unknown", err)
	_, err = c.Begin(ctx, calibrate.Begin{Sensor: "ao1-x"})
	refused("nobody", "malformed", err)
	_, err = c.Begin(ctx, calibrate.Begin{Sensor: "ao1-x", Who: "B", Method: "magic"})
	refused("unknown method", "unknown", err)
	if _, err = c.Begin(ctx, calibrate.Begin{Sensor: "ao1-x", Who: "B"}); err != nil {
		t.Fatal(err)
	}
	_, err = c.Begin(ctx, calibrate.Begin{Sensor: "ao1-x", Who: "C"})
	refused("a second session", "busy", err)
	_, err = c.Answer(ctx, "ao1-x", calibrate.Answer{Step: "low"})
	refused("another step", "step", err)
	if _, err = c.Abort(ctx, "ao1-x"); err != nil {
		t.Fatal(err)
	}
	_, err = c.Abort(ctx, "ao1-x")
	refused("over", "over", err)
}

func TestDesk_ARequestThatWaitsEndsWithItsContext(t *testing.T) {
	r := newRig(t, phSpec(), measure.PH, drifted())
	st := r.begin(calibrate.Begin{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got, err := r.desk.State(ctx, "ao1-x", st.Version); err != nil || got.Version != st.Version {
		t.Errorf("%+v, %v", got, err)
	}
}
