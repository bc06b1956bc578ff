package spool_test

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"

	"aovuon/gateway/spool"
)

// sampleFile makes a closed spool with sealed, released and pending records, and returns its bytes.
func sampleFile(t *testing.T) []byte {
	t.Helper()
	path := newPath(t)
	s, _ := mustOpen(t, path)
	mustAdd(t, s, 1, 600)
	mustSeal(t, s, 20)
	mustAdd(t, s, 601, 700)
	if err := s.Release(t.Context(), s.Epoch(), 5); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// TestSpool_AlwaysStarts opens files cut off at many lengths and with bits flipped at many places. Whatever the damage,
// the spool opens, takes records, and what it gives back is something that was stored: never garbage.
func TestSpool_AlwaysStarts(t *testing.T) {
	whole := sampleFile(t)
	type damage struct {
		name string
		raw  []byte
	}
	var all []damage
	step := 997
	if testing.Short() {
		step = 4999
	}
	for n := 0; n < len(whole); n += step {
		all = append(all, damage{fmt.Sprintf("cut to %d bytes", n), whole[:n]})
	}
	for i := 0; i < len(whole); i += step / 3 {
		raw := append([]byte(nil), whole...)
		raw[i] ^= 1 << (i % 8)
		all = append(all, damage{fmt.Sprintf("bit %d of byte %d flipped", i%8, i), raw})
	}
	all = append(all, damage{"zero tail", append(append([]byte(nil), whole...), make([]byte, 64)...)},
		damage{"zeroes", make([]byte, len(whole))}, damage{"text", []byte("this is no database, it is a note to myself\n")})
	aside, kept := 0, 0
	for _, d := range all {
		path := newPath(t)
		if err := os.WriteFile(path, d.raw, 0o600); err != nil {
			t.Fatal(err)
		}
		s, o, err := spool.Open(t.Context(), path, at(noon))
		if err != nil {
			t.Fatalf("%s: %v", d.name, err)
		}
		if o.SetAside != "" {
			aside++
			if want := path + ".corrupt-20251120T050000Z"; o.SetAside != want || o.Reason == "" {
				t.Fatalf("%s: %+v", d.name, o)
			}
			if _, err := os.Stat(o.SetAside); err != nil {
				t.Fatalf("%s: %v", d.name, err)
			}
			holes := 0
			got, err := s.Salvage(t.Context(), func(p spool.Piece) ([][]byte, error) { return salvage(p, &holes) })
			if err != nil {
				t.Fatalf("%s: salvage: %v", d.name, err)
			}
			if got.Records < 595+100-5*20-5 && holes == 0 { // 600-100 released and 100 pending are held
				t.Fatalf("%s: %d records, and no hole was told", d.name, got.Records)
			}
		}
		mustAdd(t, s, 1001, 1003)
		held := mostOf(t, s)
		kept += len(held) - 3
		last := uint64(0)
		for _, n := range held {
			if n <= last || (n > 700 && n < 1001) || n > 1003 || n <= 100 {
				t.Fatalf("%s: record %d after %d", d.name, n, last)
			}
			last = n
		}
		if last != 1003 {
			t.Fatalf("%s: the new records are not there", d.name)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d damaged files: %d set aside; of 600 records each %d were read back on average", len(all), aside, kept/len(all))
	if aside == 0 || aside == len(all) || kept == 0 {
		t.Error("the damage was not of both sorts")
	}
}

func salvage(p spool.Piece, holes *int) ([][]byte, error) {
	switch p.Kind {
	case spool.PieceSealed:
		_, _, records := split(p.Sealed)
		return records, nil
	case spool.PieceRecords:
		return p.Records, nil
	case spool.PieceHole:
		*holes++
	case spool.PieceEnd:
	}
	return nil, nil
}

// mostOf is everything of a spool that may have damaged batches: it renews it until nothing is damaged.
func mostOf(t *testing.T, s *spool.Spool) (out []uint64) {
	t.Helper()
	holes := 0
	for {
		mustSeal(t, s, 1000)
		got, err := s.After(t.Context(), s.Epoch(), 0, 1000)
		if errors.Is(err, spool.ErrDamaged) {
			if _, err := s.Renew(t.Context(), func(p spool.Piece) ([][]byte, error) { return salvage(p, &holes) }); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if len(got) == 0 {
			return out
		}
		for _, b := range got {
			_, _, records := split(b.Body)
			out = append(out, numbers(records)...)
		}
		if err := s.Release(t.Context(), s.Epoch(), got[len(got)-1].Seq); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSpool_TwoCorruptFilesOfOneDateAreBothKept(t *testing.T) {
	path := newPath(t)
	for i, want := range []string{"", "-2", "-3"} {
		if err := os.WriteFile(path, []byte("garbage"), 0o600); err != nil {
			t.Fatal(err)
		}
		s, o, err := spool.Open(t.Context(), path, at(noon))
		if err != nil || o.SetAside != path+".corrupt-20251120T050000Z"+want {
			t.Fatalf("%d: %+v, %v", i, o, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestSpool_TellsOfASetAsideFileUntilItWasSalvaged: the power may go between setting aside and salvaging.
func TestSpool_TellsOfASetAsideFileUntilItWasSalvaged(t *testing.T) {
	path := newPath(t)
	if err := os.WriteFile(path, []byte("garbage"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		s, o := mustOpen(t, path)
		if o.SetAside == "" || o.Fresh {
			t.Fatalf("%+v", o)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	s, _ := mustOpen(t, path)
	holes := 0
	if _, err := s.Salvage(t.Context(), func(p spool.Piece) ([][]byte, error) { return salvage(p, &holes) }); err != nil || holes == 0 {
		t.Fatalf("%d holes, %v", holes, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, o := mustOpen(t, path); o != (spool.Opening{}) {
		t.Errorf("after Salvage: %+v", o)
	}
}

// TestSpool_FinishesWhatAPowerCutLeftOfSettingAside cuts between each two steps of replacing a corrupt file.
func TestSpool_FinishesWhatAPowerCutLeftOfSettingAside(t *testing.T) {
	path := newPath(t)
	if err := os.WriteFile(path, []byte("garbage"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, o := mustOpen(t, path)
	epoch := s.Epoch()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	// The old file is aside, the new one has not taken its place yet.
	if err := os.Rename(path, path+".new"); err != nil {
		t.Fatal(err)
	}
	s, o2 := mustOpen(t, path)
	if o2.SetAside != o.SetAside || s.Epoch() != epoch {
		t.Errorf("%+v, want %+v", o2, o)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	// An unfinished new one is no reason to lose the old one.
	if err := os.WriteFile(path+".new", []byte("SQLite format"), 0o600); err != nil {
		t.Fatal(err)
	}
	if s, _ := mustOpen(t, path); s.Epoch() != epoch {
		t.Error("another epoch")
	}
}

func TestSpool_RefusesAFileOfALaterProgram(t *testing.T) {
	path := newPath(t)
	s, _ := mustOpen(t, path)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	tamper(t, path, `PRAGMA user_version = 9; UPDATE state SET crc = 0`)
	if _, _, err := spool.Open(t.Context(), path, at(noon)); !errors.Is(err, spool.ErrNewer) {
		t.Errorf("%v", err)
	}
}

func TestSpool_DamagedBatchBeginsANewEpoch(t *testing.T) {
	path := newPath(t)
	s, _ := mustOpen(t, path)
	mustAdd(t, s, 1, 50)
	mustSeal(t, s, 10)
	mustAdd(t, s, 51, 55)
	tamper(t, path, `UPDATE sealed SET body = X'00112233' WHERE seq = 3`)
	got, err := s.After(t.Context(), s.Epoch(), 0, 10)
	if err != nil || len(got) != 2 {
		t.Fatalf("%d batches before the damaged one, %v", len(got), err)
	}
	if _, err := s.After(t.Context(), s.Epoch(), 2, 10); !errors.Is(err, spool.ErrDamaged) {
		t.Fatalf("the damaged one: %v", err)
	}
	if err := s.Release(t.Context(), s.Epoch(), 2); err != nil {
		t.Fatal(err)
	}
	epoch := s.Epoch()
	var kinds []spool.PieceKind
	holes := 0
	r, err := s.Renew(t.Context(), func(p spool.Piece) ([][]byte, error) {
		kinds = append(kinds, p.Kind)
		return salvage(p, &holes)
	})
	if err != nil || r.Epoch == epoch || r.Epoch != s.Epoch() || r.Batches != 2 || r.Records != 20 || r.Holes != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	want := []spool.PieceKind{spool.PieceHole, spool.PieceSealed, spool.PieceSealed, spool.PieceEnd}
	if !slices.Equal(kinds, want) {
		t.Errorf("pieces %v, want %v", kinds, want)
	}
	held := everything(t, s)
	if len(held) != 25 || held[0] != 31 || held[24] != 55 {
		t.Errorf("held: %v", held)
	}
	// A row that is gone altogether is damage too, and so is a missing tail.
	for _, query := range []string{`DELETE FROM sealed WHERE seq = 1`, `DELETE FROM sealed`} {
		tamper(t, path, query)
		if _, err := s.After(t.Context(), s.Epoch(), 0, 10); !errors.Is(err, spool.ErrDamaged) {
			t.Errorf("%s: %v", query, err)
		}
	}
}

func TestSpool_DamagedRecordsAreDeclaredWithTheNext(t *testing.T) {
	path := newPath(t)
	s, _ := mustOpen(t, path)
	for n := uint64(1); n <= 5; n++ {
		mustAdd(t, s, n*10, n*10+1)
	}
	tamper(t, path, `UPDATE pending SET crc = crc + 1 WHERE id IN (2, 5)`)
	type step struct {
		damaged int
		got     []uint64
	}
	var steps []step
	for {
		n, err := s.Seal(t.Context(), 100, func(n spool.Next, r [][]byte) ([]byte, int, error) {
			steps = append(steps, step{n.Damaged, numbers(r)})
			return join(n, r), len(r), nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			break
		}
	}
	if got, want := fmt.Sprint(steps), fmt.Sprint([]step{{0, []uint64{10, 11}}, {1, []uint64{30, 31, 40, 41}}}); got != want {
		t.Errorf("sealed %v, want %v", got, want)
	}
	mustAdd(t, s, 60, 60) // the last damaged row waits for what follows it
	if _, err := s.Seal(t.Context(), 100, func(n spool.Next, r [][]byte) ([]byte, int, error) {
		if n.Damaged != 1 {
			t.Errorf("%d damaged rows told, want 1", n.Damaged)
		}
		return join(n, r), len(r), nil
	}); err != nil {
		t.Fatal(err)
	}
	if st, err := s.Stats(t.Context()); err != nil || st.Pending != 0 {
		t.Errorf("%+v, %v", st, err)
	}
}

func TestSpool_CorruptWhileOpenIsTold(t *testing.T) {
	path := newPath(t)
	s, _ := mustOpen(t, path)
	mustAdd(t, s, 1, 1)
	tamper(t, path, `UPDATE state SET next_seq = 77`)
	if _, err := s.Seal(t.Context(), 10, func(n spool.Next, r [][]byte) ([]byte, int, error) { return join(n, r), 1, nil }); !errors.Is(err, spool.ErrCorrupt) {
		t.Errorf("seal: %v", err)
	}
	if _, err := s.After(t.Context(), s.Epoch(), 0, 10); !errors.Is(err, spool.ErrCorrupt) {
		t.Errorf("after: %v", err)
	}
}
