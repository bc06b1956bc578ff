package probe_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aovuon/gateway/sense/probe"
	"aovuon/gateway/yamlfile"
	"aovuon/hardware/probes"
)

func library() *probe.Library { return probe.NewLibrary(probes.Files()) }

func TestLibrary_EveryTemplateIsWhole(t *testing.T) {
	ids, err := library().IDs()
	if err != nil || len(ids) < 20 {
		t.Fatalf("%d templates, %v", len(ids), err)
	}
	for _, id := range ids {
		tpl, err := library().Template(id)
		if err != nil {
			t.Error(err)
			continue
		}
		if len(tpl.Quantities()) == 0 || len(tpl.Wiring) == 0 || len(tpl.Upkeep) == 0 {
			t.Errorf("%s: no quantities, wiring or upkeep", id)
		}
	}
}

// replaceFirst changes one template, which must have what is changed.
func replaceFirst(t *testing.T, id, old, text string) []byte {
	t.Helper()
	_, raw, err := library().Text(id)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(raw, []byte(old)) {
		t.Fatalf("%s has no %q", id, old)
	}
	return bytes.Replace(raw, []byte(old), []byte(text), 1)
}

func TestParse_SaysWhatIsWrongWhereAndHowToMend(t *testing.T) {
	for name, tc := range map[string]struct{ id, old, text, what, mend string }{
		"unknown key":        {"soil-a-3in1", "maker:", "makre:", `unknown key "makre"`, "maker"},
		"id and file":        {"soil-a-3in1", "id: soil-a-3in1", "id: soil-x", "the file is called soil-a-3in1", "soil-x.yaml"},
		"bad id":             {"soil-a-3in1", "id: soil-a-3in1", "id: Soil", "bad id", "a-z"},
		"no kind":            {"soil-a-3in1", "kind: modbus", "kind: modem", "no kind of template", "modbus or analog"},
		"kind and part":      {"soil-a-3in1", "kind: modbus", "kind: analog", "exactly the part analog", "under analog"},
		"no maker":           {"soil-a-3in1", "maker: DFRobot, ComWinTop (CWT), WoMaster and others", `maker: ""`, "no maker", "who makes it"},
		"not how sure":       {"soil-a-3in1", "sure: unrecorded", "sure: quite", "how sure", "unrecorded"},
		"unit 0":             {"soil-a-3in1", "unit: 1", "unit: 0", "unit 0", "1 to 247"},
		"parity":             {"soil-a-3in1", "parity: none", "parity: maybe", "parity", "stop_bits: 1"},
		"timeout":            {"soil-a-3in1", "timeout: 500ms", "timeout: 1m", "timeout", "10s"},
		"function":           {"soil-a-3in1", "function: 3\n", "function: 1\n", "does not read registers", "3 for holding"},
		"too many":           {"soil-a-3in1", "registers: 3\n", "registers: 126\n", "126", "1 to 125"},
		"unknown quantity":   {"soil-a-3in1", "quantity: soil_moisture", "quantity: soil_wetness", "unknown quantity", "soil_moisture"},
		"twice":              {"soil-a-3in1", "quantity: soil_temperature", "quantity: soil_moisture", "has soil_moisture already", "keep one"},
		"register outside":   {"soil-a-3in1", "register: 2,", "register: 3,", "not in the read", "more registers"},
		"type":               {"soil-a-3in1", "type: s16", "type: i16", "unknown type", "s16, u16"},
		"no range":           {"soil-a-3in1", "max: 100 }", "max: 0 }", "no range", "min and max"},
		"wrong scale":        {"soil-a-3in1", "scale: 0.1", "scale: 0.01", "gives soil_moisture 6.58, not 65.8", "scale"},
		"unsigned":           {"soil-a-3in1", "type: s16", "type: u16", "soil_temperature", "byte order"},
		"checksum":           {"soil-a-3in1", "D8 0F", "D8 0E", "checksum D8 0E does not fit", "D8 0F"},
		"odd digits":         {"soil-a-3in1", "D8 0F", "D8 0", "no frame", "01 03 00 00 00 03 05 CB"},
		"other question":     {"soil-a-3in1", "01 03 00 00 00 03 05 CB", "01 03 00 06 00 01 64 0B", "does not ask", "03 00 00 00 03"},
		"missing value":      {"soil-a-3in1", "soil_moisture: 65.8, ", "", "says nothing of soil_moisture", "write soil_moisture: 65.8"},
		"stranger":           {"soil-a-3in1", "soil_moisture: 65.8", "soil_moisture: 65.8, ph: 7", "has no ph", "remove it"},
		"origin":             {"soil-a-3in1", "origin: published", "origin: heard", "where this is from", "derived"},
		"baud without code":  {"soil-a-3in1", "9600: 2", "9601: 2", "9600 baud has no code", "add 9600"},
		"write function":     {"soil-a-3in1", "address: { function: 6", "address: { function: 5", "does not write", "6 for one"},
		"read not shown":     {"soil-c-jxct", `"01 03 00 06 00 01 64 0B"`, `"01 03 00 1E 00 03 65 CD"`, "no golden frame shows this read (03 00 06 00 01)", "add a frame"},
		"start not shown":    {"yosemitech-y504", "01 03 25 00 00 00 4E C6", "01 03 2E 00 00 00 4D 22", "no golden frame shows this command (03 25 00 00 00)", "add a frame"},
		"start answer":       {"yosemitech-y504", `answer: "03 00" }`, `answer: "03 02 00 00" }`, "the answer is 03 00", "command's answer"},
		"command":            {"yosemitech-y504", `ask: "10 31 00 00 00 00"`, `ask: "ten"`, "no question", "hexadecimal"},
		"power-up":           {"yosemitech-y504", `power_up: "00 00`, `power_up: "00`, "not 6 registers", "12 bytes"},
		"absent float":       {"yosemitech-y504", "min: 0, max: 50", "min: 0, max: 50, absent: [0]", "no such numbers", "remove it"},
		"fault not said":     {"yosemitech-y504", "oxygen_saturation: refused, ", "", "gives no oxygen_saturation", "faults: { oxygen_saturation: refused }"},
		"wrong reason":       {"yosemitech-y504", "oxygen_saturation: refused", "oxygen_saturation: crc", "another reason", "refused"},
		"unit factor":        {"level-qdy30a", "2: 0.1", "2: 0", "factor of code 2", "above 0"},
		"decimals outside":   {"level-qdy30a", "decimals_register: 3", "decimals_register: 9", "not in the read", "begin earlier"},
		"two conversions":    {"dfrobot-sen0161-v2", "  ph:", "  curve: [1, 2]\n  ph:", "2 conversions", "exactly one"},
		"volts":              {"dfrobot-sen0161-v2", "value: 7.563", "value: 7.5", "1.4 V give 7.563", "look at the conversion"},
		"valid volts":        {"dfrobot-sen0161-v2", "valid_to: 2.9", "valid_to: 0.1", "no range", "valid_from and valid_to"},
		"whole voltage":      {"dfrobot-sen0161-v2", "iso_volts: 1.5", "iso_volts: 0", "iso_volts 0", "above 0"},
		"golden quality":     {"dfrobot-sen0189", "value: -3651.4, quality: out-of-range", "value: -3651.4", "out-of-range, not uncalibrated", "quality: out-of-range"},
		"overlap":            {"dfrobot-sen0189", "absent_below: 1 ", "absent_below: 3 ", "overlap", "below valid_from"},
		"swapped buffers":    {"dfrobot-sen0161-v2", "volts: 2.02, value: 4", "volts: 1.02, value: 4", "slope", "correct the points"},
		"saturated is 100 %": {"dfrobot-sen0237", "volts: 1.6, value: 100", "volts: 1.6, value: 8.26", "8.26 %", "correct the points"},
	} {
		_, err := probe.Parse(tc.id+".yaml", replaceFirst(t, tc.id, tc.old, tc.text))
		if err == nil || !strings.Contains(err.Error(), tc.what) || !strings.Contains(err.Error(), tc.mend) {
			t.Errorf("%s: %v\n  does not say %q and %q", name, err, tc.what, tc.mend)
			continue
		}
		if e, ok := errors.AsType[*yamlfile.Error](err); !ok || e.File != tc.id+".yaml" || e.Line == 0 || e.Column == 0 || e.Text == "" || e.Mend == "" {
			t.Errorf("%s: %#v", name, e)
		}
	}
}

