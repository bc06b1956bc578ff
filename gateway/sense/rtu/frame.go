package rtu

import (
	"bytes"
	"encoding/binary"
)

// Function codes whose answers have a form of their own.
const (
	readCoils          = 0x01
	readDiscrete       = 0x02
	readHolding        = 0x03
	readInput          = 0x04
	writeCoil          = 0x05
	writeRegister      = 0x06
	readStatus         = 0x07
	diagnostics        = 0x08
	eventCounter       = 0x0B
	eventLog           = 0x0C
	writeCoils         = 0x0F
	writeRegisters     = 0x10
	reportServer       = 0x11
	maskWrite          = 0x16
	readWriteRegisters = 0x17

	exceptionBit = 0x80
)

const (
	shortestFrame = 4 // unit, function, checksum
	checksumBytes = 2
)

// Checksum is the CRC-16 of Modbus (reflected 0x8005, begun with 0xFFFF). It goes on the wire low byte first.
func Checksum(p []byte) uint16 {
	crc := uint16(0xFFFF)
	for _, b := range p {
		crc ^= uint16(b)
		for range 8 {
			if crc&1 != 0 {
				crc = crc>>1 ^ 0xA001
			} else {
				crc >>= 1
			}
		}
	}
	return crc
}

// Frame is what goes on the wire: unit, PDU, checksum.
func Frame(unit byte, pdu []byte) []byte {
	f := append([]byte{unit}, pdu...)
	return binary.LittleEndian.AppendUint16(f, Checksum(f))
}

// Split takes a frame apart. ok is false when p is shorter than any frame or its checksum does not fit.
func Split(p []byte) (unit byte, pdu []byte, ok bool) {
	if len(p) < shortestFrame {
		return 0, nil, false
	}
	body := p[:len(p)-checksumBytes]
	return p[0], body[1:], Checksum(body) == binary.LittleEndian.Uint16(p[len(body):])
}

// question is what an answer is held against.
type question struct {
	unit byte
	pdu  []byte
}

// fits reports whether pdu, which bears the right function, is the answer to q.
func (q question) fits(pdu []byte) bool {
	switch q.pdu[0] {
	case readCoils, readDiscrete:
		return q.counted(pdu, func(n int) int { return (n + 7) / 8 }, 3)
	case readHolding, readInput, readWriteRegisters:
		return q.counted(pdu, func(n int) int { return 2 * n }, 3)
	case writeCoils, writeRegisters: // address and count come back
		return len(pdu) == 5 && len(q.pdu) >= 5 && bytes.Equal(pdu, q.pdu[:5])
	case writeCoil, writeRegister, maskWrite:
		return bytes.Equal(pdu, q.pdu)
	case diagnostics: // the sub-function comes back
		return len(pdu) >= 3 && len(q.pdu) >= 3 && bytes.Equal(pdu[:3], q.pdu[:3])
	}
	return true
}

// counted reports whether an answer carries as many bytes as the count at offset at of the question asks for.
func (q question) counted(pdu []byte, bytesOf func(count int) int, at int) bool {
	if len(q.pdu) < at+2 {
		return true // an odd question: only the probe knows what answers it
	}
	return len(pdu) >= 2 && int(pdu[1]) == bytesOf(int(binary.BigEndian.Uint16(q.pdu[at:]))) && len(pdu) == 2+int(pdu[1])
}

// echoes reports whether the right answer to q is q itself, byte for byte: then it looks like an echo of the adapter.
func (q question) echoes() bool {
	switch q.pdu[0] {
	case writeCoil, writeRegister, maskWrite, diagnostics:
		return true
	}
	return false
}

// answerLength is the length of the frame that begins p, from what has come of it: 0 while too little has come to tell,
// and -1 for a function whose answers only silence ends.
func answerLength(p []byte) int {
	if len(p) < 2 {
		return 0
	}
	switch function := p[1]; {
	case function >= exceptionBit:
		return 5
	case function == readCoils, function == readDiscrete, function == readHolding, function == readInput,
		function == eventLog, function == reportServer, function == readWriteRegisters:
		if len(p) < 3 {
			return 0
		}
		return 3 + int(p[2]) + checksumBytes
	case function == writeCoil, function == writeRegister, function == writeCoils, function == writeRegisters,
		function == eventCounter, function == diagnostics:
		return 8
	case function == readStatus:
		return 5
	case function == maskWrite:
		return 10
	}
	return -1
}

// verdict is what the bytes heard so far amount to.
type verdict struct {
	pdu    []byte // the answer, or nil
	stray  []byte // a whole frame that is no answer to the question
	broken bool   // something as long as the answer is there, and no checksum fits
}

// judge looks for the answer to q in what was heard, at any offset: noise as a line driver makes when it wakes may stand
// before it. ended says that the line has fallen silent after p.
func judge(q question, p []byte, ended bool) verdict {
	var v verdict
	for at := range p {
		rest := p[at:]
		n := answerLength(rest)
		if n < 0 && ended {
			n = len(rest)
		}
		if n < shortestFrame {
			continue
		}
		mine := rest[0] == q.unit && rest[1]&^exceptionBit == q.pdu[0]
		if n > len(rest) {
			continue
		}
		_, pdu, ok := Split(rest[:n])
		switch {
		case ok && mine && (pdu[0] >= exceptionBit || q.fits(pdu)):
			v.pdu = pdu
			return v
		case ok && v.stray == nil:
			v.stray = rest[:n]
		case !ok && mine:
			v.broken = true
		}
	}
	return v
}
