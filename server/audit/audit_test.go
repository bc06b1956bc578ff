package audit_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"math"
	mrand "math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"aovuon/gateway/measure"
	"aovuon/gateway/wire"
	"aovuon/server/audit"
	"aovuon/server/farm"
	"aovuon/server/history/sqlite"
	"aovuon/server/ingest"
	"aovuon/server/ledger"
	"aovuon/server/parttest"
	"aovuon/server/project"
	"aovuon/server/sqldb"
	"aovuon/server/sqldb/sqldbtest"
	"aovuon/server/trace"
)

func by(at time.Time) ledger.By { return ledger.By{Actor: ledger.Operator, At: at} }

// book is a server's records: a farm, a harvested and sealed lot, and the batches of its gateway, all of it signed.
type book struct {
	t         *testing.T
	config    sqldb.Config
	db        *sqldb.DB
	policy    *ledger.Policy
	publisher *ledger.Publisher
	demo      trace.Demo
	signer    note.Signer // of the gateway
	vkey      string
	epoch     string
	chains    int // begun
	logSigner note.Signer
	logVKey   string
	prev      wire.Hash
	seq       uint64
	now       time.Time
}

const gateway = "gw-ao-phukhe"

func keyPair(t *testing.T, name string) (note.Signer, string) {
	t.Helper()
	skey, vkey, err := note.GenerateKey(rand.Reader, name)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	return signer, vkey
}

func newBook(t *testing.T) *book { return newBookOf(t, ingest.Device) }

// newUnsignedBook is one whose probes cannot sign.
func newUnsignedBook(t *testing.T) *book { return newBookOf(t, ingest.Intake) }

