package farm

import (
	"fmt"
	"io"
	"strings"
)

// alphabet is Crockford's base32: no I, L, O, U.
const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// codeLen is the length of a place code: 8 characters (40 bits) and a check character.
const codeLen = 9

// NewCode draws a place code from a source of random bytes.
func NewCode(random io.Reader) (string, error) {
	var b [codeLen - 1]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", fmt.Errorf("farm: new code: %w", err)
	}
	for i := range b {
		b[i] = alphabet[b[i]&31]
	}
	return string(b[:]) + string(checkChar(string(b[:]))), nil
}

// ParseCode reads a place code as a person may have typed or heard it: small letters, spaces and hyphens are fine, O is
// read as 0, I and L as 1. It returns the canonical form, or an error that says what is wrong with it.
//
// The check character is Crockford's own idea with another sum: his is modulo 37 and can be one of * ~ $ = U, which
// neither a URL nor a telephone likes. Ours stays within the 32 symbols: the code is a polynomial over GF(32), zero at
// the primitive element 2 (x^5 + x^2 + 1), which finds every single wrong character and every swap of two.
func ParseCode(s string) (string, error) {
	code, err := typed(s, codeLen)
	if err != nil {
		return "", err
	}
	if len(code) != codeLen {
		return "", fmt.Errorf("farm: code %.40q: want 8 characters and a check character", s)
	}
	if err := checked(s, code); err != nil {
		return "", err
	}
	return code, nil
}

// ParseChecked reads what WithCheck made of a code of n characters, as a person may have typed or heard it, and returns the code alone.
func ParseChecked(s string, n int) (string, error) {
	code, err := typed(s, n+1)
	if err != nil {
		return "", err
	}
	if len(code) != n+1 {
		return "", fmt.Errorf("farm: code %.40q: want %d characters and a check character", s, n)
	}
	if err := checked(s, code); err != nil {
		return "", err
	}
	return code[:n], nil
}

// WithCheck appends the check character to a code of characters of Crockford's base32, at most 30 of them: more would not find every mistake.
func WithCheck(code string) string { return code + string(checkChar(code)) }

// typed brings what a person typed into canonical form; it stops after more than n characters.
func typed(s string, n int) (string, error) {
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
			return "", fmt.Errorf("farm: code %.40q: %q is not one of %s", s, string(r), alphabet)
		}
		b.WriteRune(r)
		if b.Len() > n {
			break
		}
	}
	return b.String(), nil
}

// checked compares the last character of a code with what the others call for.
func checked(s, code string) error {
	last := len(code) - 1
	if want := checkChar(code[:last]); code[last] != want {
		return fmt.Errorf("farm: code %.40q: the check character does not match: a character is wrong, or two are swapped (%s would end in %c)",
			s, code[:last], want)
	}
	return nil
}

// checkChar returns the character that makes code followed by it zero at 2.
func checkChar(code string) byte {
	sum := 0
	for i := range len(code) {
		sum = double(sum ^ strings.IndexByte(alphabet, code[i]))
	}
	return alphabet[sum]
}

// double multiplies by 2 in GF(32).
func double(a int) int {
	if a <<= 1; a > 31 {
		a ^= 0b100101
	}
	return a
}
