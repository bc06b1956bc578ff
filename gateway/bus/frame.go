package bus

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	"aovuon/gateway/sense"
)

// The numbers of the remote I²C protocol; FORMAT.md is the authority.
const (
	requestMark  = 0xA5
	responseMark = 0x5A

	statusOK       = 0
	statusNoAck    = 1
	statusBusError = 2

	requestHead  = 7
	responseHead = 4

	maxBytes   = 4096 // of one transaction, each way
	maxText    = 512  // of an error
	maxAddress = 0x7F // 7-bit addressing
)

// errFrame is wrapped by every error about bytes that are no frame: the stream cannot be trusted from there on.
var errFrame = errors.New("not the remote I²C protocol")

// request is one transaction.
type request struct {
	addr  uint16
	write []byte
	read  int // bytes to read
}

// check reports why r is no transaction.
func (r request) check() error {
	switch {
	case r.addr > maxAddress:
		return fmt.Errorf("address 0x%x is more than 7 bits", r.addr)
	case len(r.write) > maxBytes || r.read > maxBytes:
		return fmt.Errorf("%d bytes to write, %d to read; at most %d each", len(r.write), r.read, maxBytes)
	case len(r.write) == 0 && r.read == 0:
		return errors.New("a transaction of no bytes asks nothing")
	}
	return nil
}

// append adds r's frame to b.
func (r request) append(b []byte) []byte {
	b = append(b, requestMark)
	b = binary.BigEndian.AppendUint16(b, r.addr)
	b = binary.BigEndian.AppendUint16(b, uint16(len(r.write)))
	b = binary.BigEndian.AppendUint16(b, uint16(r.read))
	return append(b, r.write...)
}

// readRequest reads one request. It returns io.EOF when the peer ended between two frames.
func readRequest(in io.Reader) (request, error) {
	var head [requestHead]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return request{}, err
	}
	if head[0] != requestMark {
		return request{}, fmt.Errorf("%w: a request begins with 0x%02x, not 0x%02x", errFrame, requestMark, head[0])
	}
	n := int(binary.BigEndian.Uint16(head[3:]))
	r := request{addr: binary.BigEndian.Uint16(head[1:]), read: int(binary.BigEndian.Uint16(head[5:]))}
	if n > maxBytes {
		return request{}, fmt.Errorf("%w: %d bytes to write; at most %d", errFrame, n, maxBytes)
	}
	r.write = make([]byte, n)
	if _, err := io.ReadFull(in, r.write); err != nil {
		return request{}, noEOF(err)
	}
	if err := r.check(); err != nil {
		return request{}, fmt.Errorf("%w: %w", errFrame, err)
	}
	return r, nil
}

// response is what became of a transaction.
type response struct {
	status byte
	data   []byte // the bytes read, or the text of the error
}

// newResponse is the response to a transaction that read data, or failed.
func newResponse(data []byte, err error) response {
	if err == nil {
		return response{status: statusOK, data: data}
	}
	text := strings.ToValidUTF8(err.Error(), "?")
	for len(text) > maxText {
		text = strings.ToValidUTF8(text[:maxText], "")
	}
	if errors.Is(markNoAck(err), sense.ErrNoAck) {
		return response{status: statusNoAck, data: []byte(text)}
	}
	return response{status: statusBusError, data: []byte(text)}
}

// append adds r's frame to b.
func (r response) append(b []byte) []byte {
	b = append(b, responseMark, r.status)
	b = binary.BigEndian.AppendUint16(b, uint16(len(r.data)))
	return append(b, r.data...)
}

// readResponse reads the response to a request for want bytes.
func readResponse(in io.Reader, want int) (response, error) {
	var head [responseHead]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return response{}, noEOF(err)
	}
	if head[0] != responseMark {
		return response{}, fmt.Errorf("%w: a response begins with 0x%02x, not 0x%02x", errFrame, responseMark, head[0])
	}
	r := response{status: head[1]}
	n := int(binary.BigEndian.Uint16(head[2:]))
	switch {
	case r.status > statusBusError:
		return response{}, fmt.Errorf("%w: status %d is unknown", errFrame, r.status)
	case r.status == statusOK && n != want:
		return response{}, fmt.Errorf("%w: %d bytes read, %d asked for", errFrame, n, want)
	case r.status != statusOK && n > maxText:
		return response{}, fmt.Errorf("%w: an error text of %d bytes; at most %d", errFrame, n, maxText)
	}
	r.data = make([]byte, n)
	if _, err := io.ReadFull(in, r.data); err != nil {
		return response{}, noEOF(err)
	}
	return r, nil
}

// err is the error r carries, or nil.
func (r response) err() error {
	switch r.status {
	case statusOK:
		return nil
	case statusNoAck:
		return noAckError{err: errors.New(string(r.data))}
	}
	return errors.New(string(r.data))
}

// noEOF turns an end inside a frame into an error that is not the clean end of a stream.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
