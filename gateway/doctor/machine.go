package doctor

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"aovuon/gateway/measure"
)

// clock looks at what the machine's time is worth, and at what keeps it.
func (p *Patient) clock(context.Context) []Finding {
	const check = "clock"
	var out []Finding
	if p.Clock != nil {
		out = append(out, bad(check, "if something else keeps the clock right (a container's host), set clock: { assume_synced: true }", "%v", p.Clock))
	} else {
		out = append(out, p.clockState())
	}
	if p.Assume {
		return out
	}
	keeper := p.keeper()
	if keeper == "" {
		out = append(out, bad("time service", "sudo timedatectl set-ntp true (or apt-get install systemd-timesyncd)", "nothing sets the clock from the network"))
	} else {
		out = append(out, ok("time service", "%s runs", keeper))
	}
	return append(out, p.rtc())
}

func (p *Patient) clockState() Finding {
	const check = "clock"
	const wait = "wait a minute with the network up; if it stays so, let UDP port 123 through, or name a time server in /etc/systemd/timesyncd.conf"
	wall := p.Now.Wall.UTC().Format("2006-01-02 15:04:05")
	switch p.Now.Clock {
	case measure.Synced:
		if p.Assume {
			return ok(check, "%s UTC, taken as right (assume_synced)", wall)
		}
		return ok(check, "%s UTC, set by the network", wall)
	case measure.RTC:
		return ok(check, "%s UTC, kept by the battery-backed clock; not yet set by the network", wall)
	case measure.EstimatedClock:
		return warn(check, wait, "%s UTC, was set by the network and no longer is", wall)
	case measure.Unsynced:
	}
	return warn(check, wait, "not set: readings have no time yet, and get one when the clock is right; nothing is lost")
}

// keeper names the program that sets the clock; "" when none runs.
func (p *Patient) keeper() string {
	names := map[string]string{"systemd-timesyn": "systemd-timesyncd", "chronyd": "chronyd", "ntpd": "ntpd", "ntpsec": "ntpsec"}
	found, err := filepath.Glob(p.at("proc/[0-9]*/comm"))
	if err != nil {
		return ""
	}
	for _, f := range found {
		if raw, err := os.ReadFile(f); err == nil { // one that ended meanwhile is no keeper
			if name, ok := names[strings.TrimSpace(string(raw))]; ok {
				return name
			}
		}
	}
	return ""
}

func (p *Patient) rtc() Finding {
	const check = "battery-backed clock"
	raw := p.read("sys/class/rtc/rtc0/since_epoch")
	s, err := strconv.ParseInt(raw, 10, 64)
	switch {
	case raw == "":
		return ok(check, "none: after a power cut readings wait for the network to be dated (a DS3231 would date them at once)")
	case err != nil:
		return warn(check, "check its wires, or remove its overlay from config.txt", "it gives no time: %q", raw)
	}
	at := time.Unix(s, 0)
	if p.Now.Clock != measure.Synced {
		return ok(check, "says %s UTC", at.UTC().Format("2006-01-02 15:04:05"))
	}
	if apart := at.Sub(p.Now.Wall).Abs(); apart > 10*time.Minute {
		return warn(check, "replace its battery (CR2032; on a Pi 5 plug one in), then: sudo hwclock --systohc", "it is %v off", apart.Round(time.Second))
	}
	return ok(check, "agrees with the network's time")
}

// zone says what local time the machine prints. The gateway itself thinks in UTC.
func (p *Patient) zone(context.Context) []Finding {
	const check = "time zone"
	zone := p.read("etc/timezone")
	if zone == "" {
		if link, err := os.Readlink(p.at("etc/localtime")); err == nil {
			_, zone, _ = strings.Cut(link, "zoneinfo/")
		}
	}
	switch zone {
	case "Asia/Ho_Chi_Minh", "Asia/Saigon", "Asia/Bangkok":
		return []Finding{ok(check, "%s", zone)}
	case "":
		zone = "not set (UTC)"
	}
	return []Finding{warn(check, "sudo timedatectl set-timezone Asia/Ho_Chi_Minh", "%s: times in the machine's own logs are not those of the ponds (readings are right all the same)", zone)}
}

// The bits of get_throttled (raspberrypi.com, vcgencmd); those above 16 say that it happened since the start.
const (
	underVoltage = 1 << 0
	freqCapped   = 1 << 1
	throttled    = 1 << 2
	softLimit    = 1 << 3
	sinceStart   = 16
)

