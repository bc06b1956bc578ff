package spool

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

// The CRC-32C of a row covers a tag that names its table, its key and all its columns; FORMAT.md has the layout.
const (
	tagState   = 'M'
	tagPending = 'P'
	tagSealed  = 'S'
)

func (s *Spool) sum(tag byte, numbers []uint64, blobs ...[]byte) int64 {
	head := append(make([]byte, 0, 64), tag)
	for _, n := range numbers {
		head = binary.BigEndian.AppendUint64(head, n)
	}
	for _, b := range blobs {
		head = binary.BigEndian.AppendUint64(head, uint64(len(b)))
	}
	crc := crc32.Update(0, s.tables, head)
	for _, b := range blobs {
		crc = crc32.Update(crc, s.tables, b)
	}
	return int64(crc)
}

func (s *Spool) stateSum(st state) int64 {
	return s.sum(tagState, []uint64{st.next, st.released}, []byte(st.epoch), st.prev[:], []byte(st.aside))
}

func (s *Spool) pendingSum(id int64, n, skip int, body []byte) int64 {
	return s.sum(tagPending, []uint64{uint64(id), uint64(n), uint64(skip)}, body)
}

func (s *Spool) sealedSum(seq uint64, body []byte) int64 {
	return s.sum(tagSealed, []uint64{seq}, body)
}

// pack joins records into the body of one row: each with its length as a uvarint before it.
func pack(records [][]byte) []byte {
	size := 0
	for _, r := range records {
		size += len(r) + binary.MaxVarintLen32
	}
	body := make([]byte, 0, size)
	for _, r := range records {
		body = binary.AppendUvarint(body, uint64(len(r)))
		body = append(body, r...)
	}
	return body
}

// unpack is the inverse of pack. The records share body's memory.
func unpack(body []byte, n int) ([][]byte, error) {
	if n < 0 || n > len(body) {
		return nil, fmt.Errorf("row of %d records in %d bytes: %w", n, len(body), ErrCorrupt)
	}
	records := make([][]byte, 0, n)
	for range n {
		size, w := binary.Uvarint(body)
		if w <= 0 || size > uint64(len(body)-w) {
			return nil, fmt.Errorf("row of records: %w", ErrCorrupt)
		}
		end := w + int(size)
		records = append(records, body[w:end:end])
		body = body[end:]
	}
	if len(body) != 0 {
		return nil, fmt.Errorf("row of records: %w", ErrCorrupt)
	}
	return records, nil
}
