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

func (r *registers) Reset() { r.resets++ }

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

func (r *registers) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.asked
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
	adapter, err := b.board.Add("rs485", chip.AdapterFaults()...)
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
	return rtu.Request{Line: l, Unit: address, PDU: binary.BigEndian.AppendUint16(pdu, n), Timeout: 400 * time.Millisecond}
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
			pdu, err := b.master.Do(t.Context(), read(7, line(9600), 0, 1))
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
			pdu, err = b.master.Do(t.Context(), read(7, line(9600), 1, 1))
			for kind == fault.Late && reason(err) == measure.NoResponse { // until it has said what it owes, it hears nothing
				pdu, err = b.master.Do(t.Context(), read(7, line(9600), 1, 1))
			}
			if err != nil || words(t, pdu)[0] != 101 {
				t.Errorf("healed: % X, %v", pdu, err)
			}
		})
	}
}
