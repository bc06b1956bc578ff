// Package splice joins pages of parts that were compressed once and a part that is new in every answer.
//
// The fixed beginning and end of a page come in, and a Page goes out; then the middle of one answer comes in, and the whole answer goes out, as
// it is or as one gzip member (RFC 1952): deflate blocks (RFC 1951) that end on a byte, one behind the other, refer to nothing outside
// themselves but to what stands before them. Only the middle is compressed for an answer, which takes some microseconds.
package splice

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"github.com/klauspost/compress/flate"
)

// Page is the beginning and the end of a page. It is not changed, so it may be used by many at once.
type Page struct {
	head, tail   []byte
	headZ, tailZ []byte // deflate; the first is flushed to a byte, the second ends the stream
	headCRC      uint32
	sum          []byte // SHA-256 over both
}

// New compresses the beginning and the end of a page.
func New(head, tail []byte) (*Page, error) {
	p := &Page{head: head, tail: tail, headCRC: crc32.ChecksumIEEE(head)}
	w, err := flate.NewWriter(nil, flate.BestCompression) // one for both: its tables are a megabyte
	if err != nil {
		return nil, fmt.Errorf("splice: %w", err)
	}
	if p.headZ, err = deflate(w, head, false); err != nil {
		return nil, err
	}
	if p.tailZ, err = deflate(w, tail, true); err != nil {
		return nil, err
	}
	h := sha256.New()
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(head))))
	h.Write(head)
	h.Write(tail)
	p.sum = h.Sum(nil)
	return p, nil
}

func deflate(w *flate.Writer, raw []byte, last bool) ([]byte, error) {
	var b bytes.Buffer
	w.Reset(&b)
	_, err := w.Write(raw)
	switch {
	case err != nil:
	case last:
		err = w.Close()
	default:
		err = w.Flush()
	}
	if err != nil {
		return nil, fmt.Errorf("splice: %w", err)
	}
	return b.Bytes(), nil
}

// Tag returns a mark that is another for every other whole: 16 characters of base64url.
func (p *Page) Tag(middle []byte) string {
	h := sha256.New()
	h.Write(p.sum)
	h.Write(middle)
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:12])
}

// Plain returns the whole.
func (p *Page) Plain(middle []byte) []byte {
	out := make([]byte, 0, len(p.head)+len(middle)+len(p.tail))
	return append(append(append(out, p.head...), middle...), p.tail...)
}

// Size returns how many bytes the page is kept in.
func (p *Page) Size() int { return len(p.head) + len(p.tail) + len(p.headZ) + len(p.tailZ) }

// header of a gzip member: deflate, no flags, no time, unknown system.
const header = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"

// Gzip returns the whole as one gzip member.
func (p *Page) Gzip(middle []byte) ([]byte, error) {
	b := bytes.NewBuffer(make([]byte, 0, len(header)+len(p.headZ)+len(middle)+len(p.tailZ)+32))
	b.WriteString(header)
	b.Write(p.headZ)
	if len(middle) > 0 {
		if err := flate.StatelessDeflate(b, middle, false, p.head); err != nil {
			return nil, fmt.Errorf("splice: %w", err)
		}
	}
	b.Write(p.tailZ)
	crc := crc32.Update(crc32.Update(p.headCRC, crc32.IEEETable, middle), crc32.IEEETable, p.tail)
	out := binary.LittleEndian.AppendUint32(b.Bytes(), crc)
	return binary.LittleEndian.AppendUint32(out, uint32(len(p.head)+len(middle)+len(p.tail))), nil
}
