package ezo

import (
	"bytes"
	"errors"
	"slices"
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

// ParseReading takes the value out of the answer to R or RT: the first of the numbers between commas. All must be numbers:
// "0.00,0( &" is a damaged answer, not a zero. There must be as many as outputs are on; 0 means that is not known. Its
// error is a *sense.Fault.
func ParseReading(answer string, outputs int) (float64, error) {
	values := strings.Split(answer, ",")
	if outputs != 0 && len(values) != outputs {
		return 0, sense.Faultf(measure.Garbled, "ezo: %q is no reading of %d outputs", answer, outputs)
	}
	var first float64
	for i, field := range values {
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

// fields takes the answer to a question apart: what follows "?NAME,". Some firmware writes "?,NAME,", and any of it in
// capitals or not.
func fields(answer, name string) ([]string, bool) {
	rest, ok := strings.CutPrefix(answer, "?")
	if !ok {
		return nil, false
	}
	parts := strings.Split(strings.TrimPrefix(rest, ","), ",")
	if !strings.EqualFold(parts[0], name) {
		return nil, false
	}
	return parts[1:], true
}

// ParseCalibration takes the number of calibration points out of the answer to Cal,?, such as "?Cal,2" ("?CAL,2" of some
// firmware). Its error is a *sense.Fault.
func ParseCalibration(answer string) (points int, err error) {
	f, ok := fields(answer, "Cal")
	if !ok || len(f) != 1 || len(f[0]) != 1 || f[0] < "0" || f[0] > "3" {
		return 0, sense.Faultf(measure.Garbled, "ezo: %q is no answer to Cal,?", answer)
	}
	return int(f[0][0] - '0'), nil
}

// ParseOutputs takes the outputs that are on out of the answer to O,?, such as "?O,EC,TDS" or "?,O,%,mg"; possible are those
// of the board. Its error is a *sense.Fault.
func ParseOutputs(answer string, possible []string) (on []string, err error) {
	f, ok := fields(answer, "O")
	if !ok {
		return nil, sense.Faultf(measure.Garbled, "ezo: %q is no answer to O,?", answer)
	}
	for _, name := range f {
		i := slices.IndexFunc(possible, func(p string) bool { return strings.EqualFold(p, name) })
		if name == "" && len(f) == 1 {
			continue // nothing is on
		}
		if i < 0 || slices.Contains(on, possible[i]) {
			return nil, sense.Faultf(measure.Garbled, "ezo: %q is no answer to O,?", answer)
		}
		on = append(on, possible[i])
	}
	return on, nil
}

// ParseSalinity takes the salinity in ‰ out of the answer to S,? of an oxygen circuit: "?S,1.50,ppt". One that was told a
// conductivity instead answers "?S,50000,uS"; that is no salinity, and -1 is returned. Its error is a *sense.Fault.
func ParseSalinity(answer string) (float64, error) {
	f, ok := fields(answer, "S")
	if ok && len(f) == 2 {
		if v, isNumber := number(f[0]); isNumber {
			if !strings.EqualFold(f[1], "ppt") {
				v = -1
			}
			return v, nil
		}
	}
	return 0, sense.Faultf(measure.Garbled, "ezo: %q is no answer to S,?", answer)
}

// ParsePressure takes the pressure in kPa out of the answer to P,?: "?,P,101.3". Its error is a *sense.Fault.
func ParsePressure(answer string) (float64, error) {
	f, ok := fields(answer, "P")
	if ok && len(f) == 1 {
		if v, isNumber := number(f[0]); isNumber {
			return v, nil
		}
	}
	return 0, sense.Faultf(measure.Garbled, "ezo: %q is no answer to P,?", answer)
}

// ParseSlope reads the answer to Slope,?: "?Slope,99.7,100.3,-0.89", or without the offset. Its error is a *sense.Fault.
func ParseSlope(answer string) (Slope, error) {
	f, ok := fields(answer, "Slope")
	values := make([]float64, len(f))
	for i := range f {
		var isNumber bool
		values[i], isNumber = number(f[i])
		ok = ok && isNumber
	}
	switch {
	case ok && len(f) == 2:
		return Slope{Acid: values[0], Base: values[1]}, nil
	case ok && len(f) == 3:
		return Slope{Acid: values[0], Base: values[1], Offset: values[2], OffsetKnown: true}, nil
	}
	return Slope{}, sense.Faultf(measure.Garbled, "ezo: %q is no answer to Slope,?", answer)
}
