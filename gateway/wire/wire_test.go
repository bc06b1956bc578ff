package wire_test

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aovuon/gateway/measure"
	"aovuon/gateway/wire"
)

func sample(gateway string) *wire.Batch {
	at := func(s int64) measure.Instant {
		return measure.Instant{Wall: time.Unix(1764000000, 0).Add(time.Duration(s) * time.Millisecond).UTC(), Clock: measure.Synced, Boot: "0123456789abcdef"}
	}
	return &wire.Batch{
		Gateway: gateway, Epoch: "00112233445566aa", Seq: 1, Clock: measure.Synced, Boot: "0123456789abcdef",
		Anchor: &wire.Anchor{Uptime: 61_250 * time.Millisecond, Wall: at(0).Wall},
		Gaps:   []wire.Gap{{From: at(-60_000), To: at(-1), Lost: 12, Reason: wire.GapPowerCut}},
		Readings: []measure.Reading{
			{Sensor: "ao1-do", Quantity: measure.DissolvedOxygen, Time: at(125), Value: 6.12},
			{Sensor: "ao1-temp", Quantity: measure.WaterTemperature, Time: at(1000), Quality: measure.Fault, Reason: measure.CRC},
			{Sensor: "ruong1-am", Quantity: measure.SoilMoisture, Time: at(0), Value: 31.4, Quality: measure.Uncalibrated},
		},
	}
}

func TestSeal_RoundTripsThroughKeyFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gateway.key")
	vkey, err := wire.CreateKey(path, "gw-ao")
	if err != nil {
		t.Fatal(err)
	}
	signer, vkey2, err := wire.LoadKey(path)
	if err != nil || vkey2 != vkey {
		t.Fatalf("LoadKey: %v; vkey %q, want %q", err, vkey2, vkey)
	}
	card, err := wire.ParseCard(wire.NewCard("gw-ao", vkey, "s3cret").String())
	if err != nil || card.VKey != vkey {
		t.Fatalf("card: %+v, %v", card, err)
	}
	v, err := card.Verifier()
	if err != nil {
		t.Fatal(err)
	}
	want := sample("gw-ao")
	sealed, err := wire.Seal(want, signer)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s", sealed)
	got, err := wire.Open(sealed, v)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	sealed[len(sealed)/2] ^= 1
	if _, err := wire.Open(sealed, v); !errors.Is(err, wire.ErrSignature) && !errors.Is(err, wire.ErrMalformed) {
		t.Errorf("altered byte: %v", err)
	}
	r := wire.Receipt{Gateway: "gw-ao", Epoch: want.Epoch, Upto: 1, Time: time.UnixMilli(1764000001234).UTC()}
	note, err := wire.SealReceipt(r, signer)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := wire.OpenReceipt(note, v); err != nil || got != r {
		t.Errorf("receipt: %+v, %v", got, err)
	}
}
