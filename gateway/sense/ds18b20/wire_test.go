package ds18b20_test

import (
	"context"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"periph.io/x/conn/v3/onewire"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
	"aovuon/gateway/sense/ds18b20"
	"aovuon/gateway/sense/sensetest"
)

const (
	wireDevice = "28-00000a01f1a1"
	wireROM    = "28a1f1010a0000" // and its CRC
)

// wires is a 1-Wire bus that wants a conversion and then a read of one chip, and answers.
type wires struct {
	t       *testing.T
	pad     string // hex
	errs    [2]error
	n       int
	clock   *sensetest.Clock
	started time.Duration
	found   []onewire.Address
}

func (w *wires) String() string { return "wires" }
func (w *wires) Search(bool) ([]onewire.Address, error) {
	return w.found, w.errs[0]
}

func (w *wires) Tx(out, in []byte, power onewire.Pullup) error {
	w.t.Helper()
	n := w.n
	w.n++
	command := []string{"44", "be"}[n]
	want := "55" + wireROM + hex.EncodeToString([]byte{onewire.CalcCRC(mustHex(w.t, wireROM))}) + command
	if got := hex.EncodeToString(out); got != want {
		w.t.Errorf("transaction %d writes %s; want %s", n, got, want)
	}
	switch n {
	case 0:
		w.started = w.clock.Now().Uptime
		if len(in) != 0 || power != onewire.StrongPullup {
			w.t.Errorf("conversion: %d bytes, pull-up %v", len(in), power)
		}
	case 1:
		if waited := w.clock.Now().Uptime - w.started; waited < 750*time.Millisecond {
			w.t.Errorf("read %v after the conversion began", waited)
		}
		copy(in, mustHex(w.t, strings.ReplaceAll(w.pad, " ", "")))
	}
	return w.errs[n]
}

func mustHex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// busError is what 1-Wire masters report.
type busError struct{ absent, shorted bool }

func (busError) Error() string     { return "onewire" }
func (e busError) NoDevices() bool { return e.absent }
func (e busError) IsShorted() bool { return e.shorted }

func TestWire_GoldenScratchpads(t *testing.T) {
	zeros, ones := strings.Repeat("00 ", 9), strings.Repeat("ff ", 9)
	for name, tc := range map[string]struct {
		pad    string
		errs   [2]error
		want   float64
		reason measure.FaultReason
	}{
		"25.875 °C":               {pad: "9e 01 4b 46 7f ff 02 10 56", want: 25.875},
		"another byte 6":          {pad: "9e 01 4b 46 7f ff 0c 10 8a", want: 25.875},
		"31.25 °C":                {pad: "f4 01 4b 46 7f ff 0c 10 c7", want: 31.25},
		"15.375 °C":               {pad: "f6 00 4b 46 7f ff 0a 10 d6", want: 15.375},
		"a true 85 °C":            {pad: "50 05 4b 46 7f ff 10 10 bd", want: 85},
		"power-up image":          {pad: "50 05 4b 46 7f ff 0c 10 1c", reason: measure.PowerUp},
		"shorted":                 {pad: zeros, reason: measure.Shorted},
		"this chip does not talk": {pad: ones, reason: measure.NoResponse},
		"a bit flipped":           {pad: "f4 01 4b 46 7f ff 0c 10 c6", reason: measure.CRC},
		"no presence pulse":       {errs: [2]error{busError{absent: true}}, reason: measure.NoResponse},
		"data wire to ground":     {errs: [2]error{busError{shorted: true}}, reason: measure.Shorted},
		"gone while it converts":  {errs: [2]error{nil, busError{absent: true}}, reason: measure.NoResponse},
		"nobody, as buses say it": {errs: [2]error{sense.ErrNoAck}, reason: measure.NoResponse},
		"netlink is broken":       {errs: [2]error{errors.New("netlink-onewire: transaction failed")}, reason: measure.BusDown},
	} {
		c := sensetest.NewClock(time.Unix(0, 0))
		got, err := ds18b20.NewWire(&wires{t: t, pad: tc.pad, errs: tc.errs, clock: c}, wireDevice, c).Sense(t.Context())
		if tc.reason != "" {
			if reasonOf(err) != tc.reason || got != nil {
				t.Errorf("%s: %v, %v; want %s", name, got, err, tc.reason)
			}
			continue
		}
		if diff := cmp.Diff([]sense.Sample{{Quantity: measure.WaterTemperature, Value: tc.want}}, got); err != nil || diff != "" {
			t.Errorf("%s: %v %s", name, err, diff)
		}
	}
}

func TestWire_EndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c := sensetest.NewClock(time.Unix(0, 0))
	if _, err := ds18b20.NewWire(&wires{t: t, clock: c}, wireDevice, c).Sense(ctx); !errors.Is(err, context.Canceled) || reasonOf(err) != "" {
		t.Errorf("Sense = %v", err)
	}
}

// The address in periph's own example: 0x7a00000131825228 is a DS18B20.
func TestFind_NamesThermometersAsTheKernelDoes(t *testing.T) {
	if got := ds18b20.Address("28-000001318252"); got != 0x7a00000131825228 {
		t.Errorf("Address = %x", uint64(got))
	}
	w := &wires{t: t, found: []onewire.Address{ds18b20.Address(wireDevice), 0x7a00000131825228, ds18b20.Address("28-ffffffffffff")}}
	other := onewire.Address(0x10) // a DS18S20
	rom := mustHex(t, "10000000000000")
	w.found = append(w.found, other|onewire.Address(onewire.CalcCRC(rom))<<56)
	got, err := ds18b20.Find(w)
	if diff := cmp.Diff([]string{"28-000001318252", wireDevice, "28-ffffffffffff"}, got); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
	w.found = slices.Clone(w.found)
	w.found[1] ^= 1 << 20
	if got, err := ds18b20.Find(w); reasonOf(err) != measure.CRC {
		t.Errorf("a wrong ROM: %v, %v", got, err)
	}
	w.errs[0] = busError{absent: true}
	if got, err := ds18b20.Find(w); reasonOf(err) != measure.NoResponse {
		t.Errorf("nobody there: %v, %v", got, err)
	}
}
