package story_test

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"aovuon/firmware-sim/ledger"
	"aovuon/gateway/measure"
	"aovuon/gateway/seal"
	"aovuon/gateway/spool"
	"aovuon/gateway/wire"
	"aovuon/server/ingest"
)

// onDisk returns every reading a gateway that is not running has on its disk, pending and sealed: from a copy of its
// spool, which is sealed to its end with the gateway's key and read back. The spool itself is not touched.
func (f *field) onDisk() []fact {
	f.t.Helper()
	copied, err := os.MkdirTemp(f.dir, "spool-")
	if err != nil {
		f.t.Fatal(err)
	}
	defer func() {
		if err := os.RemoveAll(copied); err != nil {
			f.t.Error(err)
		}
	}()
	for _, suffix := range []string{"", "-wal"} {
		raw, err := os.ReadFile(f.path("gw/spool.db" + suffix))
		if errors.Is(err, fs.ErrNotExist) {
			if suffix == "" {
				return nil // killed before it had one
			}
			continue
		}
		if err == nil {
			err = os.WriteFile(copied+"/spool.db"+suffix, raw, 0o600)
		}
		if err != nil {
			f.t.Fatal(err)
		}
	}
	ctx := f.t.Context()
	sp, found, err := spool.Open(ctx, copied+"/spool.db", time.Now)
	if err != nil {
		f.t.Fatal(err)
	}
	defer func() {
		if err := sp.Close(); err != nil {
			f.t.Error(err)
		}
	}()
	if found.Fresh || found.SetAside != "" {
		f.t.Errorf("a kill broke the spool: %+v", found)
	}
	signer, _, err := wire.LoadKey(f.path("gw/gateway.key"))
	if err != nil {
		f.t.Fatal(err)
	}
	if err := seal.New(sp, seal.Options{Gateway: gatewayID, Signer: signer, Log: slog.New(slog.DiscardHandler)}).Flush(ctx); err != nil {
		f.t.Fatal(err)
	}
	var all []fact
	for seq := uint64(0); ; {
		batches, err := sp.After(ctx, sp.Epoch(), seq, 100)
		if err != nil {
			f.t.Fatal(err)
		}
		for _, b := range batches {
			batch, err := wire.OpenUnverified(b.Body)
			if err != nil {
				f.t.Fatal(err)
			}
			all, seq = append(all, factsOf(f.t, batch)...), b.Seq
		}
		if len(batches) == 0 {
			return all
		}
	}
}

func factsOf(t testing.TB, b *wire.Batch) []fact {
	t.Helper()
	if b.Clock != measure.Synced {
		t.Errorf("batch %d has clock state %v; the field's clock is synced", b.Seq, b.Clock)
	}
	facts := make([]fact, 0, len(b.Readings))
	for _, r := range b.Readings {
		if r.Sensor == absent {
			continue
		}
		one := fact{channel: channel{r.Sensor, r.Quantity}, ms: r.Time.Wall.UnixMilli(), quality: r.Quality}
		if r.Quality != measure.Fault {
			one.value = r.Value
		}
		facts = append(facts, one)
	}
	return facts
}

// batchLog reads the whole log of a server that has stopped. It checks every signature and that each batch names the one
// before it, from number 1 of its epoch on: so nothing that ever had a receipt can be missing.
func (f *field) batchLog() (facts []fact, heads map[string]uint64) {
	f.t.Helper()
	db := f.database()
	verifier := f.verifier()
	heads, last := map[string]uint64{}, map[string]wire.Hash{}
	for position := int64(0); ; {
		records, err := db.After(f.t.Context(), position, 500, 0)
		if err != nil {
			f.t.Fatal(err)
		}
		if len(records) == 0 {
			return facts, heads
		}
		for _, r := range records {
			b := r.Batch
			position = r.Position
			if slices.Contains(f.guests, b.Gateway) {
				continue
			}
			sealed, err := db.Sealed(f.t.Context(), ingest.Chain{Gateway: b.Gateway, Epoch: b.Epoch}, b.Seq)
			if err != nil {
				f.t.Fatal(err)
			}
			if _, err := wire.Open(sealed, verifier); err != nil {
				f.t.Errorf("batch log, position %d: %v", r.Position, err)
			}
			if b.Seq != heads[b.Epoch]+1 || b.Prev != last[b.Epoch] {
				f.t.Errorf("batch log, position %d: batch %d does not follow batch %d of its epoch", r.Position, b.Seq, heads[b.Epoch])
			}
			heads[b.Epoch], last[b.Epoch] = b.Seq, wire.HashOf(sealed)
			facts = append(facts, factsOf(f.t, b)...)
		}
	}
}

