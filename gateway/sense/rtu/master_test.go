package rtu_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
	"aovuon/gateway/sense/rtu"
	"aovuon/gateway/sense/sensetest"
)

const ms = time.Millisecond

func line9600() rtu.Line { return rtu.Line{Baud: 9600, Parity: rtu.NoParity, StopBits: 1} }

// soil is the question and the answer makers print: 65.8 %, -10.1 °C, 1000 µS/cm.
const (
	soilAsk    = "01 03 00 00 00 03 05 CB"
	soilAnswer = "01 03 06 02 92 FF 9B 03 E8 D8 0F"
)

func soil() rtu.Request {
	return rtu.Request{Line: line9600(), Unit: 1, PDU: []byte{3, 0, 0, 0, 3}}
}

// rig is a master on a scripted line.
type rig struct {
	*rtu.PortMaster
	clock *sensetest.Clock
	port  *sensetest.Serial
}

func newRig(talks ...sensetest.Talk) rig {
	c := sensetest.NewClock(time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC))
	p := sensetest.NewSerial("/dev/ttyUSB0", c, talks...)
	return rig{rtu.New(p, c), c, p}
}

// took is how much time f took.
func (r rig) took(f func()) time.Duration {
	begin := r.clock.Now().Uptime
	f()
	return r.clock.Now().Uptime - begin
}

// hear is chunks of hexadecimal bytes 20 ms apart, as a USB adapter hands them over.
func hear(t testing.TB, chunks ...string) (list []sensetest.Chunk) {
	for _, c := range chunks {
		list = append(list, sensetest.Chunk{After: 20 * ms, Bytes: unhex(t, c)})
	}
	return list
}

// framed is a frame with its checksum.
func framed(t testing.TB, body string) string {
	t.Helper()
	b := unhex(t, body)
	return strings.ToUpper(string(appendHex(nil, rtu.Frame(b[0], b[1:]))))
}

func appendHex(to, p []byte) []byte {
	const digits = "0123456789abcdef"
	for _, b := range p {
		to = append(to, digits[b>>4], digits[b&15])
	}
	return to
}

// nobody is the question to nobody that shows an echo.
func nobody() []byte { return rtu.Frame(249, []byte{3, 0, 0, 0, 1}) }

func reasonOf(err error) measure.FaultReason {
	if f, ok := errors.AsType[*sense.Fault](err); ok {
		return f.Reason
	}
	return ""
}

func TestDo_Answers(t *testing.T) {
	for name, chunks := range map[string][]string{
		"at once":                   {soilAnswer},
		"in lots":                   {"01", "03 06 02", "92 FF 9B 03 E8", "D8 0F"},
		"with the own echo":         {soilAsk, soilAnswer},
		"echo and answer in a lot":  {soilAsk + soilAnswer},
		"echo in lots":              {"01 03 00", "00 00 03 05 CB 01", "03 06 02 92 FF 9B 03 E8 D8 0F"},
		"after a stray byte":        {"00", soilAnswer},
		"after bytes of its header": {"01 03", "01", soilAnswer},
		"after noise and echo":      {"FF 00" + soilAsk + "00" + soilAnswer},
		"with noise behind":         {soilAnswer + "00 00"},
		"after another's":           {framed(t, "02 03 06 00 01 00 02 00 03"), soilAnswer},
		"after a late one":          {framed(t, "01 03 02 00 01"), soilAnswer},
		"after a damaged one":       {"01 03 06 02 92 FF 9B 03 E8 D8 1F", soilAnswer},
	} {
		r := newRig(sensetest.Talk{Line: line9600(), Write: unhex(t, soilAsk), Hear: hear(t, chunks...)})
		pdu, err := r.Do(t.Context(), soil())
		if err != nil || !bytes.Equal(pdu, unhex(t, "03 06 02 92 FF 9B 03 E8")) {
			t.Errorf("%s: % X, %v", name, pdu, err)
		}
	}
}

