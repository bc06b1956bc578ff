package fleet

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"aovuon/gateway/spool"
	"aovuon/gateway/wire"
)

func noon() time.Time { return time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC) }

func TestParseFaults(t *testing.T) {
	for text, want := range map[string]Faults{
		"": {}, "drop=30/min": {Drop: 30}, "drop=0.5": {Drop: 0.5}, " delay=200ms , withhold=10%": {Delay: 200 * time.Millisecond, Withhold: 0.1},
		"duplicate=1,reorder=0.25": {Duplicate: 1, Reorder: 0.25}, "withhold=100%": {Withhold: 1},
	} {
		if got, err := ParseFaults(text); err != nil || got != want {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
	for text, want := range map[string]string{
		"drop": "want NAME=VALUE", "lose=1%": "there are drop, delay", "withhold=101%": "want a share", "withhold=NaN": "want a share",
		"drop=-1/min": "want a number per minute", "drop=5/h": "want a number per minute", "delay=11s": "want 0s to 10s", "delay=-1s": "want 0s to",
		"drop=1,drop=2": "there twice", "delay=1": "delay=1",
	} {
		if _, err := ParseFaults(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func FuzzPackets(f *testing.F) {
	f.Add([]byte{0x30, 5, 0, 1, 'a', 1, 2})
	f.Add([]byte{0x40, 2, 0, 7, 0xc0, 0})
	f.Add([]byte{0x32, 0x80, 0x80, 0x80, 0x80, 1})
	f.Fuzz(func(t *testing.T, raw []byte) {
		r := bufio.NewReaderSize(bytes.NewReader(raw), 64)
		var whole []byte
		for {
			p, err := readPacket(r, nil)
			if err != nil {
				return
			}
			whole = append(whole, p...)
			if !bytes.HasPrefix(raw, whole) {
				t.Fatalf("read %x, that is not how %x begins", whole, raw)
			}
			if n, err := packetLength(p); err != nil || n != len(p) {
				t.Fatalf("%x has length %d, %v", p, n, err)
			}
			asPublish(p)
			asPubAck(p)
		}
	})
}

func TestReadPacket_CutOff(t *testing.T) {
	if _, err := readPacket(bufio.NewReader(bytes.NewReader([]byte{0x30, 5, 0, 1})), nil); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("cut in the middle: %v", err)
	}
	if _, err := readPacket(bufio.NewReader(bytes.NewReader([]byte{0x30})), nil); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("cut in the header: %v", err)
	}
	if _, err := readPacket(bufio.NewReader(bytes.NewReader([]byte{0x30, 0xff, 0xff, 0xff, 0xff, 1, 0})), nil); !errors.Is(err, errPacket) {
		t.Errorf("length without end: %v", err)
	}
}

func TestPace_EveryGatewayInItsTurn(t *testing.T) {
	p := &Plan{Members: make([]Member, 7), Rate: 70, Ramp: time.Second}
	pace := newPace(p, []int{3, 1, 0, 2, 6, 5, 4})
	last, next := time.Duration(0), map[int]time.Duration{}
	for range 700 {
		turn := pace.next()
		if turn.at < last {
			t.Fatalf("%v after %v", turn.at, last)
		}
		if want, seen := next[turn.member]; seen && turn.at != want {
			t.Fatalf("gateway %d at %v, want %v", turn.member, turn.at, want)
		}
		last, next[turn.member] = turn.at, turn.at+100*time.Millisecond
	}
	if len(next) != 7 {
		t.Errorf("%d gateways had their turn", len(next))
	}
	if pace.joins[3] != 0 || pace.joins[4] != 6*time.Second/7 {
		t.Errorf("joins %v", pace.joins)
	}
}

// testChain is a chain of its own, and what verifies its batches.
func testChain(t *testing.T, size int) (*chain, note.Verifier) {
	t.Helper()
	e, err := newEnlisted("fl-0001")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(e.Key)
	if err != nil {
		t.Fatal(err)
	}
	v, err := note.NewVerifier(e.VKey)
	if err != nil {
		t.Fatal(err)
	}
	return &chain{
		gateway: e.Gateway, signer: signer, truth: Plain{}, channels: channelsOf(e.Gateway), size: size,
		tally: newTally(time.Second, func(err error) { t.Error(err) }), now: noon, boot: "00112233aabbccdd", present: epoch{id: "0123456789abcdef"},
	}, v
}

func bodies(t *testing.T, c *chain, seq uint64, n int) []spool.Sealed {
	t.Helper()
	out, err := c.After(t.Context(), c.present.id, seq, n)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestChain_SealsWhenAskedAndKeepsTheBytesUntilAReceipt(t *testing.T) {
	c, v := testChain(t, 14)
	for i := range 10 { // closer than their own rounds: times must still only grow
		c.owe(spec{ended: noon().UnixMilli() + int64(i), step: 1, due: noon()})
	}
	first := bodies(t, c, 0, 4)
	if waiting, owed := c.left(); len(first) != 4 || waiting != 4 || owed != 6 {
		t.Fatalf("%d batches; %d wait, %d owed", len(first), waiting, owed)
	}
	if again := bodies(t, c, 0, 4); !reflect.DeepEqual(first, again) {
		t.Error("sent again, they differ")
	}
	if err := c.Release(t.Context(), c.present.id, 3); err != nil {
		t.Fatal(err)
	}
	rest := bodies(t, c, 4, 100)
	if len(rest) != 6 || rest[0].Seq != 5 {
		t.Fatalf("%d more, from %d on", len(rest), rest[0].Seq)
	}
	var prev wire.Hash
	last := time.Time{}
	for i, s := range append(first, rest...) {
		b, err := wire.Open(s.Body, v)
		if err != nil || b.Seq != uint64(i+1) || b.Prev != prev || len(b.Readings) != 14 {
			t.Fatalf("batch %d: %+v %v", i+1, b, err)
		}
		prev = wire.HashOf(s.Body)
		for k, r := range b.Readings {
			if at := r.Time.Wall; k%6 == 0 && !at.After(last) || at.Before(last) {
				t.Fatalf("batch %d: %v at %v after %v", i+1, r.Sensor, at, last)
			}
			last = r.Time.Wall
		}
	}
	if err := c.Release(t.Context(), c.present.id, 11); !errors.Is(err, spool.ErrAhead) {
		t.Errorf("a receipt for what was never sealed: %v", err)
	}
	if _, err := c.After(t.Context(), "ffffffffffffffff", 0, 1); !errors.Is(err, spool.ErrEpoch) {
		t.Errorf("another epoch: %v", err)
	}
}

func TestChain_RenewSealsWhatWaitsUnderNewNumbers(t *testing.T) {
	c, v := testChain(t, 5)
	for i := range 5 {
		c.owe(spec{ended: noon().UnixMilli() + int64(i)*1000, step: 1, due: noon()})
	}
	old := bodies(t, c, 0, 5)
	if err := c.Release(t.Context(), c.present.id, 2); err != nil {
		t.Fatal(err)
	}
	if err := c.renew(t.Context(), spool.ErrAhead); err != nil {
		t.Fatal(err)
	}
	fresh := bodies(t, c, 0, 5)
	if len(fresh) != 3 || fresh[0].Seq != 1 {
		t.Fatalf("%d batches from %d on", len(fresh), fresh[0].Seq)
	}
	for i, s := range fresh {
		was, err := wire.Open(old[i+2].Body, v)
		if err != nil {
			t.Fatal(err)
		}
		is, err := wire.Open(s.Body, v)
		if err != nil || !reflect.DeepEqual(was.Readings, is.Readings) || is.Epoch == was.Epoch {
			t.Errorf("batch %d: %v %v", i+1, is, err)
		}
	}
}

func TestSaved_GoesOnByteForByte(t *testing.T) {
	c, _ := testChain(t, 6)
	for i := range 6 {
		c.owe(spec{ended: noon().UnixMilli() + int64(i)*1000, step: 1, due: noon()})
	}
	before := bodies(t, c, 0, 6)
	if err := c.Release(t.Context(), c.present.id, 2); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if _, err := Enlist(dir, "fl", 2); err != nil {
		t.Fatal(err)
	}
	open := func(n int) *Folder {
		t.Helper()
		f, err := Open(dir, n)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Open(dir, n); err == nil || !strings.Contains(err.Error(), "another run uses it") {
			t.Errorf("opened twice: %v", err)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
		return f
	}
	if err := open(1).Save([]Saved{c.save()}); err != nil {
		t.Fatal(err)
	}
	f := open(0)
	if f.Members[1].Saved != nil || f.Members[0].Saved == nil {
		t.Fatalf("%+v", f)
	}
	next, _ := testChain(t, 6)
	if err := next.load(f.Members[0].Saved); err != nil {
		t.Fatal(err)
	}
	if after := bodies(t, next, 2, 6); !reflect.DeepEqual(after, before[2:]) {
		t.Error("what waited is not what it was")
	}
	if got := next.save(); !reflect.DeepEqual(got, *f.Members[0].Saved) {
		t.Errorf("saved again: %+v", got)
	}
	bad := *f.Members[0].Saved
	bad.Waiting = bad.Waiting[:3]
	other, _ := testChain(t, 6)
	if err := other.load(&bad); err == nil || !strings.Contains(err.Error(), "a new epoch begins then") {
		t.Errorf("a batch is gone: %v", err)
	}
	if err := f.Take(); err != nil {
		t.Fatal(err)
	}
	if open(0).Members[0].Saved != nil {
		t.Error("taken, and still there")
	}
}

// TestCompare_FindsWhatIsWrong is what the whole tool stands on: whatever a server does to a batch has a number.
func TestCompare_FindsWhatIsWrong(t *testing.T) {
	const id = "0123456789abcdef"
	chains := func(sealed, released uint64) map[string][]epoch {
		return map[string][]epoch{"fl-0001": {{id: id, sealed: sealed, released: released, sizes: []stretch{{sealed, 6}}}}}
	}
	count := func(rows int64, top uint64, points int64) *Count {
		return &Count{Chains: []ChainCount{{"fl-0001", id, rows, top}, {"gw-other", id, 7, 7}}, Points: map[string]int64{"fl-0001": points, "gw-other": 99}}
	}
	empty := &Count{}
	for name, c := range map[string]struct {
		base, end *Count
		chains    map[string][]epoch
		want      account
	}{
		"all there":               {empty, count(10, 10, 60), chains(10, 10), account{stored: 10, expected: 60, points: 60}},
		"stored, not receipted":   {empty, count(10, 10, 60), chains(10, 7), account{stored: 10, expected: 60, points: 60}},
		"receipted, not stored":   {empty, count(8, 8, 48), chains(10, 10), account{stored: 8, lost: 2, expected: 48, points: 48}},
		"a hole":                  {empty, count(9, 10, 54), chains(10, 10), account{stored: 9, lost: 1, expected: 60, points: 54, missing: 6}},
		"nothing at all":          {empty, empty, chains(10, 10), account{lost: 10}},
		"twice":                   {empty, count(11, 10, 60), chains(10, 10), account{stored: 11, twice: 1, expected: 60, points: 60}},
		"history behind":          {empty, count(10, 10, 59), chains(10, 10), account{stored: 10, expected: 60, points: 59, missing: 1}},
		"history with more":       {empty, count(10, 10, 61), chains(10, 10), account{stored: 10, expected: 60, points: 61, extra: 1}},
		"numbers nobody used":     {empty, count(12, 12, 60), chains(10, 10), account{stored: 12, foreign: 2, expected: 60, points: 60}},
		"an earlier run's before": {count(4, 4, 24), count(10, 10, 60), chains(10, 10), account{stored: 6, expected: 36, points: 36}},
	} {
		got := compare(c.base, c.end, c.chains)
		c.want.refused = map[string]int64{}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s:\n got %+v\nwant %+v", name, got, c.want)
		}
	}
}

func TestCompare_Refused(t *testing.T) {
	base := &Count{Refused: []RefusedCount{{"fl-0001", "broken-chain", 3}, {"gw-other", "broken-chain", 9}}}
	end := &Count{Refused: []RefusedCount{{"fl-0001", "broken-chain", 5}, {"gw-other", "broken-chain", 19}, {"fl-0001", "bad-signature", 1}}}
	got := compare(base, end, map[string][]epoch{"fl-0001": {{}}}).refused
	if want := map[string]int64{"broken-chain": 2, "bad-signature": 1}; !reflect.DeepEqual(got, want) {
		t.Errorf("%v", got)
	}
}

func TestPlan_Check(t *testing.T) {
	good := func() Plan {
		return Plan{Members: make([]Member, 3), Readings: 6, Rate: 10, For: time.Second}
	}
	if p := good(); p.Check() != nil {
		t.Fatal(p.Check())
	}
	for want, spoil := range map[string]func(*Plan){
		"no gateways":                 func(p *Plan) { p.Members = nil },
		"0 readings in a batch":       func(p *Plan) { p.Readings = 0 },
		"nothing to send":             func(p *Plan) { p.Rate, p.For = 0, 0 },
		"say how long":                func(p *Plan) { p.For = 0 },
		"one of them":                 func(p *Plan) { p.Batches = 5 },
		"wants a rate":                func(p *Plan) { p.Rate, p.Batches, p.Backlog = 0, 5, 1 },
		"a ramp of":                   func(p *Plan) { p.Ramp = time.Minute },
		"churn of":                    func(p *Plan) { p.Churn = -1 },
		"a backlog of -1":             func(p *Plan) { p.Backlog = -1 },
		"batches a second: want 0 to": func(p *Plan) { p.Rate = 1e9 },
	} {
		p := good()
		spoil(&p)
		if err := p.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if _, _, err := Run(context.Background(), Plan{}); err == nil {
		t.Error("a plan of nothing ran")
	}
}

func TestTally_WaitsBeginWhenABatchWasMeantToBeSent(t *testing.T) {
	ty := newTally(time.Second, func(err error) { t.Error(err) })
	for i := range 1000 {
		ty.receipted(sealed{due: noon()}, noon().Add(time.Duration(i+1)*time.Millisecond))
	}
	ty.receipted(sealed{due: noon()}, noon().Add(90*24*time.Hour)) // counts as the longest there is
	ty.receipted(sealed{kind: backlog}, noon())
	l := ty.latency()
	if l.N != 1001 || l.P50 < 500 || l.P50 > 501.5 || l.P99 < 990 || l.P99 > 993 || l.Max < 6*24*3600*1000 || ty.lates.Load() != 1 {
		t.Errorf("%+v, %d late", l, ty.lates.Load())
	}
	if slices.Contains([]int64{ty.liveReceipts.Load(), ty.receipts.Load()}, 0) || ty.receipts.Load() != 1002 {
		t.Errorf("%d receipts", ty.receipts.Load())
	}
}
