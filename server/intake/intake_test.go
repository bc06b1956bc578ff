package intake_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aovuon/server/intake"
)

// now is when the captured messages came: 12:30:10 in Viet Nam.
func now() time.Time { return time.Date(2026, 11, 26, 5, 30, 10, 0, time.UTC) }

// lines writes what a message became, one thing a line.
func lines(t intake.Taken) (out []string) {
	if t.Nothing {
		return []string{"nothing"}
	}
	for _, r := range t.Readings {
		out = append(out, fmt.Sprintf("%s %s %.6g %s %s", r.Sensor, r.Quantity, r.Value, r.Quality, r.Time.Wall.Format("15:04:05.000")))
	}
	for _, r := range t.Refused {
		out = append(out, strings.TrimSpace(fmt.Sprintf("%s %s %s: %s", r.Why, r.Device, r.Value, r.Detail)))
	}
	slices.Sort(out)
	return out
}

func mapping(t *testing.T, text string) *intake.Mapping {
	t.Helper()
	m, err := intake.ParseMapping("map.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Captured messages in the forms that each project's documentation shows, and what they become.
func TestRead_CapturedMessages(t *testing.T) {
	for name, c := range map[string]struct {
		mapping, topic, event, file, body string
		want                              []string
	}{
		"chirpstack": {
			mapping: `
kind: chirpstack
profiles:
  lse01:
    values:
      temp_SOIL: { quantity: soil_temperature }
      water_SOIL: { quantity: soil_moisture, quality: estimated }
      conduct_SOIL: { quantity: soil_conductivity, unit: uS/cm }
      raw_ec: { quantity: soil_conductivity, sensor: khoai-a-raw }
    layout:
      2: [ { value: raw_ec, at: 8, type: uint16be } ]
    ignore: [ BatV, i_* ]
devices:
  a840410000018209: { sensor: khoai-a, profile: lse01 }
`, topic: "application/17c82e96/device/a840410000018209/event/up", file: "chirpstack.json",
			want: []string{
				"khoai-a soil_conductivity 2375 uncalibrated 05:29:31.123", "khoai-a soil_moisture 9.86 estimated 05:29:31.123", "khoai-a soil_temperature 20.4 uncalibrated 05:29:31.123",
				"khoai-a-raw soil_conductivity 3000 uncalibrated 05:29:31.123",
			},
		},
		"chirpstack of a device that nobody named": {
			mapping: "kind: chirpstack", event: "up", file: "chirpstack.json",
			want: []string{"unknown-device a840410000018209 : BatV=3.294, conduct_SOIL=2375, i_flag=0, temp_SOIL=20.4, water_SOIL=9.86"},
		},
		"chirpstack's other events": {mapping: "kind: chirpstack", event: "join", body: `{"deviceInfo":{}}`, want: []string{"nothing"}},
		"chirpstack in Protobuf":    {mapping: "kind: chirpstack", body: "\x0a\x24x", want: []string{"malformed  : not of the form of its kind: no JSON object: invalid character '$' looking for beginning of value"}},
		"senml": {
			mapping: `
kind: senml
devices:
  "urn:dev:ow:10e2073a01080063":
    sensor: tram-bom
    values:
      voltage: { quantity: voltage, quality: good }
      current: { quantity: current, quality: good }
      temperature: { quantity: air_temperature, quality: good }
      humidity: { quantity: relative_humidity, quality: good }
`, file: "senml.json", want: []string{
				"tram-bom air_temperature 23.5 good 05:30:00.000", "tram-bom current 1.2 good 05:29:55.000", "tram-bom current 1.3 good 05:29:56.000",
				"tram-bom relative_humidity 72 good 05:30:00.000", "tram-bom voltage 12.1 good 05:30:00.000", "unknown-value urn:dev:ow:10e2073a01080063 pump: pump=1 A",
			},
		},
		"senml relative to now": {
			mapping: "kind: senml\ndevices: { d1: { sensor: s1, values: { t: { quantity: air_temperature } } } }", body: `[{"bn":"d1/","n":"t","u":"Cel","v":21.5},{"n":"t","t":-60,"v":20.5}]`,
			want: []string{"s1 air_temperature 20.5 uncalibrated 05:29:10.000", "s1 air_temperature 21.5 uncalibrated 05:30:10.000"},
		},
		"senml that must be understood": {mapping: "kind: senml", body: `[{"n":"a:b","v":1,"x_":2}]`, want: []string{`malformed  : not of the form of its kind: record 1: "x_" must be understood, and is not`}},
		"senml of a later version":      {mapping: "kind: senml", body: `[{"bver":11,"n":"a:b","v":1}]`, want: []string{"malformed  : not of the form of its kind: record 1: version 11: this program knows 10"}},
		"tasmota in Fahrenheit and mmHg, by its own clock": {
			mapping: `
kind: tasmota
devices:
  nha-say:
    sensor: say
    values:
      SHT3X-0x44.Temperature: { quantity: air_temperature }
      SHT3X-0x44.Humidity: { quantity: relative_humidity }
      BMP280.Pressure: { quantity: air_pressure }
      DS18B20.Temperature: { quantity: water_temperature, offset: -0.9 }
    ignore: [ "BMP280.*", SHT3X-0x44.DewPoint ]
`, topic: "tele/nha-say/SENSOR", file: "tasmota.json",
			want: []string{
				"say air_pressure 1012.98 uncalibrated 05:30:05.000", "say air_temperature 26.5 uncalibrated 05:30:05.000", "say relative_humidity 81.3 uncalibrated 05:30:05.000",
				"say water_temperature 26.5 uncalibrated 05:30:05.000",
			},
		},
		"tasmota whose clock was never set": {
			mapping: "kind: tasmota\ndevices: { a: { sensor: s1, values: { AM2301.Temperature: { quantity: air_temperature } } } }", topic: "a/tele/SENSOR", body: `{"Time":"1970-01-01T00:03:12","AM2301":{"Temperature":22.1,"Humidity":null},"TempUnit":"C"}`,
			want: []string{"bad-time a AM2301.Temperature: 1969-12-31T16:03:12Z is older than 168h0m0s (max_age): the clock of the device is not set (received_time: true does without it), or it sent what it kept"},
		},
		"the same, and its clock is not believed": {
			mapping: "kind: tasmota\nreceived_time: true\ndevices: { a: { sensor: s1, values: { AM2301.Temperature: { quantity: air_temperature } } } }", topic: "a/tele/SENSOR", body: `{"Time":"1970-01-01T00:03:12","AM2301":{"Temperature":22.1,"Humidity":null},"TempUnit":"C"}`,
			want: []string{"s1 air_temperature 22.1 uncalibrated 05:30:10.000"},
		},
		"tasmota's state": {mapping: "kind: tasmota", topic: "tele/nha-say/STATE", body: `{}`, want: []string{"nothing"}},
		"zigbee2mqtt": {
			mapping: `
kind: zigbee2mqtt
devices:
  kho/giong: { sensor: kho-giong, values: { temperature: { quantity: air_temperature }, humidity: { quantity: relative_humidity }, pressure: { quantity: air_pressure } }, ignore: [ battery, voltage ] }
`, topic: "kho/giong", file: "zigbee2mqtt.json",
			want: []string{"kho-giong air_pressure 1000.6 uncalibrated 05:29:58.000", "kho-giong air_temperature 22.75 uncalibrated 05:29:58.000", "kho-giong relative_humidity 55.43 uncalibrated 05:29:58.000"},
		},
		"zigbee2mqtt's bridge": {mapping: "kind: zigbee2mqtt", topic: "bridge/state", body: "online", want: []string{"nothing"}},
		"zigbee2mqtt's availability": {
			mapping: "kind: zigbee2mqtt", topic: "kho/giong/availability", body: "online", want: []string{"nothing"},
		},
		"esphome": {
			mapping: "kind: esphome\ndevices: { ao-3: { sensor: ao3, values: { do: { quantity: dissolved_oxygen }, aerator: { quantity: aerator_running } } } }", topic: "ao-3/sensor/do/state", body: "5.87",
			want: []string{"ao3 dissolved_oxygen 5.87 uncalibrated 05:30:10.000"},
		},
		"esphome's switch": {
			mapping: "kind: esphome\ndevices: { ao-3: { sensor: ao3, values: { aerator: { quantity: aerator_running, quality: good } } } }", topic: "ao-3/binary_sensor/aerator/state", body: "ON",
			want: []string{"ao3 aerator_running 1 good 05:30:10.000"},
		},
		"esphome without a value": {
			mapping: "kind: esphome\ndevices: { ao-3: { sensor: ao3, values: { do: { quantity: dissolved_oxygen } } } }", topic: "ao-3/sensor/do/state", body: "nan",
			want: []string{`no-value  : the device has no value: ao-3 do says "nan"`},
		},
		"esphome's log": {mapping: "kind: esphome", topic: "ao-3/debug", body: "x", want: []string{"nothing"}},
		"home assistant": {
			mapping: "kind: homeassistant\ndevices: { sensor.ao1_nhiet_do: { sensor: ao1, values: { state: { quantity: water_temperature, unit: °F } } } }", topic: "sensor/ao1_nhiet_do/state", body: "80.6",
			want: []string{"ao1 water_temperature 27 uncalibrated 05:30:10.000"},
		},
		"home assistant without a value": {mapping: "kind: homeassistant", topic: "ha/sensor/ao1/state", body: "unavailable", want: []string{`no-value  : the device has no value: sensor.ao1 state says "unavailable"`}},
		"home assistant's attribute":     {mapping: "kind: homeassistant", topic: "sensor/ao1/unit_of_measurement", body: `"°C"`, want: []string{"nothing"}},
		"zigbee2mqtt whose clock is not believed": {
			mapping: "kind: zigbee2mqtt\nreceived_time: true\ndevices: { kho: { sensor: kho, values: { temperature: { quantity: air_temperature } } } }", topic: "kho", body: `{"temperature":22.5,"last_seen":"N/A"}`,
			want: []string{"kho air_temperature 22.5 uncalibrated 05:30:10.000"},
		},
		"chirpstack with a codec and a layout for the same value": {
			mapping: "kind: chirpstack\ndevices: { a1: { sensor: s1, layout: { 2: [ { value: t, at: 0, type: int16be, scale: 0.1 } ] }, values: { t: { quantity: soil_temperature } } } }",
			body:    `{"deviceInfo":{"devEui":"A1"},"fPort":2,"data":"AMw=","object":{"t":9}}`, want: []string{"s1 soil_temperature 20.4 uncalibrated 05:30:10.000"},
		},
		"texts and a number past all numbers where the mapping wants one": {
			mapping: "kind: json\ndevice_field: d\ndevices: { a: { sensor: s1, values: { v: { quantity: ph }, w: { quantity: turbidity }, x: { quantity: dissolved_oxygen } } } }", body: `{"d":"a","v":"7,1","w":1e999,"x":5.5,"name":"Ao 1"}`,
			want: []string{`bad-number a v: "7,1" is no number`, `bad-number a w: "1e999" is no number`, "s1 dissolved_oxygen 5.5 uncalibrated 05:30:10.000"},
		},
		"json that has texts alone": {mapping: "kind: json\ndevice_field: d", body: `{"d":"a","name":"Ao 1"}`, want: []string{"nothing"}},
		"json": {
			mapping: "kind: json\ndevice_field: device_id\ntime_field: received_at\ndevices: { sl-07: { sensor: sl7, values: { decoded.ph: { quantity: ph }, decoded.turbidity: { quantity: turbidity, unit: FNU, scale: 1000 } } } }", file: "dhtlab.json",
			want: []string{"sl7 ph 7.81 uncalibrated 05:30:00.000", "sl7 turbidity 12000 out-of-range 05:30:00.000"},
		},
		"a time to come": {
			mapping: "kind: json\ndevice_field: d\ntime_field: t\ndevices: { a: { sensor: s1, values: { v: { quantity: ph } } } }", body: `{"d":"a","t":"2026-11-26T12:33:00","v":7}`,
			want: []string{"bad-time a v: 2026-11-26T05:33:00Z is in the future: the clock of the device, or zone in the mapping, is wrong"},
		},
		"a number too large for any": {
			mapping: "kind: json\ndevice_field: d\ndevices: { a: { sensor: s1, values: { v: { quantity: ph, scale: 1e300 } } } }", body: `{"d":"a","v":1e300}`,
			want: []string{"bad-number a v: measure: ph: value is not a number"},
		},
		"a unit that is none of it": {
			mapping: "kind: senml\ndevices: { d: { sensor: s1, values: { v: { quantity: ph } } } }", body: `[{"n":"d/v","u":"V","v":7}]`,
			want: []string{`bad-number d v: unit "V" is none of ph, which is in ""`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			body := []byte(c.body)
			if c.file != "" {
				var err error
				if body, err = os.ReadFile("testdata/" + c.file); err != nil {
					t.Fatal(err)
				}
			}
			got := lines(mapping(t, c.mapping).Read(intake.Message{Topic: c.topic, Event: c.event, Body: body, Received: now()}))
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// What is wrong in a mapping is said with its line.
func TestParseMapping_SaysWhereAndWhat(t *testing.T) {
	for text, want := range map[string]string{
		"kind: lorawan": "map.yaml:1: kind", "kind: senml\nfoo: 1\n": "foo", "kind: tasmota\nzone: Hanoi": "map.yaml:2: zone",
		"kind: json\ndevices:\n  a:\n    sensor: A B\n":                                                                                    "map.yaml:4: devices.a.sensor",
		"kind: json\ndevices:\n  a:\n    sensor: s\n    profile: p\n":                                                                      "map.yaml:5: devices.a.profile",
		"kind: json\ndevices:\n  a:\n    sensor: s\n    values:\n      t: { quantity: temperature }":                                       "map.yaml:6: devices.a.values.t.quantity",
		"kind: json\ndevices:\n  a:\n    sensor: s\n    values:\n      t:\n        quantity: ph\n        unit: °C":                         "map.yaml:8: devices.a.values.t.unit",
		"kind: json\ndevices:\n  a.b: { sensor: s, values: { t: { quantity: ph } } }\n  c: { sensor: s, values: { u: { quantity: ph } } }": "map.yaml:4: devices.c: ph of sensor s comes from a.b t already",
		"kind: json\ndevices:\n  a:\n    sensor: s\n    layout: { 1: [ { value: v, at: 0, type: uint8 } ] }":                               "only kind chirpstack",
		"kind: chirpstack\ndevices:\n  a:\n    sensor: s\n    layout: { 1: [ { value: v, at: 0, type: uint9 } ] }":                         "map.yaml:5: devices.a.layout",
	} {
		if _, err := intake.ParseMapping("map.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\n%v\nwant %s", text, err, want)
		}
	}
}

// Whatever comes, nothing of it is a value that is none.
func FuzzRead(f *testing.F) {
	files, err := os.ReadDir("testdata")
	if err != nil {
		f.Fatal(err)
	}
	for _, x := range files {
		if raw, err := os.ReadFile("testdata/" + x.Name()); err == nil {
			f.Add("tele/nha-say/SENSOR", raw)
		}
	}
	f.Add("a/sensor/b/state", []byte("1.5"))
	f.Fuzz(func(t *testing.T, topic string, body []byte) {
		for _, k := range intake.Kinds() {
			m, err := intake.ParseMapping("m", []byte("kind: "+string(k)+"\ndevices: { a: { sensor: s, values: { v: { quantity: ph }, b: { quantity: turbidity } } } }"))
			if err != nil {
				t.Fatal(err)
			}
			got := m.Read(intake.Message{Topic: topic, Body: body, Received: now()})
			for _, r := range got.Readings {
				if err := r.Validate(); err != nil {
					t.Errorf("%s: %+v: %v", k, r, err)
				}
			}
		}
	})
}
