package host

import (
	"fmt"
	"log/slog"
	"strings"
	"time"

	"aovuon/firmware-sim/control"
	"aovuon/firmware-sim/field"
	"aovuon/firmware-sim/link"
)

// heals is the command that ends a fault, in the words after the name of what it is of. Faults that cannot be are errors.
func heals(verb, fault string) (string, error) {
	words := strings.Fields(fault)
	if len(words) == 0 {
		return "", fmt.Errorf("%w: which fault of a %s? %s/FORMAT.md lists them", control.ErrUsage, verb, "firmware-sim/host")
	}
	switch {
	case verb == "link":
		if words[0] == "cut" {
			return "", fmt.Errorf("%w: a link that is cut needs no end: want down with for", control.ErrUsage)
		}
		return "up", link.Condition{}.Check(fault)
	case verb == "program" && len(words) == 1 && (words[0] == "kill" || words[0] == "stop"):
		return "start", nil
	case verb == "gateway":
		return healsGateway(words)
	}
	return "", fmt.Errorf("%w: %q is no fault of a %s: want kill or stop", control.ErrUsage, fault, verb)
}

func healsGateway(words []string) (string, error) {
	rest := words[1:]
	switch words[0] {
	case "power-cut", "stop", "kill":
		if len(rest) > 0 {
			return "", fmt.Errorf("%w: %s: say how long with for", control.ErrUsage, strings.Join(words, " "))
		}
		return "start", nil
	case "brown-out":
		_, err := duration(rest, time.Second)
		return "", err // it ends by itself
	case "sd-readonly":
		return "sd-ok", nil
	case "sd-full":
		_, err := megabytes(rest)
		return "sd-ok", err
	case "clock":
		if len(rest) == 1 && (rest[0] == "unsynced" || rest[0] == "unset") {
			return "clock ok", nil
		}
		_, err := parseOffset(strings.Join(rest, " "))
		return "clock ok", err
	}
	return "", fmt.Errorf("%w: %q is no fault of a gateway: want power-cut, brown-out, stop, kill, sd-full, sd-readonly or clock", control.ErrUsage, strings.Join(words, " "))
}

// play has a fault come and go by the world's clock until everything ends. What lies before now is left out, but a fault that began
// then and still lasts is in force at once.
func (h *Host) play(e field.MachineFault) {
	heal, err := heals(e.Verb, e.Fault)
	if err != nil {
		return // New has refused it
	}
	now, first := h.field.WorldTime(h.o.Now()), e.First
	if e.Every > 0 && now.After(first) {
		first = first.Add(now.Sub(first) / e.Every * e.Every)
	}
	if over := !now.Before(first.Add(e.For)) && now.After(first); over {
		if e.Every == 0 && (e.For > 0 || heal == "") {
			return
		}
		if e.Every > 0 {
			first = first.Add(e.Every)
		}
	}
	for at := first; ; at = at.Add(e.Every) {
		if !h.until(at) {
			return
		}
		h.scheduled(e, e.Fault)
		if e.For > 0 && heal != "" {
			if !h.until(at.Add(e.For)) {
				return
			}
			h.scheduled(e, heal)
		}
		if e.Every == 0 {
			return
		}
	}
}

// until waits for a time of the world's; false when everything ends before.
func (h *Host) until(at time.Time) bool {
	wait := time.Duration(float64(at.Sub(h.field.WorldTime(h.o.Now()))) / h.cfg.Speed)
	t := time.NewTimer(max(0, wait))
	defer t.Stop()
	select {
	case <-t.C:
		return h.ctx.Err() == nil
	case <-h.ctx.Done():
		return false
	}
}

// scheduled gives a command as anybody would.
func (h *Host) scheduled(e field.MachineFault, what string) {
	line := e.Verb + " " + e.ID + " " + what
	if _, err := h.field.Desk().Do(control.By(h.ctx, "schedule"), line); err != nil {
		h.log.Warn("scheduled fault", slog.String("command", line), slog.Any("err", err))
	}
}
