package modem

import (
	"slices"
	"strings"
	"unicode/utf16"
)

// alphabet is the GSM 7-bit default alphabet (3GPP 23.038 §6.2.1), by code; extension what follows an escape (§6.2.1.1).
const (
	alphabet = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	escape   = 0x1b
)

func extension(r rune) (byte, bool) {
	code, ok := map[rune]byte{'\f': 0x0a, '^': 0x14, '{': 0x28, '}': 0x29, '\\': 0x2f, '[': 0x3c, '~': 0x3d, ']': 0x3e, '|': 0x40, '€': 0x65}[r]
	return code, ok
}

// septets are the codes of a text, each character's own; false: it has characters that GSM 7-bit has not.
func septets(s string) ([][]byte, bool) {
	table := []rune(alphabet)
	var out [][]byte
	for _, r := range s {
		if i := slices.Index(table, r); i >= 0 && i != escape {
			out = append(out, []byte{byte(i)})
		} else if code, ok := extension(r); ok {
			out = append(out, []byte{escape, code})
		} else {
			return nil, false
		}
	}
	return out, true
}

// units are the UTF-16 codes of a text, big-endian, each character's own.
func units(s string) [][]byte {
	var out [][]byte
	for _, r := range s {
		var c []byte
		for _, u := range utf16.Encode([]rune{r}) {
			c = append(c, byte(u>>8), byte(u))
		}
		out = append(out, c)
	}
	return out
}

// pack puts 7-bit codes into bytes after fill bits (3GPP 23.038 §6.1.2.1.1).
func pack(codes []byte, fill int) []byte {
	out := make([]byte, (len(codes)*7+fill+7)/8)
	for i, c := range codes {
		bit := i*7 + fill
		out[bit/8] |= c << (bit % 8)
		if bit%8 > 1 {
			out[bit/8+1] |= c >> (8 - bit%8)
		}
	}
	return out
}

// Sizes of one message, and of one part of several (3GPP 23.040 §9.2.3.24.1): septets, bytes.
const (
	one7, part7   = 160, 153
	one16, part16 = 140, 134
	// mostParts bounds what one alarm costs.
	mostParts = 4
)

// part is the user data of one short message.
type part struct {
	ucs2 bool
	data []byte // codes: septets one a byte, or UTF-16
}

// split encodes a text into as few messages as it takes, GSM 7-bit where that can say it. What is longer than mostParts ends in an ellipsis.
func split(text string) []part {
	text = strings.ToValidUTF8(text, "?")
	chars, ok := septets(text)
	one, each, dots := one7, part7, [][]byte{{'.'}, {'.'}, {'.'}}
	if !ok {
		chars, one, each, dots = units(text), one16, part16, [][]byte{{0x20, 0x26}}
	}
	parts := fill(chars, one)
	if len(parts) > 1 {
		parts = fill(chars, each)
	}
	if len(parts) > mostParts {
		for chars = chars[:min(len(chars), mostParts*each)]; len(parts) > mostParts; chars = chars[:len(chars)-1] {
			parts = fill(slices.Concat(chars, dots), each)
		}
	}
	out := make([]part, len(parts))
	for i, p := range parts {
		out[i] = part{!ok, p}
	}
	return out
}

// fill puts characters into parts of a size; none is torn in two. There is at least one part.
func fill(chars [][]byte, size int) [][]byte {
	parts := [][]byte{nil}
	for _, c := range chars {
		if len(parts[len(parts)-1])+len(c) > size {
			parts = append(parts, nil)
		}
		last := &parts[len(parts)-1]
		*last = append(*last, c...)
	}
	return parts
}
