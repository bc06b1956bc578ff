package wire

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"time"

	"golang.org/x/mod/sumdb/note"
)

const blankLine = "\n\n"

// Seal signs b and returns the bytes to store and send. The signer's name must be b.Gateway.
func Seal(b *Batch, signer note.Signer) ([]byte, error) {
	if signer.Name() != b.Gateway {
		return nil, fmt.Errorf("wire: seal: the key is %q's, the batch is %q's", signer.Name(), b.Gateway)
	}
	text, err := b.appendText(make([]byte, 0, 512+48*len(b.Readings)))
	if err != nil {
		return nil, err
	}
	sealed, err := sign(text, signer)
	if err != nil {
		return nil, err
	}
	if len(sealed) > MaxBatchBytes {
		return nil, fmt.Errorf("wire: seal: %w: %d bytes, at most %d", ErrTooLarge, len(sealed), MaxBatchBytes)
	}
	return sealed, nil
}

// Open checks that sealed is a canonical batch of v's owner and returns it. The error wraps ErrTooLarge, ErrMalformed,
// ErrForeign or ErrSignature.
func Open(sealed []byte, v note.Verifier) (*Batch, error) {
	r := Reader{known: make(names, namesOfBatch)}
	return r.Open(sealed, v)
}

// OpenUnverified reads a batch without checking its signature: for a batch this program verified before, such as a row
// of the batch log or of its own spool.
func OpenUnverified(sealed []byte) (*Batch, error) {
	r := Reader{known: make(names, namesOfBatch)}
	return r.OpenUnverified(sealed)
}

// Reader opens many batches, one after the other, and makes less garbage of them than Open does. It is not safe for concurrent use.
type Reader struct {
	known names
	again []byte // the text as it is written again
}

// NewReader returns a Reader.
func NewReader() *Reader { return &Reader{known: make(names, namesOfReader)} }

// Open does what the function Open does.
func (r *Reader) Open(sealed []byte, v note.Verifier) (*Batch, error) {
	if len(sealed) > MaxBatchBytes {
		return nil, fmt.Errorf("wire: %w: %d bytes", ErrTooLarge, len(sealed))
	}
	text, err := open(sealed, v)
	if err != nil {
		return nil, err
	}
	return r.parseCanonical(text, v.Name())
}

// OpenUnverified does what the function OpenUnverified does.
func (r *Reader) OpenUnverified(sealed []byte) (*Batch, error) {
	i := bytes.LastIndex(sealed, []byte(blankLine))
	if i < 0 || len(sealed) > MaxBatchBytes {
		return nil, fmt.Errorf("wire: %w: no signature", ErrMalformed)
	}
	b, err := parseText(sealed[:i+1], r.known)
	if err != nil {
		return nil, fmt.Errorf("wire: %w", err)
	}
	return b, nil
}

func (r *Reader) parseCanonical(text []byte, owner string) (*Batch, error) {
	b, err := parseText(text, r.known)
	if err != nil {
		return nil, fmt.Errorf("wire: %w", err)
	}
	if b.Gateway != owner {
		return nil, fmt.Errorf("wire: %w: %.64q signed by %q", ErrForeign, b.Gateway, owner)
	}
	if r.again, err = b.appendText(slices.Grow(r.again[:0], len(text))); err != nil {
		return nil, fmt.Errorf("wire: %w: %w", ErrMalformed, err)
	}
	if !bytes.Equal(r.again, text) {
		return nil, fmt.Errorf("wire: %w: written again it differs", ErrMalformed)
	}
	return b, nil
}

// Receipt is the server's word that every batch up to and including Upto is in its log.
type Receipt struct {
	Gateway string
	Epoch   string
	Upto    uint64 // 0: the epoch is known and nothing of it is stored yet
	Time    time.Time
}

// SealReceipt signs r with the server's key.
func SealReceipt(r Receipt, signer note.Signer) ([]byte, error) {
	if err := r.valid(); err != nil {
		return nil, fmt.Errorf("wire: receipt: %w", err)
	}
	return sign(r.appendText(nil), signer)
}

