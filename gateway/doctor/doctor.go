// Package doctor examines a gateway: the machine it stands on, its files, its clock, its spool, its server.
//
// A Patient comes in, which names the files and buses of one configuration and says how the operating system is asked;
// findings go out, one a line, each ok, warn or bad, and with what to do about it. Nothing is changed, and every question
// has a time limit. Everything of the machine is looked for below Patient.Root, so that a test can make one up.
package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"aovuon/gateway/measure"
	"aovuon/gateway/spool"
)

// Level says whether something must be done.
type Level string

// The levels.
const (
	OK   Level = "ok"
	Warn Level = "warn" // it works, and may not for long, or not as well as it could
	Bad  Level = "bad"  // it must be mended
)

// Finding is what one check found.
type Finding struct {
	Check string `json:"check"` // what was looked at: "key", "bus ao-i2c", "probe ao1-do"
	Level Level  `json:"level"`
	What  string `json:"what"`
	Mend  string `json:"mend,omitempty"` // what to do; empty when Level is OK
}

// Patient is a gateway to be examined. Fields that are empty are not looked at.
type Patient struct {
	Root string // the folder that holds boot, dev, etc, proc, run and sys; "/" on a real machine

	Gateway                                                       string
	ConfigFile, DataDir, KeyFile, PasswordFile, SpoolFile, CAFile string
	PINFile                                                       string
	Buses                                                         []Bus
	Running                                                       bool // a gateway works in DataDir now

	User   int                               // who the gateway runs as; -1 when that is not known
	StatFS func(path string) (Volume, error) // the file system a folder is on
	// Systemctl runs `systemctl` with arguments and returns what it prints; nil where there is none.
	Systemctl func(ctx context.Context, args ...string) (string, error)
	Unit      string // the systemd unit, such as aovuon-gateway.service

	Now    measure.Instant
	Clock  error // why the kernel does not say whether the clock is right, or nil
	Assume bool  // clock.assume_synced is set

	Inspect func(ctx context.Context) (spool.Inspection, error) // the spool
	Oldest  func(body []byte) (time.Time, error)                // when the first reading of a sealed batch was taken
}

// Bus is a bus the configuration names: one of the fields is set.
type Bus struct {
	Name    string
	I2C     string // "1", a device, or unix:/path
	W1      string // a folder
	OneWire string // "1": the kernel's bus master, spoken to
	Serial  string // a device
}

// Volume is a file system.
type Volume struct {
	Free, Size   uint64 // bytes; Free is what this user may take
	Files, Inode uint64 // free inodes, and all of them; both 0 where the file system has no such limit
}

// Examine makes every check of the machine and its files, in the order in which things depend on each other.
func (p *Patient) Examine(ctx context.Context) []Finding {
	var all []Finding
	for _, check := range []func(context.Context) []Finding{
		p.keys, p.folder, p.volume, p.wear, p.boot, p.buses, p.clock, p.zone, p.supply, p.spool, p.unit,
	} {
		all = append(all, check(ctx)...)
	}
	return all
}

// Worst is the worst level among findings.
func Worst(findings []Finding) Level {
	worst := OK
	for _, f := range findings {
		if f.Level == Bad || f.Level == Warn && worst == OK {
			worst = f.Level
		}
	}
	return worst
}

// Write prints findings, a line each and its mend below it.
func Write(w io.Writer, findings []Finding) error {
	var b strings.Builder
	width := 0
	for _, f := range findings {
		width = max(width, len([]rune(f.Check)))
	}
	for _, f := range findings {
		lines := strings.Split(strings.TrimRight(f.What, "\n"), "\n")
		fmt.Fprintf(&b, "%-4s  %-*s  %s\n", f.Level, width, f.Check, lines[0])
		for _, l := range lines[1:] {
			fmt.Fprintf(&b, "%*s%s\n", width+8, "", l)
		}
		if f.Mend != "" {
			fmt.Fprintf(&b, "%*s-> %s\n", width+8, "", f.Mend)
		}
	}
	n := map[Level]int{}
	for _, f := range findings {
		n[f.Level]++
	}
	fmt.Fprintf(&b, "%d ok, %d to look at, %d to mend\n", n[OK], n[Warn], n[Bad])
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteJSON prints findings as one JSON object: the worst level, and the list.
func WriteJSON(w io.Writer, findings []Finding) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(struct {
		Worst    Level     `json:"worst"`
		Findings []Finding `json:"findings"`
	}{Worst(findings), findings})
}

func ok(check, format string, args ...any) Finding {
	return Finding{Check: check, Level: OK, What: fmt.Sprintf(format, args...)}
}

func warn(check, mend, format string, args ...any) Finding {
	return Finding{Check: check, Level: Warn, What: fmt.Sprintf(format, args...), Mend: mend}
}

func bad(check, mend, format string, args ...any) Finding {
	return Finding{Check: check, Level: Bad, What: fmt.Sprintf(format, args...), Mend: mend}
}
