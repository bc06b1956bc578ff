package seal_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql" //nolint:depguard // damages rows of the spool file on purpose
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"golang.org/x/mod/sumdb/note"

	"aovuon/gateway/measure"
	"aovuon/gateway/seal"
	"aovuon/gateway/spool"
	"aovuon/gateway/wire"
	"aovuon/server/parttest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	gateway = "gw-ao"
	boot1   = "0123456789abcdef"
	boot2   = "fedcba9876543210"
)

var noon = time.Date(2025, 11, 20, 5, 0, 0, 0, time.UTC)

// rig is a sealer on a real spool.
type rig struct {
	t      *testing.T
	path   string
	spool  *spool.Spool
	store  *failing
	sealer *seal.Sealer
	key    note.Verifier
	log    *bytes.Buffer
}

// failing is the real spool with a disk that can fail.
type failing struct {
	*spool.Spool
	err      atomic.Pointer[error]
	afterAdd func() // called once after an Add; may be nil
}

func (f *failing) Add(ctx context.Context, records [][]byte) error {
	if err := f.err.Load(); err != nil {
		return *err
	}
	err := f.Spool.Add(ctx, records)
	if f.afterAdd != nil {
		f.afterAdd()
		f.afterAdd = nil
	}
	return err
}

func newRig(t *testing.T, o seal.Options) *rig {
	t.Helper()
	skey, vkey, err := note.GenerateKey(rand.Reader, gateway)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, path: filepath.Join(t.TempDir(), "spool.db"), log: &bytes.Buffer{}}
	if o.Signer, err = note.NewSigner(skey); err != nil {
		t.Fatal(err)
	}
	if r.key, err = note.NewVerifier(vkey); err != nil {
		t.Fatal(err)
	}
	if r.spool, _, err = spool.Open(t.Context(), r.path, func() time.Time { return noon }); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.spool.Close(); err != nil {
			t.Error(err)
		}
	})
	o.Now = func() measure.Instant { return synced(100) }
	o.Gateway, o.Log = gateway, slog.New(slog.NewTextHandler(r.log, nil))
	r.store = &failing{Spool: r.spool}
	r.sealer = seal.New(r.store, o)
	return r
}

func synced(s float64) measure.Instant {
	d := time.Duration(s * float64(time.Second))
	return measure.Instant{Wall: noon.Add(d), Uptime: time.Hour + d, Clock: measure.Synced, Boot: boot1}
}

func unsynced(s float64) measure.Instant {
	return measure.Instant{Uptime: time.Hour + time.Duration(s*float64(time.Second)), Clock: measure.Unsynced, Boot: boot1}
}

func reading(at measure.Instant, v float64) measure.Reading {
	return measure.Reading{Sensor: "ao1-do", Quantity: measure.DissolvedOxygen, Time: at, Value: v}
}

