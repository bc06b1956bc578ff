package app

import (
	"fmt"
	"time"

	"aovuon/firmware-sim/truth"
)

// report prints what was found as tables.
func (e *env) report(r report) {
	e.say("%s to %s (UTC); errors are value minus truth, in the quantity's unit", r.From.Format(time.DateTime), r.To.Format(time.DateTime))
	e.say("\nThe product against the truth (means of steps)")
	e.say("%-8s %-14s %-22s %5s %9s %9s %9s %9s %9s %7s", "place", "sensor", "quantity", "n", "bias", "MAE", "RMSE", "p95", "max", "covers")
	for _, x := range r.Results {
		e.say("%-8s %-14s %-22s %s %6.1f%%", x.Place, x.Sensor, x.Quantity, figures(x.Errors), 100*x.Coverage)
	}
	e.say("\nHours below / within / above limits: by the product, by the truth in the same steps, by the truth in all steps")
	for _, x := range r.Results {
		if x.Product != nil {
			e.say("%-8s %-14s %-22s %s   %s   %s", x.Place, x.Sensor, x.Quantity, hours(*x.Product), hours(*x.Same), hours(*x.Truth))
		}
	}
	for _, x := range r.Missing {
		e.say("missing: %s", x)
	}
	for _, x := range r.Extra {
		e.say("not of the world: %s", x)
	}
	if len(r.Probes) > 0 {
		e.say("\nThe chips' answers against the truth; first and last are the bias of the first and the last tenth of them")
		e.say("%-8s %-14s %-22s %5s %9s %9s %9s %9s %9s %9s %9s", "place", "sensor", "quantity", "n", "bias", "MAE", "RMSE", "p95", "max", "first", "last")
	}
	for _, x := range r.Probes {
		e.say("%-8s %-14s %-22s %s %9.3f %9.3f", x.Place, x.Sensor, x.Quantity, figures(x.Errors), x.First, x.Last)
	}
	for _, x := range r.Spells {
		e.say("fault: %s %s, %s to %s, %d answers", x.Channel, x.Fault, x.From.Format(time.DateTime), x.To.Format(time.DateTime), x.N)
	}
	if len(r.Forecasts) > 0 {
		e.say("\nForecasts against what came, by how many hours ahead they were made, at most")
	}
	for _, x := range r.Forecasts {
		e.say("%-8s %-22s %6.0f h %s", x.Place, x.Quantity, x.Hours, figures(x.Errors))
	}
}

func figures(x truth.Errors) string {
	if x.N == 0 {
		return fmt.Sprintf("%5d %9s %9s %9s %9s %9s", 0, "-", "-", "-", "-", "-")
	}
	return fmt.Sprintf("%5d %9.3f %9.3f %9.3f %9.3f %9.3f", x.N, x.Bias, x.MAE, x.RMSE, x.P95, x.Max)
}

func hours(h truth.Hours) string { return fmt.Sprintf("%.1f/%.1f/%.1f", h.Below, h.Within, h.Above) }
