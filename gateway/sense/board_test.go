package sense_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
)

// halves is a Refiner that halves every value and reports only what is below 10.
type halves struct{}

func (halves) Refine(readings []measure.Reading) []measure.Reading {
	for i := range readings {
		readings[i].Value /= 2
	}
	return readings
}

func (halves) Doubt() string { return "" }

func (halves) Report(readings []measure.Reading) (out []measure.Reading) {
	for _, r := range readings {
		if r.Value < 10 {
			out = append(out, r)
		}
	}
	return out
}

func TestStation_RefinesAndFollows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0.0
		main := temperature("ao1-temp", "a", 10*time.Second, sensorFunc(func(ctx context.Context) ([]sense.Sample, error) {
			n += 8
			return gives(n)(ctx)
		}))
		main.Refine = halves{}
		after := temperature("ao1-x2", "", 0, gives(1))
		after.After = "ao1-temp"
		last := temperature("ao1-x3", "", 0, gives(2))
		last.After = "ao1-x2"
		var sink, all taken
		st := sense.NewStation(newTestClock(), []sense.Channel{last, after, main}, quiet())
		st.Watch(&all)
		runFor(t, 35*time.Second, st, &sink)
		// 4, 8, 12, 16: those from 10 on are not reported, but those who watch and those who follow learn of them.
		if diff := cmp.Diff(seconds(0, 10), sink.uptimes("ao1-temp")); diff != "" {
			t.Error(diff)
		}
		for _, id := range []string{"ao1-temp", "ao1-x2", "ao1-x3"} {
			if diff := cmp.Diff(seconds(0, 10, 20, 30), all.uptimes(id)); diff != "" {
				t.Errorf("%s: %s", id, diff)
			}
		}
		if diff := cmp.Diff(seconds(0, 10, 20, 30), sink.uptimes("ao1-x3")); diff != "" {
			t.Error(diff)
		}
	})
}

func TestBoard_KnowsTheNewestAndTheLastGood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock := newTestClock()
		b := sense.NewBoard(clock)
		const id, q = "ao1-temp", measure.WaterTemperature
		note := func(v float64, quality measure.Quality) {
			r := measure.Reading{Sensor: id, Quantity: q, Time: clock.Now(), Value: v, Quality: quality}
			if quality == measure.Fault {
				r.Reason = measure.CRC
			}
			if err := b.Take(t.Context(), []measure.Reading{r}); err != nil {
				t.Error(err)
			}
		}
		want := func(text string, wantOK bool) {
			t.Helper()
			in, ok := b.Input(id, q)
			if got := fmt.Sprintf("%v@%s+%v", in.Value, in.Sensor, in.Age); got != text || ok != wantOK {
				t.Errorf("after %v: %s, %v; want %s, %v", clock.Now().Uptime, got, ok, text, wantOK)
			}
		}
		want("0@+0s", false)
		note(25, measure.Uncalibrated)
		want("25@ao1-temp+0s", false)
		note(28, measure.Good)
		time.Sleep(time.Minute)
		note(0, measure.Fault)
		want("28@ao1-temp+1m0s", true)
		time.Sleep(9 * time.Minute)
		note(99, measure.OutOfRange)
		want("28@ao1-temp+10m0s", true)
		time.Sleep(time.Second)
		want("28@ao1-temp+10m1s", false) // too old, and still better than a default
		note(27, measure.Estimated)
		want("27@ao1-temp+0s", false)
		note(31, measure.Suspect)
		want("28@ao1-temp+10m1s", false)
		if k := b.Latest(); len(k) != 1 || k[0].Value != 31 {
			t.Errorf("Latest = %+v", k)
		}
		b.Keep([]sense.Channel{temperature("ao2-temp", "a", time.Second, gives(1))})
		if k := b.Latest(); len(k) != 0 {
			t.Errorf("after the sensor went: %+v", k)
		}
	})
}
