package app

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"aovuon/server/ingest"
	"aovuon/server/tracing"
)

// TracesConfig says who collects where batches and requests spend their time.
type TracesConfig struct {
	OTLP   string   `yaml:"otlp"`   // address of a collector of OpenTelemetry, http://host:4318
	Sample *float64 `yaml:"sample"` // the share of batches and requests that is traced; default 0.01
}

// usualSample keeps the price of tracing where nobody sees it.
const usualSample = 0.01

func (t *TracesConfig) sample() float64 {
	if t.Sample == nil {
		return usualSample
	}
	return *t.Sample
}

func (t *TracesConfig) check() *keyError {
	if t == nil {
		return nil
	}
	if u, err := url.Parse(t.OTLP); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return &keyError{"telemetry.traces.otlp", fmt.Sprintf("%q is no address of a collector", t.OTLP), "write where it takes OTLP over HTTP, such as http://127.0.0.1:4318"}
	}
	if s := t.sample(); !(s > 0 && s <= 1) {
		return &keyError{"telemetry.traces.sample", fmt.Sprintf("%v is no share", s), "write more than 0 and at most 1; 0.01 is one in a hundred"}
	}
	return nil
}

// openTraces makes the tracer, where one is asked for.
func (s *running) openTraces(ctx context.Context) (err error) {
	c := s.config.Telemetry.Traces
	if c == nil {
		return nil
	}
	s.tracer, err = tracing.New(ctx, tracing.Options{URL: c.OTLP, Sample: c.sample(), Server: s.config.Name, Instance: s.holder, Log: s.log})
	if err != nil {
		return err
	}
	s.closers = append(s.closers, func() error {
		last, cancel := context.WithTimeout(context.Background(), 3*time.Second) // a collector that hangs keeps no server from stopping
		defer cancel()
		if err := s.tracer.Close(last); err != nil {
			s.log.Warn("last spans are lost", slog.Any("err", err))
		}
		return nil
	})
	return nil
}

// batchTraces tells the tracer what ingest says of batches.
type batchTraces struct{ t *tracing.Tracer }

// Passed implements ingest.Traced.
func (b batchTraces) Passed(p ingest.Passage) {
	of := tracing.Batch{Gateway: p.Chain.Gateway, Epoch: p.Chain.Epoch, Seq: p.Seq}
	if !b.t.Taken(of) {
		return
	}
	b.t.Whole(of, p.Received, p.Committed)
	b.t.Step(of, "queue", p.Received, p.Opening)
	b.t.Step(of, "verify", p.Opening, p.Opened)
	b.t.Step(of, "gather", p.Opened, p.Committing)
	b.t.Step(of, "commit", p.Committing, p.Committed)
}

// Receipted implements ingest.Traced.
func (b batchTraces) Receipted(c ingest.Chain, upto uint64, begin, end time.Time) {
	b.t.Step(tracing.Batch{Gateway: c.Gateway, Epoch: c.Epoch, Seq: upto}, "receipt", begin, end)
}

// traced is who is told by ingest; nil where nothing is traced.
func (s *running) traced() ingest.Traced {
	if s.tracer == nil {
		return nil
	}
	return batchTraces{s.tracer}
}

// tracedProjection is who is told by projections; nil where nothing is traced.
func (s *running) tracedProjection() func(projection string, records []ingest.Record, begin, end time.Time) {
	if s.tracer == nil {
		return nil
	}
	return func(projection string, records []ingest.Record, begin, end time.Time) {
		for i := range records {
			if b := records[i].Batch; b != nil {
				s.tracer.Step(tracing.Batch{Gateway: b.Gateway, Epoch: b.Epoch, Seq: b.Seq}, projection, begin, end)
			}
		}
	}
}
