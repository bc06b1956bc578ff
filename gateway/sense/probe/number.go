package probe

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strings"
)

// Hex is bytes written as people write frames: "01 03 00 00 00 03".
type Hex string

// Bytes returns the bytes.
func (h Hex) Bytes() ([]byte, error) {
	b, err := hex.DecodeString(strings.Join(strings.Fields(string(h)), ""))
	if err != nil {
		return nil, fmt.Errorf("%q is no row of bytes", string(h))
	}
	return b, nil
}

// bytes is for templates that were checked.
func (h Hex) bytes() []byte {
	b, err := h.Bytes()
	if err != nil {
		return nil
	}
	return b
}

// HexOf writes bytes the way templates do.
func HexOf(b []byte) Hex { return Hex(fmt.Sprintf("% X", b)) }

// Number is how a number stands in registers. The letters name its bytes, a the highest, in the order they are on the wire.
type Number string

// Numbers lists the types.
func Numbers() []Number {
	list := []Number{"s16", "u16"}
	for _, base := range []string{"s32", "u32", "f32"} {
		for _, order := range []string{"abcd", "cdab", "badc", "dcba"} {
			list = append(list, Number(base+"-"+order))
		}
	}
	return list
}

// Registers is how many registers the number takes; 0 for a type that is none.
func (n Number) Registers() int {
	for _, known := range Numbers() {
		if n == known {
			if strings.Contains(string(n), "16") {
				return 1
			}
			return 2
		}
	}
	return 0
}

func (n Number) isFloat() bool { return strings.HasPrefix(string(n), "f") }

// arrange brings the four bytes of n between their order on the wire and big-endian. It is its own inverse.
func (n Number) arrange(b [4]byte) [4]byte {
	switch {
	case strings.HasSuffix(string(n), "-cdab"):
		return [4]byte{b[2], b[3], b[0], b[1]}
	case strings.HasSuffix(string(n), "-badc"):
		return [4]byte{b[1], b[0], b[3], b[2]}
	case strings.HasSuffix(string(n), "-dcba"):
		return [4]byte{b[3], b[2], b[1], b[0]}
	}
	return b
}

// decode reads the number at the beginning of p. The whole number it is, which absent values are named by, is 0 for a float.
func (n Number) decode(p []byte) (value float64, whole int64) {
	if n.Registers() == 1 {
		w := binary.BigEndian.Uint16(p)
		whole = int64(w)
		if n == "s16" {
			whole = int64(int16(w))
		}
		return float64(whole), whole
	}
	b := n.arrange([4]byte(p[:4]))
	w := binary.BigEndian.Uint32(b[:])
	if n.isFloat() {
		return float64(math.Float32frombits(w)), 0
	}
	whole = int64(w)
	if n[0] == 's' {
		whole = int64(int32(w))
	}
	return float64(whole), whole
}

// errFit says that a value cannot be written in the registers it has.
var errFit = errors.New("does not fit its registers")

// encode writes value at the beginning of p, whole numbers rounded.
func (n Number) encode(p []byte, value float64) error {
	if n.isFloat() {
		b := [4]byte{}
		binary.BigEndian.PutUint32(b[:], math.Float32bits(float32(value)))
		b = n.arrange(b)
		copy(p, b[:])
		return nil
	}
	lo, hi := 0.0, float64(math.MaxUint16)
	switch n[:3] {
	case "s16":
		lo, hi = math.MinInt16, math.MaxInt16
	case "u32":
		hi = math.MaxUint32
	case "s32":
		lo, hi = math.MinInt32, math.MaxInt32
	}
	rounded := math.Round(value)
	if !(rounded >= lo && rounded <= hi) {
		return fmt.Errorf("%g as %s %w", value, n, errFit)
	}
	if n.Registers() == 1 {
		binary.BigEndian.PutUint16(p, uint16(int64(rounded)))
		return nil
	}
	b := [4]byte{}
	binary.BigEndian.PutUint32(b[:], uint32(int64(rounded)))
	b = n.arrange(b)
	copy(p, b[:])
	return nil
}
