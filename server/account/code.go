package account

import (
	"errors"
	"strings"
)

// A card's code is 26 characters of Crockford's base32 (130 bits) and a check character, in groups of five; the last has two.
const (
	cardRandom = 26
	cardGroup  = 5
)

// ErrTyped says that a code was mistyped: the check character does not fit.
var ErrTyped = errors.New("account: not a code of ours: a character is wrong, missing, or two are swapped")

// newCardCode draws the code of a card.
func newCardCode() (string, error) {
	s, err := draw(cardRandom)
	return s + string(checkChar(s)), err
}

// ShowCode writes a card's code in groups, to be typed by hand.
func ShowCode(code string) string { return groups(code, cardGroup) }

// ParseCard reads a card's code as somebody typed it: spaces and hyphens are fine, small letters too, O is 0, I and L are 1. Its error is
// ErrTyped.
func ParseCard(s string) (string, error) {
	code, ok := typed(s, cardRandom+1)
	if !ok || code[cardRandom] != checkChar(code[:cardRandom]) {
		return "", ErrTyped
	}
	return code, nil
}

// typed brings what somebody typed into the alphabet; ok is false where it has not n characters of it.
func typed(s string, n int) (string, bool) {
	if len(s) > 4*n {
		return "", false
	}
	var b strings.Builder
	for _, r := range strings.ToUpper(s) {
		switch r {
		case ' ', '-':
			continue
		case 'O':
			r = '0'
		case 'I', 'L':
			r = '1'
		}
		if !strings.ContainsRune(alphabet, r) {
			return "", false
		}
		b.WriteRune(r)
	}
	return b.String(), b.Len() == n
}

// checkChar makes a code followed by it zero at 2, as a polynomial over GF(32): it finds every wrong character and every swap of two
// neighbours (a place's code has the same, server/farm).
func checkChar(code string) byte {
	sum := 0
	for i := range len(code) {
		if sum = (sum ^ strings.IndexByte(alphabet, code[i])) << 1; sum > 31 {
			sum ^= 0b100101
		}
	}
	return alphabet[sum]
}