func TestDo_EveryFunctionsAnswer(t *testing.T) {
	for name, tc := range map[string]struct {
		ask, answer string
		ok          bool
	}{
		"coils":                   {"01 00 00 00 0A", "01 02 FF 03", true},
		"coils, too few":          {"01 00 00 00 0A", "01 01 FF", false},
		"discrete inputs":         {"02 00 00 00 08", "02 01 FF", true},
		"input registers":         {"04 00 00 00 02", "04 04 00 01 00 02", true},
		"registers, none":         {"03 25 00 00 00", "03 00", true}, // Yosemitech's start of a measurement
		"one coil":                {"05 00 01 FF 00", "05 00 01 FF 00", true},
		"one register":            {"06 00 01 00 03", "06 00 01 00 03", true},
		"one register, another":   {"06 00 01 00 03", "06 00 01 00 04", false},
		"registers":               {"10 07 D0 00 01 02 00 02", "10 07 D0 00 01", true},
		"registers, others":       {"10 07 D0 00 01 02 00 02", "10 07 D1 00 01", false},
		"no registers":            {"10 1C 00 00 00 00", "10 1C 00 00 00", true},
		"mask":                    {"16 00 04 00 F2 00 25", "16 00 04 00 F2 00 25", true},
		"read and write":          {"17 00 03 00 01 00 0E 00 01 02 00 FF", "17 02 00 FE", true},
		"read and write, others":  {"17 00 03 00 01 00 0E 00 01 02 00 FF", "17 04 00 FE 00 FE", false},
		"status":                  {"07", "07 6D", true},
		"diagnostics":             {"08 00 00 A5 37", "08 00 00 A5 37", true},
		"server id":               {"11", "11 03 05 FF 01", true},
		"of its own, until quiet": {"41 01 02", "41 01 02 03 04 05 06", true},
	} {
		ask, answer := unhex(t, tc.ask), unhex(t, tc.answer)
		talk := sensetest.Talk{Write: rtu.Frame(9, ask), Hear: []sensetest.Chunk{{After: 20 * ms, Bytes: rtu.Frame(9, answer)}}}
		talks := []sensetest.Talk{talk}
		if bytes.Equal(ask, answer) || ask[0] == 6 {
			talks = []sensetest.Talk{{Write: nobody()}, talk} // is there an echo?
		}
		r := newRig(talks...)
		pdu, err := r.Do(t.Context(), rtu.Request{Line: line9600(), Unit: 9, PDU: ask})
		if tc.ok && (err != nil || !bytes.Equal(pdu, answer)) || !tc.ok && reasonOf(err) != measure.Garbled {
			t.Errorf("%s: % X, %v", name, pdu, err)
		}
	}
}

func TestDo_EveryFaultHasItsReason(t *testing.T) {
	for name, tc := range map[string]struct {
		chunks []string
		want   measure.FaultReason
		says   string
	}{
		"nothing":               {nil, measure.NoResponse, "unit 1 does not answer within 500ms at 9600 8N1"},
		"the echo alone":        {[]string{soilAsk}, measure.NoResponse, "does not answer"},
		"a flipped bit":         {[]string{"01 03 06 02 92 FF 9B 03 E8 D8 0E"}, measure.CRC, "checksum"},
		"a byte too few":        {[]string{"01 03 06 02 92 FF 9B 03 E8 D8"}, measure.CRC, "checksum"},
		"all zeros":             {[]string{strings.Repeat("00", 11)}, measure.CRC, "checksum"},
		"a stray byte":          {[]string{"FF"}, measure.Garbled, "FF is no answer"},
		"another unit":          {[]string{framed(t, "02 03 06 02 92 FF 9B 03 E8")}, measure.Garbled, "unit 2 answers"},
		"another function":      {[]string{framed(t, "01 04 06 02 92 FF 9B 03 E8")}, measure.Garbled, "another question"},
		"fewer registers":       {[]string{framed(t, "01 03 04 02 92 FF 9B")}, measure.Garbled, "another question"},
		"an exception":          {[]string{"01 83 02 C0 F1"}, measure.Refused, "exception 2: the probe has no such register"},
		"an unknown exception":  {[]string{framed(t, "01 83 0B")}, measure.Refused, "exception 11"},
		"exception of another":  {[]string{framed(t, "01 84 02")}, measure.Garbled, "another question"},
		"exception of a fourth": {[]string{framed(t, "04 83 02")}, measure.Garbled, "unit 4 answers"},
	} {
		r := newRig(sensetest.Talk{Write: unhex(t, soilAsk), Hear: hear(t, tc.chunks...)})
		var err error
		took := r.took(func() { _, err = r.Do(t.Context(), soil()) })
		if reasonOf(err) != tc.want || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: %v; want %s, saying %q", name, err, tc.want, tc.says)
		}
		// The timeout, the question's own time on the line, the silence before it.
		if limit := 500*ms + line9600().Time(8) + rtu.Silence(line9600()); took > limit {
			t.Errorf("%s: took %v; want at most %v", name, took, limit)
		}
	}
	if e := rtu.Exception(0); !errors.As(errorOf(t, "01 83 06"), &e) || e != rtu.DeviceBusy {
		t.Errorf("no exception in the error: %v", e)
	}
}