func (f *field) verifier() note.Verifier {
	f.t.Helper()
	card, err := wire.ParseCard(f.read("card.txt"))
	if err != nil {
		f.t.Fatal(err)
	}
	v, err := card.Verifier()
	if err != nil {
		f.t.Fatal(err)
	}
	return v
}

// history reads every row there is, whatever it is called, past the server's own reading code.
func (f *field) history() []fact {
	f.t.Helper()
	if f.influxd != nil {
		return f.influxHistory()
	}
	db, err := sql.Open("sqlite", "file:"+f.path("srv/history.db")+"?_pragma=query_only(ON)")
	if err != nil {
		f.t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			f.t.Error(err)
		}
	}()
	rows, err := db.QueryContext(f.t.Context(), `SELECT s.place, s.gateway, s.sensor, s.quantity, p.t_ms, p.value, p.q
		FROM point AS p JOIN series AS s ON s.id = p.series`)
	if err != nil {
		f.t.Fatal(err)
	}
	defer func() {
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			f.t.Error(err)
		}
	}()
	var all []fact
	for rows.Next() {
		var one fact
		var place, gateway string
		var value sql.NullFloat64
		if err := rows.Scan(&place, &gateway, &one.sensor, &one.quantity, &one.ms, &value, &one.quality); err != nil {
			f.t.Fatal(err)
		}
		one.value = value.Float64
		if f.checkRow(one, place, gateway, value.Valid) {
			all = append(all, one)
		}
	}
	return all
}

// checkRow checks what every row of any history must have: its place, its gateway, and a value unless it is a fault. It
// returns false for a row that the accounts leave
// out.
func (f *field) checkRow(one fact, place, gateway string, hasValue bool) (ours bool) {
	f.t.Helper()
	if slices.Contains(f.guests, gateway) || one.sensor == absent {
		return false
	}
	for _, d := range f.devices {
		if d.id == one.sensor && d.of().code != place {
			f.t.Errorf("history: %v lies at place %q, want %s", one, place, d.of().code)
		}
	}
	if gateway != gatewayID {
		f.t.Errorf("history: %v is gateway %q's", one, gateway)
	}
	if hasValue == (one.quality == measure.Fault) {
		f.t.Errorf("history: %v: has a value: %t", one, hasValue)
	}
	return true
}

// influxHistory asks InfluxDB for everything it has.
func (f *field) influxHistory() []fact {
	f.t.Helper()
	var answer struct {
		Results []struct {
			Series []struct {
				Name    string
				Columns []string
				Values  [][]any
			}
			Error string
		}
	}
	// A measurement has columns time, value, q and the three tags; every row is one point.
	body := f.influxd.Query(`SELECT * FROM /.*/`)
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		f.t.Fatalf("InfluxDB: %v", err)
	}
	var all []fact
	for _, r := range answer.Results {
		if r.Error != "" {
			f.t.Fatalf("InfluxDB: %s", r.Error)
		}
		for _, s := range r.Series {
			if strings.Contains(s.Name, ".") {
				continue // hours and days rolled up
			}
			for _, v := range s.Values {
				row := map[string]any{}
				for i, c := range s.Columns {
					row[c] = v[i]
				}
				if one, ours := f.influxRow(s.Name, row); ours {
					all = append(all, one)
				}
			}
		}
	}
	return all
}

func (f *field) influxRow(measurement string, row map[string]any) (one fact, ours bool) {
	f.t.Helper()
	text := func(k string) string { return fmt.Sprint(row[k]) }
	ms, ok := row["time"].(float64)
	q, err := strconv.ParseFloat(text("q"), 64)
	if !ok || err != nil {
		f.t.Fatalf("InfluxDB: a row of %s without time or quality: %v", measurement, row)
	}
	one = fact{channel: channel{text("sensor"), measure.Quantity(measurement)}, ms: int64(ms), quality: measure.Quality(q)}
	value, hasValue := row["value"].(float64)
	one.value = value
	return one, f.checkRow(one, text("place"), text("gateway"), hasValue)
}

// answers reads the simulator's ledger.
func (f *field) answers() []ledger.Entry {
	f.t.Helper()
	file, err := os.Open(f.path("ledger.tsv"))
	if err != nil {
		f.t.Fatal(err)
	}
	defer func() {
		if err := file.Close(); err != nil {
			f.t.Error(err)
		}
	}()
	var all []ledger.Entry
	if err := ledger.Read(file, func(e ledger.Entry) error { all = append(all, e); return nil }); err != nil {
		f.t.Fatal(err)
	}
	return all
}