func (r Receipt) valid() error {
	switch {
	case !ValidGatewayID(r.Gateway):
		return fmt.Errorf("bad gateway id %.64q", r.Gateway)
	case !validHex(r.Epoch, MaxEpochLength, MaxEpochLength):
		return fmt.Errorf("bad epoch %.64q: want 16 hexadecimal digits", r.Epoch)
	case r.Upto > math.MaxInt64:
		return fmt.Errorf("upto %d out of range", r.Upto)
	case r.Time.UnixMilli() < 0 || r.Time.UnixMilli() > latest:
		return fmt.Errorf("time %v out of range", r.Time)
	}
	return nil
}

// OpenReceipt checks a receipt against the server's key.
func OpenReceipt(sealed []byte, v note.Verifier) (Receipt, error) {
	if len(sealed) > 1024 {
		return Receipt{}, fmt.Errorf("wire: receipt: %w", ErrTooLarge)
	}
	text, err := open(sealed, v)
	if err != nil {
		return Receipt{}, err
	}
	var r Receipt
	var at string
	lines := bytes.Split(text, []byte("\n"))
	if len(lines) != 5 {
		return Receipt{}, fmt.Errorf("wire: receipt: %w", ErrMalformed)
	}
	r.Gateway, at = string(lines[1]), string(lines[3])
	if _, err := fmt.Sscanf(string(lines[2]), "%16s %d", &r.Epoch, &r.Upto); err != nil {
		return Receipt{}, fmt.Errorf("wire: receipt: %w: %w", ErrMalformed, err)
	}
	if r.Time, err = time.Parse(receiptTime, at); err != nil {
		return Receipt{}, fmt.Errorf("wire: receipt: %w: %w", ErrMalformed, err)
	}
	if err := r.valid(); err != nil {
		return Receipt{}, fmt.Errorf("wire: receipt: %w: %w", ErrMalformed, err)
	}
	if !bytes.Equal(r.appendText(nil), text) {
		return Receipt{}, fmt.Errorf("wire: receipt: %w", ErrMalformed)
	}
	return r, nil
}

const receiptTime = "2006-01-02T15:04:05.000Z"

func (r Receipt) appendText(dst []byte) []byte {
	return fmt.Appendf(dst, "%s\n%s\n%s %d\n%s\n", receiptMagic, r.Gateway, r.Epoch, r.Upto, r.Time.UTC().Format(receiptTime))
}

// sign appends the one signature line that open accepts.
func sign(text []byte, signer note.Signer) ([]byte, error) {
	sig, err := signer.Sign(text)
	if err != nil {
		return nil, fmt.Errorf("wire: sign: %w", err)
	}
	return appendSignature(text, signer.Name(), signer.KeyHash(), sig), nil
}

func appendSignature(text []byte, name string, keyHash uint32, sig []byte) []byte {
	raw := binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(sig)), keyHash)
	raw = append(raw, sig...)
	text = append(text, '\n')
	text = append(text, "— "...)
	text = append(text, name...)
	text = append(text, ' ')
	text = base64.StdEncoding.AppendEncode(text, raw)
	return append(text, '\n')
}

// open verifies a note with exactly one signature line, v's, in its only spelling, and returns the text. note.Open
// would also accept further signatures and loose base64: the same batch could then have many hashes.
func open(sealed []byte, v note.Verifier) ([]byte, error) {
	i := bytes.LastIndex(sealed, []byte(blankLine))
	if i < 0 {
		return nil, fmt.Errorf("wire: %w: no signature line", ErrMalformed)
	}
	text, line := sealed[:i+1], sealed[i+2:]
	rest, ok := bytes.CutPrefix(line, []byte("— "))
	name, b64, ok2 := bytes.Cut(bytes.TrimSuffix(rest, []byte("\n")), []byte(" "))
	raw, err := base64.StdEncoding.Strict().DecodeString(string(b64))
	if !ok || !ok2 || err != nil || len(raw) < 5 {
		return nil, fmt.Errorf("wire: %w: signature line", ErrMalformed)
	}
	if string(name) != v.Name() || binary.BigEndian.Uint32(raw) != v.KeyHash() || !v.Verify(text, raw[4:]) {
		return nil, fmt.Errorf("wire: %w %q", ErrSignature, v.Name())
	}
	if !bytes.Equal(appendSignature(nil, v.Name(), v.KeyHash(), raw[4:]), sealed[i+1:]) {
		return nil, fmt.Errorf("wire: %w: signature line", ErrMalformed)
	}
	return text, nil
}
