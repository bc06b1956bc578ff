package modem

import (
	"encoding/hex"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"pgregory.net/rapid"
)

// text reads an SMS-SUBMIT back, bit by bit, otherwise than it was written.
func text(t *testing.T, pdu string) string {
	t.Helper()
	raw, err := hex.DecodeString(pdu)
	if err != nil || raw[0] != 0 {
		t.Fatalf("%s: %v", pdu, err)
	}
	return textOf(raw[1:])
}

func textOf(b []byte) string {
	header := b[0]&hasHeader != 0
	b = b[4+(int(b[2])+1)/2:]
	coding, length, ud := b[1], int(b[3]), b[4:]
	skip := 0
	if header {
		skip = int(ud[0]) + 1
	}
	if coding == 8 {
		var u []uint16
		for i := skip; i < length; i += 2 {
			u = append(u, uint16(ud[i])<<8|uint16(ud[i+1]))
		}
		return string(utf16.Decode(u))
	}
	table := []rune(alphabet)
	var out strings.Builder
	escaped := false
	for i := (skip*8 + 6) / 7; i < length; i++ {
		code := 0
		for bit := range 7 {
			at := i*7 + bit
			code |= int(ud[at/8]>>(at%8)&1) << bit
		}
		switch {
		case escaped:
			for _, r := range "\f^{}\\[~]|€" {
				if c, ok := extension(r); ok && int(c) == code {
					out.WriteRune(r)
				}
			}
			escaped = false
		case code == escape:
			escaped = true
		default:
			out.WriteRune(table[code])
		}
	}
	return out.String()
}

// status is a status report as a modem writes it.
func status(reference byte, digits string, kind, st byte) string {
	b := append([]byte{0, 0x06, reference, byte(len(digits)), kind}, bcd(digits)...)
	b = append(b, 0x62, 0x11, 0x62, 0x30, 0x11, 0x50, 0x82, 0x62, 0x11, 0x62, 0x30, 0x11, 0x60, 0x82, st)
	return strings.ToUpper(hex.EncodeToString(b))
}

// The example that textbooks have: hellohello to 46708251358.
func TestPDU_GoldenValues(t *testing.T) {
	for _, tc := range []struct {
		to, text string
		valid    time.Duration
		want     string
	}{
		{"+46708251358", "hellohello", 4 * 24 * time.Hour, "31000B916407281553F80000AA0AE8329BFD4697D9EC37"},
		{"+84912345678", "ô", 24 * time.Hour, "31000B914819325476F80008A70200F4"},
		{"+842438251234", "@{", 5 * time.Minute, "31000C91484283522143" + "0000" + "00" + "03" + "800D0A"},
	} {
		got := pdus(tc.to, tc.text, tc.valid, 1)
		if len(got) != 1 || strings.ToUpper(hex.EncodeToString(got[0])) != tc.want {
			t.Errorf("%s: %X, want %s", tc.text, got, tc.want)
		}
	}
}

func TestPeriod_IsNeverShorterThanAsked(t *testing.T) {
	length := func(vp byte) time.Duration { // 3GPP 23.040 §9.2.3.12.1
		n := time.Duration(vp)
		switch {
		case vp <= 143:
			return (n + 1) * 5 * time.Minute
		case vp <= 167:
			return 12*time.Hour + (n-143)*30*time.Minute
		case vp <= 196:
			return (n - 166) * 24 * time.Hour
		}
		return (n - 192) * 7 * 24 * time.Hour
	}
	for _, d := range []time.Duration{-time.Hour, 0, 1, 5 * time.Minute, 5*time.Minute + 1, 2 * time.Hour, 12 * time.Hour, 12*time.Hour + 1, 24 * time.Hour, 24*time.Hour + 1, 30 * 24 * time.Hour, 30*24*time.Hour + 1, 400 * 24 * time.Hour} {
		if vp := period(d); length(vp) < d {
			t.Errorf("%v: %d is %v", d, vp, length(vp))
		} else if vp > 0 && d > 0 && length(vp-1) >= d {
			t.Errorf("%v: %d is %v, and %d would do", d, vp, length(vp), vp-1)
		}
	}
	if vp := period(1000 * 7 * 24 * time.Hour); vp != 255 {
		t.Error(vp)
	}
}