func errorOf(t *testing.T, answer string) error {
	t.Helper()
	r := newRig(sensetest.Talk{Write: unhex(t, soilAsk), Hear: hear(t, framed(t, answer))})
	_, err := r.Do(t.Context(), soil())
	return err
}

func TestDo_DamagedAnswerEndsTheWaitEarly(t *testing.T) {
	r := newRig(sensetest.Talk{Write: unhex(t, soilAsk), Hear: hear(t, "01 03 06 02 92 FF 9B 03 E8 D8 0E")})
	if took := r.took(func() { _, _ = r.Do(t.Context(), soil()) }); took > 100*ms { //nolint:errcheck // the table above has it
		t.Errorf("waited %v", took)
	}
}

// The late answer of a unit is thrown away before the next question, and passed over when it comes after it.
func TestDo_LateAnswerIsNobodyElses(t *testing.T) {
	late := framed(t, "01 03 06 00 01 00 01 00 01")
	ask2, answer2 := framed(t, "02 03 00 00 00 03"), framed(t, "02 03 06 00 02 00 02 00 02")
	for name, at := range map[string]time.Duration{"before the next question": 505 * ms, "after it": 530 * ms, "with the answer": 540 * ms} {
		r := newRig(
			sensetest.Talk{Write: unhex(t, soilAsk), Hear: []sensetest.Chunk{{After: at, Bytes: unhex(t, late)}}},
			sensetest.Talk{Write: unhex(t, ask2), Hear: []sensetest.Chunk{{After: 40 * ms, Bytes: unhex(t, answer2)}}},
		)
		if _, err := r.Do(t.Context(), rtu.Request{Line: line9600(), Unit: 1, PDU: []byte{3, 0, 0, 0, 3}, Timeout: 490 * ms}); reasonOf(err) != measure.NoResponse {
			t.Errorf("%s: %v", name, err)
		}
		pdu, err := r.Do(t.Context(), rtu.Request{Line: line9600(), Unit: 2, PDU: []byte{3, 0, 0, 0, 3}})
		if err != nil || pdu[3] != 2 {
			t.Errorf("%s: % X, %v", name, pdu, err)
		}
	}
}

// A unit that let a question pass is given its time once more before it is asked again: its late answer would pass for
// the next one's.
func TestDo_LateAnswerOfAUnitIsNotItsNext(t *testing.T) {
	ask := unhex(t, soilAsk)
	r := newRig(
		sensetest.Talk{Write: ask, Hear: []sensetest.Chunk{{After: 800 * ms, Bytes: unhex(t, framed(t, "01 03 06 00 01 00 01 00 01"))}}},
		sensetest.Talk{Write: ask, Hear: hear(t, soilAnswer)},
	)
	if _, err := r.Do(t.Context(), soil()); reasonOf(err) != measure.NoResponse {
		t.Error(err)
	}
	if pdu, err := r.Do(t.Context(), soil()); err != nil || pdu[3] != 0x92 {
		t.Errorf("% X, %v", pdu, err)
	}
}

