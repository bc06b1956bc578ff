package ezo

import (
	"bytes"
	"errors"
	"strconv"
	"strings"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
)

// ReplyLength is the number of bytes read as one answer: the longest answer of the commands in use and its zero.
const ReplyLength = 32

// The status bytes of an answer.
const (
	codeSuccess = 1
	codeSyntax  = 2
	codeBusy    = 254
	codeNoData  = 255
)

var (
	errSyntax = errors.New("syntax error")
	errBusy   = errors.New("still processing")
)

// ParseReply takes the text out of an answer. Its error is a *sense.Fault.
func ParseReply(b [ReplyLength]byte) (string, error) {
	switch {
	case b == [ReplyLength]byte{}:
		return "", sense.Faultf(measure.Shorted, "ezo: all zeros: the data wire touches ground")
	case bytes.Count(b[:], []byte{0xFF}) == len(b):
		return "", sense.Faultf(measure.NoResponse, "ezo: all ones: nobody drives the data wire")
	}
	switch b[0] {
	case codeSuccess:
	case codeSyntax:
		return "", sense.Faultf(measure.Refused, "ezo: the circuit does not know the command: %w", errSyntax)
	case codeBusy:
		return "", sense.Faultf(measure.NotReady, "ezo: %w", errBusy)
	case codeNoData:
		return "", sense.Faultf(measure.Refused, "ezo: no data to send: the circuit lost the command, check its supply")
	default:
		return "", sense.Faultf(measure.Garbled, "ezo: status %d is unknown: % x", b[0], b[:])
	}
	text := b[1:]
	for i := range text {
		text[i] &= 0x7F
	}
	text, _, ends := bytes.Cut(text, []byte{0})
	if !ends {
		return "", sense.Faultf(measure.Garbled, "ezo: %q does not end", text)
	}
	return string(text), nil
}

// ParseReading takes the value out of the answer to R or RT: the first of the numbers between commas. A circuit with
// several outputs gives several, and all must be numbers: "0.00,0( &" is a damaged answer, not a zero. Its error is a
// *sense.Fault.
func ParseReading(answer string) (float64, error) {
	var first float64
	for i, field := range strings.Split(answer, ",") {
		v, ok := number(field)
		if !ok {
			return 0, sense.Faultf(measure.Garbled, "ezo: %q is no reading", answer)
		}
		if i == 0 {
			first = v
		}
	}
	return first, nil
}

// number reads digits with at most one point and a minus in front: what a circuit writes, and not all that Go would read.
func number(s string) (float64, bool) {
	digits := strings.TrimPrefix(s, "-")
	whole, fraction, point := strings.Cut(digits, ".")
	if whole == "" || (point && fraction == "") || len(digits) > 12 {
		return 0, false
	}
	for _, c := range whole + fraction {
		if c < '0' || c > '9' {
			return 0, false
		}
	}
	v, err := strconv.ParseFloat(s, 64)
	return v, err == nil
}

// ParseCalibration takes the number of calibration points out of the answer to Cal,?, such as "?Cal,2" ("?CAL,2" of some
// firmware). Its error is a *sense.Fault.
func ParseCalibration(answer string) (points int, err error) {
	const head = "?cal,"
	if len(answer) != len(head)+1 || !strings.EqualFold(answer[:len(head)], head) {
		return 0, sense.Faultf(measure.Garbled, "ezo: %q is no answer to Cal,?", answer)
	}
	c := answer[len(head)]
	if c < '0' || c > '3' {
		return 0, sense.Faultf(measure.Garbled, "ezo: %q is no answer to Cal,?", answer)
	}
	return int(c - '0'), nil
}