func (r *rig) take(readings ...measure.Reading) {
	r.t.Helper()
	if err := r.sealer.Take(r.t.Context(), readings); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) flush() {
	r.t.Helper()
	if err := r.sealer.Flush(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
}

// batches opens everything sealed and checks the chain.
func (r *rig) batches() (out []*wire.Batch) {
	r.t.Helper()
	var prev wire.Hash
	for seq := uint64(0); ; {
		got, err := r.spool.After(r.t.Context(), r.spool.Epoch(), seq, 100)
		if err != nil {
			r.t.Fatal(err)
		}
		if len(got) == 0 {
			return out
		}
		for _, s := range got {
			b, err := wire.Open(s.Body, r.key)
			if err != nil {
				r.t.Fatal(err)
			}
			if b.Epoch != r.spool.Epoch() || b.Seq != seq+1 || b.Prev != prev {
				r.t.Fatalf("batch %s/%d breaks the chain", b.Epoch, b.Seq)
			}
			prev, seq = wire.HashOf(s.Body), b.Seq
			out = append(out, b)
		}
	}
}

func values(batches []*wire.Batch) (out []float64) {
	for _, b := range batches {
		for _, r := range b.Readings {
			out = append(out, r.Value)
		}
	}
	return out
}

func TestSealer_OneBatchForEachBootAndClock(t *testing.T) {
	r := newRig(t, seal.Options{})
	other := synced(50)
	other.Boot = boot2
	r.take(reading(unsynced(0), 1), reading(unsynced(1), 2), reading(synced(2), 3))
	r.take(reading(synced(3), 4), reading(other, 5))
	fault := measure.Reading{Sensor: "ao1-temp", Quantity: measure.WaterTemperature, Time: other, Quality: measure.Fault, Reason: measure.CRC}
	r.take(fault)
	r.flush()
	got := r.batches()
	if len(got) != 3 {
		t.Fatalf("%d batches, want 3", len(got))
	}
	want := []measure.ClockState{measure.Unsynced, measure.Synced, measure.Synced}
	for i, b := range got {
		if b.Clock != want[i] {
			t.Errorf("batch %d: clock %s", i+1, b.Clock)
		}
	}
	if got[0].Anchor != nil || got[0].Readings[1].Time.Uptime != time.Hour+time.Second || !got[0].Readings[1].Time.Wall.IsZero() {
		t.Errorf("unsynced batch: %+v", got[0])
	}
	if a := got[1].Anchor; a == nil || a.Uptime != time.Hour+2*time.Second || !a.Wall.Equal(noon.Add(2*time.Second)) {
		t.Errorf("the batch in which the clock became right has anchor %+v", a)
	}
	if got[2].Anchor == nil || got[2].Boot != boot2 || got[2].Readings[1].Reason != measure.CRC {
		t.Errorf("second boot: %+v", got[2])
	}
	if d := cmp.Diff([]float64{1, 2, 3, 4, 5, 0}, values(got)); d != "" {
		t.Error(d)
	}
	r.take(reading(other, 6)) // the clock did not get better: no further anchor
	r.flush()
	if b := r.batches()[3]; b.Anchor != nil {
		t.Errorf("a second anchor: %+v", b.Anchor)
	}
}

func TestSealer_BigBacklogFitsIntoBatches(t *testing.T) {
	r := newRig(t, seal.Options{})
	const n = 10_000
	var all []measure.Reading
	for i := range n {
		m := reading(synced(float64(i)/10+0.001), float64(i)/1000)
		m.Sensor = strings.Repeat("x", 40)
		m.Quality = measure.Uncalibrated
		all = append(all, m)
	}
	r.take(all...)
	r.flush()
	got := r.batches()
	if vs := values(got); len(vs) != n || vs[n-1] != float64(n-1)/1000 {
		t.Errorf("%d readings in %d batches", len(vs), len(got))
	}
	if len(got) > 25 { // about 105 bytes a reading
		t.Errorf("%d batches: they are not filled", len(got))
	}
	r.take(reading(synced(2000), 1)) // nothing of this may wait for long
	r.flush()
	if b := r.batches(); len(b[len(b)-1].Readings) != 1 {
		t.Error("the last batch has other readings")
	}
}

func TestSealer_RefusesWhatNoBatchCanHold(t *testing.T) {
	r := newRig(t, seal.Options{})
	old := synced(0)
	old.Wall = time.Unix(1, 0)
	boot := synced(0)
	boot.Boot = "NOT HEX"
	bad := map[string]measure.Reading{
		"1970 and synced": reading(old, 1), "boot id": reading(boot, 1), "unknown quantity": {Sensor: "a", Quantity: "love", Time: synced(0)},
		"fault without a reason": {Sensor: "a", Quantity: measure.PH, Time: synced(0), Quality: measure.Fault},
	}
	for name, b := range bad {
		if err := r.sealer.Take(t.Context(), []measure.Reading{b, reading(synced(1), 7)}); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	r.flush()
	if vs := values(r.batches()); len(vs) != len(bad) {
		t.Errorf("the good readings beside the bad ones: %v", vs)
	}
}

func TestSealer_RunCommitsAndSealsByItself(t *testing.T) {
	r := newRig(t, seal.Options{CommitEvery: 20 * time.Millisecond, Every: 50 * time.Millisecond, OfflineEvery: 50 * time.Millisecond})
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.sealer.Run(ctx) }()
	for i := range 3 {
		r.take(reading(synced(float64(i)), float64(i)))
		<-r.sealer.Sealed()
	}
	r.take(reading(synced(9), 9))
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]float64{0, 1, 2, 9}, values(r.batches())); d != "" {
		t.Error(d)
	}
}

