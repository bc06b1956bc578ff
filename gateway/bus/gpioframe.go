package bus

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
)

// The numbers of the remote pin protocol; FORMAT.md is the authority.
const (
	pinMark    = 0xA6
	pinHead    = 3
	pinLow     = 0
	pinHigh    = 1
	maxPinName = 64
)

// pinRequest puts one pin to a level.
type pinRequest struct {
	name string
	high bool
}

// append adds r's frame to b.
func (r pinRequest) append(b []byte) []byte {
	level := byte(pinLow)
	if r.high {
		level = pinHigh
	}
	return append(append(b, pinMark, level, byte(len(r.name))), r.name...)
}

// readPinRequest reads one request. It returns io.EOF when the peer ended between two frames.
func readPinRequest(in io.Reader) (pinRequest, error) {
	var head [pinHead]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return pinRequest{}, err
	}
	n := int(head[2])
	switch {
	case head[0] != pinMark:
		return pinRequest{}, fmt.Errorf("%w: a pin's request begins with 0x%02x, not 0x%02x", errFrame, pinMark, head[0])
	case head[1] > pinHigh:
		return pinRequest{}, fmt.Errorf("%w: level %d; want 0 or 1", errFrame, head[1])
	case n == 0 || n > maxPinName:
		return pinRequest{}, fmt.Errorf("%w: a name of %d bytes; want 1 to %d", errFrame, n, maxPinName)
	}
	name := make([]byte, n)
	if _, err := io.ReadFull(in, name); err != nil {
		return pinRequest{}, noEOF(err)
	}
	return pinRequest{name: string(name), high: head[1] == pinHigh}, nil
}

// pinResponse is the answer to a pinRequest: nothing, or the text of an error.
func pinResponse(err error) []byte {
	if err == nil {
		return response{status: statusOK}.append(nil)
	}
	text := strings.ToValidUTF8(err.Error(), "?")
	for len(text) > maxText {
		text = strings.ToValidUTF8(text[:maxText], "")
	}
	b := []byte{responseMark, statusBusError}
	b = binary.BigEndian.AppendUint16(b, uint16(len(text)))
	return append(b, text...)
}

// errNoPin is the error of a pin that the serving side does not have.
var errNoPin = errors.New("no such pin")