// Whatever is sent is read as it was, in messages of at most 140 bytes, until it is too long, and then ends in an ellipsis.
func TestPDU_ReadsAsItWasWritten(t *testing.T) {
	letters := []rune("aàZ @{}€\n[0ếƠđ😀…")
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringOfN(rapid.SampledFrom(letters[:rapid.IntRange(2, len(letters)).Draw(t, "alphabet")]), 0, 700, -1).Draw(t, "text")
		list := pdus("+84912345678", s, time.Hour, 7)
		var got strings.Builder
		for _, p := range list {
			got.WriteString(textOf(p))
			if n := len(p) - 14; n > 140 || p[13] > 160 {
				t.Fatalf("%d bytes, %d units", n, p[13])
			}
		}
		if cut, ok := strings.CutSuffix(strings.TrimSuffix(got.String(), "…"), "..."); got.String() != s && (len(list) != mostParts || !ok && !strings.HasSuffix(got.String(), "…") || !strings.HasPrefix(s, cut)) {
			t.Fatalf("%d parts: %q, want %q", len(list), got.String(), s)
		}
	})
}

func TestSeptets_WhatVietnameseLacks(t *testing.T) {
	for _, r := range "ăâđêôơưĂÂĐÊÔƠƯảãáạằắặậếệịỏọồốộớợủũụứựỳỷỹýỵ" {
		if _, ok := septets(string(r)); ok {
			t.Errorf("%c is said to be of GSM 7-bit", r)
		}
	}
	if got, ok := septets("Ao 1: oxy 2,1 mg/L. Bat quat! (03:11)"); !ok || len(got) != 37 {
		t.Error(len(got), ok)
	}
}

func TestParseReport_Rubbish(t *testing.T) {
	good := status(1, "84912345678", 0x91, 0)
	for i := range len(good) - 1 {
		if _, err := parseReport(good[:i]); err == nil {
			t.Errorf("%s is a report", good[:i])
		}
	}
	if _, err := parseReport(strings.Replace(good, "0006", "0001", 1)); err == nil {
		t.Error("another kind of message is a report")
	}
	for st, want := range map[byte][2]bool{0: {true, true}, 1: {false, false}, 0x20: {false, false}, 0x40: {true, false}, 0x6f: {true, false}, 0x80: {false, false}} {
		if final, delivered := (report{status: st}).outcome(); final != want[0] || delivered != want[1] {
			t.Errorf("%#x: %v %v", st, final, delivered)
		}
	}
}

func FuzzParseReport(f *testing.F) {
	f.Add(status(1, "84912345678", 0x91, 0))
	f.Add("07917238010010F506BC0B917238")
	f.Fuzz(func(t *testing.T, s string) {
		if r, err := parseReport(s); err == nil && !strings.HasPrefix(r.number, "+") {
			t.Errorf("%+v", r)
		}
	})
}

// FuzzLex: whatever a modem says, reading goes on: what is left is shorter, and in any cut the same is read.
func FuzzLex(f *testing.F) {
	f.Add([]byte("\r\n+CMGS: 7\r\n\r\nOK\r\n> "), 5)
	f.Add([]byte("AT+CMGF=0\r\r\n+CMS ERROR: 38\r\n+CDS: 26\r\n0006"), 9)
	f.Fuzz(func(t *testing.T, raw []byte, cut int) {
		read := func(chunks ...[]byte) (said []string) {
			var buf []byte
			for _, c := range chunks {
				buf = append(buf, c...)
				for {
					before := len(buf)
					line, rest, ok := lex(buf)
					buf = rest
					if !ok {
						break
					}
					if len(rest) >= before {
						t.Fatalf("%q stays %q", line, rest)
					}
					said = append(said, line)
					if _, err := final(line); err == nil {
						fields(line)
						unasked(line, "+CREG")
					}
				}
			}
			return said
		}
		if len(raw) > mostLine {
			read(raw)
			return
		}
		at := min(max(cut, 0), len(raw))
		one, two := read(raw), read(raw[:at], raw[at:])
		if strings.Join(one, "\n") != strings.Join(two, "\n") {
			t.Errorf("%q, in two %q", one, two)
		}
	})
}
