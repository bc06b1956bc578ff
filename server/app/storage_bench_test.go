package app_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"aovuon/gateway/measure"
	"aovuon/gateway/wire"
	"aovuon/server/history"
	"aovuon/server/history/sqlite"
	"aovuon/server/ingest"
	"aovuon/server/sqldb"
)

// BenchmarkStorage keeps a month of one pond, five channels once a minute, 216,000 readings as probes give them: a wave of the day, noise, two
// decimals, moments that are never quite the same. Batches are sealed every 30 or 60 s.
//
//	log-B/reading, log-B/batch       server.db: body, hash, keys and indexes
//	history-B/reading                history.db: points and what is summed up of them, written an hour at a time, as it is
//	sealed-B/reading                 what the gateway sends
func BenchmarkStorage(b *testing.B) {
	for _, every := range []time.Duration{30 * time.Second, time.Minute} {
		b.Run(fmt.Sprintf("batches=%v", every), func(b *testing.B) { benchStorage(b, every) })
	}
}

func benchStorage(b *testing.B, every time.Duration) {
	const month = 30 * 24 * time.Hour
	dir := b.TempDir()
	db, err := sqldb.Open(b.Context(), sqldb.Config{Driver: sqldb.SQLite, DSN: filepath.Join(dir, "server.db")})
	if err != nil {
		b.Fatal(err)
	}
	empty := sizeOf(b, dir, "server.db")
	h, err := sqlite.Open(b.Context(), filepath.Join(dir, "history.db"))
	if err != nil {
		b.Fatal(err)
	}
	pond := newPond(b)
	var rows []ingest.Row
	var points []history.Point
	sealedBytes, batches, readings := 0, 0, 0
	flush := func() {
		if err := errors.Join(appendRows(b.Context(), db, rows), h.Write(b.Context(), points)); err != nil {
			b.Fatal(err)
		}
		rows, points = rows[:0], points[:0]
	}
	for at := time.Duration(0); at < month; at += every {
		batch, sealed := pond.next(b, at, every)
		if batch == nil {
			continue
		}
		sealedBytes, batches, readings = sealedBytes+len(sealed), batches+1, readings+len(batch.Readings)
		rows = append(rows, ingest.Row{
			Chain: ingest.Chain{Gateway: batch.Gateway, Epoch: batch.Epoch}, Seq: batch.Seq, Hash: wire.HashOf(sealed), Received: batch.Readings[0].Time.Wall, Body: db.Pack(sealed),
		})
		for _, r := range batch.Readings {
			points = append(points, history.Point{
				Series: history.Series{Place: "AO7", Quantity: r.Quantity, Gateway: batch.Gateway, Sensor: r.Sensor}, Time: r.Time.Wall, Value: r.Value, Quality: r.Quality,
			})
		}
		if (at+every)%time.Hour == 0 {
			flush()
		}
	}
	flush()
	if err := errors.Join(db.Close(), h.Close()); err != nil { // what is in the write-ahead logs goes into the files
		b.Fatal(err)
	}
	log := sizeOf(b, dir, "server.db") - empty
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(log)/float64(readings), "log-B/reading")
	b.ReportMetric(float64(log)/float64(batches), "log-B/batch")
	b.ReportMetric(float64(sizeOf(b, dir, "history.db"))/float64(readings), "history-B/reading")
	b.ReportMetric(float64(sealedBytes)/float64(readings), "sealed-B/reading")
}

func appendRows(ctx context.Context, db *sqldb.DB, rows []ingest.Row) error {
	if len(rows) == 0 {
		return nil
	}
	_, err := db.Append(ctx, []ingest.Chain{rows[0].Chain}, func(map[ingest.Chain]ingest.Head, ingest.HashAt) ([]ingest.Row, error) { return rows, nil })
	return err
}

func sizeOf(b *testing.B, dir, name string) int64 {
	b.Helper()
	info, err := os.Stat(filepath.Join(dir, name))
	if err != nil {
		b.Fatal(err)
	}
	return info.Size()
}

// simplePond is a gateway with five probes in one pond.
type simplePond struct {
	signer note.Signer
	rng    *rand.Rand
	seq    uint64
	prev   wire.Hash
}

func newPond(b *testing.B) *simplePond {
	b.Helper()
	path := filepath.Join(b.TempDir(), "pond.key")
	if _, err := wire.CreateKey(path, "gw-ao7"); err != nil {
		b.Fatal(err)
	}
	signer, _, err := wire.LoadKey(path)
	if err != nil {
		b.Fatal(err)
	}
	return &simplePond{signer: signer, rng: rand.New(rand.NewPCG(7, 11))}
}

// next seals what was read from at on for so long; nil where nothing was. The probes are read twelve seconds apart.
func (p *simplePond) next(b *testing.B, at, every time.Duration) (*wire.Batch, []byte) {
	b.Helper()
	channels := []struct {
		sensor     string
		quantity   measure.Quantity
		mean, wave float64
	}{{"ao7-temp", measure.WaterTemperature, 28, 2}, {"ao7-do", measure.DissolvedOxygen, 5.5, 2.5}, {"ao7-ph", measure.PH, 7.9, 0.4}, {"ao7-man", measure.Salinity, 0.4, 0.02}, {"ao7-orp", measure.ORP, 210, 15}}
	begin := time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
	batch := &wire.Batch{Gateway: "gw-ao7", Epoch: "5b1d9c0277e1a0f3", Seq: p.seq + 1, Prev: p.prev, Boot: "3f1c0a9b7d5e2468a1b2c3d4e5f60718"}
	for k, c := range channels {
		for minute := at.Truncate(time.Minute); minute < at+every; minute += time.Minute {
			when := minute + time.Duration(k)*12*time.Second
			if when < at || when >= at+every {
				continue
			}
			wall := begin.Add(when + time.Duration(p.rng.IntN(40))*time.Millisecond)
			v := c.mean + c.wave*math.Sin(2*math.Pi*when.Hours()/24) + p.rng.NormFloat64()*c.wave/40
			batch.Readings = append(batch.Readings, measure.Reading{
				Sensor: c.sensor, Quantity: c.quantity, Time: measure.Instant{Wall: wall, Boot: batch.Boot}, Value: math.Round(v*100) / 100,
			})
		}
	}
	if len(batch.Readings) == 0 {
		return nil, nil
	}
	sealed, err := wire.Seal(batch, p.signer)
	if err != nil {
		b.Fatal(err)
	}
	p.seq, p.prev = batch.Seq, wire.HashOf(sealed)
	return batch, sealed
}
