package story_test

import (
	"errors"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// TestCtrlC_AtAnyMomentOfTheStart: a program that is told to stop while it starts stops, without an error and without
// leaving anything that the next start trips over. In its very first moments, before it can listen, the signal itself may
// end it.
func TestCtrlC_AtAnyMomentOfTheStart(t *testing.T) {
	t.Parallel()
	f := newField(t, setting{devices: one()})
	f.startSim()
	chance, tries, clean := seeded(t), 30, map[string]int{}
	if testing.Short() {
		tries = 8
	}
	var stops []window
	for _, p := range []*program{f.server, f.gateway} {
		for range tries {
			p.start()
			pass(t, between(chance, 0, 150*time.Millisecond))
			began := time.Now()
			p.signal(syscall.SIGINT)
			stops = append(stops, interrupted(began, time.Now()))
			var exit *exec.ExitError
			switch {
			case p.Err() == nil:
				clean[p.Bin]++
			case errors.As(p.Err(), &exit) && exit.Sys().(syscall.WaitStatus).Signaled():
			default:
				t.Fatalf("%s: %v\n%s", p.Bin, p.Err(), p.Out.Tail(2<<10))
			}
		}
	}
	t.Logf("of %d each, ended by themselves: %v", tries, clean)
	f.startServer()
	f.gateway.start()
	f.awaitReceiptsAfter(0)
	f.settle("started and stopped all the time", stops...)
}