func TestParse_TellsAllAtOnce(t *testing.T) {
	raw := replaceFirst(t, "soil-a-3in1", "unit: 1", "unit: 300")
	raw = bytes.Replace(raw, []byte("type: s16"), []byte("type: s17"), 1)
	raw = bytes.Replace(raw, []byte("baud: 9600"), []byte("baud: 96"), 1)
	_, err := probe.Parse("soil-a-3in1.yaml", raw)
	if err == nil || strings.Count(err.Error(), "mend:") < 3 {
		t.Error(err)
	}
}

func TestParse_WhatIsNoTemplate(t *testing.T) {
	for _, raw := range []string{"", "# nothing", "[1]", "id: a\n---\nid: b", "\x80", "id: [", "id: 3", "kind: modbus\nmodbus: { quiet: soon }", "analog: { golden: [{ volts: a }] }"} {
		if tpl, err := probe.Parse("x.yaml", []byte(raw)); err == nil || !strings.HasPrefix(err.Error(), "x.yaml") || !strings.Contains(err.Error(), "mend:") {
			t.Errorf("%q: %v, %v", raw, tpl, err)
		}
	}
}

func TestLibrary_FilesOfTheUser(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "my-probe.yaml")
	raw := replaceFirst(t, "soil-b", "id: soil-b", "id: my-probe")
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	tpl, err := library().Template(path)
	if err != nil || tpl.ID != "my-probe" {
		t.Error(tpl, err)
	}
	for _, ref := range []string{"my-probe", "../soil-b", "", "README", filepath.Join(dir, "other.yaml")} {
		if _, err := library().Template(ref); err == nil {
			t.Errorf("%q is a template", ref)
		}
	}
}

func FuzzParse(f *testing.F) {
	ids, err := library().IDs()
	if err != nil {
		f.Fatal(err)
	}
	for _, id := range ids {
		_, raw, err := library().Text(id)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(raw))
	}
	f.Fuzz(func(t *testing.T, raw string) {
		tpl, err := probe.Parse("x.yaml", []byte(raw))
		if err != nil {
			return
		}
		if tpl.Modbus != nil { // what is accepted can be used
			for i := range tpl.Modbus.Reads {
				if _, err := tpl.Modbus.Reads[i].Decode(tpl.Modbus.Image(i)); err != nil && tpl.Modbus.Reads[i].PowerUp == "" {
					t.Error(err)
				}
			}
		}
	})
}
