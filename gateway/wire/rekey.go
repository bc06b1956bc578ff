package wire

import (
	"bytes"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

// Rekey asks to put a new key in the place of the one that signs now.
type Rekey struct {
	Old  string // verifier key in force
	Card Card   // with the new key and a new password
	CSR  []byte // as in Enrol
	Note []byte // signed by the old and the new key: that one follows the other. It is public
}

// SealRekey returns the bytes to send.
func SealRekey(old, fresh note.Signer, oldVKey string, card Card, csr []byte) ([]byte, error) {
	private := b64(card.SecretSHA[:]) + "\n" + dash(card.Mosquitto) + "\n" + b64(csr) + "\n"
	text := rekeyText(card.Gateway, oldVKey, card.VKey, HashOf([]byte(private)))
	signed, err := note.Sign(&note.Note{Text: text}, old, fresh)
	if err != nil {
		return nil, fmt.Errorf("wire: rekey: %w", err)
	}
	return append([]byte(private), signed...), nil
}

func rekeyText(gateway, old, fresh string, private Hash) string {
	return strings.Join([]string{rekeyMagic, gateway, old, fresh, private.String(), ""}, "\n")
}

// OpenRekey reads a request and checks both signatures. Whether Old is the key in force only the register knows. Its errors wrap
// ErrMalformed or ErrSignature.
func OpenRekey(raw []byte) (Rekey, error) {
	if len(raw) > MaxEnrol {
		return Rekey{}, fmt.Errorf("wire: rekey: %w", ErrTooLarge)
	}
	lines := strings.SplitN(string(raw), "\n", 4)
	if len(lines) != 4 {
		return Rekey{}, fmt.Errorf("wire: rekey: %w: want three lines and a note", ErrMalformed)
	}
	gateway, old, fresh, hash, err := OpenRekeyNote([]byte(lines[3]))
	if err != nil {
		return Rekey{}, err
	}
	private := raw[:len(raw)-len(lines[3])]
	if HashOf(private) != hash {
		return Rekey{}, fmt.Errorf("wire: rekey: %w: the note is of another request", ErrSignature)
	}
	r := Rekey{Old: old, Note: []byte(lines[3])}
	if r.Card, err = cardOfLines([]string{gateway, fresh, lines[0], lines[1]}); err != nil {
		return Rekey{}, fmt.Errorf("wire: rekey: %w: %w", ErrMalformed, err)
	}
	r.CSR, err = unb64(lines[2])
	return r, err
}

// OpenRekeyNote checks the public half of a rekey request: which key of a gateway follows which, signed by both.
func OpenRekeyNote(raw []byte) (gateway, old, fresh string, private Hash, err error) {
	text, _, ok := bytes.Cut(raw, []byte(blankLine))
	lines := strings.Split(string(text), "\n")
	if !ok || len(raw) > MaxEnrol || len(lines) != 5 || lines[0] != rekeyMagic {
		return "", "", "", private, fmt.Errorf("wire: rekey: %w: want five lines, the first %q", ErrMalformed, rekeyMagic)
	}
	gateway, old, fresh = lines[1], lines[2], lines[3]
	v1, err1 := note.NewVerifier(old)
	v2, err2 := note.NewVerifier(fresh)
	if err1 != nil || err2 != nil || v1.Name() != gateway || v2.Name() != gateway || old == fresh || !ValidGatewayID(gateway) {
		return "", "", "", private, fmt.Errorf("wire: rekey: %w: want two keys of one gateway", ErrMalformed)
	}
	n, err := note.Open(raw, note.VerifierList(v1, v2))
	if err != nil || len(n.Sigs) != 2 || len(n.UnverifiedSigs) != 0 {
		return "", "", "", private, fmt.Errorf("wire: rekey: %w %s: want that of the old and of the new key", ErrSignature, gateway)
	}
	sum, err := unb64(lines[4])
	if err != nil || len(sum) != len(private) {
		return "", "", "", private, fmt.Errorf("wire: rekey: %w: hash", ErrMalformed)
	}
	copy(private[:], sum)
	return gateway, old, fresh, private, nil
}

// SealRekeyed is the server's answer, signed with the key that signs receipts.
func SealRekeyed(request []byte, certificate []byte, signer note.Signer) ([]byte, error) {
	return sign([]byte(rekeyedMagic+"\n"+HashOf(request).String()+"\n"+b64(certificate)+"\n"), signer)
}

// OpenRekeyed checks the answer to a request and returns the gateway's new certificate, nil for none.
func OpenRekeyed(raw, request []byte, server note.Verifier) (certificate []byte, err error) {
	if len(raw) > MaxEnrolled {
		return nil, fmt.Errorf("wire: rekeyed: %w", ErrTooLarge)
	}
	text, err := open(raw, server)
	if err != nil {
		return nil, err
	}
	lines, err := linesOf(text, MaxEnrolled, 3, rekeyedMagic)
	if err != nil {
		return nil, err
	}
	if lines[1] != HashOf(request).String() {
		return nil, fmt.Errorf("wire: rekeyed: %w: it answers another request", ErrSignature)
	}
	return unb64(lines[2])
}
