package chip_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"aovuon/firmware-sim/chip"
	"aovuon/firmware-sim/fault"
	"aovuon/gateway/bus"
	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
	"aovuon/gateway/sense/rtu"
	"aovuon/gateway/sense/serial"
)

// registers is a probe of ten holding registers.
type registers struct {
	mu     sync.Mutex
	words  [10]uint16
	resets int
	asked  int
}

func (r *registers) Reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.resets++
}

func (r *registers) Respond(_ time.Time, pdu []byte) chip.RTUReply {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked++
	if len(pdu) != 5 || pdu[0] != 3 && pdu[0] != 6 {
		return chip.Refusal(pdu, rtu.IllegalFunction)
	}
	at, n := int(binary.BigEndian.Uint16(pdu[1:])), int(binary.BigEndian.Uint16(pdu[3:]))
	if pdu[0] == 6 && at < len(r.words) {
		r.words[at] = uint16(n)
		return chip.RTUReply{PDU: pdu, After: chip.RTUDelay}
	}
	if at+n > len(r.words) {
		return chip.Refusal(pdu, rtu.IllegalDataAddress)
	}
	reply := chip.RTUReply{PDU: []byte{3, byte(2 * n)}, After: chip.RTUDelay}
	for _, w := range r.words[at : at+n] {
		reply.PDU = binary.BigEndian.AppendUint16(reply.PDU, w)
	}
	return reply
}

// counts returns how often the probe was asked, and how often it lost its power.
func (r *registers) counts() (asked, resets int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.asked, r.resets
}

func (r *registers) word(at int) uint16 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.words[at]
}

// bench is a serial line on a pseudo-terminal with units on it, and the gateway's own port and master at the other end.
type bench struct {
	board  *fault.Board
	line   *chip.SerialLine
	path   string
	master *rtu.PortMaster
	port   serial.Port
}

func line(baud int) serial.Line {
	return serial.Line{Baud: baud, Parity: serial.NoParity, StopBits: 1}
}

