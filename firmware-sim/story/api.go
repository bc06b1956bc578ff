package story

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"aovuon/gateway/measure"
)

// channel is one line of values: a quantity of a sensor. Simulated devices bear the names of the sensors that read them.
type channel struct {
	sensor   string
	quantity measure.Quantity
}

func (c channel) String() string { return c.sensor + " " + string(c.quantity) }

// bucket is one step of a chart, as /api/series answers.
type bucket struct {
	Start          time.Time
	N, Faults      int
	Min, Mean, Max float64
	Worst          string
}

// line is one series of /api/series.
type line struct {
	channel
	step  time.Duration
	steps []bucket
}

// lines asks the server for the charts of a place; span is 24h, 7d or 30d.
func lines(ctx context.Context, url, place, span string) ([]line, error) {
	var answer struct {
		Step   float64 `json:"step_s"`
		Series []struct {
			Quantity measure.Quantity
			Sensor   string
			Steps    []bucket
		}
	}
	if err := getJSON(ctx, fmt.Sprintf("%s/api/series?place=%s&range=%s", url, place, span), &answer); err != nil {
		return nil, err
	}
	var out []line
	for _, s := range answer.Series {
		out = append(out, line{channel{s.Sensor, s.Quantity}, time.Duration(answer.Step * float64(time.Second)), s.Steps})
	}
	return out, nil
}

// latest is the newest reading of a channel, as /api/places answers.
type latest struct {
	Sensor   string
	Quantity measure.Quantity
	Time     time.Time
	Value    *float64
	Quality  string
	Reason   string
	State    string
}

func newestOf(ctx context.Context, url string) ([]latest, error) {
	var answer struct {
		Places []struct{ Series []latest }
	}
	if err := getJSON(ctx, url+"/api/places", &answer); err != nil {
		return nil, err
	}
	var out []latest
	for _, p := range answer.Places {
		out = append(out, p.Series...)
	}
	return out, nil
}

func getJSON(ctx context.Context, url string, to any) error {
	status, body, err := getURL(ctx, url)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("status %d: %s", status, body)
	}
	if err = errors.Join(err); err != nil {
		return fmt.Errorf("%s: %w", url, err)
	}
	if err := json.Unmarshal([]byte(body), to); err != nil {
		return fmt.Errorf("%s: %w", url, err)
	}
	return nil
}
