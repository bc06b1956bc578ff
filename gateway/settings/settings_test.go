package settings_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"aovuon/gateway/settings"
	"aovuon/gateway/wire"
)

const file = `
# what the person at the gateway wrote
gateway: gw-ao-phukhe
server: { url: tcp://127.0.0.1:1883, key_file: server.vkey }
buses: { ao-i2c: { i2c: "1" } }
sensors:
  - { id: ao1-do, kind: ezo-do, bus: ao-i2c, address: 0x61, temperature: ao1-temp, every: 60s }
  - id: khoai1-am
    kind: capacitive-ads1115
    bus: ao-i2c
    address: 0x48
    input: 0
    calibration: { dry: { volts: 2.30, vwc: 5 }, wet: { volts: 1.5, vwc: 42.0 } }
`

func change(path, was, value string) wire.Change {
	return wire.Change{Path: path, Was: []byte(was), Value: []byte(value)}
}

// tree reads YAML as plain values.
func tree(t *testing.T, raw []byte) (v map[string]any) {
	t.Helper()
	if err := yaml.Unmarshal(raw, &v); err != nil {
		t.Fatalf("%v:\n%s", err, raw)
	}
	return v
}

func sensor(doc map[string]any, i int) map[string]any {
	return doc["sensors"].([]any)[i].(map[string]any)
}

func TestApply_ChangesWhatIsDesiredAndNothingElse(t *testing.T) {
	merged, kept, err := settings.Apply([]byte(file), []wire.Change{
		change("sensors.ao1-do.every", `"60s"`, `"30s"`),
		change("sensors.ao1-do.temperature", `"ao1-temp"`, `null`),
		change("sensors.khoai1-am.every", `null`, `"5m"`),
		change("sensors.khoai1-am.calibration", `{"wet":{"vwc":42,"volts":1.5},"dry":{"volts":2.3,"vwc":5.0}}`, `{"dry":{"volts":2.25,"vwc":4},"wet":{"volts":1.5,"vwc":42}}`),
		change("seal.every", `null`, `"1m"`),
	})
	if err != nil || kept != nil {
		t.Fatalf("%v, kept %v", err, kept)
	}
	want := tree(t, []byte(file))
	sensor(want, 0)["every"] = "30s"
	delete(sensor(want, 0), "temperature")
	sensor(want, 1)["every"] = "5m"
	sensor(want, 1)["calibration"] = map[string]any{
		"dry": map[string]any{"volts": 2.25, "vwc": uint64(4)}, "wet": map[string]any{"volts": 1.5, "vwc": uint64(42)},
	}
	want["seal"] = map[string]any{"every": "1m"}
	if d := cmp.Diff(want, tree(t, merged)); d != "" {
		t.Error(d)
	}
}

// The program reads a file that an editor put a byte order mark before; what is laid over it must not make it unreadable.
func TestApply_AByteOrderMarkIsNoPartOfAKey(t *testing.T) {
	merged, _, err := settings.Apply([]byte("\ufeffgateway: gw-ao-phukhe"), []wire.Change{change("seal.every", `null`, `"1m"`)})
	if d := cmp.Diff(map[string]any{"gateway": "gw-ao-phukhe", "seal": map[string]any{"every": "1m"}}, tree(t, merged)); err != nil || d != "" {
		t.Errorf("%v %s", err, d)
	}
}

func TestApply_LocalEditStands(t *testing.T) {
	merged, kept, err := settings.Apply([]byte(file), []wire.Change{
		change("sensors.ao1-do.every", `"2m"`, `"30s"`),      // somebody wrote 60s since
		change("sensors.ao9-do.every", `"60s"`, `"30s"`),     // somebody took the sensor out
		change("sensors.khoai1-am.every", `"60s"`, `"30s"`),  // somebody took the line out
		change("sensors.khoai1-am.calibration", `null`, `1`), // somebody put one in
	})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"sensors.ao1-do.every", "sensors.ao9-do.every", "sensors.khoai1-am.every", "sensors.khoai1-am.calibration"}, kept); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(tree(t, []byte(file)), tree(t, merged)); d != "" {
		t.Error(d)
	}
}

func TestApply_NothingDesiredIsTheFileByteForByte(t *testing.T) {
	if merged, kept, err := settings.Apply([]byte(file), nil); err != nil || kept != nil || string(merged) != file {
		t.Errorf("%v %v\n%s", err, kept, merged)
	}
}

func TestApply_WiringAndTrustCannotBeSet(t *testing.T) {
	for _, path := range []string{
		"gateway", "data_dir", "server.url", "server.key_file", "key_file", "clock.assume_synced", "buses.ao-i2c.i2c", "seal.commit_every",
		"sensors.ao1-do.address", "sensors.ao1-do.bus", "sensors.ao1-do.id", "sensors.ao1-do.kind", "sensors..every", "sensors.ao1-do",
		"sensors.ao1-do.every.x", "", ".", "sensors", "love.every",
	} {
		_, _, err := settings.Apply([]byte(file), []wire.Change{change(path, "null", `"x"`)})
		if !errors.Is(err, wire.ErrNotSettable) || wire.CheckPath(path) == nil {
			t.Errorf("%q: %v", path, err)
		}
	}
}

func TestInForce_SaysWhatCanBeSet(t *testing.T) {
	got, err := settings.InForce([]byte(file))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]json.RawMessage{
		"sensors.ao1-do.every": []byte(`"60s"`), "sensors.ao1-do.temperature": []byte(`"ao1-temp"`),
		"sensors.khoai1-am.calibration": []byte(`{"dry":{"volts":2.3,"vwc":5},"wet":{"volts":1.5,"vwc":42}}`),
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// FuzzApply: whatever is desired, the result is a configuration or an error, and what is said to be in force then is what
// was desired or kept.
func FuzzApply(f *testing.F) {
	f.Add("sensors.ao1-do.every", `"60s"`, `"30s"`)
	f.Add("sensors.khoai1-am.calibration", `null`, `{"dry":[1e99,{}]}`)
	f.Add("seal.every", `null`, `"\u0000: [\n- |"`)
	for _, v := range []string{`"~"`, `"on"`, `"0x10"`, `"1e3"`, `" lead"`, `"a: b"`, `"null"`, `"- a"`, `"'"`, `"12:30"`, `"\n"`, `""`, `{"":""}`, `0.1`, `1e300`} {
		f.Add("seal.every", "null", v)
	}
	f.Fuzz(func(t *testing.T, path, was, value string) {
		merged, kept, err := settings.Apply([]byte(file), []wire.Change{change(path, was, value)})
		if err != nil {
			return
		}
		now, err := settings.InForce(merged)
		if err != nil {
			t.Fatalf("%v\n%s", err, merged)
		}
		if len(kept) > 0 {
			return
		}
		var want, got any
		if json.Unmarshal([]byte(value), &want) != nil {
			t.Fatalf("%q is no JSON and was applied", value)
		}
		if raw := now[path]; raw != nil && json.Unmarshal(raw, &got) != nil {
			t.Fatalf("%s", raw)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s = %s: %s\n%s", path, value, d, merged)
		}
	})
}
