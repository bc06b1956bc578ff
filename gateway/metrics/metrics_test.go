package metrics_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"aovuon/gateway/edge"
	"aovuon/gateway/measure"
	"aovuon/gateway/metrics"
	"aovuon/server/parttest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func source(t *testing.T) metrics.Source {
	t.Helper()
	faults := metrics.NewFaults()
	do := measure.Reading{Sensor: "ao1-do", Quantity: measure.DissolvedOxygen, Value: 4.25, Time: measure.Instant{Uptime: 2 * time.Minute}}
	broken := measure.Reading{Sensor: "ao1-ph", Quantity: measure.PH, Quality: measure.Fault, Reason: measure.NoResponse}
	for _, r := range [][]measure.Reading{
		{do},
		{broken},
		{broken, {Sensor: "gone", Quantity: measure.PH, Quality: measure.Fault, Reason: measure.CRC}},
	} {
		if err := faults.Take(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	faults.Keep([]string{"ao1-do", "ao1-ph"})
	return metrics.Source{
		Version: "v1", Uptime: func() time.Duration { return 150 * time.Second },
		Readings: func() []measure.Reading { return []measure.Reading{do, broken} }, Faults: faults,
		Spool: func(context.Context) (metrics.Spool, error) {
			return metrics.Spool{Pending: 4, Batches: 2, Bytes: 65536}, nil
		},
		Seal:   func() metrics.Seal { return metrics.Seal{Buffered: 3, Dropped: 1, Thinned: 2} },
		Uplink: func() metrics.Uplink { return metrics.Uplink{Sessions: 1, Published: 9, Receipts: 8} },
		Link:   func() bool { return true },
		Edge: func() edge.Status {
			return edge.Status{
				Aerators: []edge.AeratorStatus{{ID: "ao1-quat", Command: true, State: edge.IsRunning, Mode: edge.On}},
				Alarms:   []edge.AlarmStatus{{ID: "ao1-nong", On: true, Known: true}, {ID: "ao1-do-hong"}},
			}
		},
	}
}

func scrape(t *testing.T, from metrics.Source) string {
	t.Helper()
	h, err := metrics.Handler(from)
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	return w.Body.String()
}

func TestHandler_TellsEverything(t *testing.T) {
	body := scrape(t, source(t))
	for _, want := range []string{
		`aovuon_gateway_build_info{version="v1"} 1`,
		`aovuon_gateway_reading{quantity="dissolved_oxygen",sensor="ao1-do"} 4.25`,
		`aovuon_gateway_reading_age_seconds{quantity="dissolved_oxygen",sensor="ao1-do"} 30`,
		`aovuon_gateway_reading_quality{quantity="ph",sensor="ao1-ph"} 5`,
		`aovuon_gateway_faults_total{quantity="ph",reason="no-response",sensor="ao1-ph"} 2`,
		`aovuon_gateway_spool_pending_records 4`, `aovuon_gateway_spool_batches 2`, `aovuon_gateway_spool_bytes 65536`,
		`aovuon_gateway_seal_buffered_readings 3`, `aovuon_gateway_seal_dropped_readings_total 1`, `aovuon_gateway_seal_thinned_readings_total 2`,
		`aovuon_gateway_uplink_published_total 9`, `aovuon_gateway_link_up 1`,
		`aovuon_gateway_aerator_command{aerator="ao1-quat"} 1`,
		`aovuon_gateway_aerator_state{aerator="ao1-quat",state="running"} 1`,
		`aovuon_gateway_aerator_state{aerator="ao1-quat",state="off"} 0`,
		`aovuon_gateway_alarm{alarm="ao1-nong"} 1`,
		`process_resident_memory_bytes`, `go_goroutines`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s", want)
		}
	}
	for _, not := range []string{`reading{quantity="ph"`, `"gone"`, `ao1-do-hong`} {
		if strings.Contains(body, not) {
			t.Errorf("there is %s", not)
		}
	}
}

func TestHandler_ASpoolThatDoesNotAnswerHidesNothingElse(t *testing.T) {
	s := source(t)
	s.Spool = func(context.Context) (metrics.Spool, error) { return metrics.Spool{}, errors.New("disk") }
	body := scrape(t, s)
	if !strings.Contains(body, "aovuon_gateway_spool_up 0") || strings.Contains(body, "spool_batches") || !strings.Contains(body, "link_up 1") {
		t.Error(body)
	}
}

func TestServe_AnswersUntilItIsToldToStop(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // a port that is free
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	if err := metrics.Serve(t.Context(), addr, source(t)); err == nil || !strings.Contains(err.Error(), "another program") {
		t.Errorf("a port that is taken: %v", err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- metrics.Serve(ctx, addr, source(t)) }()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	var body []byte
	parttest.Await(t, "an answer", func() bool {
		resp, err := client.Get("http://" + addr + "/metrics")
		if err != nil {
			return false
		}
		body, err = io.ReadAll(resp.Body)
		return errors.Join(err, resp.Body.Close()) == nil
	})
	if !strings.Contains(string(body), "aovuon_gateway_link_up") {
		t.Errorf("%s", body)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
