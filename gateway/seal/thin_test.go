package seal_test

import (
	"fmt"
	"math"
	"os"
	"testing"
	"time"

	"aovuon/gateway/measure"
	"aovuon/gateway/seal"
	"aovuon/gateway/wire"
)

// minute is what 30 probes say in the m-th minute: of one of them a fault from minute 100 to 199, and every 45 minutes the
// aerator is switched.
func minute(m int) (out []measure.Reading) {
	at := synced(float64(60 * m))
	for c := range 28 {
		out = append(out, measure.Reading{Sensor: fmt.Sprintf("ao%d-temp", c+1), Quantity: measure.WaterTemperature, Time: at, Value: 20 + float64(m%97)/10})
	}
	out[3].Value = 25.1
	if m >= 100 && m < 200 {
		out[3] = measure.Reading{Sensor: out[3].Sensor, Quantity: out[3].Quantity, Time: at, Quality: measure.Fault, Reason: measure.NoResponse}
	}
	out = append(out, measure.Reading{Sensor: "ao1-fan", Quantity: measure.AeratorCommand, Time: at, Value: float64(m / 45 % 2)})
	return append(out, measure.Reading{
		Sensor: "ao1-do", Quantity: measure.DissolvedOxygen, Time: at, Value: 5.5, Filtered: true, Raw: 5.512,
		Inputs: "",
	})
}

// play has the rig take what 30 probes say for so many minutes from one on, without a link.
func (r *rig) play(from, minutes int) {
	r.t.Helper()
	for m := from; m < from+minutes; m++ {
		r.take(minute(m)...)
		r.flush()
	}
}

// drain hands everything over as a server would take it, checks the chain, and returns it.
func (r *rig) drain() (out []*wire.Batch) {
	r.t.Helper()
	var prev wire.Hash
	for {
		got, err := r.spool.After(r.t.Context(), r.spool.Epoch(), 0, 1000)
		if err != nil {
			r.t.Fatal(err)
		}
		for _, sealed := range got {
			b, err := wire.Open(sealed.Body, r.key)
			if err != nil || b.Prev != prev {
				r.t.Fatalf("batch %d: %v, chain good: %v", sealed.Seq, err, b != nil && b.Prev == prev)
			}
			prev = wire.HashOf(sealed.Body)
			out = append(out, b)
		}
		if len(got) == 0 {
			if st := r.stats(); st.Pending != 0 {
				r.t.Fatalf("nothing is sealed of what waits: %+v", st)
			}
			return out
		}
		if err := r.spool.Release(r.t.Context(), r.spool.Epoch(), got[len(got)-1].Seq); err != nil {
			r.t.Fatal(err)
		}
		r.flush()
	}
}

// TestSealer_FullSpoolThinsTheOldestAndDeclaresIt: the newest readings are never the ones that go, everything that goes is
// counted in a gap, and what tells something stays.
func TestSealer_FullSpoolThinsTheOldestAndDeclaresIt(t *testing.T) {
	const quota, minutes = 2 << 20, 1800
	r := newRig(t, seal.Options{Quota: quota, Ahead: 8})
	r.spool.SetQuota(quota)
	doc := wire.Document{Time: synced(30), Kind: wire.DocCalibration, Body: `{"who":"Lan"}`}
	r.play(0, 20)
	if err := r.sealer.TakeDocument(t.Context(), doc); err != nil {
		t.Fatal(err)
	}
	sealed := r.bodies()
	r.play(20, minutes-20)
	for i, b := range r.bodies() {
		if b != sealed[i] {
			t.Fatalf("batch %d is another one now", i+1)
		}
	}
	h, st := r.sealer.Health(), r.stats()
	if h.Err != nil || h.Dropped != 0 || h.Buffered != 0 || h.Thinned == 0 || st.Bytes > quota {
		t.Fatalf("%+v %+v", h, st)
	}
	got := r.drain()
	readings, declared, documents := 0, uint64(0), 0
	var newest time.Time
	for _, b := range got {
		readings += len(b.Readings)
		documents += len(b.Documents)
		for _, g := range b.Gaps {
			if g.Reason != wire.GapThinned || g.From.Wall.After(g.To.Wall) {
				t.Errorf("gap %+v", g)
			}
			declared += g.Lost
			newest = g.To.Wall
		}
	}
	if readings+int(declared) != 30*minutes || declared != h.Thinned || documents != 1 {
		t.Errorf("%d readings and %d declared of %d taken; the health says %d; %d documents", readings, declared, 30*minutes, h.Thinned, documents)
	}
	if left := synced(60 * minutes).Wall.Sub(newest); left < time.Hour {
		t.Errorf("what is %v old was thinned", left)
	}
	checkKept(t, got, minutes)
	t.Logf("%d readings taken, %d thinned out, %d bytes used of %d", 30*minutes, declared, st.Bytes, quota)
}

