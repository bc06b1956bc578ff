package story_test

import (
	"cmp"
	"fmt"
	"hash/crc32"
	"path/filepath"
	"strings"
	"time"

	"aovuon/gateway/measure"
)

// gatewayID is the one gateway of a story's field.
const gatewayID = "gw-thu-nghiem"

// The two places of a story's farm; the codes are those of the demo's first pond and first plot.
const (
	pondCode = "F7NE3CDQ7"
	plotCode = "WW08G83KH"
)

// device is one chip of the field and the sensor it is to the gateway; the two have one name.
type device struct {
	id, kind, bus string
	address       int           // on I²C
	input         int           // of an analog probe, on the ADS1115 of its bus
	every         time.Duration // how often the gateway asks
}

// kindOf says of a kind what the configurations need to know.
type kindOf struct {
	place    string // id in the simulated world
	code     string // of the place's board
	measures []measure.Quantity
}

func (d device) of() kindOf {
	pond := func(q ...measure.Quantity) kindOf { return kindOf{"ao1", pondCode, q} }
	plot := func(q ...measure.Quantity) kindOf { return kindOf{"khoai1", plotCode, q} }
	switch d.kind {
	case "ds18b20":
		return pond(measure.WaterTemperature)
	case "ezo-do":
		return pond(measure.DissolvedOxygen)
	case "ezo-ph":
		return pond(measure.PH)
	case "capacitive":
		return plot(measure.SoilMoisture)
	case "sht4x":
		return plot(measure.AirTemperature, measure.RelativeHumidity)
	}
	return plot(measure.AirTemperature, measure.RelativeHumidity, measure.AirPressure)
}

// busy is a field that gives some 300 readings a second: eight thermometers on 1-Wire, and three I²C buses with three
// SHT4x and an ADS1115 with four soil probes each.
func busy() []device {
	var all []device
	for i := 1; i <= 8; i++ {
		all = append(all, device{id: fmt.Sprintf("nuoc-%d", i), kind: "ds18b20", bus: "w1", every: 200 * time.Millisecond})
	}
	for b := 1; b <= 3; b++ {
		bus := fmt.Sprintf("i2c-%d", b)
		for i := range 3 {
			all = append(all, device{id: fmt.Sprintf("kk-%d-%d", b, i), kind: "sht4x", bus: bus, address: 0x44 + i, every: 100 * time.Millisecond})
		}
		for i := range 4 {
			all = append(all, device{id: fmt.Sprintf("am-%d-%d", b, i), kind: "capacitive", bus: bus, address: 0x48, input: i, every: 200 * time.Millisecond})
		}
	}
	return all
}

// one is a field with one chip of each kind, asked five times a second where the chip is fast enough.
func one() []device {
	return []device{
		{id: "nuoc", kind: "ds18b20", bus: "w1", every: 200 * time.Millisecond},
		{id: "oxy", kind: "ezo-do", bus: "i2c-1", address: 0x61, every: time.Second},
		{id: "ph", kind: "ezo-ph", bus: "i2c-1", address: 0x63, every: time.Second},
		{id: "kk", kind: "sht4x", bus: "i2c-2", address: 0x44, every: 200 * time.Millisecond},
		{id: "ap", kind: "bme280", bus: "i2c-2", address: 0x76, every: 200 * time.Millisecond},
		{id: "am", kind: "capacitive", bus: "i2c-2", address: 0x48, input: 0, every: 200 * time.Millisecond},
	}
}

// week is a field whose channels, asked once a minute, give some 200,000 readings in seven days.
func week() []device {
	var all []device
	for _, d := range busy() {
		if d.bus == "w1" || d.bus == "i2c-1" && d.kind == "capacitive" || d.bus != "i2c-3" && d.kind == "sht4x" && d.address < 0x46 {
			all = append(all, d)
		}
	}
	return all
}

func buses(devices []device) (names []string) {
	seen := map[string]bool{}
	for _, d := range devices {
		if !seen[d.bus] {
			seen[d.bus] = true
			names = append(names, d.bus)
		}
	}
	return names
}

// rom is the number of a thermometer, made of its name.
func (d device) rom() string { return fmt.Sprintf("28-0000%08x", crc32.ChecksumIEEE([]byte(d.id))) }

const soil = "dry: { volts: 2.42, vwc: 5 }, wet: { volts: 1.31, vwc: 45 }"

