package modem

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
)

// First octets of an SMS-SUBMIT (3GPP 23.040 §9.2.3).
const (
	submit         = 0x01
	relativePeriod = 0x10 // TP-VP is one byte
	wantReport     = 0x20 // TP-SRR
	hasHeader      = 0x40 // TP-UDHI
	international  = 0x91 // type of number
)

// pdus are the SMS-SUBMITs of a text to a number (+…), without the centre's address. reference is that of the parts of one text.
func pdus(to, text string, valid time.Duration, reference byte) [][]byte {
	parts := split(text)
	out := make([][]byte, len(parts))
	for i, p := range parts {
		first, header := byte(submit|relativePeriod|wantReport), []byte(nil)
		if len(parts) > 1 {
			first |= hasHeader
			header = []byte{5, 0, 3, reference, byte(len(parts)), byte(i + 1)} // §9.2.3.24.1
		}
		digits := strings.TrimPrefix(to, "+")
		b := append([]byte{first, 0, byte(len(digits)), international}, bcd(digits)...)
		b = append(b, 0) // TP-PID
		b = append(b, p.coding(), period(valid))
		out[i] = append(b, p.userData(header)...)
	}
	return out
}

func (p part) coding() byte {
	if p.ucs2 {
		return 8
	}
	return 0
}

// userData is TP-UDL and TP-UD: the length counts septets, or bytes.
func (p part) userData(header []byte) []byte {
	if p.ucs2 {
		return append([]byte{byte(len(header) + len(p.data))}, append(header, p.data...)...)
	}
	fill := (7 - len(header)*8%7) % 7 // the text begins at a septet
	length := (len(header)*8 + fill) / 7
	packed := pack(p.data, fill)
	return append([]byte{byte(length + len(p.data))}, append(header, packed...)...)
}

// bcd are digits, two a byte, swapped, filled with f.
func bcd(digits string) []byte {
	if len(digits)%2 == 1 {
		digits += "f"
	}
	var out []byte
	for i := 0; i < len(digits); i += 2 {
		lo, hi := nibble(digits[i]), nibble(digits[i+1])
		out = append(out, hi<<4|lo)
	}
	return out
}

func nibble(c byte) byte {
	if c == 'f' {
		return 0xf
	}
	return c - '0'
}

// period is TP-VP (§9.2.3.12.1): for how long the centre tries, in steps that grow; at least as long as asked, so far as there is such a step.
func period(d time.Duration) byte {
	const day = 24 * time.Hour
	up := func(d, step time.Duration) int { return int((d + step - 1) / step) }
	switch {
	case d <= 12*time.Hour:
		return byte(max(up(d, 5*time.Minute)-1, 0))
	case d <= day:
		return byte(143 + up(d-12*time.Hour, 30*time.Minute))
	case d <= 30*day:
		return byte(166 + up(d, day))
	}
	return byte(min(192+up(d, 7*day), 255))
}

// report is an SMS-STATUS-REPORT.
type report struct {
	reference byte   // of the message it is about
	number    string // +…, as far as the network says it so
	status    byte   // TP-ST
}

var errReport = errors.New("modem: a status report that cannot be read")

// parseReport reads a status report (§9.2.2.3) as a modem writes it: hexadecimal, with the centre's address first.
func parseReport(line string) (report, error) {
	raw, err := hex.DecodeString(strings.TrimSpace(line))
	if err != nil {
		return report{}, fmt.Errorf("%w: %w", errReport, err)
	}
	if len(raw) == 0 || len(raw) < 1+int(raw[0])+3 {
		return report{}, fmt.Errorf("%w: too short", errReport)
	}
	raw = raw[1+int(raw[0]):]
	if raw[0]&3 != 2 {
		return report{}, fmt.Errorf("%w: message type %d", errReport, raw[0]&3)
	}
	digits := int(raw[2])
	size := (digits + 1) / 2
	if digits > 20 || len(raw) < 4+size+7+7+1 {
		return report{}, fmt.Errorf("%w: too short", errReport)
	}
	number, err := parseNumber(raw[3], raw[4:4+size], digits)
	if err != nil {
		return report{}, err
	}
	return report{reference: raw[1], number: number, status: raw[4+size+14]}, nil
}

// parseNumber reads digits, two a byte. One that a network writes as it is dialled at home is made international.
func parseNumber(kind byte, raw []byte, digits int) (string, error) {
	var b strings.Builder
	for i := range digits {
		n := raw[i/2] >> (4 * (i % 2)) & 0xf
		if n > 9 {
			return "", fmt.Errorf("%w: its number", errReport)
		}
		b.WriteByte('0' + n)
	}
	s := b.String()
	if kind&0x70 != 0x10 && strings.HasPrefix(s, "0") {
		s = "84" + s[1:]
	}
	return "+" + s, nil
}

// outcome is what a TP-ST says (§9.2.3.15): whether it is the last word, and whether the message arrived.
func (r report) outcome() (final, delivered bool) {
	switch {
	case r.status == 0:
		return true, true
	case r.status < 0x40, r.status >= 0x80: // handed on, nobody knows; the centre still tries; reserved
		return false, false
	}
	return true, false
}
