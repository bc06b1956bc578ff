package status_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"aovuon/gateway/measure"
	"aovuon/gateway/status"
)

func TestLog_KeepsAnHourAndItsSize(t *testing.T) {
	l := status.NewLog(20_000, time.Hour)
	log := slog.New(l).With(slog.String("gateway", "gw-ao"))
	start := now()
	for i := range 1000 {
		rec := slog.NewRecord(start.Add(time.Duration(i)*time.Second), slog.LevelInfo, "line", 0)
		rec.AddAttrs(slog.Int("n", i))
		if err := log.Handler().Handle(t.Context(), rec); err != nil {
			t.Fatal(err)
		}
	}
	at := start.Add(1000 * time.Second)
	all, more := l.Newest(at, slog.LevelInfo, 0, 10_000)
	if more || len(all) < 150 || len(all) > 220 || all[0].Text != `msg=line gateway=gw-ao n=999` {
		t.Errorf("%d lines, the first %+v", len(all), all[0])
	}
	page, more := l.Newest(at, slog.LevelInfo, 10, 5)
	if !more || len(page) != 5 || !strings.HasSuffix(page[0].Text, "n=989") {
		t.Errorf("%v %+v", more, page)
	}
	if none, _ := l.Newest(at, slog.LevelWarn, 0, 5); len(none) != 0 {
		t.Errorf("%+v", none)
	}
	if old, _ := l.Newest(at.Add(time.Hour), slog.LevelInfo, 0, 5); len(old) != 0 {
		t.Errorf("after an hour: %+v", old)
	}
	log.Warn("long", slog.String("text", strings.Repeat("ô", 9000)))
	if long, _ := l.Newest(time.Now(), slog.LevelInfo, 0, 1); len(long) != 1 || len(long[0].Text) > 5000 {
		t.Errorf("a long line is kept whole")
	}
}

func TestWatch_SaysSinceWhen(t *testing.T) {
	w := status.NewWatch()
	take := func(at time.Duration, q measure.Quality, why measure.FaultReason) {
		r := measure.Reading{Sensor: "ao1-do", Quantity: measure.DissolvedOxygen, Value: 5, Quality: q, Reason: why, Time: measure.Instant{Uptime: at}}
		if err := w.Take(t.Context(), []measure.Reading{r}); err != nil {
			t.Fatal(err)
		}
	}
	look := func(at time.Duration) status.Channel {
		c := w.Channels(at, func(measure.Reading) string { return "why" }, func(string) string { return "ao-i2c" })
		if len(c) != 1 {
			t.Fatalf("%+v", c)
		}
		return c[0]
	}
	take(10*time.Second, measure.Good, "")
	take(20*time.Second, measure.Fault, measure.CRC)
	take(30*time.Second, measure.Fault, measure.CRC)
	if c := look(45 * time.Second); c.For != 25 || c.Age != 15 || c.Value != nil || c.Reason != "crc" || c.Why != "why" || c.Bus != "ao-i2c" {
		t.Errorf("%+v", c)
	}
	take(50*time.Second, measure.Fault, measure.Shorted)
	if c := look(51 * time.Second); c.For != 1 {
		t.Errorf("another reason: %+v", c)
	}
	take(60*time.Second, measure.Good, "")
	if c := look(60 * time.Second); c.Value == nil || *c.Value != 5 || c.For != 0 {
		t.Errorf("healed: %+v", c)
	}
	if r := w.Newest(); len(r) != 1 || r[0].Quality != measure.Good || r[0].Time.Uptime != 60*time.Second {
		t.Errorf("newest: %+v", r)
	}
	w.Keep([]string{"ao2-do"})
	if c, r := w.Channels(0, nil, nil), w.Newest(); len(c) != 0 || len(r) != 0 {
		t.Errorf("a sensor that is gone: %+v, %+v", c, r)
	}
}
