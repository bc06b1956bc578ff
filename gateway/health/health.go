package health

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"aovuon/gateway/measure"
)

// Options are where a Reader looks. A nil function means that nobody knows.
type Options struct {
	Sensor string // id of the readings
	Root   string // the folder below which proc and sys are looked for; "" means "/"

	DiskFree func() (bytes uint64, err error)                      // for data
	Waiting  func(ctx context.Context) (batches uint64, err error) // at the gateway, without a receipt
	Link     func() bool                                           // batches reach the server
	Offset   func() (offset time.Duration, known bool)             // of the clock from the network's time
}

// Reader reads the health of one machine. It is used by one goroutine at a time.
type Reader struct {
	o    Options
	past bool // the supply had been too low before the last reading
}

// New returns a Reader. It reads nothing.
func New(o Options) *Reader {
	if o.Root == "" {
		o.Root = "/"
	}
	return &Reader{o: o}
}

// Read returns what is known now, as readings of that instant.
func (r *Reader) Read(ctx context.Context, now measure.Instant) []measure.Reading {
	var out []measure.Reading
	say := func(q measure.Quantity, v float64) {
		quality, err := q.Grade(v)
		if err != nil {
			return
		}
		out = append(out, measure.Reading{Sensor: r.o.Sensor, Quantity: q, Time: now, Value: v, Quality: quality})
	}
	yes := func(q measure.Quantity, b bool) {
		if b {
			say(q, 1)
		} else {
			say(q, 0)
		}
	}
	if milli, ok := r.number("sys/class/thermal/thermal_zone0/temp", 10); ok {
		say(measure.CPUTemperature, float64(milli)/1000)
	}
	if low, ok := r.underVoltage(); ok {
		yes(measure.UnderVoltage, low)
	}
	if r.o.DiskFree != nil {
		if free, err := r.o.DiskFree(); err == nil {
			say(measure.DiskFree, tenth(float64(free)/1e6))
		}
	}
	if bytes, ok := r.resident(); ok {
		say(measure.MemoryResident, tenth(float64(bytes)/1e6))
	}
	if r.o.Waiting != nil {
		if n, err := r.o.Waiting(ctx); err == nil {
			say(measure.SpoolDepth, float64(n))
		}
	}
	if r.o.Offset != nil {
		if d, ok := r.o.Offset(); ok {
			say(measure.ClockOffset, d.Round(time.Microsecond).Seconds())
		}
	}
	if r.o.Link != nil {
		out = append(out, r.Link(now, r.o.Link()))
	}
	return out
}

// Link is the reading that batches reach the server, or do not.
func (r *Reader) Link(now measure.Instant, up bool) measure.Reading {
	v := 0.0
	if up {
		v = 1
	}
	return measure.Reading{Sensor: r.o.Sensor, Quantity: measure.LinkUp, Time: now, Value: v, Quality: measure.Good}
}

// tenth rounds: digits that mean nothing cost mobile data.
func tenth(v float64) float64 { return math.Round(v*10) / 10 }

func (r *Reader) text(path string) (string, bool) {
	raw, err := os.ReadFile(filepath.Join(r.o.Root, path))
	return strings.TrimSpace(string(raw)), err == nil
}

func (r *Reader) number(path string, base int) (int64, bool) {
	text, ok := r.text(path)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimPrefix(text, "0x"), base, 64)
	return n, err == nil
}

// The bits of get_throttled (raspberrypi.com, vcgencmd get_throttled).
const (
	lowNow   = 1 << 0
	lowSince = 1 << 16 // the start; it stays
)

// underVoltage reports whether the supply was too low since the last reading. The firmware remembers that it ever was;
// what was told already is not told again, unless it is too low now. Where there is no firmware to ask, the kernel's
// monitor of the supply says how it is.
func (r *Reader) underVoltage() (low, known bool) {
	if bits, ok := r.number("sys/devices/platform/soc/soc:firmware/get_throttled", 16); ok {
		since := bits&lowSince != 0
		low = bits&lowNow != 0 || since && !r.past
		r.past = since
		return low, true
	}
	names, err := filepath.Glob(filepath.Join(r.o.Root, "sys/class/hwmon/hwmon*/name"))
	if err != nil {
		return false, false
	}
	for _, path := range names {
		name, err := os.ReadFile(path)
		if err != nil || strings.TrimSpace(string(name)) != "rpi_volt" {
			continue
		}
		alarm, err := os.ReadFile(filepath.Join(filepath.Dir(path), "in0_lcrit_alarm"))
		text := strings.TrimSpace(string(alarm))
		return text == "1", err == nil && (text == "0" || text == "1")
	}
	return false, false
}

// resident is the memory of this process that is in RAM, bytes: the second number of statm, in pages (proc(5)).
func (r *Reader) resident() (int64, bool) {
	text, ok := r.text("proc/self/statm")
	fields := strings.Fields(text)
	if !ok || len(fields) < 2 {
		return 0, false
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	return pages * int64(os.Getpagesize()), err == nil
}
