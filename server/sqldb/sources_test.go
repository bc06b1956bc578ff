package sqldb_test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"aovuon/gateway/measure"
	"aovuon/gateway/wire"
	"aovuon/server/farm"
	"aovuon/server/ingest"
	"aovuon/server/intake"
	"aovuon/server/ledger"
	"aovuon/server/sqldb"
	"aovuon/server/sqldb/sqldbtest"
)

func TestSource_IsInTheRegisterAndNoGateway(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		lora := card(t, "lora", "a")
		if added, err := db.AddSource(ctx, lora, ingest.Intake, byAt(noon)); err != nil || !added {
			t.Fatal(added, err)
		}
		lora.SecretSHA[0]++ // a new password
		if added, err := db.AddSource(ctx, lora, ingest.Intake, byAt(noon)); err != nil || added {
			t.Fatal(added, err)
		}
		list, err := db.Enrolments(ctx)
		if err != nil || len(list) != 1 || !list[0].Unsigned() || list[0].SecretSHA != lora.SecretSHA {
			t.Fatalf("%+v, %v", list, err)
		}
		f, err := db.Farm(ctx)
		if err != nil || f.Signs("lora") || !f.Signs("gw-ao") {
			t.Fatalf("%+v, %v", f.Unsigned, err)
		}
		// The name is taken for ever, whoever asks.
		other, id := card(t, "lora", "b"), claim(t, db, "", noon)
		for what, err := range map[string]error{
			"a card of the name": err2(db.AddGateway(ctx, other, byAt(noon))), "a claim on it": db.AddClaim(ctx, sqldb.Claim{ID: "00", Gateway: "lora", Made: noon, Expires: noon.Add(time.Minute)}),
			"an open claim": db.EnrolByClaim(ctx, id, other, byAt(noon)),
		} {
			if !errors.Is(err, sqldb.ErrUnsignedName) {
				t.Errorf("%s: %v", what, err)
			}
		}
		if _, err := db.AddGateway(ctx, card(t, "gw-ao", "c"), byAt(noon)); err != nil {
			t.Fatal(err)
		}
		for what, add := range map[string]func() (bool, error){
			"of a gateway's name": func() (bool, error) { return db.AddSource(ctx, card(t, "gw-ao", "d"), ingest.Intake, byAt(noon)) },
			"of another kind":     func() (bool, error) { return db.AddSource(ctx, lora, ingest.Imported, byAt(noon)) },
		} {
			if _, err := add(); !errors.Is(err, sqldb.ErrKeyChanged) {
				t.Errorf("a source %s: %v", what, err)
			}
		}
		// A lost key file: a new key, said in the ledger.
		if _, err := db.AddSource(ctx, other, ingest.Intake, byAt(noon)); err != nil {
			t.Fatal(err)
		}
		if err := db.RetireGateway(ctx, "lora", byAt(noon)); err != nil {
			t.Fatal(err)
		}
		if _, err := db.AddSource(ctx, other, ingest.Intake, byAt(noon)); !errors.Is(err, sqldb.ErrKeyUsed) {
			t.Errorf("a retired key again: %v", err)
		}
		if f, err := db.Farm(ctx); err != nil || f.Signs("lora") {
			t.Errorf("once retired its readings are signed: %v", err)
		}
		rekeyed, err := db.LedgerFind(ctx, "lora", ledger.GatewayRekeyed)
		if err != nil || len(rekeyed) != 1 {
			t.Errorf("%v, %v", rekeyed, err)
		}
	})
}

func err2(_ bool, err error) error { return err }

// Two processes seal for one source: there is one chain, and what a receiver of it would check is right.
func TestSealer_ContinuesTheChain(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		skey, vkey, err := note.GenerateKey(rand.Reader, "lora")
		if err != nil {
			t.Fatal(err)
		}
		signer, err := note.NewSigner(skey)
		if err != nil {
			t.Fatal(err)
		}
		now := func() time.Time { return noon }
		var told []ingest.Record
		one := ingest.NewSealer(db, signer, vkey, now, func(r []ingest.Record) { told = append(told, r...) })
		two := ingest.NewSealer(db, signer, vkey, now, nil)
		readings := make([]measure.Reading, 700)
		for i := range readings {
			readings[i] = measure.Reading{
				Sensor: "a123456789012345678901234567890123456789", Quantity: measure.VapourDeficit, Value: -1.2345678901234567e-300, Quality: measure.OutOfRange,
				Time: measure.Instant{Wall: noon.Add(-time.Duration(i) * 997 * time.Millisecond)},
			}
		}
		for i := range 4 {
			s := one
			if i%2 == 1 {
				s = two
			}
			if err := s.Seal(ctx, readings[:100+i*200]); err != nil {
				t.Fatal(err)
			}
		}
		list, err := db.SealedBatches(ctx, 1, 100)
		if err != nil || len(list) != 1+1+2+3 || len(told) != 1+2 || told[0].Position != 1 {
			t.Fatalf("%d batches, %d told, %v", len(list), len(told), err)
		}
		v, err := note.NewVerifier(vkey)
		if err != nil {
			t.Fatal(err)
		}
		var prev wire.Hash
		n := 0
		for i, raw := range list {
			b, err := wire.Open(raw, v)
			if err != nil || b.Seq != uint64(i+1) || b.Prev != prev {
				t.Fatalf("batch %d: %+v, %v", i+1, b, err)
			}
			prev, n = wire.HashOf(raw), n+len(b.Readings)
		}
		if n != 100+300+500+700 {
			t.Errorf("%d readings", n)
		}
		if !readings[0].Time.Wall.Equal(noon) || (farm.Farm{}).Unsigned != nil {
			t.Error("what was given was changed")
		}
	})
}

// What is unknown is counted together, the newest stay, and what is named goes.
func TestUnknown_IsCountedAndBounded(t *testing.T) {
	sqldbtest.Each(t, func(t *testing.T, db *sqldb.DB) {
		ctx := t.Context()
		var list []intake.Unknown
		for i := range intake.MaxUnknown + 50 {
			at := noon.Add(time.Duration(i) * time.Second)
			list = append(list, intake.Unknown{Source: "lora", Device: fmt.Sprint("d", i), N: 2, First: at, Last: at, Sample: "t=1"})
		}
		later := intake.Unknown{Source: "lora", Device: "d240", Value: "", N: 3, First: noon.Add(time.Hour), Last: noon.Add(time.Hour), Sample: "t=2"}
		for _, part := range [][]intake.Unknown{list[:100], list[100:], {later}, {{Source: "lora", Device: "d241"}}} {
			if err := db.SaveUnknown(ctx, part); err != nil {
				t.Fatal(err)
			}
		}
		got, err := db.Unknown(ctx, "lora")
		if err != nil || len(got) != intake.MaxUnknown-1 {
			t.Fatalf("%d, %v", len(got), err)
		}
		if x := got[0]; x.Device != "d240" || x.N != 5 || !x.First.Equal(noon.Add(240*time.Second)) || !x.Last.Equal(later.Last) || x.Sample != "t=2" {
			t.Errorf("%+v", x)
		}
		if x := got[len(got)-1]; x.Device != "d50" {
			t.Errorf("the oldest that stays: %+v", x)
		}
	})
}