func TestDo_LineIsSetAsEachProbeWants(t *testing.T) {
	even := rtu.Line{Baud: 4800, Parity: rtu.EvenParity, StopBits: 1}
	r := newRig(
		sensetest.Talk{Line: line9600(), Write: unhex(t, soilAsk), Hear: hear(t, soilAnswer)},
		sensetest.Talk{Line: even, Write: unhex(t, soilAsk), Hear: hear(t, soilAnswer)},
	)
	for _, l := range []rtu.Line{line9600(), even} {
		q := soil()
		q.Line = l
		if _, err := r.Do(t.Context(), q); err != nil {
			t.Errorf("%s: %v", l, err)
		}
	}
	// 11 bits a character at 4800: 8.0 ms; 10 bits at 9600: 3.6 ms; never less than 1.75 ms.
	for l, want := range map[rtu.Line]time.Duration{
		even: 8020 * time.Microsecond, line9600(): 3645 * time.Microsecond,
		{Baud: 115200, Parity: rtu.NoParity, StopBits: 1}: 1750 * time.Microsecond,
	} {
		if got := rtu.Silence(l); got < want || got > want+10*time.Microsecond {
			t.Errorf("%s: %v of silence, want %v", l, got, want)
		}
	}
}

func TestDo_BroadcastHasNoAnswer(t *testing.T) {
	r := newRig(sensetest.Talk{Write: rtu.Frame(0, []byte{6, 0, 1, 0, 2})})
	pdu, err := r.Do(t.Context(), rtu.Request{Line: line9600(), Unit: rtu.Broadcast, PDU: []byte{6, 0, 1, 0, 2}})
	if pdu != nil || err != nil || r.port.Left() != 0 {
		t.Errorf("% X, %v", pdu, err)
	}
}

// The answer to a setting is the setting: whether the adapter echoes is found out before it counts as one.
func TestDo_EchoOfASettingIsNoAnswer(t *testing.T) {
	set := rtu.Frame(5, []byte{6, 0, 1, 0, 2})
	once := []sensetest.Chunk{{After: 20 * ms, Bytes: set}}
	twice := append(once, sensetest.Chunk{After: 20 * ms, Bytes: set})
	probe := nobody()
	for name, tc := range map[string]struct {
		talks []sensetest.Talk
		want  measure.FaultReason
	}{
		"echo, dead":      {[]sensetest.Talk{{Write: probe, Hear: []sensetest.Chunk{{After: 5 * ms, Bytes: probe}}}, {Write: set, Hear: once}}, measure.NoResponse},
		"echo, answer":    {[]sensetest.Talk{{Write: probe, Hear: []sensetest.Chunk{{After: 5 * ms, Bytes: probe}}}, {Write: set, Hear: twice}}, ""},
		"no echo, answer": {[]sensetest.Talk{{Write: probe}, {Write: set, Hear: once}}, ""},
		"no echo, dead":   {[]sensetest.Talk{{Write: probe}, {Write: set}}, measure.NoResponse},
	} {
		r := newRig(tc.talks...)
		pdu, err := r.Do(t.Context(), rtu.Request{Line: line9600(), Unit: 5, PDU: []byte{6, 0, 1, 0, 2}})
		if reasonOf(err) != tc.want || tc.want == "" && (err != nil || len(pdu) != 5) {
			t.Errorf("%s: % X, %v", name, pdu, err)
		}
	}
	// What an earlier answer showed needs no finding out.
	r := newRig(
		sensetest.Talk{Write: unhex(t, soilAsk), Hear: hear(t, soilAsk, soilAnswer)},
		sensetest.Talk{Write: set, Hear: once},
	)
	if _, err := r.Do(t.Context(), soil()); err != nil {
		t.Fatal(err)
	}
	if pdu, err := r.Do(t.Context(), rtu.Request{Line: line9600(), Unit: 5, PDU: []byte{6, 0, 1, 0, 2}}); reasonOf(err) != measure.NoResponse {
		t.Errorf("% X, %v", pdu, err)
	}
}

func TestDo_BabblingLineEnds(t *testing.T) {
	babble := make([]sensetest.Chunk, 5000)
	for i := range babble {
		babble[i] = sensetest.Chunk{After: ms, Bytes: []byte{0x55}}
	}
	r := newRig(sensetest.Talk{Hear: babble}) // already when it is asked
	var err error
	if took := r.took(func() { _, err = r.Do(t.Context(), soil()) }); reasonOf(err) != measure.Garbled || took > 2*time.Second {
		t.Errorf("%v after %v", err, took)
	}
	r = newRig(sensetest.Talk{Write: unhex(t, soilAsk), Hear: babble}) // in place of an answer
	if took := r.took(func() { _, err = r.Do(t.Context(), soil()) }); reasonOf(err) != measure.Garbled || took > 2*time.Second {
		t.Errorf("%v after %v", err, took)
	}
}

