package truth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"aovuon/gateway/measure"
)

// maxAnswer is how much of an answer is read: a month of all series of a place is some hundred kilobytes.
const maxAnswer = 32 << 20

// Ask asks a server what it has: every series of every place over the last 24h, 7d or 30d, up to now. Where says the place of the
// field in which a device is; a place of the product is that of the field in which most of its sensors are, and what is
// computed from sensors is there, too.
func Ask(ctx context.Context, server, long string, where map[string]string) (all []Series, err error) {
	base, err := url.Parse(server)
	if err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https") {
		return nil, fmt.Errorf("truth: server %q: want the address of the product's pages, such as http://127.0.0.1:8080", server)
	}
	var said struct {
		Places []struct{ Code string }
	}
	server = strings.TrimRight(server, "/")
	if err := get(ctx, server+"/api/places", &said); err != nil {
		return nil, err
	}
	for _, p := range said.Places {
		list, err := askPlace(ctx, server, p.Code, long)
		if err != nil {
			return nil, err
		}
		locate(list, where)
		all = append(all, list...)
	}
	return all, nil
}

func askPlace(ctx context.Context, server, code, long string) (list []Series, err error) {
	var said struct {
		StepS  float64 `json:"step_s"`
		Series []struct {
			Quantity measure.Quantity
			Sensor   string
			Steps    []Step
		}
	}
	if err := get(ctx, server+"/api/series?range="+url.QueryEscape(long)+"&place="+url.QueryEscape(code), &said); err != nil {
		return nil, err
	}
	for _, s := range said.Series {
		list = append(list, Series{Code: code, Sensor: s.Sensor, Quantity: s.Quantity, Step: time.Duration(said.StepS * float64(time.Second)), Steps: s.Steps})
	}
	return list, nil
}

// locate says of series of one place of the product where in the field they are.
func locate(list []Series, where map[string]string) {
	votes, best := map[string]int{}, ""
	for _, s := range list {
		if place := where[s.Sensor]; place != "" {
			votes[place]++
			if best == "" || votes[place] > votes[best] {
				best = place
			}
		}
	}
	for i := range list {
		if list[i].Place = where[list[i].Sensor]; list[i].Place == "" {
			list[i].Place = best
		}
	}
}

func get(ctx context.Context, address string, into any) (err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return fmt.Errorf("truth: %w", err)
	}
	client := http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("truth: the product does not answer: %w: is the server running, and is --server its address?", err)
	}
	defer func() { err = errors.Join(err, res.Body.Close()) }()
	raw, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("truth: %s: %w", address, err)
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("truth: %s answers %s: %.200s", address, res.Status, raw)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("truth: %s is no server of AoVườn: %w", address, err)
	}
	return nil
}
