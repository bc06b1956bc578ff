package table_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aovuon/server/intake/table"
)

func now() time.Time { return time.Date(2026, 11, 26, 5, 30, 0, 0, time.UTC) }

func lines(r table.Result) (out []string) {
	for _, x := range r.Readings {
		out = append(out, fmt.Sprintf("%s %s %.6g %s %s", x.Sensor, x.Quantity, x.Value, x.Quality, x.Time.Wall.Format(time.RFC3339)))
	}
	for _, p := range r.Problems {
		out = append(out, p.String())
	}
	return out
}

const wide = `
source: so-cu
time: { column: Thời điểm, format: dd/mm/yyyy HH:MM:SS }
series:
  "DO (mg/L)": { sensor: ao1, quantity: dissolved_oxygen, quality: good }
  Nhiệt độ: { sensor: ao1, quantity: water_temperature }
`

func TestRead_TablesOfOtherSystems(t *testing.T) {
	for name, c := range map[string]struct {
		mapping, file string
		want          []string
	}{
		"Vietnamese Excel: semicolons, decimal commas, the day first": {
			wide, "\ufeffThời điểm;DO (mg/L);Nhiệt độ;Ghi chú\r\n05/11/2026 06:00:00;5,87;28,4;sáng\r\n05/11/2026 07:00:00;;28,9;\r\n\r\n",
			[]string{"ao1 dissolved_oxygen 5.87 good 2026-11-04T23:00:00Z", "ao1 water_temperature 28.4 uncalibrated 2026-11-04T23:00:00Z", "ao1 water_temperature 28.9 uncalibrated 2026-11-05T00:00:00Z"},
		},
		"commas, points, ISO times with a zone, headings lower down": {
			"source: so-cu\nheader: 3\ntime: { column: t, format: iso }\nabsent: [ NA ]\nseries: { t_water: { sensor: ao1, quantity: water_temperature, unit: °F } }",
			"Exported by X\n\nt,t_water\n2026-11-05T06:00:00+07:00,80.6\n2026-11-05 07:00:00,NA\n2026-11-05 08:00:00,\"81.5\"\n",
			[]string{"ao1 water_temperature 27 uncalibrated 2026-11-04T23:00:00Z", "ao1 water_temperature 27.5 uncalibrated 2026-11-05T01:00:00Z"},
		},
		"day and clock apart, a row a value": {
			"source: so-cu\ntime: { column: Ngày, clock: Giờ, format: d/m/yyyy H:MM }\nname: [ Ao, Chỉ tiêu ]\nvalue: Kết quả\nignore: [ Ao 1/Màu nước ]\nseries: { Ao 1/pH: { sensor: ao1, quantity: ph }, Ao 2/pH: { sensor: ao2, quantity: ph } }",
			"Ngày\tGiờ\tAo\tChỉ tiêu\tKết quả\n5/11/2026\t6:05\tAo 1\tpH\t7.8\n5/11/2026\t6:10\tAo 2\tpH\t15.2\n5/11/2026\t6:10\tAo 1\tMàu nước\txanh\n5/11/2026\t6:10\tAo 3\tpH\t7\n",
			[]string{"ao1 ph 7.8 uncalibrated 2026-11-04T23:05:00Z", "ao2 ph 15.2 out-of-range 2026-11-04T23:10:00Z", `5: Ao/Chỉ tiêu: "Ao 3/pH": name it under series, or under ignore`},
		},
		"what is wrong has its line": {
			wide, "Thời điểm;DO (mg/L);Nhiệt độ\n13/13/2026 06:00:00;5;5\n05/12/2026 06:00:00;5;5\n05/11/2026 06:00:00;5.8;1.234,5\n05/11/2026 06:00:00;inf;28 độ\n05/11/2026 06:00:00;5;28;9\n05/11/2026 06:00:00;6;30\n05/11/2026 06:00:00;6,0;31\n",
			[]string{
				"ao1 dissolved_oxygen 6 good 2026-11-04T23:00:00Z", "ao1 water_temperature 30 uncalibrated 2026-11-04T23:00:00Z",
				`2: Thời điểm: "13/13/2026 06:00:00": want a time as dd/mm/yyyy HH:MM:SS`,
				`3: Thời điểm: "05/12/2026 06:00:00" is a time to come: are day and month in the order of "dd/mm/yyyy HH:MM:SS"?`,
				`4: DO (mg/L): "5.8": want a number with "," before decimals, nothing between thousands, and no unit; texts for no value go under absent`,
				`4: Nhiệt độ: "1.234,5": want a number with "," before decimals, nothing between thousands, and no unit; texts for no value go under absent`,
				`5: DO (mg/L): "inf": want a number with "," before decimals, nothing between thousands, and no unit; texts for no value go under absent`,
				`5: Nhiệt độ: "28 độ": want a number with "," before decimals, nothing between thousands, and no unit; texts for no value go under absent`,
				"6: 4 cells, and 3 headings: a decimal comma between commas?",
				"8: Nhiệt độ: 31: line 7 has another value of the same time",
			},
		},
		"a quotation mark that is left open takes the rest of the file along, and it says so": {
			wide, "Thời điểm;DO (mg/L);Nhiệt độ\n05/11/2026 06:00:00;5,8;28\n05/11/2026 07:00:00;\"5,9;28\n05/11/2026 08:00:00;6,1;28\n", []string{
				"ao1 dissolved_oxygen 5.8 good 2026-11-04T23:00:00Z", "ao1 water_temperature 28 uncalibrated 2026-11-04T23:00:00Z",
				`3: extraneous or missing " in quoted-field: nothing of lines 3 to 4 is read: mend the quotation mark`,
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := table.ParseMap("map.yaml", []byte(c.mapping))
			if err != nil {
				t.Fatal(err)
			}
			got, err := m.Read([]byte(c.file), now())
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, lines(got)); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestRead_RefusesFilesThatItCannotKnow(t *testing.T) {
	m, err := table.ParseMap("map.yaml", []byte(wide))
	if err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{
		"": "no headings", "Thời điểm;DO\n": `no column "DO (mg/L)"`, "\xff\xfeT\x00": "not UTF-8", "a;a\n": "twice",
	} {
		if _, err := m.Read([]byte(file), now()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", file, err)
		}
	}
}

func TestParseMap_SaysWhereAndWhat(t *testing.T) {
	for text, want := range map[string]string{
		"source: Sổ cũ": "map.yaml:1: source", "source: so-cu\ndelimiter: x": "map.yaml:2: delimiter", "source: so-cu\nfoo: 1": "foo",
		"source: so-cu\ntime: { column: t, format: dd.hh }": "map.yaml:2: time.format", "source: so-cu\ntime: { column: t, format: iso, zone: Hue }": "map.yaml:2: time.zone",
		"source: so-cu\ntime: { column: t, format: iso }\nvalue: v":                                                                   "map.yaml:3: value",
		"source: so-cu\ntime: { column: t, format: iso }\nseries:\n  a: { sensor: s, quantity: temp }":                                "map.yaml:4: series.a.quantity",
		"source: so-cu\ntime: { column: t, format: iso }\nseries:\n  a: { quantity: ph }":                                             "map.yaml:4: series.a.sensor",
		"source: so-cu\ntime: { column: t, format: iso }\nseries:\n  a: { sensor: s, quantity: ph, unit: °C }":                        "map.yaml:4: series.a.unit",
		"source: so-cu\ntime: { column: t, format: iso }\nseries: { a: { sensor: s, quantity: ph }, b: { sensor: s, quantity: ph } }": `ph of sensor s is "a" already`,
	} {
		if _, err := table.ParseMap("map.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\n%v\nwant %s", text, err, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add("Thời điểm;DO (mg/L);Nhiệt độ\n05/11/2026 06:00:00;5,8;1\n")
	f.Fuzz(func(t *testing.T, file string) {
		m, err := table.ParseMap("m", []byte(wide))
		if err != nil {
			t.Fatal(err)
		}
		got, err := m.Read([]byte(file), now())
		if err != nil {
			return
		}
		for _, r := range got.Readings {
			if err := r.Validate(); err != nil {
				t.Errorf("%+v: %v", r, err)
			}
		}
	})
}