func TestDo_BrokenPortIsBusDown(t *testing.T) {
	r := newRig(sensetest.Talk{Write: unhex(t, soilAsk), Err: io.ErrClosedPipe})
	if _, err := r.Do(t.Context(), soil()); reasonOf(err) != measure.BusDown || !errors.Is(err, io.ErrClosedPipe) {
		t.Error(err)
	}
}

func TestDo_RefusesWhatIsNoQuestion(t *testing.T) {
	for name, change := range map[string]func(*rtu.Request){
		"unit 248":         func(q *rtu.Request) { q.Unit = 248 },
		"no PDU":           func(q *rtu.Request) { q.PDU = nil },
		"too long":         func(q *rtu.Request) { q.PDU = make([]byte, 254) },
		"function 0":       func(q *rtu.Request) { q.PDU = []byte{0} },
		"function 131":     func(q *rtu.Request) { q.PDU = []byte{131} },
		"no speed":         func(q *rtu.Request) { q.Line.Baud = 0 },
		"mark parity":      func(q *rtu.Request) { q.Line.Parity = "mark" },
		"three stop bits":  func(q *rtu.Request) { q.Line.StopBits = 3 },
		"negative timeout": func(q *rtu.Request) { q.Timeout = -1 },
	} {
		q := soil()
		change(&q)
		if _, err := newRig().Do(t.Context(), q); err == nil || reasonOf(err) != "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDo_EndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := newRig().Do(ctx, soil()); !errors.Is(err, context.Canceled) || reasonOf(err) != "" {
		t.Error(err)
	}
}

// Questions of several goroutines never overlap: the script would notice.
func TestDo_IsSafeForConcurrentUse(t *testing.T) {
	var talks []sensetest.Talk
	for range 20 {
		talks = append(talks, sensetest.Talk{Write: unhex(t, soilAsk), Hear: hear(t, soilAnswer[:11], soilAnswer[12:])})
	}
	r := newRig(talks...)
	other := rtu.New(r.port, r.clock) // a second master of one port takes turns, too
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			m := r.PortMaster
			if i%2 == 1 {
				m = other
			}
			if _, err := m.Do(t.Context(), soil()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func FuzzDo(f *testing.F) {
	f.Add(unhex(f, soilAnswer), byte(3))
	f.Add(unhex(f, soilAsk+soilAnswer), byte(3))
	f.Add(unhex(f, "01 83 02 C0 F1"), byte(3))
	f.Add(unhex(f, "00 FF"+soilAnswer+"00"), byte(16))
	f.Add(bytes.Repeat([]byte{1, 3}, 600), byte(1))
	f.Fuzz(func(t *testing.T, heard []byte, function byte) {
		pdu := []byte{function, 0, 0, 0, 3}
		talks := []sensetest.Talk{{Write: rtu.Frame(1, pdu), Hear: []sensetest.Chunk{{After: 20 * ms, Bytes: heard}}}}
		if slices.Contains([]byte{5, 6, 8, 22}, function) {
			talks = append([]sensetest.Talk{{Write: nobody()}}, talks...) // is there an echo?
		}
		r := newRig(talks...)
		q := rtu.Request{Line: line9600(), Unit: 1, PDU: pdu}
		answer, err := r.Do(t.Context(), q)
		switch {
		case err == nil && (len(answer) == 0 || answer[0] != function):
			t.Errorf("% X answers % X", answer, pdu)
		case err == nil && !bytes.Contains(heard, rtu.Frame(1, answer)):
			t.Errorf("% X was never heard in % X", answer, heard)
		case err != nil && answer != nil:
			t.Errorf("% X and %v", answer, err)
		}
		if f, ok := errors.AsType[*sense.Fault](err); ok && !f.Reason.Valid() {
			t.Error(err)
		}
	})
}