func newBench(t *testing.T, echo bool) *bench {
	t.Helper()
	b := &bench{board: fault.NewBoard(), path: filepath.Join(t.TempDir(), "rs485")}
	adapter, err := b.board.Add("rs485", chip.LineFaults()...)
	if err != nil {
		t.Fatal(err)
	}
	b.line = chip.NewSerialLine(time.Now, echo, adapter)
	pty, err := chip.OpenPTY(b.line, b.path)
	if err != nil {
		t.Fatal(err)
	}
	b.board.OnChange(func() {
		if err := pty.Refresh(); err != nil {
			t.Error(err)
		}
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		pty.Run(ctx, slog.New(slog.DiscardHandler))
	}()
	set := bus.NewSet(slog.New(slog.DiscardHandler))
	t.Cleanup(func() {
		cancel()
		<-done
		if err := errors.Join(set.Close(), pty.Close()); err != nil {
			t.Error(err)
		}
	})
	if b.port, err = set.Serial(b.path); err != nil {
		t.Fatal(err)
	}
	b.master = rtu.New(b.port, sense.NewSystemClock(sense.SystemClockOptions{AssumeSynced: true}))
	return b
}

// unit puts a probe on the line.
func (b *bench) unit(t *testing.T, name string, address byte, l serial.Line, first uint16) *registers {
	t.Helper()
	sw, err := b.board.Add(name, chip.RTUFaults()...)
	if err != nil {
		t.Fatal(err)
	}
	m := new(registers)
	for i := range m.words {
		m.words[i] = first + uint16(i)
	}
	b.line.Add(chip.NewRTUUnit(chip.Part{Name: name, Now: time.Now, Faults: sw, Ledger: chip.Silent{}}, address, l, m))
	return m
}

func read(address byte, l serial.Line, at, n uint16) rtu.Request {
	pdu := binary.BigEndian.AppendUint16([]byte{3}, at)
	// Less than a late answer takes, and more than a slow one on a machine that is busy.
	return rtu.Request{Line: l, Unit: address, PDU: binary.BigEndian.AppendUint16(pdu, n), Timeout: 1200 * time.Millisecond}
}

// words are the registers of an answer.
func words(t *testing.T, pdu []byte) (list []uint16) {
	t.Helper()
	if len(pdu) < 2 || int(pdu[1]) != len(pdu)-2 {
		t.Fatalf("% X is no answer to a reading", pdu)
	}
	for p := pdu[2:]; len(p) > 1; p = p[2:] {
		list = append(list, binary.BigEndian.Uint16(p))
	}
	return list
}

func TestRTU_OverAPseudoTerminal(t *testing.T) {
	for _, echo := range []bool{false, true} {
		t.Run(fmt.Sprintf("echo=%v", echo), func(t *testing.T) {
			b := newBench(t, echo)
			b.unit(t, "am", 7, line(9600), 100)
			// A setting first: its answer looks like an echo, and the master does not know the adapter yet.
			set := rtu.Request{Line: line(9600), Unit: 7, PDU: []byte{6, 0, 3, 0x12, 0x34}}
			if pdu, err := b.master.Do(t.Context(), set); err != nil || !bytes.Equal(pdu, set.PDU) {
				t.Fatalf("% X, %v", pdu, err)
			}
			pdu, err := b.master.Do(t.Context(), read(7, line(9600), 2, 3))
			if err != nil {
				t.Fatal(err)
			}
			if got := words(t, pdu); got[0] != 102 || got[1] != 0x1234 || got[2] != 104 {
				t.Error(got)
			}
			set.Unit, set.Timeout = 9, 100*time.Millisecond
			if pdu, err := b.master.Do(t.Context(), set); reason(err) != measure.NoResponse {
				t.Errorf("an echo was taken for an answer: % X, %v", pdu, err)
			}
		})
	}
}

func reason(err error) measure.FaultReason {
	if f, ok := errors.AsType[*sense.Fault](err); ok {
		return f.Reason
	}
	return ""
}

func TestRTU_EveryFaultHasItsReason(t *testing.T) {
	const number = measure.FaultReason("")
	b := newBench(t, false)
	b.unit(t, "am", 7, line(9600), 100)
	b.unit(t, "other", 8, line(9600), 200)
	for kind, want := range map[fault.Kind]measure.FaultReason{
		fault.Unplug: measure.NoResponse, fault.CRC: measure.CRC, fault.Garbled: measure.Garbled,
		fault.Exception: measure.Refused, fault.WrongUnit: measure.Garbled, fault.Late: measure.NoResponse,
		fault.Slow: number, fault.Glitch: number,
	} {
		t.Run(string(kind), func(t *testing.T) {
			if err := b.board.Set("am", kind); err != nil {
				t.Fatal(err)
			}
			q := read(7, line(9600), 0, 1)
			if want == measure.NoResponse || want == measure.Garbled { // it waits in vain
				q.Timeout = 150 * time.Millisecond
			} else {
				q.Timeout = 20 * time.Second // it answers, on a busy machine as soon as it can
			}
			pdu, err := b.master.Do(t.Context(), q)
			if reason(err) != want || want == number && (err != nil || words(t, pdu)[0] != 100) {
				t.Errorf("% X, %v; want %q", pdu, err, want)
			}
			if e := rtu.Exception(0); kind == fault.Exception && (!errors.As(err, &e) || e != rtu.DeviceFailure) {
				t.Errorf("%v wraps %v", err, e)
			}
			b.board.HealAll()
			if pdu, err := b.master.Do(t.Context(), read(8, line(9600), 0, 1)); err != nil || words(t, pdu)[0] != 200 {
				t.Errorf("its neighbour: % X, %v", pdu, err)
			}
			pdu, err = b.master.Do(t.Context(), read(7, line(9600), 1, 2))
			for kind == fault.Late && err != nil { // until it has said what it owes, it hears nothing
				pdu, err = b.master.Do(t.Context(), read(7, line(9600), 1, 2))
			}
			if err != nil || words(t, pdu)[0] != 101 {
				t.Errorf("healed: % X, %v", pdu, err)
			}
		})
	}
}

// Probes of different speeds share a line with a dead one; everybody is asked at once, again and again. Nobody's answer is
// taken for another's.
func TestRTU_MixedSpeedsOnOneLine(t *testing.T) {
	b := newBench(t, false)
	fast := serial.Line{Baud: 19200, Parity: serial.NoParity, StopBits: 2}
	counts := []*registers{b.unit(t, "nhanh", 1, fast, 100), b.unit(t, "cham", 2, line(4800), 200)}
	b.unit(t, "chet", 3, line(9600), 300)
	b.unit(t, "nham", 1, line(2400), 900) // the address of the first at another speed: never meant
	if err := b.board.Set("chet", fault.Unplug); err != nil {
		t.Fatal(err)
	}
	const rounds = 15
	var wg sync.WaitGroup
	poll := func(address byte, l serial.Line, first uint16) {
		for i := range uint16(rounds) {
			at := i % 8
			q := read(address, l, at, 2)
			q.Timeout = 20 * time.Second // it answers at once, on a busy machine as soon as it can
			pdu, err := b.master.Do(t.Context(), q)
			if err != nil {
				t.Errorf("unit %d: %v", address, err)
			} else if got := words(t, pdu); got[0] != first+at || got[1] != first+at+1 {
				t.Errorf("unit %d register %d: %v", address, at, got)
			}
		}
	}
	wg.Go(func() { poll(1, fast, 100) })
	wg.Go(func() { poll(2, line(4800), 200) })
	wg.Go(func() {
		for range 3 {
			q := read(3, line(9600), 0, 1)
			q.Timeout = 100 * time.Millisecond
			if pdu, err := b.master.Do(t.Context(), q); reason(err) != measure.NoResponse {
				t.Errorf("the dead one: % X, %v", pdu, err)
			}
		}
	})
	wg.Wait()
	for i, c := range counts {
		if n, _ := c.counts(); n != rounds {
			t.Errorf("unit %d was asked %d times", i+1, n)
		}
	}
}

// virtual is a clock for both ends: sleeping is free.
type virtual struct {
	mu  sync.Mutex
	now time.Time
}

func (v *virtual) wall() time.Time {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.now
}

func (v *virtual) Now() measure.Instant {
	now := v.wall()
	return measure.Instant{Wall: now, Uptime: time.Duration(now.UnixNano()), Clock: measure.Synced, Boot: "0123456789abcdef"}
}

func (v *virtual) Sleep(ctx context.Context, d time.Duration) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.now = v.now.Add(d)
	return ctx.Err()
}

