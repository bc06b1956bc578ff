package host_test

import (
	"errors"
	"strings"
	"testing"

	"aovuon/firmware-sim/control"
)

func TestSchedule_ComesAndGoes(t *testing.T) {
	r := start(t, `
speed: 3600
gateways:
  - { id: gw-1, config: gw-1/gateway.yaml, link: { listen: "127.0.0.1:0", to: "127.0.0.1:1" } }
faults:
  - { gateway: gw-1, fault: power-cut, after: 1h, for: 1m }
  - { link: all, fault: lossy 30, after: 1m }
  - { gateway: gw-1, fault: clock +3h, at: "2026-01-01 00:00" }
  - { gateway: gw-1, fault: sd-full, at: "2026-01-01 00:00", for: 1h }
`)
	first := r.boots(1)[0]
	if second := r.boots(2)[1]; second[0] == first[0] {
		t.Error("a power cut that was scheduled is no other boot")
	}
	r.await("a lossy link", func() bool { return strings.HasPrefix(r.tell("link list")[0], "gw-1 lossy_30 ") })
	r.await("a clock that has been wrong for long", func() bool { return strings.Contains(r.tell("gateway list")[0], " disk=ok refused=0 clock=+10800s ") })
}

func TestSchedule_KeepsComing(t *testing.T) {
	r := start(t, `
speed: 36000
gateways: [{ id: gw-1, config: gw-1/gateway.yaml, start: false, link: { listen: "127.0.0.1:0", to: "127.0.0.1:1" } }]
faults: [{ link: gw-1, fault: down, every: 1h, for: 30m }]
`)
	for range 3 {
		for _, want := range []string{"down", "up"} {
			r.await(want, func() bool { return strings.HasPrefix(r.tell("link list")[0], "gw-1 "+want+" ") })
		}
	}
}

func TestSchedule_SaysWhatCannotBe(t *testing.T) {
	const gateways = "gateways: [{ id: gw-1, config: gw-1/gateway.yaml, link: { listen: \"127.0.0.1:0\", to: \"127.0.0.1:1\" } }]\nprograms: [{ id: mq, run: [sleep, 1h] }]\n"
	for fault, says := range map[string]string{
		"gateway: gw-1, fault: love":          "power-cut, brown-out",
		"gateway: gw-1, fault: power-cut 10s": "for",
		"gateway: gw-1, fault: sd-full much":  "megabytes",
		"gateway: gw-1, fault: clock noon":    "+3h",
		"gateway: gw-1, fault: brown-out x":   "10s",
		"gateway: gw-1, fault: ''":            "which fault",
		"link: gw-1, fault: lossy 300":        "0 to 95",
		"link: gw-1, fault: cut":              "down",
		"link: gw-1, fault: ''":               "which fault",
		"program: mq, fault: start":           "kill or stop",
	} {
		_, _, _, err := prepare(t, t.TempDir(), gateways+"faults: [{ after: 1m, "+fault+" }]\n")
		if !errors.Is(err, control.ErrUsage) || !strings.Contains(err.Error(), says) || !strings.HasPrefix(err.Error(), "faults[0]: ") {
			t.Errorf("%s: %v; want %q", fault, err, says)
		}
	}
}
