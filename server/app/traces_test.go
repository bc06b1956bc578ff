package app_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"aovuon/server/parttest"
)

// A batch is followed from the broker into the history, and a page is followed, by a collector beside the real server.
func TestServer_TracesABatchAndAPage(t *testing.T) {
	var mu sync.Mutex
	traces := map[string][]string{}
	sink := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		var m collector.ExportTraceServiceRequest
		if err != nil || r.URL.Path != "/v1/traces" || proto.Unmarshal(raw, &m) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		for _, rs := range m.ResourceSpans {
			for _, ss := range rs.ScopeSpans {
				for _, x := range ss.Spans {
					traces[string(x.TraceId)] = append(traces[string(x.TraceId)], x.Name)
				}
			}
		}
	}))
	defer sink.Close()
	p := newProcess(t, "{ engine: sqlite }", "")
	p.amend("telemetry: { traces: { otlp: " + sink.URL + ", sample: 1 } }")
	s := &sender{gateway: p.enrol("gw-ao")}
	s.sealAll(t, 1, 5)
	p.start()
	parttest.Await(t, "connection", func() bool { return s.connect(p.mqtt) == nil })
	s.sendAll(t)
	if status, _, err := p.get("/sign-in"); err != nil || status != http.StatusOK {
		t.Fatal(status, err)
	}
	want := []string{"batch", "queue", "verify", "gather", "commit", "receipt", "history"}
	parttest.Await(t, "a whole trace of the batch, and one of a page", func() bool {
		mu.Lock()
		defer mu.Unlock()
		batch, page := false, false
		for _, names := range traces {
			batch = batch || !slices.ContainsFunc(want, func(n string) bool { return !slices.Contains(names, n) })
			page = page || slices.Equal(names, []string{"GET /sign-in"})
		}
		return batch && page
	})
}
