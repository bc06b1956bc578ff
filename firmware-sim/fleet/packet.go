package fleet

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// The first bytes of the MQTT packets that a link looks into (MQTT 3.1.1 §2.2.1), and the bits of a PUBLISH (§3.3.1).
const (
	typePublish = 0x30
	typePubAck  = 0x40
	typeMask    = 0xf0
	dupBit      = 0x08
	qosBits     = 0x06
)

// errPacket says that bytes are no MQTT.
var errPacket = errors.New("fleet: not an MQTT packet")

// packetLength returns how long the packet at the beginning of b is; 0 while b is too short to tell.
func packetLength(b []byte) (int, error) {
	rest, used, err := remaining(b)
	if err != nil || used == 0 {
		return 0, err
	}
	return used + rest, nil
}

// remaining decodes the length in a fixed header (MQTT 3.1.1 §2.2.3): of the bytes after it, and of the header itself.
func remaining(b []byte) (rest, used int, err error) {
	for i := 1; i < len(b) && i <= 4; i++ {
		rest |= int(b[i]&0x7f) << (7 * (i - 1))
		if b[i] < 0x80 {
			return rest, i + 1, nil
		}
	}
	if len(b) > 4 {
		return 0, 0, fmt.Errorf("%w: its length has more than four bytes", errPacket)
	}
	return 0, 0, nil
}

// readPacket reads one packet into buf, which may grow.
func readPacket(r *bufio.Reader, buf []byte) ([]byte, error) {
	for n := 2; ; n++ {
		head, err := r.Peek(n)
		if err != nil {
			if len(head) > 0 && errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
		length, err := packetLength(head)
		if err != nil {
			return nil, err
		}
		if length == 0 {
			continue
		}
		if cap(buf) < length {
			buf = make([]byte, length)
		}
		_, err = io.ReadFull(r, buf[:length])
		return buf[:length], err
	}
}

// publication is what a link needs to know of a PUBLISH.
type publication struct {
	topic []byte
	id    uint16 // 0 with QoS 0
}

// asPublish reads a whole packet; ok is false when it is none.
func asPublish(p []byte) (pub publication, ok bool) {
	if len(p) == 0 || p[0]&typeMask != typePublish {
		return pub, false
	}
	_, used, err := remaining(p)
	if err != nil || used == 0 || len(p) < used+2 {
		return pub, false
	}
	end := used + 2 + int(binary.BigEndian.Uint16(p[used:]))
	if len(p) < end {
		return pub, false
	}
	pub.topic = p[used+2 : end]
	if p[0]&qosBits != 0 {
		if len(p) < end+2 {
			return pub, false
		}
		pub.id = binary.BigEndian.Uint16(p[end:])
	}
	return pub, true
}

// is reports whether the publication is on a leaf of some gateway.
func (p publication) is(leaf string) bool { return bytes.HasSuffix(p.topic, []byte("/"+leaf)) }

// asPubAck returns the id a PUBACK names.
func asPubAck(p []byte) (id uint16, ok bool) {
	if len(p) != 4 || p[0]&typeMask != typePubAck {
		return 0, false
	}
	return binary.BigEndian.Uint16(p[2:]), true
}

// again returns a copy of a PUBLISH as a client sends it a second time.
func again(p []byte) []byte {
	c := bytes.Clone(p)
	c[0] |= dupBit
	return c
}