// supply asks a Raspberry Pi whether its supply holds and whether it is too hot.
func (p *Patient) supply(context.Context) []Finding {
	const check = "power"
	const mend = "use the official supply (5.1 V, 3 A; 5 A for a Pi 5) and a short thick cable, and take hungry USB devices off"
	var out []Finding
	raw := p.read("sys/devices/platform/soc/soc:firmware/get_throttled")
	bits, err := strconv.ParseUint(strings.TrimPrefix(raw, "0x"), 16, 32)
	switch {
	case raw == "" || err != nil:
		if p.lowVoltageAlarm() {
			out = append(out, bad(check, mend, "the supply is too low now"))
		}
	case bits&underVoltage != 0:
		out = append(out, bad(check, mend, "the supply is too low now: cards are damaged this way"))
	case bits&(underVoltage<<sinceStart) != 0:
		out = append(out, warn(check, mend, "the supply was too low since the start"))
	default:
		out = append(out, ok(check, "the supply held since the start"))
	}
	if bits&(throttled|softLimit|freqCapped) != 0 && bits&underVoltage == 0 {
		out = append(out, warn("heat", "put the box into the shade, or give it a heat sink", "the processor is slowed down"))
	}
	if milli, err := strconv.Atoi(p.read("sys/class/thermal/thermal_zone0/temp")); err == nil {
		if c := milli / 1000; c >= 80 {
			out = append(out, bad("heat", "put the box into the shade, or give it a heat sink and openings", "the processor has %d °C", c))
		} else {
			out = append(out, ok("heat", "the processor has %d °C", c))
		}
	}
	return out
}

// lowVoltageAlarm asks the kernel's monitor of the supply, where get_throttled is not.
func (p *Patient) lowVoltageAlarm() bool {
	names, err := filepath.Glob(p.at("sys/class/hwmon/hwmon*/name"))
	if err != nil {
		return false
	}
	for _, n := range names {
		raw, err := os.ReadFile(n)
		if err != nil || strings.TrimSpace(string(raw)) != "rpi_volt" {
			continue
		}
		alarm, err := os.ReadFile(filepath.Join(filepath.Dir(n), "in0_lcrit_alarm"))
		return err == nil && strings.TrimSpace(string(alarm)) == "1"
	}
	return false
}

// unit asks systemd about the gateway, where there is one.
func (p *Patient) unit(ctx context.Context) []Finding {
	check := "service"
	if p.Systemctl == nil || !p.exists("run/systemd/system") {
		return nil
	}
	out, err := p.Systemctl(ctx, "show", p.Unit, "--property=LoadState,ActiveState,SubState,UnitFileState,NRestarts,Result")
	if err != nil {
		return []Finding{warn(check, "systemctl status "+p.Unit+" says more", "systemd does not answer: %v", err)}
	}
	v := map[string]string{}
	for line := range strings.Lines(out) {
		if key, value, found := strings.Cut(strings.TrimSpace(line), "="); found {
			v[key] = value
		}
	}
	state := fmt.Sprintf("%s is %s (%s)", p.Unit, v["ActiveState"], v["SubState"])
	restarts, err := strconv.Atoi(v["NRestarts"])
	if err != nil {
		restarts = 0 // an older systemd does not count them
	}
	logs := "journalctl -u " + p.Unit + " -n 50 shows why"
	switch {
	case v["LoadState"] == "not-found" && p.Running:
		return []Finding{warn(check, "install the unit of hardware/pi, so that the gateway starts with the machine", "the gateway runs, but not as a service")}
	case v["LoadState"] == "not-found":
		return []Finding{warn(check, "install the unit of hardware/pi, so that the gateway starts with the machine", "there is no unit %s", p.Unit)}
	case v["ActiveState"] == "failed":
		return []Finding{bad(check, logs, "%s: %s", state, v["Result"])}
	case v["ActiveState"] != "active":
		return []Finding{bad(check, "sudo systemctl enable --now "+p.Unit, "%s", state)}
	case v["UnitFileState"] == "disabled":
		return []Finding{bad(check, "sudo systemctl enable "+p.Unit, "%s, and will not start after a power cut", state)}
	case restarts > 3:
		return []Finding{warn(check, logs, "%s, and was restarted %d times", state, restarts)}
	}
	return []Finding{ok(check, "%s", state)}
}
