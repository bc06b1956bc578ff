package probe_test

import (
	"bytes"
	"encoding/hex"
	"math"
	"strings"
	"testing"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense/probe"
)

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The four orders of bytes, as IEEE 754 and two's complement have them: 25.5 is 41 CC 00 00, -2 is FF FF FF FE.
func TestNumber_Orders(t *testing.T) {
	for _, tc := range []struct {
		typ   probe.Number
		bytes string
		want  float64
	}{
		{"f32-abcd", "41 CC 00 00", 25.5},
		{"f32-cdab", "00 00 41 CC", 25.5},
		{"f32-badc", "CC 41 00 00", 25.5},
		{"f32-dcba", "00 00 CC 41", 25.5},
		{"s32-abcd", "FF FF FF FE", -2},
		{"s32-cdab", "FF FE FF FF", -2},
		{"s32-badc", "FF FF FE FF", -2},
		{"s32-dcba", "FE FF FF FF", -2},
		{"u32-abcd", "00 01 E2 40", 123456},
		{"u32-cdab", "E2 40 00 01", 123456},
		{"u32-badc", "01 00 40 E2", 123456},
		{"u32-dcba", "40 E2 01 00", 123456},
		{"s16", "FF 9B", -101},
		{"u16", "FF 9B", 65435},
	} {
		r := probe.Read{Function: 3, Registers: tc.typ.Registers(), Values: []probe.Value{{Quantity: measure.ORP, Type: tc.typ}}}
		samples, err := r.Decode(unhex(t, tc.bytes))
		if err != nil || len(samples) != 1 || samples[0].Value != tc.want || samples[0].Quality != measure.Good {
			t.Errorf("%s: %v, %v", tc.typ, samples, err)
		}
		back := make([]byte, 2*r.Registers)
		if err := r.Encode(back, map[measure.Quantity]float64{measure.ORP: tc.want}); err != nil || !bytes.Equal(back, unhex(t, tc.bytes)) {
			t.Errorf("%s: % x, %v", tc.typ, back, err)
		}
	}
	for _, typ := range []probe.Number{"", "s8", "f32", "f32-dbca", "u64"} {
		if typ.Registers() != 0 {
			t.Errorf("%q is a type", typ)
		}
	}
}

func TestRead_GradesAndFaults(t *testing.T) {
	lo, hi := 0.0, 50.0
	r := probe.Read{Function: 3, Register: 4, Registers: 2, PowerUp: "05 50 00 00", Values: []probe.Value{
		{Quantity: measure.WaterTemperature, Register: 4, Type: "s16", Scale: 0.1, Offset: -1, Min: &lo, Max: &hi, Absent: []int64{-32768, 0x7FFF}},
		{Quantity: measure.SoilNitrogen, Register: 5, Type: "u16", Indicative: "derived"},
	}}
	for _, tc := range []struct {
		raw     string
		value   float64
		quality measure.Quality
		reason  measure.FaultReason
	}{
		{"01 2C 00 20", 29, measure.Good, ""},
		{"00 0A 00 20", 0, measure.Good, ""},
		{"00 09 00 20", -0.1, measure.OutOfRange, ""},
		{"01 FF 00 20", 50.1, measure.OutOfRange, ""},
		{"7F FF 00 20", 0, measure.Fault, measure.Refused},
		{"80 00 00 20", 0, measure.Fault, measure.Refused},
	} {
		samples, err := r.Decode(unhex(t, tc.raw))
		if err != nil {
			t.Fatal(err)
		}
		s := samples[0]
		if math.Abs(s.Value-tc.value) > 1e-9 || s.Quality != tc.quality || s.Reason != tc.reason {
			t.Errorf("%s: %+v", tc.raw, s)
		}
		if n := samples[1]; n.Value != 32 || n.Quality != measure.Uncalibrated {
			t.Errorf("%s: %+v", tc.raw, n)
		}
	}
	for raw, want := range map[string]string{"05 50 00 00": "power-up", "01 2C": "garbled", "": "garbled", "01 2C 00 20 00 00": "garbled"} {
		if _, err := r.Decode(unhex(t, raw)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v", raw, err)
		}
	}
	if err := r.Encode(make([]byte, 4), map[measure.Quantity]float64{measure.WaterTemperature: 5000}); err == nil || !strings.Contains(err.Error(), "does not fit") {
		t.Error(err)
	}
}

// Whatever a probe says, every value of the template is a sample or a fault, and what is a value can be said again.
func FuzzDecode(f *testing.F) {
	ids, err := library().IDs()
	if err != nil {
		f.Fatal(err)
	}
	var reads []*probe.Read
	for _, id := range ids {
		tpl, err := library().Template(id)
		if err != nil {
			f.Fatal(err)
		}
		if tpl.Modbus == nil {
			continue
		}
		for i := range tpl.Modbus.Reads {
			f.Add(uint8(len(reads)), tpl.Modbus.Image(i))
			reads = append(reads, &tpl.Modbus.Reads[i])
		}
	}
	f.Fuzz(func(t *testing.T, n uint8, raw []byte) {
		r := reads[int(n)%len(reads)]
		samples, err := r.Decode(raw)
		if err != nil {
			return
		}
		if len(samples) != len(r.Values) {
			t.Fatalf("%d samples of %d values", len(samples), len(r.Values))
		}
		values := make(map[measure.Quantity]float64)
		for _, s := range samples {
			if s.Quality == measure.Fault {
				if !s.Reason.Valid() {
					t.Fatalf("%+v", s)
				}
				continue
			}
			if math.IsNaN(s.Value) || math.IsInf(s.Value, 0) {
				t.Fatalf("%+v", s)
			}
			values[s.Quantity] = s.Value
		}
		again := bytes.Clone(raw)
		if err := r.Encode(again, values); err != nil {
			t.Fatal(err)
		}
		once, err := r.Decode(again)
		if err != nil {
			t.Fatal(err)
		}
		for i, s := range once {
			if want := samples[i]; s.Quality != want.Quality || math.Abs(s.Value-want.Value) > 1e-6*math.Abs(want.Value) {
				t.Fatalf("%+v, again %+v", want, s)
			}
		}
	})
}