func newBookOf(t *testing.T, kind ingest.Kind) *book {
	t.Helper()
	c := sqldbtest.Fresh(t)
	b := &book{t: t, config: c, db: sqldbtest.Open(t, c), now: time.Date(2026, 11, 24, 3, 0, 0, 0, time.UTC)}
	f, err := farm.Demo()
	if err != nil {
		t.Fatal(err)
	}
	b.demo, _ = trace.NewDemo(f, b.now)
	b.signer, b.vkey = keyPair(t, gateway)
	b.begin("00112233aabbccdd")
	if card := wire.NewCard(gateway, b.vkey, "secret"); kind == ingest.Device {
		_, err = b.db.AddGateway(t.Context(), card, by(b.now))
	} else {
		_, err = b.db.AddSource(t.Context(), card, kind, by(b.now))
	}
	for _, err := range []error{
		err, b.db.SaveFarm(t.Context(), f, by(b.now)), b.db.SaveProduct(t.Context(), b.demo.Product, by(b.now)),
		b.db.SaveLot(t.Context(), b.demo.Lot, by(b.now)), b.db.SaveCertificate(t.Context(), b.demo.Certificate, by(b.now)),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	b.send(24)
	b.sealLot()
	if err := ledger.EnterDay(t.Context(), b.db, b.now); err != nil {
		t.Fatal(err)
	}
	b.sign()
	return b
}

// sign makes the log's key, and signs the tree's head.
func (b *book) sign() {
	b.t.Helper()
	if b.publisher == nil {
		signer, vkey := keyPair(b.t, "htx-thu/ledger")
		b.logSigner, b.logVKey = signer, vkey
		var err error
		b.publisher, err = ledger.NewPublisher(ledger.PublisherOptions{
			Tree: b.db, Signer: signer, VKey: vkey, Every: time.Hour, Now: func() time.Time { return b.now }, Log: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			b.t.Fatal(err)
		}
		if b.policy, err = ledger.ParsePolicy("policy", fmt.Appendf(nil, "log %s\nquorum none\n", vkey)); err != nil {
			b.t.Fatal(err)
		}
	}
	if err := b.publisher.Step(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
}

// begin begins a new chain.
func (b *book) begin(epoch string) {
	b.epoch, b.seq, b.prev = epoch, 0, wire.Hash{}
	b.chains++
}

// send has the gateway seal n batches of an hour of readings each, the last days before the harvest.
func (b *book) send(n int) {
	b.t.Helper()
	var rows []ingest.Row
	c := ingest.Chain{Gateway: gateway, Epoch: b.epoch}
	for range n {
		b.seq++
		at := b.demo.Lot.Harvested.Add(-48*time.Hour + time.Duration(b.seq)*time.Hour)
		batch := &wire.Batch{Gateway: c.Gateway, Epoch: c.Epoch, Seq: b.seq, Prev: b.prev, Boot: "00112233aabbccdd", Clock: measure.Synced}
		for m := range 6 {
			now := measure.Instant{Wall: at.Add(time.Duration(m) * 10 * time.Minute), Clock: measure.Synced, Boot: batch.Boot}
			v := 6 + 2*math.Sin(float64(b.seq)/4)
			batch.Readings = append(batch.Readings, measure.Reading{Sensor: "ao1-do", Quantity: measure.DissolvedOxygen, Time: now, Value: math.Round(v*100) / 100})
		}
		sealed, err := wire.Seal(batch, b.signer)
		if err != nil {
			b.t.Fatal(err)
		}
		b.prev = wire.HashOf(sealed)
		rows = append(rows, ingest.Row{Chain: c, Seq: b.seq, Hash: b.prev, Received: b.now, Body: b.db.Pack(sealed)})
	}
	_, err := b.db.Append(b.t.Context(), []ingest.Chain{c}, func(map[ingest.Chain]ingest.Head, ingest.HashAt) ([]ingest.Row, error) { return rows, nil })
	if err != nil {
		b.t.Fatal(err)
	}
}

// sealLot draws the history and has the worker seal the lot.
func (b *book) sealLot() {
	b.t.Helper()
	h, err := sqlite.Open(b.t.Context(), filepath.Join(b.t.TempDir(), "history.db"))
	if err != nil {
		b.t.Fatal(err)
	}
	clock := func() time.Time { return b.now }
	p := project.NewHistory(h, project.NewPlaces(b.db, clock), project.NewDater(b.db), b.db, slog.New(slog.DiscardHandler))
	records, err := b.db.After(b.t.Context(), 0, 1000, 0)
	end, errEnd := b.db.LogEnd(b.t.Context())
	if err := errors.Join(err, errEnd, p.Apply(b.t.Context(), records), b.db.SaveCursor(b.t.Context(), "history", end)); err != nil {
		b.t.Fatal(err)
	}
	w := trace.NewWorker(b.db, b.db, h, clock, slog.New(slog.DiscardHandler))
	for range 3 {
		b.now = b.now.Add(time.Hour)
		if err := w.Step(b.t.Context()); err != nil {
			b.t.Fatal(err)
		}
	}
	if err := h.Close(); err != nil {
		b.t.Fatal(err)
	}
	if s, err := b.db.LastSeal(b.t.Context(), b.demo.Lot.Link()); err != nil || s == nil || len(s.Chains) != b.chains {
		b.t.Fatalf("the lot was not sealed: %+v, %v", s, err)
	}
}

// batches returns every batch that can be unpacked.
func (b *book) batches() [][]byte {
	b.t.Helper()
	list, err := b.db.SealedBatches(b.t.Context(), 1, 1000)
	if err != nil {
		return nil
	}
	return list
}

func (b *book) audit(o audit.Options) (*audit.Report, error) {
	b.t.Helper()
	o.Policy, o.Dir = b.policy, b.t.TempDir()
	return audit.Run(b.t.Context(), &audit.Local{DB: b.db}, o)
}

func TestAudit_OfHonestRecordsIsSound(t *testing.T) {
	b := newBook(t)
	r, err := b.audit(audit.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if !r.Sound() || r.Leaves != 15 || r.Bodies != 8 || r.Batches != 24 || r.Readings != 144 || r.Chains != 1 || r.Seals != 1 || len(r.Notes) > 0 {
		t.Errorf("%+v", r)
	}
	b.send(6) // what comes after the seal changes nothing in it
	if r, err := b.audit(audit.Options{}); err != nil || !r.Sound() || r.Batches != 30 {
		t.Errorf("with later batches: %+v, %v", r, err)
	}
}

// A source that cannot sign: its chain is checked like any other, and the report, the seal and the bundle say what it is.
func TestAudit_NamesWhatTheServerSealed(t *testing.T) {
	b := newUnsignedBook(t)
	r, err := b.audit(audit.Options{})
	if err != nil || !r.Sound() || len(r.Unsigned) != 1 || r.Unsigned[0] != gateway || r.UnsignedReadings != r.Readings || r.Readings == 0 || r.Seals != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	s, err := b.db.LastSeal(t.Context(), b.demo.Lot.Link())
	if err != nil {
		t.Fatal(err)
	}
	told := 0
	for _, e := range s.Evidence {
		if e.Unsigned != e.N {
			t.Errorf("%s: %d of %d unsigned", e.Quantity, e.Unsigned, e.N)
		}
		told += e.Unsigned
	}
	if int64(told) != r.Readings {
		t.Errorf("%d of %d", told, r.Readings)
	}
	sqldbtest.Tamper(t, b.config, `UPDATE gateway SET kind = ''`) // made to look signed
	if r, err := b.audit(audit.Options{}); err != nil || r.Sound() {
		t.Errorf("nobody saw it: %v", err)
	}
}

// One reading of one batch is changed, dropped or put in by somebody who has the gateway's key, too: the seal and the day's heads say no.
func TestAudit_AResignedBatchIsFound(t *testing.T) {
	b := newBook(t)
	list, err := b.db.SealedBatches(t.Context(), 12, 13)
	if err != nil {
		t.Fatal(err)
	}
	batch, err := wire.OpenUnverified(list[0])
	if err != nil {
		t.Fatal(err)
	}
	batch.Readings[3].Value += 0.5
	forged, err := wire.Seal(batch, b.signer)
	if err != nil {
		t.Fatal(err)
	}
	hash := wire.HashOf(forged)
	sqldbtest.Tamper(t, b.config, `UPDATE batch SET body = ?, hash = ? WHERE position = 12`, b.db.Pack(forged), hash[:])
	r, err := b.audit(audit.Options{})
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprint(r.Findings)
	if !strings.Contains(text, "gw-ao-phukhe 00112233aabbccdd 13") || !strings.Contains(text, "dissolved_oxygen at F7NE3CDQ7") {
		t.Errorf("findings: %v", r.Findings)
	}
}

func TestAudit_ARewrittenAndResignedPastIsContradictedByAnOldHead(t *testing.T) {
	b := newBook(t)
	old, err := b.db.Checkpoint(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	// The same server, with the same key, tells another story from the beginning.
	again := newBook(t)
	again.policy = b.policy
	sqldbtest.Tamper(t, again.config, `DELETE FROM ledger_checkpoint`)
	p, err := ledger.NewPublisher(ledger.PublisherOptions{
		Tree: again.db, Signer: b.logSigner, VKey: b.logVKey, Every: time.Hour, Now: func() time.Time { return b.now }, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	r, err := again.audit(audit.Options{Old: old})
	if err != nil {
		t.Fatal(err)
	}
	if r.Sound() || !strings.Contains(fmt.Sprint(r.Findings), "its past was rewritten") {
		t.Errorf("findings %v", r.Findings)
	}
	if r, err := b.audit(audit.Options{Old: old}); err != nil || !r.Sound() {
		t.Errorf("the honest past: %+v, %v", r, err)
	}
}

// targets are the cells that a stranger relies on. Not among them: when a batch was received and what was refused, which nobody signs; copies
// for look-up (ledger_leaf.kind and subject, batch.hash, gateway, epoch, seq), and rows of projections, which are drawn again.
func targets() []sqldbtest.Target {
	var out []sqldbtest.Target
	add := func(table, where string, columns ...string) {
		for _, c := range columns {
			out = append(out, sqldbtest.Target{Table: table, Column: c, Where: where})
		}
	}
	add("ledger_leaf", "1 = 1", "leaf", "*")
	add("ledger_hash", "1 = 1", "hash", "*")
	add("ledger_body", "1 = 1", "salt", "body")
	add("ledger_checkpoint", "size = (SELECT MAX(size) FROM ledger_checkpoint)", "note")
	add("batch", "1 = 1", "body", "*")
	add("product", "1 = 1", "gtin", "name_vi", "name_en")
	add("lot", "1 = 1", "code", "species_vi", "species_en", "scientific", "stocked_ms", "harvested_ms", "kg", "state", "demo")
	add("lot_place", "1 = 1", "place", "*")
	add("certificate", "1 = 1", "scheme", "standard", "number", "issuer", "gtin", "place", "from_ms", "to_ms", "demo", "*")
	add("coop", "1 = 1", "name_vi", "name_en", "demo")
	add("zone", "1 = 1", "name_vi", "name_en", "*")
	add("address", "1 = 1", "from_ms", "to_ms", "text_vi", "text_en", "*")
	add("place", "1 = 1", "name", "kind", "title_vi", "title_en", "zone", "area_m2", "holds_vi", "species", "profile", "soil_vi", "water_vi", "texture", "field_capacity", "wilting_point", "capacity_ms", "capacity_probe")
	add("place_land", "1 = 1", "household", "outline", "*")
	add("farm_record", "1 = 1", "kind", "id", "body", "retired", "revision", "changed_ms", "erased_ms", "*")
	add("diary_event", "1 = 1", "kind", "place", "cycle", "at_ms", "occurred_ms", "recorded_ms", "synced_ms", "skew_ms", "actor", "device", "corrects", "root", "erased_ms", "body", "*")
	add("product", "record <> ''", "record")
	add("lot", "cycle <> ''", "cycle", "barred")
	add("lot_harvest", "1 = 1", "event", "*")
	add("lot_hold", "1 = 1", "gtin", "lot", "held_ms", "held_by", "causes", "released_ms", "released_by", "release", "*")
	add("trace_edge", "1 = 1", "source", "from_ref", "to_ref", "at_ms", "kept_ms", "kg", "items", "back", "document", "*")
	add("contact", "1 = 1", "id", "body", "erased_ms", "*")
	add("notify_settings", "1 = 1", "id", "body", "*")
	add("captured", "1 = 1", "sum", "made_ms", "made_by", "events", "body", "*")
	add("recall", "1 = 1", "ask", "reason", "*")
	add("print_job", "1 = 1", "id", "made_ms", "actor", "run", "gtin", "lot", "labels", "again", "reason", "paper", "*")
	add("print_box", "1 = 1", "sscc", "*")
	add("event_media", "1 = 1", "sha256", "type", "*")
	add("media", "1 = 1", "sha256", "kept", "type", "size", "made_ms", "made_by", "erased_ms", "*")
	add("goods_event", "1 = 1", "kind", "at_ms", "made_ms", "erased_ms", "body", "*")
	add("goods_ref", "1 = 1", "ref", "*")
	add("item", "1 = 1", "serial", "gtin", "lot", "run", "n", "net_g", "best_ms", "state", "box", "changed_ms", "*")
	add("box", "1 = 1", "sscc", "event", "parent", "state", "filled_ms", "*")
	add("box_lot", "1 = 1", "sscc", "gtin", "lot", "kg", "*")
	add("mount", "1 = 1", "gateway", "sensor", "from_ms", "to_ms", "place", "measures", "*")
	add("limit_row", "1 = 1", "quantity", "level", "above", "value", "source_vi", "source_en", "what", "for_ms", "keep_ms", "n", "m", "*")
	add("limit_row", "clear IS NOT NULL", "clear")
	add("gateway", "1 = 1", "vkey", "retired_ms", "kind")
	add("account", "1 = 1", "id", "login", "name", "role", "password", "secret", "made_ms", "disabled_ms", "*")
	add("account_place", "1 = 1", "place", "*")
	add("account_recovery", "1 = 1", "account", "hash", "used_ms", "*")
	add("account_link", "1 = 1", "account", "hash", "expires_ms", "used_ms", "*")
	add("account_passkey", "1 = 1", "id", "account", "credential", "public", "flags", "made_ms", "cloned_ms", "*")
	add("account_card", "1 = 1", "id", "account", "code", "device", "pin", "made_ms", "bound_ms", "revoked_ms", "*")
	add("person", "1 = 1", "id", "name", "phone", "photo", "household", "account", "erased_ms", "*")
	add("calibration_erased", "1 = 1", "gateway", "doc", "*")
	add("person", "erased_ms = 0", "created_ms")
	add("person_place", "1 = 1", "person", "place", "*")
	add("consent", "1 = 1", "person", "field", "audience", "text_version", "given_ms", "withdrawn_ms", "*")
	add("person_request", "1 = 1", "id", "person", "kind", "received_ms", "acked_ms", "done_ms", "*")
	add("desired", "1 = 1", "gateway", "version", "changes", "note", "made_ms", "made_by", "*")
	return out
}

// TestAudit_FindsEveryEdit changes one cell after the other: each change must be found, or make the records unreadable; and without it they
// must be sound again. `make torture` makes 10,000.
func TestAudit_FindsEveryEdit(t *testing.T) {
	b := newBook(t)
	b.people()
	b.prints()
	e := sqldbtest.NewEditor(t, b.config)
	r := mrand.New(mrand.NewPCG(7, 9))
	list := targets()
	n := parttest.Effort(t, 150, 600, 10_000, 10_000)
	before := b.batches()
	found, touched := 0, map[sqldbtest.Target]bool{}
	for i := 0; (found < n || len(touched) < len(list)) && i < 40*n; i++ {
		target := list[i%len(list)]
		what, undo, ok := e.Edit(r, target)
		if !ok {
			continue
		}
		touched[target] = true
		if target.Table == "batch" && slices.EqualFunc(before, b.batches(), bytes.Equal) { // a bit of the packing that says nothing: no edit
			undo()
			continue
		}
		report, err := b.audit(audit.Options{UntilFirst: true})
		if err == nil && report.Sound() {
			t.Fatalf("after %d that were found, not found: %s", found, what)
		}
		found++
		undo()
	}
	for _, target := range list {
		if !touched[target] {
			t.Errorf("%s.%s was never touched", target.Table, target.Column)
		}
	}
	if report, err := b.audit(audit.Options{}); err != nil || !report.Sound() {
		t.Fatalf("after all was undone: %+v, %v", report, err)
	}
	t.Logf("%d of %d random edits in %d columns found", found, found, len(list))
}
