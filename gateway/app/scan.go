package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"aovuon/gateway/bus"
	"aovuon/gateway/control"
	"aovuon/gateway/scan"
	"aovuon/gateway/sense"
	"aovuon/gateway/sense/kind"
	"aovuon/gateway/sense/probe"
	"aovuon/gateway/sense/rtu"
	"aovuon/hardware/probes"
)

// scanFlags are the flags of gateway scan.
type scanFlags struct {
	Bus    []string `json:"buses,omitempty" help:"Look at these buses of the configuration alone."`
	Serial []int    `json:"serial,omitempty" help:"Also ask Modbus units on the serial buses, at these speeds, such as 9600,4800. A unit that is not there takes a quarter of a second."`
	Units  string   `json:"units" default:"1-32" help:"The units to ask, such as 1-247."`
	JSON   bool     `json:"-" help:"Print JSON."`
	Root   string   `json:"-" hidden:"" default:"/" type:"path" help:"Look for dev and sys below this folder."`
}

// allUnits are the units a scan asks when nobody says which.
const allUnits = "1-32"

// scanBuses looks for chips and prints what it found, and the lines of the configuration for it. Without a configuration it
// looks at the buses the machine has.
func scanBuses(ctx context.Context, path string, f scanFlags, stdout io.Writer, log *slog.Logger) (err error) {
	cfg, err := load(path)
	if errors.Is(err, fs.ErrNotExist) {
		cfg, err = &Config{}, nil
	}
	if cfg == nil {
		return err
	}
	if err != nil {
		log.Warn("the configuration is not right yet", slog.Any("err", err))
	}
	o, err := f.options()
	if err != nil {
		return err
	}
	o.Sensors = cfg.Sensors
	free, err := takeFolder(cfg.DataDir)
	if errors.Is(err, errRuns) {
		var a scanAnswer
		if err := control.NewClient(cfg.DataDir).Call(ctx, http.MethodPost, "/v1/scan", f, &a); err != nil {
			return fmt.Errorf("app: scan: %w", err)
		}
		return f.print(stdout, a)
	}
	if err != nil {
		return err
	}
	buses := bus.NewSet(log)
	defer func() { err = errors.Join(err, buses.Close(), free()) }()
	o.Clock = sense.NewSystemClock(sense.SystemClockOptions{AssumeSynced: true})
	list, err := busesToScan(buses, f.known(cfg.Buses), f.Bus, o.Clock)
	if err != nil {
		return err
	}
	report, err := scan.Look(ctx, list, o)
	if err != nil {
		return err
	}
	return f.print(stdout, scanAnswer{report, report.Propose(cfg.Sensors, cfg.Buses)})
}

// options reads the flags.
func (f scanFlags) options() (o scan.Options, err error) {
	var first, last int
	if n, err := fmt.Sscanf(f.Units, "%d-%d", &first, &last); err != nil || n != 2 || first < 1 || last > 247 || first > last {
		return o, fmt.Errorf("app: scan: units %q: write the first and the last of 1 to 247, as in 1-32", f.Units)
	}
	o.Units = [2]byte{byte(first), byte(last)}
	if len(f.Serial) > 0 {
		if o.Templates, err = templates(); err != nil {
			return o, err
		}
	}
	for _, baud := range f.Serial {
		line := rtu.Line{Baud: baud, Parity: rtu.NoParity, StopBits: 1}
		if err := line.Check(); err != nil {
			return o, fmt.Errorf("app: scan: %w", err)
		}
		o.Lines = append(o.Lines, line)
	}
	return o, nil
}

// templates are all that the program knows.
func templates() (list []*probe.Template, err error) {
	library := probe.NewLibrary(probes.Files())
	ids, err := library.IDs()
	if err != nil {
		return nil, fmt.Errorf("app: scan: %w", err)
	}
	for _, id := range ids {
		t, err := library.Template(id)
		if err != nil {
			return nil, fmt.Errorf("app: scan: %w", err)
		}
		list = append(list, t)
	}
	return list, nil
}

// known are the buses of the configuration and those the machine has besides.
func (f scanFlags) known(configured map[string]kind.BusSpec) map[string]kind.BusSpec {
	all := maps.Clone(configured)
	if all == nil {
		all = map[string]kind.BusSpec{}
	}
	named := map[string]bool{}
	const w1 = "/sys/bus/w1/devices"
	for _, b := range configured {
		named[w1] = named[w1] || b.OneWire != "" // the same wire
		named[strings.TrimPrefix(strings.TrimPrefix(b.I2C, "/dev/i2c-"), "I2C")], named[strings.TrimRight(b.W1, "/")] = true, true
	}
	devices, err := filepath.Glob(filepath.Join(f.Root, "dev/i2c-*"))
	if err != nil {
		return all // a bad pattern: a root with brackets in its name
	}
	for _, d := range devices {
		if n := strings.TrimPrefix(filepath.Base(d), "i2c-"); !named[n] {
			all["i2c-"+n] = kind.BusSpec{I2C: n}
		}
	}
	if _, err := os.Stat(filepath.Join(f.Root, w1)); err == nil && !named[w1] {
		all["w1"] = kind.BusSpec{W1: w1}
	}
	return all
}

// busesToScan opens the buses that are asked for; none asked for is all.
func busesToScan(from kind.Buses, specs map[string]kind.BusSpec, only []string, clock sense.Clock) (list []scan.Bus, err error) {
	for _, name := range only {
		if _, ok := specs[name]; !ok {
			return nil, fmt.Errorf("app: scan: there is no bus %q: name one of %s", name, strings.Join(slices.Sorted(maps.Keys(specs)), ", "))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(specs)) {
		if len(only) > 0 && !slices.Contains(only, name) {
			continue
		}
		b := scan.Bus{Name: name, Spec: specs[name]}
		switch {
		case b.Spec.I2C != "":
			b.I2C, err = from.I2C(b.Spec.I2C)
		case b.Spec.W1 != "":
			b.W1, err = from.W1(b.Spec.W1)
		case b.Spec.OneWire != "":
			b.OneWire, err = from.OneWire(b.Spec.OneWire)
		case b.Spec.Serial != "":
			port, openErr := from.Serial(b.Spec.Serial)
			if err = openErr; err == nil {
				b.Line = rtu.New(port, clock)
			}
		}
		if err != nil {
			return nil, fmt.Errorf("app: scan: bus %s: %w", name, err)
		}
		list = append(list, b)
	}
	return list, nil
}

func (f scanFlags) print(w io.Writer, a scanAnswer) error {
	if f.JSON {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(a)
	}
	if len(a.Found) == 0 && len(a.Trouble) == 0 {
		_, err := io.WriteString(w, "nothing answers: gateway doctor says whether the buses are there\n")
		return err
	}
	text := "\nnothing that is not configured already\n"
	switch {
	case a.Proposal == "" && len(a.Trouble) > 0:
		text = "\nnothing new on what could be looked through; mend the buses above and scan again\n"
	case a.Proposal != "":
		text = "\n# for gateway.yaml:\n" + a.Proposal
	}
	if err := a.Write(w); err != nil {
		return err
	}
	_, err := io.WriteString(w, text)
	return err
}