// A dead probe costs the line its own timeout, its question and the silence before it, and nothing more; parities count.
func TestRTU_DeadProbeCostsItsTimeout(t *testing.T) {
	clock := &virtual{now: time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)}
	board := fault.NewBoard()
	adapter, err := board.Add("rs485", chip.LineFaults()...)
	if err != nil {
		t.Fatal(err)
	}
	l := chip.NewSerialLine(clock.wall, false, adapter)
	even := serial.Line{Baud: 9600, Parity: serial.EvenParity, StopBits: 1}
	for i, set := range []serial.Line{line(9600), even} {
		sw, err := board.Add(fmt.Sprint("am", i), chip.RTUFaults()...)
		if err != nil {
			t.Fatal(err)
		}
		part := chip.Part{Name: fmt.Sprint("am", i), Now: clock.wall, Faults: sw, Ledger: chip.Silent{}}
		l.Add(chip.NewRTUUnit(part, byte(1+i), set, new(registers)))
	}
	m := rtu.New(chip.NewSerialPort("rs485", l, clock.Sleep), clock)
	ask := func(q rtu.Request) (time.Duration, error) {
		begin := clock.wall()
		_, err := m.Do(t.Context(), q)
		return clock.wall().Sub(begin), err
	}
	own := func(set serial.Line) time.Duration { // question, silences, thinking, answer
		return set.Time(8) + 2*rtu.Silence(set) + chip.RTUDelay + set.Time(7)
	}
	for i, set := range []serial.Line{line(9600), even} {
		if took, err := ask(read(byte(1+i), set, 0, 1)); err != nil || took > own(set) {
			t.Errorf("unit %d: %v, %v; want %v", 1+i, took, err, own(set))
		}
	}
	dead := read(3, line(9600), 0, 1)
	if took, err := ask(dead); reason(err) != measure.NoResponse || took > dead.Timeout+line(9600).Time(8)+rtu.Silence(line(9600)) {
		t.Errorf("the dead one: %v, %v", took, err)
	}
	if took, err := ask(read(1, line(9600), 0, 1)); err != nil || took > own(line(9600)) {
		t.Errorf("after the dead one: %v, %v", took, err)
	}
	if _, err := ask(read(2, line(9600), 0, 1)); reason(err) != measure.NoResponse {
		t.Errorf("asked with the wrong parity: %v", err)
	}
	if err := board.Set("rs485", fault.Unplug); err != nil {
		t.Fatal(err)
	}
	if _, err := ask(read(1, line(9600), 0, 1)); reason(err) != measure.BusDown {
		t.Errorf("no adapter: %v", err)
	}
}

// The adapter is pulled out and plugged in again: a fault of the bus, which heals by itself.
func TestRTU_AdapterPulledOut(t *testing.T) {
	b := newBench(t, false)
	b.unit(t, "am", 7, line(9600), 100)
	for range 3 {
		if _, err := b.master.Do(t.Context(), read(7, line(9600), 0, 1)); err != nil {
			t.Fatal(err)
		}
		if err := b.board.Set("rs485", fault.Unplug); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if _, err := b.master.Do(t.Context(), read(7, line(9600), 0, 1)); reason(err) != measure.BusDown {
				t.Fatalf("pulled out: %v", err)
			}
		}
		b.board.HealAll()
	}
	// Out and in again between two questions: nothing is lost.
	if _, err := b.master.Do(t.Context(), read(7, line(9600), 0, 1)); err != nil {
		t.Fatal(err)
	}
	if err := b.board.Set("rs485", fault.Unplug); err != nil {
		t.Fatal(err)
	}
	b.board.HealAll()
	if _, err := b.master.Do(t.Context(), read(7, line(9600), 0, 1)); err != nil {
		t.Error(err)
	}
}

func TestRTU_PowerIsLostWhenUnplugged(t *testing.T) {
	b := newBench(t, false)
	m := b.unit(t, "am", 7, line(9600), 100)
	for kind, want := range map[fault.Kind]int{fault.CRC: 0, fault.Unplug: 1} {
		if err := b.board.Set("am", kind); err != nil {
			t.Fatal(err)
		}
		q := read(7, line(9600), 0, 1)
		q.Timeout = 150 * time.Millisecond
		if _, err := b.master.Do(t.Context(), q); err == nil {
			t.Errorf("%s: no fault", kind)
		}
		b.board.HealAll()
		_, before := m.counts()
		_, err := b.master.Do(t.Context(), read(7, line(9600), 0, 1))
		if _, after := m.counts(); err != nil || after-before != want {
			t.Errorf("%s: %v, %d resets", kind, err, after-before)
		}
	}
}
