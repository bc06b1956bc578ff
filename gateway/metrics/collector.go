package metrics

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"aovuon/gateway/edge"
	"aovuon/gateway/measure"
)

// Source is where figures come from, asked at every scrape. From Spool on, a nil function means that there is no such part.
type Source struct {
	Version  string
	Uptime   func() time.Duration     // of the clock readings bear
	Readings func() []measure.Reading // the newest one of every quantity of every sensor
	Faults   *Faults
	Spool    func(ctx context.Context) (Spool, error)
	Seal     func() Seal
	Uplink   func() Uplink
	Link     func() bool
	Edge     func() edge.Status
}

// Spool is how much waits on the disk.
type Spool struct {
	Pending uint64 // records not sealed yet
	Batches uint64 // sealed, and without a receipt
	Bytes   uint64 // of the file
}

// Seal is how the sealer is doing.
type Seal struct {
	Buffered int    // readings in memory
	Dropped  uint64 // lost because memory was full while the disk failed
	Thinned  uint64 // left out of what waits to make room
	Failing  bool   // the disk does not take readings
}

// Uplink are the counters of the link.
type Uplink struct {
	Sessions, Published, Receipts, Forged, Stale, Rewinds, Silences uint64
}

// scrape bounds how long a scrape may wait for the disk.
const scrape = 5 * time.Second

// collector implements prometheus.Collector.
type collector struct{ from Source }

// Describe implements prometheus.Collector. Which series there are depends on the configuration: it promises none.
func (c collector) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (c collector) Collect(out chan<- prometheus.Metric) {
	p := printer{out}
	p.gauge("build_info", "The program; the value is always 1.", 1, "version", c.from.Version)
	c.readings(p)
	c.waiting(p)
	if c.from.Link != nil {
		p.gauge("link_up", "1 while batches reach the server.", number(c.from.Link()))
	}
	if c.from.Uplink != nil {
		c.uplink(p)
	}
	if c.from.Edge != nil {
		c.edge(p)
	}
}

func (c collector) readings(p printer) {
	now := c.from.Uptime()
	for _, r := range c.from.Readings() {
		labels := []string{"sensor", r.Sensor, "quantity", string(r.Quantity)}
		if r.Quality != measure.Fault {
			p.gauge("reading", "The newest value, in the quantity's unit; absent while it is a fault.", r.Value, labels...)
		}
		p.gauge("reading_quality", "0 good, 1 uncalibrated, 2 estimated, 3 suspect, 4 out of range, 5 fault.", float64(r.Quality), labels...)
		p.gauge("reading_age_seconds", "How long ago the newest reading was taken.", (now - r.Time.Uptime).Seconds(), labels...)
	}
	for f, n := range c.from.Faults.counts() {
		p.counter("faults_total", "Readings that were faults, since the start.", n, "sensor", f.sensor, "quantity", string(f.quantity), "reason", string(f.reason))
	}
}

func (c collector) waiting(p printer) {
	if c.from.Spool != nil {
		ctx, cancel := context.WithTimeout(context.Background(), scrape) // Collect knows no context
		defer cancel()
		s, err := c.from.Spool(ctx)
		p.gauge("spool_up", "1 when the spool could be asked.", number(err == nil))
		if err == nil {
			p.gauge("spool_pending_records", "Records on the disk that are in no batch yet.", float64(s.Pending))
			p.gauge("spool_batches", "Batches the server has no receipt for.", float64(s.Batches))
			p.gauge("spool_bytes", "Size of the spool's file.", float64(s.Bytes))
		}
	}
	if c.from.Seal != nil {
		s := c.from.Seal()
		p.gauge("seal_buffered_readings", "Readings in memory that are not on the disk yet.", float64(s.Buffered))
		p.gauge("seal_disk_failing", "1 while the disk does not take readings.", number(s.Failing))
		p.counter("seal_dropped_readings_total", "Readings lost since the start because memory was full while the disk failed.", s.Dropped)
		p.counter("seal_thinned_readings_total", "Old readings left out since the start because what waits had filled its room.", s.Thinned)
	}
}

func (c collector) uplink(p printer) {
	u := c.from.Uplink()
	p.counter("uplink_sessions_total", "Connections that were accepted.", u.Sessions)
	p.counter("uplink_published_total", "Batches handed to the broker, again or for the first time.", u.Published)
	p.counter("uplink_receipts_total", "Receipts that released something.", u.Receipts)
	p.counter("uplink_forged_total", "Receipts refused: not signed by the server, or for another gateway.", u.Forged)
	p.counter("uplink_stale_total", "Receipts of another epoch.", u.Stale)
	p.counter("uplink_rewinds_total", "Times the sending went back to the first batch without a receipt.", u.Rewinds)
	p.counter("uplink_silences_total", "Connections given up because no receipt came.", u.Silences)
}

func (c collector) edge(p printer) {
	s := c.from.Edge()
	for _, a := range s.Aerators {
		p.gauge("aerator_command", "1 while the aerator is commanded on.", number(a.Command), "aerator", a.ID)
		for _, state := range edge.States() {
			p.gauge("aerator_state", "1 for the state the aerator is in.", number(a.State == state), "aerator", a.ID, "state", string(state))
		}
		p.gauge("aerator_manual", "1 while a person decides.", number(a.Mode != edge.Auto), "aerator", a.ID)
		p.gauge("aerator_relay_failing", "1 while its relay cannot be switched.", number(a.Relay != ""), "aerator", a.ID)
	}
	for _, a := range s.Alarms {
		if a.Known {
			p.gauge("alarm", "1 while the alarm is on; absent before the first value.", number(a.On), "alarm", a.ID)
		}
	}
}

func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// printer writes metrics of the gateway: labels are names and values in turn.
type printer struct{ out chan<- prometheus.Metric }

func (p printer) gauge(name, help string, v float64, labels ...string) {
	p.print(prometheus.GaugeValue, name, help, v, labels)
}

func (p printer) counter(name, help string, v uint64, labels ...string) {
	p.print(prometheus.CounterValue, name, help, float64(v), labels)
}

func (p printer) print(kind prometheus.ValueType, name, help string, v float64, labels []string) {
	var names, values []string
	for i := 0; i < len(labels); i += 2 {
		names, values = append(names, labels[i]), append(values, labels[i+1])
	}
	desc := prometheus.NewDesc("aovuon_gateway_"+name, help, names, nil)
	m, err := prometheus.NewConstMetric(desc, kind, v, values...)
	if err != nil {
		m = prometheus.NewInvalidMetric(desc, err)
	}
	p.out <- m
}
