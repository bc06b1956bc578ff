package app_test

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"aovuon/gateway/measure"
	"aovuon/gateway/wire"
	"aovuon/server/parttest"
)

// BenchmarkServer measures the whole server as a process of its own: MQTT in, signature checked, committed, receipted,
// in history. Each measures once, over 60,000 batches of 5 readings and 25,000 of 60, or as many as AOVUON_BENCH_BATCHES
// says. Batches are signed before the clock runs, and are sent as gateways do: at most 32 unreceipted at a time each.
//
//	batches/s, readings/s          until the last reading is in history
//	log-batches/s                  until the last batch is receipted
//	cpu-s/M-readings, batches/cpu-s  of the server process alone, user and system
//	p99-receipt-ms                 from the send to the receipt that covers it, at full load
func BenchmarkServer(b *testing.B) {
	for _, size := range []struct{ readings, batches int }{{5, 60_000}, {60, 25_000}} {
		readings, batches := size.readings, size.batches
		if n, err := strconv.Atoi(os.Getenv("AOVUON_BENCH_BATCHES")); err == nil {
			batches = n
		}
		b.Run(fmt.Sprintf("readings=%d/history=sqlite", readings), func(b *testing.B) {
			benchServer(b, "{ engine: sqlite }", batches, readings)
		})
		b.Run(fmt.Sprintf("readings=%d/history=influx", readings), func(b *testing.B) {
			i := parttest.Influxd(b)
			benchServer(b, fmt.Sprintf("{ engine: influx, url: %q, database: bench }", i.URL), batches, readings)
		})
	}
}

const (
	benchGateways = 50
	benchWindow   = 32
)

func benchServer(b *testing.B, history string, batches, readings int) {
	p := newProcess(b, history, "")
	fleet := make([]*sender, benchGateways)
	for i := range fleet {
		fleet[i] = &sender{gateway: p.enrol(fmt.Sprintf("gw-%02d", i))}
	}
	var wg sync.WaitGroup
	for i, s := range fleet {
		wg.Go(func() { s.sealAll(b, batches/benchGateways+boolInt(i < batches%benchGateways), readings) })
	}
	wg.Wait()
	p.start()
	for _, s := range fleet {
		parttest.Await(b, "connection", func() bool { return s.connect(p.mqtt) == nil })
	}
	idle := p.metric("process_cpu_seconds_total")
	own := cpuSeconds()
	b.ResetTimer()
	begin := time.Now()
	for _, s := range fleet {
		wg.Go(func() { s.sendAll(b) })
	}
	wg.Wait()
	inLog := time.Since(begin)
	p.awaitCharted(batches)
	took := time.Since(begin)
	b.StopTimer()
	cpu, gen := p.metric("process_cpu_seconds_total")-idle, cpuSeconds()-own
	rss := p.metric("process_resident_memory_bytes")
	p.stop()
	n := float64(batches)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(n/took.Seconds(), "batches/s")
	b.ReportMetric(n/inLog.Seconds(), "log-batches/s")
	b.ReportMetric(n*float64(readings)/took.Seconds(), "readings/s")
	b.ReportMetric(n/cpu, "batches/cpu-s")
	b.ReportMetric(cpu/(n*float64(readings)/1e6), "cpu-s/M-readings")
	b.ReportMetric(gen/(cpu+gen), "generator-share")
	b.ReportMetric(rss/(1<<20), "MB")
	var waits []time.Duration
	for _, s := range fleet {
		waits = append(waits, s.waits...)
	}
	slices.Sort(waits)
	b.ReportMetric(float64(waits[len(waits)*99/100].Microseconds())/1000, "p99-receipt-ms")
}

// awaitCharted waits until so many batches are in the history. It asks ten times a second: more often, and what is measured is the answering.
func (p *process) awaitCharted(batches int) {
	p.t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(10 * time.Minute); p.metric(`aovuon_projection_position{projection="history"}`) < float64(batches); {
		select {
		case <-tick.C:
		case <-late:
			p.t.Fatal("not all is in the history")
		}
	}
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func cpuSeconds() float64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return float64(u.Utime.Sec+u.Stime.Sec) + float64(u.Utime.Usec+u.Stime.Usec)/1e6
}

// sender is one gateway at the level of bytes, with batches signed beforehand. A gateway of firmware-sim/fleet is the whole
// uplink, which seals, checks every receipt and speaks through paho: some 90 µs of CPU a batch, which at full load on the same
// machine would be taken from the server that is measured.
type sender struct {
	gateway
	packets [][]byte // whole PUBLISH packets, QoS 1
	conn    net.Conn
	sent    []time.Time
	waits   []time.Duration
	upto    atomic.Uint64
	window  chan struct{}
	dial    func(addr string) (net.Conn, error) // nil: TCP
	due     func(i int) time.Time               // when batch i is to be sent; nil: at once
	patient bool                                // sends again what was not receipted: no window to free, no waits to measure
}

