package tracing_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	wire "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"aovuon/server/tracing"
)

// sink is a collector.
type sink struct {
	*httptest.Server
	mu    sync.Mutex
	spans []*wire.Span
	who   []string
}

func newSink(t testing.TB) *sink {
	s := &sink{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		var m collector.ExportTraceServiceRequest
		if err != nil || r.URL.Path != "/v1/traces" || proto.Unmarshal(raw, &m) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, rs := range m.ResourceSpans {
			for _, a := range rs.Resource.Attributes {
				s.who = append(s.who, a.Key+"="+a.Value.GetStringValue())
			}
			for _, ss := range rs.ScopeSpans {
				s.spans = append(s.spans, ss.Spans...)
			}
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func newTracer(t testing.TB, url string, sample float64, log *slog.Logger) *tracing.Tracer {
	t.Helper()
	x, err := tracing.New(t.Context(), tracing.Options{URL: url, Sample: sample, Server: "htx-demo", Instance: "one", Log: log})
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func end(t testing.TB, x *tracing.Tracer) {
	t.Helper()
	if err := x.Close(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
}

// Two processes, the second of them hours later, write one trace; its numbers are those of the batch.
func TestBatch_IsOneTraceInEveryProcess(t *testing.T) {
	s, b := newSink(t), tracing.Batch{Gateway: "gw-ao", Epoch: "0123456789abcdef", Seq: 7}
	at := time.Date(2026, 11, 26, 3, 4, 5, 6_000_000, time.UTC)
	ingest, later := newTracer(t, s.URL, 1, slog.New(slog.DiscardHandler)), newTracer(t, s.URL, 1, slog.New(slog.DiscardHandler))
	ingest.Whole(b, at, at.Add(9*time.Millisecond))
	ingest.Step(b, "commit", at.Add(2*time.Millisecond), at.Add(8*time.Millisecond))
	later.Step(b, "history", at.Add(3*time.Hour), at.Add(3*time.Hour+time.Millisecond))
	end(t, ingest)
	end(t, later)
	if len(s.spans) != 3 {
		t.Fatalf("%d spans", len(s.spans))
	}
	whole := s.spans[slices.IndexFunc(s.spans, func(x *wire.Span) bool { return x.Name == "batch" })]
	if len(whole.ParentSpanId) != 0 || int64(whole.StartTimeUnixNano) != at.UnixNano() || whole.EndTimeUnixNano-whole.StartTimeUnixNano != 9_000_000 {
		t.Errorf("the first span: %v", whole)
	}
	for _, x := range s.spans {
		if string(x.TraceId) != string(whole.TraceId) || x != whole && string(x.ParentSpanId) != string(whole.SpanId) {
			t.Errorf("%s is elsewhere: %x under %x", x.Name, x.TraceId, x.ParentSpanId)
		}
	}
	for _, want := range []string{"service.name=aovuon-server", "service.namespace=htx-demo", "service.instance.id=one"} {
		if !slices.Contains(s.who, want) {
			t.Errorf("who: %v, want %s", s.who, want)
		}
	}
}

func TestSample_TakesItsShareAndTheSameEverywhere(t *testing.T) {
	one, two := newTracer(t, "http://127.0.0.1:1", 0.1, slog.New(slog.DiscardHandler)), newTracer(t, "http://127.0.0.1:1", 0.1, slog.New(slog.DiscardHandler))
	defer end(t, one)
	defer end(t, two)
	taken := 0
	for seq := range uint64(10_000) {
		b := tracing.Batch{Gateway: "gw-ao", Epoch: "x", Seq: seq}
		if one.Taken(b) != two.Taken(b) {
			t.Fatalf("batch %d is taken by one", seq)
		}
		if one.Taken(b) {
			taken++
		}
	}
	if taken < 900 || taken > 1100 { // 1,000 ± 30 is one standard deviation; the numbers are fixed
		t.Errorf("%d of 10,000 taken, want a tenth", taken)
	}
}

func TestRequest_IsNamedByItsRoute(t *testing.T) {
	s := newSink(t)
	x := newTracer(t, s.URL, 1, slog.New(slog.DiscardHandler))
	_, done := x.Request(t.Context(), "/t/{code}", "GET")
	done(http.StatusInternalServerError)
	end(t, x)
	if len(s.spans) != 1 || s.spans[0].Name != "GET /t/{code}" || s.spans[0].Kind != wire.Span_SPAN_KIND_SERVER || s.spans[0].Status.GetCode() != wire.Status_STATUS_CODE_ERROR {
		t.Errorf("%v", s.spans)
	}
}

// A collector that is not there is told in the log, and nothing else is.
func TestCollector_ThatIsAwayIsSaidAndHarmsNothing(t *testing.T) {
	var log strings.Builder
	x := newTracer(t, "http://127.0.0.1:1", 1, slog.New(slog.NewTextHandler(&log, nil)))
	x.Step(tracing.Batch{Gateway: "gw-ao"}, "commit", time.Unix(1, 0), time.Unix(2, 0))
	late, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 100*time.Millisecond)
	defer cancel()
	if err := x.Close(late); err != nil && late.Err() == nil {
		t.Error(err)
	}
	if !strings.Contains(log.String(), "spans are lost") {
		t.Errorf("the log says %q", &log)
	}
}

// What tracing costs a batch: not switched on, not taken, taken.
func BenchmarkStep(b *testing.B) {
	s := newSink(b)
	at := time.Unix(1_800_000_000, 0)
	for name, x := range map[string]*tracing.Tracer{"off": nil, "sample=0.01": newTracer(b, s.URL, 0.01, slog.New(slog.DiscardHandler)), "sample=1": newTracer(b, s.URL, 1, slog.New(slog.DiscardHandler))} {
		b.Run(name, func(b *testing.B) {
			seq := uint64(0)
			for b.Loop() {
				x.Step(tracing.Batch{Gateway: "gw-ao", Epoch: "x", Seq: seq}, "commit", at, at)
				seq++
			}
		})
	}
}
