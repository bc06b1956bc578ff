package app

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"aovuon/gateway/sense/probe"
	"aovuon/hardware/probes"
)

// probeFlags are the commands about templates of probes. They need no configuration.
type probeFlags struct {
	Check struct {
		Files []string `arg:"" name:"file" help:"Templates, each a YAML file."`
	} `cmd:"" help:"Check templates and run their golden frames; say what is wrong, with the line and the mend."`
	List struct{} `cmd:"" help:"List the templates that are built in."`
	Show struct {
		ID   string `arg:"" name:"template" help:"Id of a template, or the name of a file with one."`
		YAML bool   `name:"yaml" help:"Print the file itself: to begin a template of your own with."`
	} `cmd:"" help:"Print what a person needs who wires a probe: settings, values, change of address, upkeep."`
	Schema struct{} `cmd:"" help:"Print the JSON schema of a template, for editors."`
}

// doProbe does the commands that begin with probe.
func (p *probeFlags) doProbe(command string, stdout io.Writer) error {
	lib := probe.NewLibrary(probes.Files())
	switch strings.Fields(command)[1] {
	case "check":
		return checkTemplates(p.Check.Files, stdout)
	case "list":
		return listTemplates(lib, stdout)
	case "show":
		return showTemplate(lib, p.Show.ID, p.Show.YAML, stdout)
	}
	raw, err := probe.Schema()
	if err != nil {
		return fmt.Errorf("app: %w", err)
	}
	_, err = stdout.Write(raw)
	return err
}

// checkTemplates checks files: a good one is a line on stdout, all that is wrong is the error.
func checkTemplates(files []string, stdout io.Writer) error {
	var bad []error
	for _, file := range files {
		if !probe.IsFile(file) {
			file = "./" + file // a file all the same
		}
		t, err := probe.NewLibrary(probes.Files()).Template(file)
		if err != nil {
			bad = append(bad, err)
			continue
		}
		if _, err := fmt.Fprintf(stdout, "%s: good: %s, %d quantities, %d golden frames\n", file, t.ID, len(t.Quantities()), t.Frames()); err != nil {
			return err
		}
	}
	return errors.Join(bad...)
}

func listTemplates(lib *probe.Library, stdout io.Writer) error {
	ids, err := lib.IDs()
	if err != nil {
		return fmt.Errorf("app: %w", err)
	}
	w := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	rows := []string{"TEMPLATE\tKIND\tSURE\tMAKER\tMEASURES"}
	for _, id := range ids {
		t, err := lib.Template(id)
		if err != nil {
			return fmt.Errorf("app: %w", err)
		}
		rows = append(rows, strings.Join([]string{t.ID, string(t.Kind), string(t.Source.Sure), t.Maker, t.Measures}, "\t"))
	}
	if _, err := fmt.Fprintln(w, strings.Join(rows, "\n")); err != nil {
		return err
	}
	return w.Flush()
}

func showTemplate(lib *probe.Library, ref string, file bool, stdout io.Writer) error {
	if file {
		_, raw, err := lib.Text(ref)
		if err != nil {
			return fmt.Errorf("app: %w (gateway probe list names them)", err)
		}
		_, err = stdout.Write(raw)
		return err
	}
	t, err := lib.Template(ref)
	if errors.Is(err, probe.ErrUnknown) {
		err = fmt.Errorf("%w (gateway probe list names them)", err)
	}
	if err != nil {
		return fmt.Errorf("app: %w", err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s %s\n%s\n", t.ID, t.Maker, strings.Join(t.Models, ", "), t.Measures)
	fmt.Fprintf(&b, "source: %s (%s)\n", t.Source.Document, t.Source.Sure)
	if t.Source.Note != "" {
		fmt.Fprintf(&b, "  note: %s\n", t.Source.Note)
	}
	fmt.Fprintf(&b, "accuracy: %s\n", t.Accuracy)
	steps(&b, "wiring", t.Wiring)
	if t.Modbus != nil {
		describeModbus(&b, t)
	} else {
		describeAnalog(&b, t)
	}
	steps(&b, "upkeep", t.Upkeep)
	_, err = io.WriteString(stdout, b.String())
	return err
}

func steps(b *strings.Builder, title string, list []string) {
	if len(list) > 0 {
		fmt.Fprintf(b, "%s:\n  - %s\n", title, strings.Join(list, "\n  - "))
	}
}

func describeModbus(b *strings.Builder, t *probe.Template) {
	m := t.Modbus
	fmt.Fprintf(b, "line: %s, comes with address %d\n", m.Serial(), m.Unit)
	for _, r := range m.Reads {
		for _, v := range r.Values {
			info, _ := v.Quantity.Info()
			fmt.Fprintf(b, "  %s: function %d, register 0x%04X, %s, %g to %g %s", v.Quantity, r.Function, v.Register, v.Type, *v.Min, *v.Max, info.Unit)
			if v.Indicative != "" {
				fmt.Fprintf(b, " (uncalibrated: %s)", v.Indicative)
			}
			b.WriteByte('\n')
		}
	}
	command(b, "start", m.Start)
	command(b, "stop", m.Stop)
	for _, c := range m.Commands {
		command(b, c.Name, &c)
	}
	for _, s := range m.Settings {
		fmt.Fprintf(b, "setting: %s, register 0x%04X, %s %s: %s\n", s.Name, s.Register, s.Type, s.Unit, s.Note)
	}
	if m.WarmUp > 0 {
		fmt.Fprintf(b, "warm-up: %v\n", m.WarmUp)
	}
	steps(b, "change of address", m.Change.Steps)
	if c := m.Change.Baud; c != nil {
		for _, baud := range slices.Sorted(maps.Keys(c.Codes)) {
			fmt.Fprintf(b, "  %d baud: write %d to register 0x%04X with function %d\n", baud, c.Codes[baud], c.Register, c.Function)
		}
	}
	fmt.Fprintf(b, "configuration:\n  - { id: probe1, kind: modbus, bus: rs485, template: %s, address: %d }\n", t.ID, m.Unit)
}

func command(b *strings.Builder, title string, c *probe.Command) {
	if c != nil {
		fmt.Fprintf(b, "%s: %s, answer %s\n", title, c.Ask, c.Answer)
	}
}

func describeAnalog(b *strings.Builder, t *probe.Template) {
	a := t.Analog
	info, _ := a.Quantity.Info()
	fmt.Fprintf(b, "supply: %s\n  %s: valid from %g to %g V, %g to %g %s\n", a.Supply, a.Quantity, a.ValidFrom, a.ValidTo, *a.Min, *a.Max, info.Unit)
	if a.Gain() != 1 {
		fmt.Fprintf(b, "divider: %g V of the probe for 1 V at the input\n", a.Gain())
	}
	for _, q := range a.Inputs() {
		fmt.Fprintf(b, "compensated with: %s\n", q)
	}
	fmt.Fprintf(b, "configuration:\n  - { id: probe1, kind: analog, bus: ao-i2c, template: %s, address: 0x48, input: 0 }\n", t.ID)
}
