package alarm

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/farm"
	"aovuon/server/history"
)

// BenchmarkTick_2000 decides on 2,000 series of 500 ponds with seven hours of readings each, a fiftieth of them alarming.
func BenchmarkTick_2000(b *testing.B) {
	quantities := []measure.Quantity{measure.DissolvedOxygen, measure.PH, measure.WaterTemperature, measure.OxygenSaturation}
	s := &story{now: noon, farm: &farm.Farm{}, store: &memory{alarms: map[string]Alarm{}}, windows: NewWindows(7 * time.Hour)}
	for _, l := range append(oxygenLimits(),
		farm.Limit{Quantity: measure.PH, Level: farm.Warn, Value: 6.5}, farm.Limit{Quantity: measure.PH, Level: farm.Warn, Above: true, Value: 9},
		farm.Limit{Quantity: measure.PH, What: farm.OfSwing, Level: farm.Warn, Above: true, Value: 1},
		farm.Limit{Quantity: measure.WaterTemperature, Level: farm.Warn, Value: 18}, farm.Limit{Quantity: measure.WaterTemperature, Level: farm.Crit, Above: true, Value: 36},
		farm.Limit{Quantity: measure.OxygenSaturation, Level: farm.Warn, Above: true, Value: 250}) {
		l.Profile = "freshwater"
		s.farm.Limits = append(s.farm.Limits, l)
	}
	for p := range 500 {
		code, gateway := fmt.Sprint("P", p), fmt.Sprint("gw", p/10)
		s.farm.Places = append(s.farm.Places, farm.Place{Code: code, Kind: farm.Pond, Profile: "freshwater"})
		for _, q := range quantities {
			series := history.Series{Place: code, Quantity: q, Gateway: gateway, Sensor: code + string(q)}
			s.farm.Mounts = append(s.farm.Mounts, farm.Mount{Gateway: gateway, Sensor: series.Sensor, Place: code, Measures: []measure.Quantity{q}})
			value := map[measure.Quantity]float64{measure.DissolvedOxygen: 5, measure.PH: 7.5, measure.WaterTemperature: 28, measure.OxygenSaturation: 70}[q]
			if p%50 == 0 && q == measure.DissolvedOxygen {
				value = 3.5
			}
			var samples []Sample
			for m := -25 * 60; m < 0; m++ {
				samples = append(samples, Sample{Series: series, Time: noon.Add(time.Duration(m) * time.Minute), Value: value + 0.3*float64(m%60)/60})
			}
			s.windows.Add(samples, noon)
		}
		s.windows.Heard(gateway, noon)
	}
	s.desk = NewDesk(s.store, s.store, func() time.Time { return s.now })
	w := NewWatch(Options{
		Store: s.store, Desk: s.desk, Now: func() time.Time { return s.now }, Log: slog.New(slog.DiscardHandler),
		Lookers: []Looker{NewFollow(s.windows, func() int64 { return 0 }, func(context.Context) (int64, error) { return 0, nil }), NewLimits(s, s.windows)},
	})
	for b.Loop() {
		if err := w.Tick(b.Context(), s.now); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(w.Status().Watched), "watched")
	b.ReportMetric(float64(w.Status().Open), "open")
}
