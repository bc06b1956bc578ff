package ds18b20_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
	"aovuon/gateway/sense/ds18b20"
	"aovuon/gateway/sense/sensetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const device = "28-0123456789ab"

// file is what the kernel's file says of a scratchpad.
func file(pad, crc, verdict string, milli int) string {
	return fmt.Sprintf("%s : crc=%s %s\n%s t=%d\n", pad, crc, verdict, pad, milli)
}

func tree(text string) fs.FS {
	return fstest.MapFS{device + "/w1_slave": &fstest.MapFile{Data: []byte(text)}}
}

func reasonOf(err error) measure.FaultReason {
	f, ok := errors.AsType[*sense.Fault](err)
	if !ok {
		return ""
	}
	return f.Reason
}

func TestSense_GoldenScratchpads(t *testing.T) {
	for _, v := range sensetest.Scratchpads() {
		if v.PowerUp {
			continue
		}
		tc := struct {
			pad  string
			want float64
		}{fmt.Sprintf("% x", v.Bytes[:]), v.Celsius}
		// t= is wrong on purpose: the value comes from the bytes that the CRC covers.
		got, err := ds18b20.New(tree(file(tc.pad, tc.pad[24:], "YES", 1)), device).Sense(t.Context())
		if err != nil {
			t.Errorf("%s: %v", tc.pad, err)
			continue
		}
		if diff := cmp.Diff([]sense.Sample{{Quantity: measure.WaterTemperature, Value: tc.want}}, got); diff != "" {
			t.Errorf("%s: %s", tc.pad, diff)
		}
	}
}

func TestCelsius_BelowZeroAndTrue85(t *testing.T) {
	for _, tc := range []struct {
		pad    ds18b20.Scratchpad
		want   float64
		reason measure.FaultReason
	}{
		{pad: ds18b20.Scratchpad{0x5E, 0xFF, 0x4B, 0x46, 0x7F, 0xFF, 0x02, 0x10}, want: -10.125}, // data sheet, table 1
		{pad: ds18b20.Scratchpad{0x90, 0xFC, 0x4B, 0x46, 0x7F, 0xFF, 0x10, 0x10}, want: -55},     // data sheet, table 1
		{pad: ds18b20.Scratchpad{0x50, 0x05, 0x4B, 0x46, 0x7F, 0xFF, 0x10, 0x10}, want: 85},
		{pad: ds18b20.Scratchpad{0x50, 0x05, 0x4B, 0x46, 0x7F, 0xFF, 0x0C, 0x10}, reason: measure.PowerUp},
		{pad: ds18b20.Scratchpad{0xFF, 0x07, 0x4B, 0x46, 0x7F, 0xFF, 0x0C, 0x10}, reason: measure.PowerUp},
	} {
		got, err := tc.pad.Celsius()
		if got != tc.want || reasonOf(err) != tc.reason {
			t.Errorf("% x: %v, %v", tc.pad[:], got, err)
		}
	}
}

