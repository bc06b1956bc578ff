package boards

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// PiRef is the part that is the Raspberry Pi. Its pins are written as "11 GPIO17": the number on the header, the name.
const PiRef = "pi"

// header is the 40-pin header of every Raspberry Pi since 2014, by number (Raspberry Pi documentation, "GPIO and the 40-pin header").
var header = [41]string{ //nolint:gochecknoglobals // a table
	1: "3V3", 2: "5V", 3: "GPIO2", 4: "5V", 5: "GPIO3", 6: "GND", 7: "GPIO4", 8: "GPIO14", 9: "GND", 10: "GPIO15",
	11: "GPIO17", 12: "GPIO18", 13: "GPIO27", 14: "GND", 15: "GPIO22", 16: "GPIO23", 17: "3V3", 18: "GPIO24", 19: "GPIO10", 20: "GND",
	21: "GPIO9", 22: "GPIO25", 23: "GPIO11", 24: "GPIO8", 25: "GND", 26: "GPIO7", 27: "GPIO0", 28: "GPIO1", 29: "GPIO5", 30: "GND",
	31: "GPIO6", 32: "GPIO12", 33: "GPIO13", 34: "GND", 35: "GPIO19", 36: "GPIO16", 37: "GPIO26", 38: "GPIO20", 39: "GND", 40: "GPIO21",
}

// PiPin reports whether a pin stands on the header as it is written: "11 GPIO17". Sockets are "USB", "USB-C".
func PiPin(pin string) bool {
	var n int
	var name string
	if k, err := fmt.Sscanf(pin, "%d %s", &n, &name); err == nil && k == 2 {
		return n > 0 && n < len(header) && header[n] == name && pin == fmt.Sprintf("%d %s", n, name)
	}
	return strings.HasPrefix(pin, "USB")
}

// potentials are supplies, as the names of pins end; two of them on one wire are a short circuit.
func potentials() []string { return []string{"3V3", "5V", "12V", "24V", "GND", "L", "N", "PE"} }

// potential is the supply that a pin is, or empty: "1 3V3", "X1.GND", "V+ 12V" are; "GPIO4" is not.
func potential(pin string) string {
	last := pin[strings.LastIndexAny(pin, " .")+1:]
	if slices.Contains(potentials(), last) {
		return last
	}
	return ""
}

// Check returns everything that is wrong with a board, each line naming what and where.
func (b Board) Check() []string {
	return slices.Concat(b.checkParts(), b.checkWires(), b.checkNets())
}

func (b Board) checkParts() (bad []string) {
	seen, at := map[string]bool{}, map[string]string{}
	for _, p := range b.Parts {
		say := func(format string, a ...any) {
			bad = append(bad, fmt.Sprintf("%s/bom.csv: %s: ", b.Name, p.Ref)+fmt.Sprintf(format, a...))
		}
		if seen[p.Ref] {
			say("listed twice")
		}
		seen[p.Ref] = true
		if p.VI == "" || p.EN == "" || p.Quantity < 1 || p.Price < 0 {
			say("name in both languages, quantity and price are needed")
		}
		if !slices.Contains([]string{Module, Terminal, Probe, Mains, Consumable}, p.Kind) {
			say("%q is no kind of part", p.Kind)
		}
		if !slices.Contains(Classes(), p.Class) {
			say("%q is no class: one of %s", p.Class, strings.Join(Classes(), ", "))
		}
		if wired := slices.ContainsFunc(b.Wires, func(w Wire) bool { return w.From == p.Ref || w.To == p.Ref }); wired != (p.Column > 0) || wired == (p.Kind == Consumable) {
			say("wired: %v, column of the drawing: %d, kind: %s; these do not go together", wired, p.Column, p.Kind)
		}
		if p.Address != "" && p.Address != "1-wire" {
			if other := at[p.Address]; other != "" {
				say("has address %s, as %s has", p.Address, other)
			}
			at[p.Address] = p.Ref
		}
	}
	return bad
}

func (b Board) checkWires() (bad []string) {
	used := map[[2]string]int{}
	for i, w := range b.Wires {
		say := func(format string, a ...any) {
			bad = append(bad, fmt.Sprintf("%s/pins.csv: wire %d (%s %s to %s %s): ", b.Name, i+1, w.From, w.FromPin, w.To, w.ToPin)+fmt.Sprintf(format, a...))
		}
		if !slices.Contains(Colours(), w.Colour) || w.Area == "" {
			say("colour (one of %s) and area are needed", strings.Join(Colours(), ", "))
		}
		columns := [2]int{}
		for k, end := range [2][2]string{{w.From, w.FromPin}, {w.To, w.ToPin}} {
			p, ok := b.Part(end[0])
			if !ok {
				say("%s is not in bom.csv", end[0])
				continue
			}
			columns[k] = p.Column
			if p.Ref == PiRef && !PiPin(end[1]) {
				say("a Raspberry Pi has no pin %q", end[1])
			}
			used[end]++
			if most := map[bool]int{true: 4, false: 1}[p.Kind == Terminal]; used[end] > most {
				say("%s %s has %d wires, room is for %d", end[0], end[1], used[end], most)
			}
		}
		if columns[0]+1 != columns[1] {
			say("goes from column %d to %d of the drawing; from left to the next on the right", columns[0], columns[1])
		}
	}
	return bad
}

// checkNets finds supplies that are joined with each other through wires and terminals.
func (b Board) checkNets() (bad []string) {
	net := map[[2]string][2]string{}
	var root func(x [2]string) [2]string
	root = func(x [2]string) [2]string {
		if up, ok := net[x]; ok && up != x {
			return root(up)
		}
		return x
	}
	for _, w := range b.Wires {
		a, z := [2]string{w.From, w.FromPin}, [2]string{w.To, w.ToPin}
		net[root(a)] = root(z)
	}
	supplies := map[[2]string]map[string]string{}
	for _, w := range b.Wires {
		for _, end := range [2][2]string{{w.From, w.FromPin}, {w.To, w.ToPin}} {
			if s := potential(end[1]); s != "" {
				r := root(end)
				if supplies[r] == nil {
					supplies[r] = map[string]string{}
				}
				supplies[r][s] = end[0] + " " + end[1]
			}
		}
	}
	for _, s := range supplies {
		if len(s) > 1 {
			bad = append(bad, fmt.Sprintf("%s/pins.csv: short circuit: %s", b.Name, strings.Join(slices.Sorted(maps.Values(s)), ", ")))
		}
	}
	return bad
}