func TestSealer_LinkDecidesHowOftenABatchIsMade(t *testing.T) {
	r := newRig(t, seal.Options{CommitEvery: 10 * time.Millisecond, Every: 30 * time.Millisecond, OfflineEvery: time.Hour})
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.sealer.Run(ctx) }()
	defer func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	// Give the first, immediate sealing nothing to seal: it happens before anything is committed or with it.
	r.take(reading(synced(0), 1))
	parttest.Await(t, "committed", func() bool { st := r.stats(); return st.Pending+st.Sealed > 0 })
	before := r.stats().NextSeq
	r.take(reading(synced(1), 2))
	parttest.Await(t, "committed too", func() bool { return r.sealer.Health().Buffered == 0 })
	if got := r.stats().NextSeq; got > before+1 {
		t.Errorf("sealed %d batches with no link", got-before)
	}
	r.sealer.SetLink(true)
	parttest.Await(t, "sealed when the link came", func() bool { return r.stats().Pending == 0 })
	r.take(reading(synced(2), 3))
	parttest.Await(t, "sealed while there is a link", func() bool { return len(values(r.batches())) == 3 })
}

func TestSealer_AnAlarmIsSealedAtOnce(t *testing.T) {
	r := newRig(t, seal.Options{CommitEvery: time.Hour, Every: time.Hour, OfflineEvery: time.Hour})
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.sealer.Run(ctx) }()
	defer func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	r.take(reading(synced(0), 1))
	r.sealer.SealNow()
	parttest.Await(t, "sealed", func() bool { return len(values(r.batches())) == 1 })
	r.take(reading(synced(1), 2))
	r.sealer.SealNow()
	parttest.Await(t, "sealed again", func() bool { return len(values(r.batches())) == 2 })
}

func (r *rig) stats() spool.Stats {
	st, err := r.spool.Stats(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	return st
}

// TestSealer_FailingDiskKeepsReadingsAndDeclaresWhatItDrops fails the disk until memory overflows.
func TestSealer_FailingDiskKeepsReadingsAndDeclaresWhatItDrops(t *testing.T) {
	for name, tc := range map[string]struct {
		err    error
		reason wire.GapReason
	}{
		"broken": {errors.New("input/output error"), wire.GapDiskFailed},
		"full":   {fmt.Errorf("spool: add: %w", spool.ErrFull), wire.GapSpoolFull},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, seal.Options{RAM: 50})
			r.take(reading(synced(0), 0))
			r.flush()
			r.store.err.Store(&tc.err)
			for i := 1; i <= 80; i++ {
				r.take(reading(synced(float64(i)), float64(i%40)))
				if err := r.sealer.Flush(t.Context()); err == nil {
					t.Fatal("the disk takes readings")
				}
			}
			if h := r.sealer.Health(); h.Err == nil || h.Dropped != 30 || h.Buffered != 50 {
				t.Errorf("health %+v", h)
			}
			if n := strings.Count(r.log.String(), "does not take"); n != 1 {
				t.Errorf("told %d times", n)
			}
			r.store.err.Store(nil)
			r.flush()
			if h := r.sealer.Health(); h.Err != nil || h.Buffered != 0 {
				t.Errorf("health %+v", h)
			}
			got := r.batches()
			if vs := values(got); len(vs) != 51 {
				t.Errorf("%d readings", len(vs))
			}
			g := got[1].Gaps
			if len(g) != 1 || g[0].Lost != 30 || g[0].Reason != tc.reason || !g[0].From.Wall.Equal(noon.Add(time.Second)) || !g[0].To.Wall.Equal(noon.Add(30*time.Second)) {
				t.Errorf("gaps %+v", g)
			}
		})
	}
}