func TestSense_FaultsAreReasonsNeverNumbers(t *testing.T) {
	zeros := strings.TrimSpace(strings.Repeat("00 ", 9))
	ones := strings.TrimSpace(strings.Repeat("ff ", 9))
	good := "f4 01 4b 46 7f ff 0c 10 c7"
	for name, tc := range map[string]struct {
		tree fs.FS
		want measure.FaultReason
	}{
		"power-up image":     {tree(file("50 05 4b 46 7f ff 0c 10 1c", "1c", "YES", 85000)), measure.PowerUp},
		"shorted":            {tree(file(zeros, "00", "YES", 0)), measure.Shorted},
		"unplugged, all one": {tree(file(ones, "c9", "NO", -62)), measure.NoResponse},
		"crc, kernel says":   {tree(file("f4 01 4b 46 7f ff 0c 10 c8", "c7", "NO", 31250)), measure.CRC},
		"crc, we say":        {tree(file("f5 01 4b 46 7f ff 0c 10 c7", "c7", "YES", 31312)), measure.CRC},
		"kernel alone":       {tree(file(good, "c7", "NO", 31250)), measure.CRC},
		"empty file":         {tree(""), measure.NoResponse},
		"cut off":            {tree(good[:14]), measure.Garbled},
		"cut in the line":    {tree(good + " : crc="), measure.Garbled},
		"not hexadecimal":    {tree(file("zz 01 4b 46 7f ff 0c 10 c7", "c7", "YES", 0)), measure.Garbled},
		"a digit missing":    {tree(file("f 01 4b 46 7f ff 0c 10 c7", "c7", "YES", 0)), measure.Garbled},
		"something else":     {tree("28-0123456789ab\n"), measure.Garbled},
		"absent device":      {fstest.MapFS{"28-0123456789ac/w1_slave": &fstest.MapFile{}}, measure.NoResponse},
		"absent bus":         {failing{fs.ErrNotExist}, measure.BusDown},
		"no permission":      {failing{fs.ErrPermission}, measure.BusDown},
		"no presence pulse":  {failing{syscall.EIO}, measure.NoResponse},
		"gone while reading": {failing{syscall.ENODEV}, measure.NoResponse},
	} {
		got, err := ds18b20.New(tc.tree, device).Sense(t.Context())
		if reasonOf(err) != tc.want || got != nil {
			t.Errorf("%s: %v, %v; want %s", name, got, err, tc.want)
		}
	}
}

// failing is a file tree in which nothing opens.
type failing struct{ err error }

func (f failing) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: f.err}
}

// hanging is a file tree whose reads wait until they are let go.
type hanging struct {
	fs.FS
	gate chan struct{}
}

func (h hanging) ReadFile(name string) ([]byte, error) {
	<-h.gate
	return fs.ReadFile(h.FS, name)
}

func TestSense_HangingKernelIsAFaultAndHeals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		d := ds18b20.New(hanging{tree(file("f4 01 4b 46 7f ff 0c 10 c7", "c7", "YES", 31250)), gate}, device)
		began := time.Now()
		if _, err := d.Sense(t.Context()); reasonOf(err) != measure.BusDown {
			t.Errorf("Sense = %v; want bus-down", err)
		}
		if waited := time.Since(began); waited != 5*time.Second {
			t.Errorf("waited %v", waited)
		}
		for range 3 { // no new goroutine, no new wait
			if _, err := d.Sense(t.Context()); reasonOf(err) != measure.BusDown {
				t.Errorf("Sense = %v; want bus-down", err)
			}
		}
		if waited := time.Since(began); waited != 5*time.Second {
			t.Errorf("waited %v in all", waited)
		}
		close(gate)
		synctest.Wait()
		if got, err := d.Sense(t.Context()); err != nil || got[0].Value != 31.25 {
			t.Errorf("not healed: %v, %v", got, err)
		}
	})
}

func TestSense_EndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		d := ds18b20.New(hanging{tree(""), gate}, device)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := d.Sense(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Sense = %v", err)
		}
		close(gate)
		synctest.Wait()
	})
}

func TestValidDevice(t *testing.T) {
	for s, want := range map[string]bool{
		"28-0123456789ab": true, "28-0123456789AB": false, "28-0123456789a": false, "10-0123456789ab": false,
		"28-0123456789abc": false, "../28-01234567": false, "28-0123456789a/": false, "": false,
	} {
		if got := ds18b20.ValidDevice(s); got != want {
			t.Errorf("ValidDevice(%q) = %v", s, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(file("9e 01 4b 46 7f ff 02 10 56", "56", "YES", 25875)))
	f.Add([]byte(file("50 05 4b 46 7f ff 0c 10 1c", "1c", "YES", 85000)))
	f.Add([]byte("00 00"))
	f.Add([]byte("\n : crc= YES"))
	f.Fuzz(func(t *testing.T, text []byte) {
		pad, err := ds18b20.Parse(text)
		if err != nil {
			if reasonOf(err) == "" {
				t.Errorf("%q: %v is no fault", text, err)
			}
			return
		}
		again, err := ds18b20.Parse([]byte(file(fmt.Sprintf("% x", pad[:]), "00", "YES", 0)))
		if err != nil || again != pad {
			t.Errorf("%q gives % x, which gives % x, %v", text, pad, again, err)
		}
	})
}
