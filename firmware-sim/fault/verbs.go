package fault

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"

	"aovuon/firmware-sim/control"
)

// Verbs are the commands of the board: FORMAT.md.
func (b *Board) Verbs() []control.Verb {
	set := control.Verb{Name: "set", Usage: []string{"set DEVICE FAULT [NUMBER] - break it, or a bus; list says what each can have"}}
	set.Do = func(_ context.Context, args []string) ([]string, error) {
		if len(args) < 2 {
			return nil, set.Want()
		}
		params, err := numbers(args[1:])
		if err != nil {
			return nil, err
		}
		return nil, b.Set(args[0], Kind(args[1]), params...)
	}
	clean := control.Verb{Name: "clean", Usage: []string{"clean DEVICE - wipe its probe: fouling begins anew"}}
	clean.Do = func(_ context.Context, args []string) ([]string, error) {
		if len(args) != 1 {
			return nil, clean.Want()
		}
		return nil, b.Clean(args[0])
	}
	heal := control.Verb{Name: "heal", Usage: []string{"heal DEVICE - end its fault", "heal all - end every device's fault"}}
	heal.Do = func(_ context.Context, args []string) ([]string, error) {
		switch {
		case len(args) != 1:
			return nil, heal.Want()
		case args[0] == "all":
			b.HealAll()
			return nil, nil
		}
		return nil, b.Set(args[0], None)
	}
	list := control.Verb{Name: "list", Usage: []string{"list - every device, what ails it, and what it can have"}}
	list.Do = func(_ context.Context, args []string) ([]string, error) {
		if len(args) != 0 {
			return nil, list.Want()
		}
		return b.list(), nil
	}
	dip := control.Verb{Name: "dip", Usage: []string{
		"dip DEVICE VALUE [CELSIUS] - put its probe where VALUE is right: a buffer, a can of soil, the air", "dip DEVICE out - back into its place",
	}}
	dip.Do = func(_ context.Context, args []string) ([]string, error) {
		if len(args) == 2 && args[1] == "out" {
			return nil, b.Dip(args[0], nil)
		}
		numbers, err := numbers(args)
		switch {
		case err != nil:
			return nil, err
		case len(numbers) == 1:
			return nil, b.Dip(args[0], &Bath{Value: numbers[0]})
		case len(numbers) == 2:
			return nil, b.Dip(args[0], &Bath{Value: numbers[0], Celsius: &numbers[1]})
		}
		return nil, dip.Want()
	}
	drift := control.Verb{Name: "drift", Usage: []string{"drift DEVICE GAIN OFFSET - age its probe: it feels GAIN · truth + OFFSET"}}
	drift.Do = func(_ context.Context, args []string) ([]string, error) {
		numbers, err := numbers(args)
		switch {
		case err != nil:
			return nil, err
		case len(numbers) == 2:
			return nil, b.Age(args[0], Ageing{Gain: numbers[0], Offset: numbers[1]})
		}
		return nil, drift.Want()
	}
	return []control.Verb{set, clean, heal, list, dip, drift}
}

// list is a line for every device.
func (b *Board) list() (lines []string) {
	for _, d := range b.Devices() {
		state := string(d.Fault)
		switch {
		case d.Fault == None:
			state = "healthy"
		case d.Probe != None && d.Probe != d.Fault:
			state += "+" + string(d.Probe)
		}
		lines = append(lines, fmt.Sprintf("%s %s %s", d.Name, state, strings.ReplaceAll(join(d.Kinds), ", ", ",")))
	}
	return lines
}

// numbers are the words after the first.
func numbers(args []string) (list []float64, err error) {
	for _, w := range args[min(1, len(args)):] {
		v, err := strconv.ParseFloat(w, 64)
		if whole, bad := strconv.ParseUint(strings.TrimPrefix(w, "0x"), 16, 16); bad == nil && strings.HasPrefix(w, "0x") { // an address, such as 0x62
			v, err = float64(whole), nil
		}
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("%q is no number", w)
		}
		list = append(list, v)
	}
	return list, nil
}