func TestSealer_DamageIsDeclaredAndTheRestSealedAgain(t *testing.T) {
	r := newRig(t, seal.Options{})
	for i := range 5 {
		r.take(reading(synced(float64(10*i)), float64(i)))
		r.flush()
	}
	r.tamper(`UPDATE sealed SET body = X'00' WHERE seq = 3`)
	if err := r.spool.Release(t.Context(), r.spool.Epoch(), 2); err != nil {
		t.Fatal(err)
	}
	_, cause := r.spool.After(t.Context(), r.spool.Epoch(), 2, 10)
	if !errors.Is(cause, spool.ErrDamaged) {
		t.Fatal(cause)
	}
	old := r.spool.Epoch()
	if err := r.sealer.Renew(t.Context(), cause, synced(60)); err != nil {
		t.Fatal(err)
	}
	got := r.batches()
	if d := cmp.Diff([]float64{3, 4}, values(got)); d != "" || r.spool.Epoch() == old {
		t.Error("epoch", r.spool.Epoch(), d)
	}
	if g := got[0].Gaps; len(g) != 1 || g[0].Reason != wire.GapSpoolCorrupt || g[0].Lost != 0 || !g[0].To.Wall.Equal(noon.Add(30*time.Second)) {
		t.Errorf("gaps %+v", g)
	}
	// The server knows more than this file: everything held goes under a new epoch, and a gap says so.
	if err := r.sealer.Renew(t.Context(), spool.ErrAhead, synced(70)); err != nil {
		t.Fatal(err)
	}
	if got := r.batches(); len(got[0].Gaps) < 1 || len(values(got)) != 2 {
		t.Errorf("%+v", got[0])
	}
}

func TestSealer_RecordsThatCannotBeReadDoNotBlock(t *testing.T) {
	r := newRig(t, seal.Options{})
	r.take(reading(synced(0), 1))
	r.flush()
	if err := r.spool.Add(t.Context(), [][]byte{{9, 9, 9}, []byte("garbage")}); err != nil {
		t.Fatal(err)
	}
	r.take(reading(synced(20), 2))
	r.flush()
	got := r.batches()
	if d := cmp.Diff([]float64{1, 2}, values(got)); d != "" {
		t.Error(d)
	}
	if g := got[1].Gaps; len(g) != 1 || g[0].Lost != 2 || !g[0].From.Wall.Equal(noon) || !g[0].To.Wall.Equal(noon.Add(20*time.Second)) {
		t.Errorf("gaps %+v", g)
	}
	if err := r.spool.Add(t.Context(), [][]byte{{1}}); err != nil {
		t.Fatal(err)
	}
	r.flush()
	if st := r.stats(); st.Pending != 0 {
		t.Errorf("%+v", st)
	}
}

func TestSealer_SalvagesASpoolThatWasSetAside(t *testing.T) {
	r := newRig(t, seal.Options{})
	for i := range 4 {
		r.take(reading(synced(float64(10*i)), float64(i)))
		r.flush()
	}
	r.take(reading(synced(50), 9))
	r.store.err.Store(nil)
	if err := r.spool.Close(); err != nil {
		t.Fatal(err)
	}
	r.tamper(`UPDATE state SET crc = 0; UPDATE sealed SET crc = 0 WHERE seq = 2`)
	s, o, err := spool.Open(t.Context(), r.path, func() time.Time { return noon })
	if err != nil || o.SetAside == "" {
		t.Fatalf("%+v, %v", o, err)
	}
	r.spool, r.store.Spool = s, s
	r.flush()
	got := r.batches()
	if d := cmp.Diff([]float64{0, 2, 3, 9}, values(got)); d != "" {
		t.Error(d)
	}
	if len(got[0].Gaps) == 0 {
		t.Error("no gap is declared")
	}
}

func (r *rig) tamper(query string) {
	r.t.Helper()
	db, err := sql.Open("sqlite", "file:"+r.path)
	if err != nil {
		r.t.Fatal(err)
	}
	if _, err := db.ExecContext(r.t.Context(), query); err != nil {
		r.t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		r.t.Fatal(err)
	}
}
