package field_test

import (
	"slices"
	"testing"

	"aovuon/firmware-sim/field"
	"aovuon/gateway/sense/kind"
	"aovuon/gateway/sense/probe"
	"aovuon/hardware/probes"
)

// Every kind of sensor and every template the gateway knows can be put into a field. What it computes from others needs no chip.
func TestKinds_EverySensorOfTheGatewayHasAChip(t *testing.T) {
	const head = "places: [{ id: ao1, kind: pond }, { id: khoai1, kind: plot }]\n" +
		"buses: [{ id: ao, socket: ao.sock }, { id: w1, w1: w1 }, { id: rs485, serial: rs485 }, { id: pins, pins: pins.sock }]\ndevices:\n" +
		"  - { id: adc, kind: ads1115, bus: ao, address: 0x48 }\n"
	others := map[string]string{ // what is wired in another way than a chip with an address
		"ds18b20":            "{ id: x, kind: ds18b20, bus: w1, place: ao1 }",
		"capacitive-ads1115": "{ id: x, kind: capacitive, adc: adc, input: 0, place: khoai1, dry: { volts: 2.42, vwc: 5 }, wet: { volts: 1.31, vwc: 45 } }",
		"current-ads1115":    "{ id: m, kind: aerator, bus: pins, pin: quat, place: ao1, amps: 3, rate: 0.3 }\n  - { id: x, kind: transducer, adc: adc, input: 0, motor: m, volts_per_amp: 0.1 }",
		"ultrasonic-uart":    "{ id: x, kind: ultrasonic-uart, bus: rs485, place: ao1, height: 200 }",
		"modbus":             "{ id: x, kind: modbus, template: soil-b, bus: rs485, address: 1, place: khoai1 }",
		"analog":             "{ id: x, kind: analog, template: dfrobot-sen0189, adc: adc, input: 0, place: ao1 }",
	}
	plots := []string{"sht3x", "sht4x", "bme280", "seesaw-soil"}
	put := func(name, device string) {
		t.Helper()
		if _, err := field.Parse("field.yaml", []byte(head+"  - "+device+"\n"), "/x"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range kind.Names() {
		device, ok := others[name]
		if !ok {
			place := "ao1"
			if slices.Contains(plots, name) {
				place = "khoai1"
			}
			device = "{ id: x, kind: " + name + ", bus: ao, address: 0x30, place: " + place + " }"
		}
		put(name, device)
	}
	library := probe.NewLibrary(probes.Files())
	ids, err := library.IDs()
	if err != nil || len(ids) < 20 {
		t.Fatalf("%d templates, %v", len(ids), err)
	}
	for _, id := range ids {
		tpl, err := library.Template(id)
		if err != nil {
			t.Fatal(err)
		}
		for _, place := range []string{"ao1", "khoai1"} { // with what the place has, or as in its golden frame
			if tpl.Modbus != nil {
				put(id, "{ id: x, kind: modbus, template: "+id+", bus: rs485, address: 1, place: "+place+" }")
			} else {
				put(id, "{ id: x, kind: analog, template: "+id+", adc: adc, input: 0, place: "+place+" }")
			}
		}
	}
}
