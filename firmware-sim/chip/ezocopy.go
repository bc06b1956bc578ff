package chip

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"time"
)

// ezoCopy is Export and Import of a calibration: strings of at most twelve characters that only the circuit understands.
type ezoCopy struct {
	out []string // still to be given
	in  string   // taken so far
}

// ezoString is the longest string of an export.
const ezoString = 12

func (x *ezoCopy) command(c ezoCommand, memory []*float64) (reply string, delay time.Duration, ok bool) {
	whole := len(memory) * 16
	switch {
	case c.is("EXPORT", "?"):
		return fmt.Sprintf("?EXPORT,%d,%d", (whole+ezoString-1)/ezoString, whole), ezoQuick, true
	case c.is("EXPORT"):
		if x.out == nil {
			x.out = exported(memory)
		}
		next := x.out[0]
		if x.out = x.out[1:]; len(x.out) == 0 {
			x.out = nil
		}
		return next, ezoQuick, true
	case c.name == "IMPORT" && len(c.args) == 1 && len(c.args[0]) <= ezoString:
		x.in += c.args[0]
		if len(x.in) < whole {
			return "", ezoQuick, true
		}
		text := x.in
		x.in = ""
		return "", ezoQuick, imported(text, memory)
	}
	return "", 0, false
}

// exported is the calibration in strings, and the word that ends them.
func exported(memory []*float64) (list []string) {
	var raw []byte
	for _, p := range memory {
		raw = binary.BigEndian.AppendUint64(raw, math.Float64bits(*p))
	}
	text := hex.EncodeToString(raw)
	for len(text) > 0 {
		n := min(ezoString, len(text))
		list, text = append(list, text[:n]), text[n:]
	}
	return append(list, "*DONE")
}

// imported takes a calibration back; one that no circuit has exported is refused and changes nothing.
func imported(text string, memory []*float64) bool {
	if len(text) != 16*len(memory) {
		return false
	}
	values := make([]float64, len(memory))
	for i := range values {
		bits, err := strconv.ParseUint(text[16*i:16*i+16], 16, 64)
		v := math.Float64frombits(bits)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return false
		}
		values[i] = v
	}
	for i, p := range memory {
		*p = values[i]
	}
	return true
}
