package ingest

import "github.com/prometheus/client_golang/prometheus"

// Metrics counts what passes through.
type Metrics struct {
	batches, readings, duplicates, ahead prometheus.Counter
	refused                              *prometheus.CounterVec
	receipts                             *prometheus.CounterVec
	commits                              prometheus.Histogram
	group                                prometheus.Histogram
	took                                 prometheus.Histogram
	failures                             prometheus.Counter
	waiting                              prometheus.Gauge
}

// NewMetrics makes the metrics and registers them with reg.
func NewMetrics(reg prometheus.Registerer) (*Metrics, error) {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "aovuon_ingest_" + name, Help: help})
	}
	m := &Metrics{
		batches:    counter("batches_total", "Batches committed to the batch log."),
		readings:   counter("readings_total", "Readings in committed batches."),
		duplicates: counter("duplicates_total", "Batches that were in the log already, receipted again."),
		ahead:      counter("ahead_total", "Batches that came before one they follow, left for the gateway to send again."),
		failures:   counter("commit_failures_total", "Commits that failed and were tried again."),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "aovuon_ingest_refused_total", Help: "Messages refused, by reason.",
		}, []string{"reason"}),
		receipts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "aovuon_ingest_receipts_total", Help: "Receipts handed to the broker, by result.",
		}, []string{"result"}),
		commits: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "aovuon_ingest_commit_seconds", Help: "Duration of a group commit.", Buckets: prometheus.ExponentialBuckets(0.0005, 2, 14),
		}),
		group: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "aovuon_ingest_commit_batches", Help: "Batches in a group commit.", Buckets: prometheus.ExponentialBuckets(1, 2, 11),
		}),
		took: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "aovuon_ingest_batch_seconds", Help: "From a batch's arrival to its commit, which its receipt follows.", Buckets: prometheus.ExponentialBuckets(0.001, 2, 15),
		}),
		waiting: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "aovuon_ingest_waiting_bytes", Help: "Bytes of batches received and not yet committed.",
		}),
	}
	for _, r := range Reasons() {
		m.refused.WithLabelValues(string(r))
	}
	for _, r := range []string{"sent", "failed"} {
		m.receipts.WithLabelValues(r)
	}
	for _, c := range []prometheus.Collector{m.batches, m.readings, m.duplicates, m.ahead, m.failures, m.refused, m.receipts, m.commits, m.group, m.took, m.waiting} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// Queue is how full a queue is.
type Queue struct {
	Length, Limit int // Limit 0: as many as there are gateways
}

// Queues tells how full the queues are: verify, of messages whose signatures are to be checked; commit, of verified batches; receipts, of
// receipts that wait to be signed.
func (n *Ingest) Queues() map[string]Queue {
	var verify Queue
	for _, w := range n.workers {
		verify.Length += len(w)
		verify.Limit += cap(w)
	}
	return map[string]Queue{
		"verify": verify, "commit": {len(n.verified), cap(n.verified)}, "receipts": {Length: n.receipts.length()},
	}
}
