package fault_test

import (
	"context"
	"net"
	"path/filepath"
	"testing"

	"aovuon/firmware-sim/fault"
)

func TestControl_DipAndDrift(t *testing.T) {
	b := fault.NewBoard()
	sw, err := b.Add("ph", fault.Unplug)
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(t.TempDir(), "c.sock")
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- fault.Serve(ctx, l, b) }()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	for request, ok := range map[string]bool{
		"dip ph": false, "dip ph seven": false, "dip ph NaN": false, "dip do 7": false, "drift ph 1": false, "drift ph 1 2 3": false, "dip ph 1 2 3": false,
	} {
		if _, err := fault.Ask(ctx, socket, request); (err == nil) != ok {
			t.Errorf("%s: %v", request, err)
		}
	}
	ask := func(request string) {
		t.Helper()
		if _, err := fault.Ask(ctx, socket, request); err != nil {
			t.Errorf("%s: %v", request, err)
		}
	}
	ask("dip ph 7.02 20")
	if got := sw.Bath(); got == nil || got.Value != 7.02 || got.Celsius == nil || *got.Celsius != 20 {
		t.Errorf("bath %+v", got)
	}
	ask("drift ph 0.9 0.5")
	if got := sw.Feels(10); got != 9.5 {
		t.Errorf("it feels %v, want 9.5", got)
	}
	ask("dip ph out")
	if got := sw.Bath(); got != nil {
		t.Errorf("still in %+v", got)
	}
}
