// Package tracing shows where a batch or a request spends its time, to a collector of OpenTelemetry.
//
// Steps of batches (with when they began and ended) and requests of the pages come in; spans go out by OTLP over HTTP. The trace of a batch is
// named by what the batch is (gateway, epoch, seq), so that the processes of one server, and a projection that comes to it hours later, write into
// the same trace without telling each other. Nothing personal is in a span: routes are lines of the table, never the path that was asked for.
package tracing

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Options are what a Tracer is made of.
type Options struct {
	URL      string        // of the collector, http://host:4318; /v1/traces is added
	Sample   float64       // the share of batches and of requests that is traced, over 0 to 1
	Server   string        // name of the server
	Instance string        // of this process among those of the server; empty: there is one
	Every    time.Duration // how often spans are sent; 0: 5 s
	Log      *slog.Logger
}

// Tracer makes spans. A nil one makes none.
type Tracer struct {
	provider *sdk.TracerProvider
	tracer   trace.Tracer
	bound    uint64 // a trace is taken if its number is below
}

// New returns a Tracer. The collector need not be there: spans that cannot be sent are given up, which the log says.
func New(ctx context.Context, o Options) (*Tracer, error) {
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(strings.TrimSuffix(o.URL, "/")+"/v1/traces"), otlptracehttp.WithTimeout(10*time.Second))
	if err != nil {
		return nil, fmt.Errorf("tracing: %w", err)
	}
	what := []attribute.KeyValue{attribute.String("service.name", "aovuon-server"), attribute.String("service.namespace", o.Server)}
	if o.Instance != "" {
		what = append(what, attribute.String("service.instance.id", o.Instance))
	}
	if o.Every == 0 {
		o.Every = 5 * time.Second
	}
	p := sdk.NewTracerProvider(
		sdk.WithBatcher(told{exporter, o.Log}, sdk.WithBatchTimeout(o.Every)), // bounded: what does not fit is dropped, the batches themselves never are
		sdk.WithResource(resource.NewSchemaless(what...)), sdk.WithSampler(sdk.AlwaysSample()), sdk.WithIDGenerator(numbers{}),
	)
	return &Tracer{provider: p, tracer: p.Tracer("aovuon/server"), bound: uint64(o.Sample * (1 << 63))}, nil
}

// Close sends what is left.
func (t *Tracer) Close(ctx context.Context) error {
	if t == nil {
		return nil
	}
	if err := t.provider.Shutdown(ctx); err != nil {
		return fmt.Errorf("tracing: %w", err)
	}
	return nil
}

// told is an exporter that says in the log when nobody takes the spans: once, and when somebody does again.
type told struct {
	sdk.SpanExporter
	log *slog.Logger
}

// ExportSpans implements sdk.SpanExporter. Its error is told here, and to nobody else: OpenTelemetry would write it to stderr.
func (e told) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	if err := e.SpanExporter.ExportSpans(ctx, spans); err != nil && !errors.Is(err, context.Canceled) {
		e.log.Warn("spans are lost: the collector does not take them", slog.Int("spans", len(spans)), slog.Any("err", err))
	}
	return nil
}

// Batch names a batch.
type Batch struct {
	Gateway, Epoch string
	Seq            uint64
}

// sum is where the numbers of a batch's trace come from: 16 bytes of the trace, 8 of its first span.
func (b Batch) sum() [sha256.Size]byte {
	return sha256.Sum256([]byte("aovuon/trace/1\n" + b.Gateway + " " + b.Epoch + " " + strconv.FormatUint(b.Seq, 10)))
}

// Taken reports whether a batch is traced: the same in every process.
func (t *Tracer) Taken(b Batch) bool {
	if t == nil {
		return false
	}
	s := b.sum()
	return binary.BigEndian.Uint64(s[8:16])>>1 < t.bound
}

// Whole makes the first span of a batch's trace, over all that one process did with it.
func (t *Tracer) Whole(b Batch, begin, end time.Time) {
	if !t.Taken(b) {
		return
	}
	s := b.sum()
	ctx := context.WithValue(context.Background(), numbersKey{}, root{trace.TraceID(s[:16]), trace.SpanID(s[16:24])})
	_, span := t.tracer.Start(ctx, "batch", trace.WithNewRoot(), trace.WithTimestamp(begin), trace.WithSpanKind(trace.SpanKindConsumer), trace.WithAttributes(
		attribute.String("aovuon.gateway", b.Gateway), attribute.String("aovuon.epoch", b.Epoch), attribute.Int64("aovuon.seq", int64(b.Seq)))) //nolint:gosec // no gateway sends 2^63 batches
	span.End(trace.WithTimestamp(end))
}

// Step makes a span below the first one of a batch's trace.
func (t *Tracer) Step(b Batch, name string, begin, end time.Time) {
	if !t.Taken(b) {
		return
	}
	s := b.sum()
	above := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID(s[:16]), SpanID: trace.SpanID(s[16:24]), TraceFlags: trace.FlagsSampled, Remote: true})
	_, span := t.tracer.Start(trace.ContextWithRemoteSpanContext(context.Background(), above), name, trace.WithTimestamp(begin))
	span.End(trace.WithTimestamp(end))
}

// Request begins the span of a request; the function it returns ends it.
func (t *Tracer) Request(ctx context.Context, route, method string) (context.Context, func(status int)) {
	if t == nil {
		return ctx, func(int) {}
	}
	id := newRoot()
	if binary.BigEndian.Uint64(id.trace[8:])>>1 >= t.bound {
		return ctx, func(int) {}
	}
	name := route
	if !strings.Contains(route, " ") { // some lines of the table hold the method
		name = method + " " + route
	}
	ctx, span := t.tracer.Start(context.WithValue(ctx, numbersKey{}, id), name, trace.WithNewRoot(), trace.WithSpanKind(trace.SpanKindServer),
		trace.WithAttributes(attribute.String("http.route", route), attribute.String("http.request.method", method)))
	return ctx, func(status int) {
		span.SetAttributes(attribute.Int("http.response.status_code", status))
		if status >= http.StatusInternalServerError {
			span.SetStatus(codes.Error, "")
		}
		span.End()
	}
}
