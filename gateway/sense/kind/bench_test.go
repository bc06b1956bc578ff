package kind_test

import (
	"fmt"
	"testing"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
	"aovuon/gateway/sense/kind"
)

// What one round of a gateway of 30 channels costs beside the waiting for chips.
func BenchmarkPollAll30Channels(b *testing.B) {
	f, c := newField(), clock()
	specs := []kind.Spec{}
	add := func(s kind.Spec) { specs = append(specs, s) }
	for i := range 8 {
		add(kind.Spec{ID: fmt.Sprintf("ao%d-temp", i), Kind: "ds18b20", Bus: "w1", Device: f.thermometer(i, at31)})
		f.chips[uint16(0x10+i)], f.chips[uint16(0x20+i)] = ezoChip("D.O.", "6.41", nil), ezoChip("pH", "7.312", nil)
		add(kind.Spec{ID: fmt.Sprintf("ao%d-do", i), Kind: "ezo-do", Bus: "i2c", Address: uint16(0x10 + i), Temperature: fmt.Sprintf("ao%d-temp", i)})
		if i < 6 {
			add(kind.Spec{ID: fmt.Sprintf("ao%d-ph", i), Kind: "ezo-ph", Bus: "i2c", Address: uint16(0x20 + i), Temperature: fmt.Sprintf("ao%d-temp", i)})
		}
	}
	f.chips[0x48], f.chips[0x44], f.chips[0x45] = adsChip(), shtChip(), shtChip()
	f.chips[0x76], f.chips[0x77] = bmeChip(), bmeChip()
	for i := range 4 {
		add(kind.Spec{ID: fmt.Sprintf("khoai%d-am", i), Kind: "capacitive-ads1115", Bus: "i2c", Address: 0x48, Input: &i})
	}
	for i := range 2 {
		add(kind.Spec{ID: fmt.Sprintf("khoai%d-kk", i), Kind: "sht4x", Bus: "i2c", Address: uint16(0x44 + i)})
		add(kind.Spec{ID: fmt.Sprintf("thuoc%d-kk", i), Kind: "bme280", Bus: "i2c", Address: uint16(0x76 + i)})
	}
	channels, err := kind.Build(specs, f, map[string]kind.BusSpec{"w1": {W1: "/w1"}, "i2c": {I2C: "1"}}, c)
	if err != nil || len(channels) != 30 {
		b.Fatal(len(channels), err)
	}
	st := sense.NewStation(c, channels, quiet())
	var sink taken
	b.ReportAllocs()
	for b.Loop() {
		f.asked, sink.all = f.asked[:0], sink.all[:0]
		if err := st.PollAll(b.Context(), &sink); err != nil {
			b.Fatal(err)
		}
	}
	if len(sink.all) != 36 {
		b.Fatalf("%d readings", len(sink.all))
	}
	for _, r := range sink.all {
		if r.Quality == measure.Fault {
			b.Fatalf("%+v", r)
		}
	}
}
