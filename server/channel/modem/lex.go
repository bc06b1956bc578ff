package modem

import (
	"bytes"
	"strconv"
	"strings"
)

// mostLine is how long a line of a modem may be: the longest, a report, has some 350 characters.
const mostLine = 2048

// lex takes the first whole thing a modem said from buf: a line, or the prompt for a message's text. rest is what follows it; ok is false while
// buf holds no whole one. A line without end is dropped.
func lex(buf []byte) (said string, rest []byte, ok bool) {
	buf = bytes.TrimLeft(buf, "\r\n \x00")
	end := bytes.IndexAny(buf, "\r\n")
	switch {
	case bytes.HasPrefix(buf, []byte(prompt)):
		return prompt, buf[1:], true
	case end < 0 && len(buf) > mostLine:
		return "", nil, false
	case end < 0:
		return "", buf, false
	}
	return strings.TrimSpace(strings.ToValidUTF8(string(buf[:end]), "?")), buf[end:], true
}

// prompt is what asks for the text of a message.
const prompt = ">"

// Unasked things that matter: a report's head line, whose PDU is the next.
const headReport = "+CDS:"

// unasked reports whether a line is none's answer: what modems say by themselves. asked is the name of the command under way: "+CREG" of
// AT+CREG?, whose answer looks like what is said unasked.
func unasked(line, asked string) bool {
	for _, p := range []string{
		"RING", "+CRING", "+CMTI:", "+CMT:", "+CDSI:", "+CBM:", "+CLIP:", "+CREG:", "+CGREG:", "+CEREG:", "+CUSD:", "+CIEV:", "^", "+PSUTTZ", "+CTZV:", "+CTZE:", "*PSUTTZ", "DST:",
		"Call Ready", "SMS Ready", "SMS DONE", "PB DONE", "NO CARRIER", "NORMAL POWER DOWN", "RDY", "+CFUN:", "+QIND:",
	} {
		if strings.HasPrefix(line, p) && (asked == "" || !strings.HasPrefix(p, asked)) {
			return true
		}
	}
	return false
}

// final reads the last line of an answer: OK, or an error.
func final(line string) (done bool, err error) {
	switch line {
	case "OK":
		return true, nil
	case "ERROR", "COMMAND NOT SUPPORT", "TOO MANY PARAMETERS":
		return true, &Error{Kind: "ERROR", Code: -1}
	}
	for _, kind := range []string{"+CMS ERROR", "+CME ERROR"} {
		if said, ok := strings.CutPrefix(line, kind+":"); ok {
			code, err := strconv.Atoi(strings.TrimSpace(said))
			if err != nil || code < 0 {
				code = -1
			}
			return true, &Error{Kind: kind, Code: code}
		}
	}
	return false, nil
}

// fields are the values of an answer's line after its name: +CREG: 0,1 → 0, 1.
func fields(line string) []string {
	_, values, ok := strings.Cut(line, ":")
	if !ok {
		return nil
	}
	out := strings.Split(values, ",")
	for i := range out {
		out[i] = strings.Trim(strings.TrimSpace(out[i]), `"`)
	}
	return out
}
