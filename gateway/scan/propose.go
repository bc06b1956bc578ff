package scan

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense/kind"
)

// Write prints what was found as a table, and what went wrong below it.
func (r Report) Write(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if _, err := fmt.Fprintln(t, "BUS\tPLACE\tKIND\tCHIP\tSENSOR"); err != nil {
		return err
	}
	for _, f := range r.Found {
		known, sensor := f.Kind, f.Sensor
		if known == "" {
			known = "-"
		}
		if sensor == "" {
			sensor = "-"
		}
		chip := f.Chip
		if len(f.Templates) > 1 {
			chip += ", answers like " + strings.Join(f.Templates, ", ")
		}
		if len(f.Inputs) > 0 {
			chip += fmt.Sprintf(", a probe at input %s", strings.Trim(fmt.Sprint(f.Inputs), "[]"))
		}
		if _, err := fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", f.Bus, f.Place(), known, chip, sensor); err != nil {
			return err
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, bad := range r.Trouble {
		if _, err := fmt.Fprintf(w, "bus %s: %s\n", bad.Bus, bad.Err); err != nil {
			return err
		}
	}
	return nil
}

// Place is where on its bus something is.
func (f Found) Place() string {
	switch {
	case f.Device != "":
		return f.Device
	case f.Line != "":
		return fmt.Sprintf("unit %d, %s", f.Address, f.Line)
	}
	return fmt.Sprintf("0x%02x", f.Address)
}

// Propose writes the lines of gateway.yaml for what was found and is not configured yet: buses the configuration does not
// name, and sensors, with ids of their own beside those of taken. What no kind fits is a comment. It is "" when nothing is
// new.
func (r Report) Propose(taken []kind.Spec, named map[string]kind.BusSpec) string {
	p := &proposal{ids: map[string]bool{}}
	for _, s := range taken {
		p.ids[s.ID] = true
		if measuresWater(s.Kind) {
			p.thermometers = append(p.thermometers, s.ID)
		}
	}
	var fresh []Found
	for _, f := range r.Found {
		if f.Sensor == "" {
			fresh = append(fresh, f)
		}
	}
	// Thermometers first: the others are compensated by one of them.
	slices.SortStableFunc(fresh, func(a, b Found) int { return rank(a) - rank(b) })
	for _, f := range fresh {
		p.sensor(f)
	}
	var b strings.Builder
	if buses := newBuses(fresh, named); len(p.lines) > 0 && len(buses) > 0 {
		b.WriteString("buses:\n")
		for _, name := range slices.Sorted(maps.Keys(buses)) {
			fmt.Fprintf(&b, "  %s: { %s }\n", name, buses[name])
		}
	}
	if len(p.lines) > 0 {
		b.WriteString("sensors:\n")
	}
	for _, l := range append(p.lines, p.comments...) {
		b.WriteString(l + "\n")
	}
	return b.String()
}

func rank(f Found) int {
	if measuresWater(f.Kind) {
		return 0
	}
	return 1
}

func measuresWater(name string) bool {
	info, ok := kind.Lookup(name)
	return ok && slices.Contains(info.Quantities, measure.WaterTemperature)
}

// newBuses are the buses of what has a kind, as they are written, but those that are named already.
func newBuses(fresh []Found, named map[string]kind.BusSpec) map[string]string {
	out := map[string]string{}
	for _, f := range fresh {
		if _, ok := named[f.Bus]; ok || f.Kind == "" {
			continue
		}
		switch {
		case f.Spec.I2C != "":
			out[f.Bus] = fmt.Sprintf("i2c: %q", f.Spec.I2C)
		case f.Spec.W1 != "":
			out[f.Bus] = fmt.Sprintf("w1: %q", f.Spec.W1)
		}
	}
	return out
}

type proposal struct {
	ids          map[string]bool
	thermometers []string // that measure water
	lines        []string
	comments     []string
}

func (p *proposal) sensor(f Found) {
	if len(f.Templates) > 1 {
		p.comments = append(p.comments, fmt.Sprintf("  # %s, %s answers like %s: the label on the probe tells which; kind: modbus, template: one of them",
			f.Bus, f.Place(), strings.Join(f.Templates, ", ")))
		return
	}
	if f.Kind == "modbus" {
		p.line(f, fmt.Sprintf(", address: %d, template: %s, baud: %d", f.Address, f.Templates[0], f.Baud))
		return
	}
	if f.Kind == "" {
		p.comments = append(p.comments, fmt.Sprintf("  # %s, %s: %s", f.Bus, f.Place(), f.Chip))
		return
	}
	if f.Kind == "capacitive-ads1115" {
		for _, input := range f.Inputs {
			p.line(f, fmt.Sprintf(", address: 0x%02x, input: %d", f.Address, input))
		}
		if len(f.Inputs) == 0 {
			p.comments = append(p.comments, fmt.Sprintf("  # %s, %s: %s, no probe plugged in", f.Bus, f.Place(), f.Chip))
		}
		return
	}
	if f.Device != "" {
		p.line(f, ", device: "+f.Device)
		return
	}
	more := fmt.Sprintf(", address: 0x%02x", f.Address)
	if slices.Contains([]string{"ezo-do", "ezo-ph", "ezo-ec"}, f.Kind) && len(p.thermometers) == 1 {
		more += ", temperature: " + p.thermometers[0]
	}
	if f.Kind == "ezo-do" {
		more += ", salinity: 0, pressure: 1013"
		f.Chip += "; correct salinity (per mille) and air pressure (hPa) where the water is not fresh or the pond lies high"
	}
	p.line(f, more)
}

func (p *proposal) line(f Found, more string) {
	id := p.id(f.Kind)
	if measuresWater(f.Kind) {
		p.thermometers = append(p.thermometers, id)
	}
	p.lines = append(p.lines, fmt.Sprintf("  - { id: %s, kind: %s, bus: %s%s } # %s", id, f.Kind, f.Bus, more, f.Chip))
}

// id makes a name that is not taken: do-1, ph-1, temp-2.
func (p *proposal) id(name string) string {
	stem := map[string]string{
		"ds18b20": "temp", "ezo-rtd": "temp", "capacitive-ads1115": "soil", "seesaw-soil": "soil", "sht4x": "air", "sht3x": "air", "bme280": "air",
		"modbus": "probe",
	}[name]
	if stem == "" {
		stem = strings.TrimPrefix(name, "ezo-")
	}
	for n := 1; ; n++ {
		if id := fmt.Sprintf("%s-%d", stem, n); !p.ids[id] {
			p.ids[id] = true
			return id
		}
	}
}