func (s *sender) sealAll(b testing.TB, n, readings int) {
	at := time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
	var prev wire.Hash
	for seq := range n {
		batch := &wire.Batch{Gateway: s.id, Epoch: "0123456789abcdef", Seq: uint64(seq + 1), Prev: prev, Boot: "00112233aabbccdd"}
		for i := range readings {
			q := []measure.Quantity{measure.WaterTemperature, measure.DissolvedOxygen, measure.PH}[i%3]
			batch.Readings = append(batch.Readings, measure.Reading{
				Sensor: fmt.Sprintf("ao%d-%s", i/3%10, []string{"temp", "do", "ph"}[i%3]), Quantity: q,
				Time: measure.Instant{Wall: at.Add(time.Duration(seq*60+i/30) * time.Second), Boot: batch.Boot}, Value: float64((seq*7+i*13)%1000) / 100,
			})
		}
		sealed, err := wire.Seal(batch, s.signer)
		if err != nil {
			b.Error(err)
			return
		}
		prev = wire.HashOf(sealed)
		s.packets = append(s.packets, publish(wire.Topic(s.id, wire.LeafBatch), uint16(seq%65535+1), sealed))
	}
	s.sent, s.waits = make([]time.Time, n), make([]time.Duration, n)
	s.window = make(chan struct{}, benchWindow)
}

func (s *sender) connect(addr string) error {
	dial := s.dial
	if dial == nil {
		dial = func(addr string) (net.Conn, error) { return net.Dial("tcp", addr) }
	}
	c, err := dial(addr)
	if err != nil {
		return err
	}
	body := mqttString(nil, "MQTT")
	body = append(body, 4, 0xc2, 0, 0) // user, password, clean session; no keep-alive
	body = mqttString(mqttString(mqttString(body, s.id), s.id), s.secret)
	sub := append(mqttString([]byte{0, 1}, wire.Topic(s.id, wire.LeafReceipt)), 0)
	if _, err := c.Write(append(packet(0x10, body), packet(0x82, sub)...)); err != nil {
		return err
	}
	r := bufio.NewReader(c)
	for _, want := range []byte{0x20, 0x90} {
		kind, _, err := readPacket(r)
		if err != nil || kind != want {
			return errors.Join(fmt.Errorf("packet %x, %w", kind, err), c.Close())
		}
	}
	s.conn = c
	go s.receive(r)
	return nil
}

// receive takes receipts; it trusts their third line, as the gateway's own tests check signatures.
func (s *sender) receive(r *bufio.Reader) {
	for {
		kind, body, err := readPacket(r)
		if err != nil {
			return
		}
		if kind != 0x30 {
			continue // PUBACK
		}
		var epoch string
		var upto uint64
		text := body[2+binary.BigEndian.Uint16(body):]
		if _, err := fmt.Sscanf(string(text), "aovuon/receipt/1\n"+s.id+"\n%s %d\n", &epoch, &upto); err != nil {
			continue
		}
		now := time.Now()
		for have := s.upto.Load(); have < upto && !s.patient; have++ {
			s.waits[have] = now.Sub(s.sent[have])
			<-s.window
		}
		s.upto.Store(max(upto, s.upto.Load()))
	}
}

func (s *sender) sendAll(b testing.TB) {
	b.Helper()
	defer func() {
		if err := s.conn.Close(); err != nil {
			b.Error(err)
		}
	}()
	for i, p := range s.packets {
		s.window <- struct{}{}
		s.sent[i] = time.Now()
		if s.due != nil {
			s.sent[i] = s.due(i)
			time.Sleep(time.Until(s.sent[i]))
		}
		if _, err := s.conn.Write(p); err != nil {
			b.Errorf("%s: %v", s.id, err)
			return
		}
	}
	parttest.Await(b, "receipts", func() bool { return s.upto.Load() == uint64(len(s.packets)) })
}

func mqttString(dst []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint16(dst, uint16(len(s))), s...)
}

func packet(kind byte, body []byte) []byte {
	out := []byte{kind}
	for n := len(body); ; {
		d := byte(n % 128)
		if n /= 128; n > 0 {
			d |= 0x80
		}
		out = append(out, d)
		if n == 0 {
			return append(out, body...)
		}
	}
}

func publish(topic string, id uint16, payload []byte) []byte {
	return packet(0x32, append(binary.BigEndian.AppendUint16(mqttString(nil, topic), id), payload...))
}

func readPacket(r *bufio.Reader) (kind byte, body []byte, err error) {
	if kind, err = r.ReadByte(); err != nil {
		return 0, nil, err
	}
	n, err := binary.ReadUvarint(r)
	if err != nil {
		return 0, nil, err
	}
	body = make([]byte, n)
	_, err = io.ReadFull(r, body)
	return kind, body, err
}
