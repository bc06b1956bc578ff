package field_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"aovuon/firmware-sim/field"
)

const hosted = `seed: 1
places: [{ id: ao1, kind: pond }]
buses: [{ id: i2c, socket: ao1.sock }, { id: w1, w1: w1 }, { id: pins, pins: p.sock }, { id: line, serial: tty }]
devices: [{ id: ao1-do, kind: ezo-do, bus: i2c, address: 0x61, place: ao1 }]
`

func TestParse_SaysWhatIsWrongWithWhatIsHosted(t *testing.T) {
	for text, says := range map[string]string{
		"gateways:\n  - { id: GW, config: g.yaml }":                                          "f.yaml:6: gateway \"GW\"",
		"gateways:\n  - { id: all, config: g.yaml }":                                         "the name is taken",
		"gateways:\n  - { id: gw-1, config: g.yaml }\n  - { id: gw-1, config: h.yaml }":      "f.yaml:7: gateway gw-1: the name is taken",
		"gateways:\n  - { id: gw-1 }":                                                        "name its gateway.yaml",
		"gateways:\n  - { id: gw-1, config: g.yaml, restart: sometimes }":                    "always or never",
		"gateways:\n  - { id: gw-1, config: g.yaml, disk: { mb: -1 } }":                      "0 to 1000000",
		"gateways:\n  - { id: gw-1, config: g.yaml, link: { listen: here, to: \"h:1\" } }":   "server.url",
		"gateways:\n  - { id: gw-1, config: g.yaml, link: { listen: \":1\", to: \"h:0\" } }": "where its broker listens",
		"gateways:\n  - { id: gw-1, config: g, link: { listen: \":1\", to: \"h:2\" } }\n  - { id: gw-2, config: h, link: { listen: \":1\", to: \"h:2\" } }": "f.yaml:7: gateway gw-2: the link of gw-1",
		"programs:\n  - { run: [x] }":                                                                         "without id",
		"programs:\n  - { id: mq }":                                                                           "run is empty",
		"programs:\n  - { id: mq, run: [x], ready: soon }":                                                    "an address that answers",
		"programs:\n  - { id: mq, run: [x] }\n  - { id: mq, run: [x] }":                                       "f.yaml:7: program mq: the name is taken",
		"gateways:\n  - { id: gw-1, config: g.yaml, start: false, love: true }":                               "love",
		"faults:\n  - { gateway: gw-1, fault: kill, after: 1m }":                                              "f.yaml:6: fault kill: no gateway \"gw-1\"",
		"faults:\n  - { link: gw-1, gateway: gw-1, fault: kill, after: 1m }":                                  "want one of device or bus, gateway",
		"faults:\n  - { fault: kill, after: 1m }":                                                             "want one of device or bus, gateway",
		"programs: [{ id: mq, run: [x] }]\nfaults:\n  - { program: mq, fault: kill }":                         "when?",
		"programs: [{ id: mq, run: [x] }]\nfaults:\n  - { program: mq, fault: kill, every: 1h, for: 2h }":     "has to end before",
		"programs: [{ id: mq, run: [x] }]\nfaults:\n  - { program: mq, fault: kill, after: 1m, params: [1] }": "its numbers stand in fault",
		"gateways: [{ id: gw-1, config: g.yaml }]\nfaults:\n  - { link: gw-1, fault: down, after: 1m }":       "no link \"gw-1\"",
	} {
		_, err := field.Parse("f.yaml", []byte(hosted+text+"\n"), "/tmp")
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s:\n%v; want %q", text, err, says)
		}
	}
}

func TestConfig_AloneHostsNothing(t *testing.T) {
	c, err := field.Parse("f.yaml", []byte(hosted+`
gateways: [{ id: gw-1, config: gw/g.yaml, program: bin/gateway }]
programs: [{ id: mq, run: [bin/mq, -c, x] }, { id: other, run: [mosquitto] }]
faults: [{ gateway: gw-1, fault: kill, after: 1m }, { device: ao1-do, fault: unplug, after: 1m }]
`), "/field")
	if err != nil {
		t.Fatal(err)
	}
	if g := c.Gateways[0]; g.Config != "/field/gw/g.yaml" || g.Program != "/field/bin/gateway" || !g.Starts() {
		t.Errorf("%+v", g)
	}
	if c.Programs[0].Run[0] != "/field/bin/mq" || c.Programs[1].Run[0] != "mosquitto" {
		t.Errorf("%+v", c.Programs)
	}
	if a := c.Alone(); len(a.Gateways)+len(a.Programs) != 0 || len(a.Faults) != 1 || len(c.Faults) != 2 {
		t.Errorf("%+v", a)
	}
}

func TestField_BusesOf(t *testing.T) {
	dir := t.TempDir()
	c, err := field.Parse("f.yaml", []byte(hosted), dir)
	if err != nil {
		t.Fatal(err)
	}
	f, err := field.New(c, field.Options{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	got := f.BusesOf(field.Wires{
		I2C: []string{"unix:" + filepath.Join(dir, "ao1.sock")}, Pins: []string{"unix:" + filepath.Join(dir, "p.sock") + "#quat"}, W1: []string{filepath.Join(dir, "elsewhere")},
		Serial: []string{filepath.Join(dir, "tty")},
	})
	if !slices.Equal(got, []string{"i2c", "pins", "line"}) {
		t.Error(got)
	}
}