// checkKept looks at each channel: never more than ten minutes without a reading, and every change of a fault and a
// switch there.
func checkKept(t *testing.T, got []*wire.Batch, minutes int) {
	t.Helper()
	last := map[string]measure.Reading{}
	switches, faults := 0, 0
	for _, b := range got {
		for _, m := range b.Readings {
			before, some := last[m.Sensor]
			if some && (m.Time.Wall.Sub(before.Time.Wall) > 10*time.Minute || !m.Time.Wall.After(before.Time.Wall)) {
				t.Errorf("%s: %v after %v", m.Sensor, m.Time.Wall, before.Time.Wall)
			}
			if some && m.Sensor == "ao1-fan" && m.Value != before.Value {
				switches++
			}
			if some && m.Quality != before.Quality {
				faults++
			}
			last[m.Sensor] = m
		}
	}
	if len(last) != 30 || switches != (minutes-1)/45 || faults != 2 {
		t.Errorf("%d channels, %d switches of %d, %d changes of a fault", len(last), switches, (minutes-1)/45, faults)
	}
}

// TestSealer_ThinsFurtherWhenThatIsNotEnough: from one in ten minutes to one in an hour and less.
func TestSealer_ThinsFurtherWhenThatIsNotEnough(t *testing.T) {
	const quota, minutes = 256 << 10, 3000
	r := newRig(t, seal.Options{Quota: quota, Ahead: 1})
	r.spool.SetQuota(quota)
	r.play(0, minutes)
	if h := r.sealer.Health(); h.Err != nil || h.Dropped != 0 {
		t.Fatalf("%+v", h)
	}
	readings, declared, gaps := 0, uint64(0), 0
	for _, b := range r.drain() {
		readings += len(b.Readings)
		for _, g := range b.Gaps {
			declared += g.Lost
			gaps++
		}
	}
	if readings+int(declared) != 30*minutes || gaps > 100 {
		t.Errorf("%d readings and %d declared in %d gaps of %d taken", readings, declared, gaps, 30*minutes)
	}
}

// TestSealer_SealsNoMoreAheadThanItMay, and goes on as receipts come.
func TestSealer_SealsNoMoreAheadThanItMay(t *testing.T) {
	r := newRig(t, seal.Options{Ahead: 3})
	for i := range 10 {
		r.take(reading(synced(float64(i)), 1))
		r.flush()
	}
	if st := r.stats(); st.Sealed != 3 || st.Pending != 7 {
		t.Fatalf("%+v", st)
	}
	n := 0
	for _, b := range r.drain() {
		n += len(b.Readings)
	}
	if n != 10 {
		t.Errorf("%d of 10 readings arrived", n)
	}
}

// bodies are the sealed batches as they stand in the spool.
func (r *rig) bodies() (out []string) {
	r.t.Helper()
	got, err := r.spool.After(r.t.Context(), r.spool.Epoch(), 0, math.MaxInt32)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, b := range got {
		out = append(out, string(b.Body))
	}
	return out
}

// TestSpool_ThirtyDaysOfThirtyChannels measures what 30 channels at one reading a minute take without a link, un-thinned.
// The budget is 500 MB for 30 days. It plays a day of the cheapest case (all 30 in one commit) and an hour of the dearest
// (each in its own), and counts up; AOVUON_TORTURE=1 plays all 30 days.
func TestSpool_ThirtyDaysOfThirtyChannels(t *testing.T) {
	const budget = 500_000_000
	month := 30 * 24 * 60
	days := 1
	if os.Getenv("AOVUON_TORTURE") != "" {
		days = 30
	}
	r := newRig(t, seal.Options{})
	r.spool.SetQuota(budget)
	before := r.stats()
	r.play(20*24*60, days*24*60) // after days without a restart, when an uptime has grown to five bytes
	st := r.stats()
	together := int(st.Bytes-before.Bytes) * 30 / days
	if h := r.sealer.Health(); h.Thinned != 0 || h.Dropped != 0 || h.Err != nil {
		t.Errorf("%+v", h)
	}
	r2 := newRig(t, seal.Options{})
	before = r2.stats()
	for m := 30_000; m < 30_060; m++ {
		for _, one := range minute(m) {
			r2.take(one)
			if m == 30_000 { // the head is sealed
				r2.flush()
			} else if err := r2.sealer.Commit(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	apart := int(r2.stats().Bytes-before.Bytes) * month / 60
	t.Logf("30 days of 30 channels at 1/min: %d MB with 30 readings in a commit (%d days played), %d MB with one in each; budget %d MB",
		together/1e6, days, apart/1e6, budget/1_000_000)
	if together > budget || apart > budget {
		t.Error("the budget is exceeded")
	}
}
