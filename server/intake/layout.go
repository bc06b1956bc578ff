package intake

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// Field is one number in the raw bytes of an uplink.
type Field struct {
	Value  string  `yaml:"value"` // name of the value
	At     int     `yaml:"at"`    // first byte, from 0
	Type   string  `yaml:"type"`  // uint8, int8, uint16be, int16le, float32be ...
	Scale  float64 `yaml:"scale"` // 0: 1
	Offset float64 `yaml:"offset"`
}

// fieldSizes are the types of fields, and how many bytes each takes.
func fieldSizes() map[string]int {
	return map[string]int{
		"uint8": 1, "int8": 1, "uint16be": 2, "uint16le": 2, "int16be": 2, "int16le": 2, "uint24be": 3, "uint24le": 3, "int24be": 3, "int24le": 3,
		"uint32be": 4, "uint32le": 4, "int32be": 4, "int32le": 4, "float32be": 4, "float32le": 4,
	}
}

// read returns the number that stands in data.
func (f Field) read(data []byte) (float64, error) {
	size := fieldSizes()[f.Type]
	if f.At+size > len(data) {
		return 0, fmt.Errorf("data has %d bytes, %s (%s at %d) needs %d: the layout is of another message", len(data), f.Value, f.Type, f.At, f.At+size)
	}
	raw := slices.Clone(data[f.At : f.At+size])
	if size > 1 && f.Type[len(f.Type)-2:] == "le" {
		slices.Reverse(raw)
	}
	var wide [8]byte
	copy(wide[8-size:], raw)
	bits := binary.BigEndian.Uint64(wide[:])
	var n float64
	switch f.Type[0] {
	case 'f':
		n = float64(math.Float32frombits(uint32(bits)))
	case 'i':
		shift := 64 - 8*size
		n = float64(int64(bits<<shift) >> shift)
	default:
		n = float64(bits)
	}
	if f.Scale != 0 {
		n *= f.Scale
	}
	return n + f.Offset, nil
}