// fieldYAML is the simulator's configuration.
func fieldYAML(devices []device, speed float64) string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed: 952\nspeed: %g\ncontrol: control.sock\nledger: ledger.tsv\nw1_refresh: 100ms\n", speed)
	b.WriteString("places:\n  - { id: ao1, kind: pond }\n  - { id: khoai1, kind: plot }\nbuses:\n")
	adcs := map[string]bool{}
	for _, bus := range buses(devices) {
		if bus == "w1" {
			b.WriteString("  - { id: w1, w1: w1 }\n")
		} else {
			fmt.Fprintf(&b, "  - { id: %s, socket: %s.sock }\n", bus, bus)
		}
	}
	b.WriteString("devices:\n")
	for _, d := range devices {
		switch d.kind {
		case "ds18b20":
			fmt.Fprintf(&b, "  - { id: %s, kind: ds18b20, bus: w1, rom: %s, place: ao1 }\n", d.id, d.rom())
		case "capacitive":
			if !adcs[d.bus] {
				adcs[d.bus] = true
				fmt.Fprintf(&b, "  - { id: adc-%s, kind: ads1115, bus: %s, address: %#x }\n", d.bus, d.bus, d.address)
			}
			fmt.Fprintf(&b, "  - { id: %s, kind: capacitive, adc: adc-%s, input: %d, place: khoai1, %s }\n", d.id, d.bus, d.input, soil)
		default:
			fmt.Fprintf(&b, "  - { id: %s, kind: %s, bus: %s, address: %#x, place: %s }\n", d.id, d.kind, d.bus, d.address, d.of().place)
		}
	}
	return b.String()
}

// pace is how the gateway is set up to hurry: every time is short, so that a story has many of everything.
type pace struct {
	commit, seal time.Duration
	offline      time.Duration // between two batches while there is no link; 0: seal
}

// gatewayYAML is the gateway's configuration.
func gatewayYAML(dir string, devices []device, url, ca string, p pace) string {
	var b strings.Builder
	fmt.Fprintf(&b, "gateway: %s\ndata_dir: gw\nserver: { url: %q, key_file: server.vkey", gatewayID, url)
	if ca != "" {
		fmt.Fprintf(&b, ", ca_file: %q", ca)
	}
	fmt.Fprintf(&b, " }\nclock: { assume_synced: true }\nhealth: { off: true }\nseal: { commit_every: %v, every: %v, offline_every: %v }\nbuses:\n",
		p.commit, p.seal, cmp.Or(p.offline, p.seal))
	for _, bus := range buses(devices) {
		if bus == "w1" {
			fmt.Fprintf(&b, "  w1: { w1: %q }\n", filepath.Join(dir, "w1"))
		} else {
			fmt.Fprintf(&b, "  %s: { i2c: %q }\n", bus, "unix:"+filepath.Join(dir, bus+".sock"))
		}
	}
	b.WriteString("sensors:\n")
	for _, d := range devices {
		kind := d.kind
		if kind == "capacitive" {
			kind = "capacitive-ads1115"
		}
		fmt.Fprintf(&b, "  - { id: %s, kind: %s, bus: %s, every: %v", d.id, kind, d.bus, d.every)
		switch d.kind {
		case "ds18b20":
			fmt.Fprintf(&b, ", device: %s }\n", d.rom())
		case "capacitive":
			fmt.Fprintf(&b, ", address: %#x, input: %d, calibration: { %s } }\n", d.address, d.input, soil)
		default:
			fmt.Fprintf(&b, ", address: %#x }\n", d.address)
		}
	}
	return b.String()
}

// farmYAML is the register: which sensor hangs where.
func farmYAML(devices []device) string {
	var b strings.Builder
	b.WriteString(`coop: { name: { vi: HTX thử nghiệm, en: Trial co-op } }
zones: [ { id: khu, name: { vi: Khu thử, en: Trial zone } } ]
places:
`)
	fmt.Fprintf(&b, "  - { code: %s, name: ao1, kind: pond, title: { vi: Ao 1, en: Pond 1 }, zone: khu, holds: { vi: cá rô phi, en: tilapia } }\n", pondCode)
	fmt.Fprintf(&b, "  - { code: %s, name: khoai1, kind: plot, title: { vi: Ruộng 1, en: Plot 1 }, zone: khu, holds: { vi: khoai tây, en: potato } }\nmounts:\n", plotCode)
	for _, d := range devices {
		fmt.Fprintf(&b, "  - { gateway: %s, sensor: %s, place: %s, measures: [", gatewayID, d.id, d.of().place)
		for i, q := range d.of().measures {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(string(q))
		}
		b.WriteString("] }\n")
	}
	return b.String()
}
