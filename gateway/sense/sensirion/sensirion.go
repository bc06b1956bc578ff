// Package sensirion is what Sensirion's hygrometers have in common: a command goes in, two raw values come out.
//
// Data sheets: Sensirion, SHT4x and SHT3x-DIS ("Measurement Commands", "Checksum Calculation"). Six bytes are read after
// the time a measurement takes: temperature, its CRC, humidity, its CRC. The chip does not acknowledge a read before that.
package sensirion

import (
	"context"
	"encoding/binary"
	"errors"
	"time"

	"periph.io/x/conn/v3/i2c"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
)

const (
	pollEvery = 5 * time.Millisecond
	pollMost  = 4
)

// Reply is what a chip answers to a measurement.
type Reply [6]byte

// Measure has a chip measure with command, which takes it takes at most, and reads its reply. name is the chip's in errors,
// which are *sense.Fault or ctx's.
func Measure(ctx context.Context, name string, dev i2c.Dev, clock sense.Clock, command []byte, takes time.Duration) (Reply, error) {
	if err := dev.Tx(command, nil); err != nil {
		return Reply{}, sense.BusFault(err)
	}
	if err := clock.Sleep(ctx, takes); err != nil {
		return Reply{}, err
	}
	for n := 1; ; n++ {
		var b Reply
		err := dev.Tx(nil, b[:])
		switch {
		case err == nil:
			return b, nil
		case !errors.Is(err, sense.ErrNoAck):
			return b, sense.BusFault(err)
		case n == pollMost: // it did acknowledge the command, so this is a chip that does not get ready
			return b, sense.Faultf(measure.NotReady, "%s: no result after %v: %w", name, takes+(pollMost-1)*pollEvery, err)
		}
		if err := clock.Sleep(ctx, pollEvery); err != nil {
			return b, err
		}
	}
}

// Ticks takes the two raw values out of a reply, each of 65535 for full scale. Its error is a *sense.Fault.
func (b Reply) Ticks(name string) (temperature, humidity float64, err error) {
	switch {
	case b == Reply{}:
		return 0, 0, sense.Faultf(measure.Shorted, "%s: all zeros: the data wire touches ground", name)
	case b == Reply{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}:
		return 0, 0, sense.Faultf(measure.NoResponse, "%s: all ones: nobody drives the data wire", name)
	case crc(b[0], b[1]) != b[2] || crc(b[3], b[4]) != b[5]:
		return 0, 0, sense.Faultf(measure.CRC, "%s: reply % x: the CRC does not match", name, b[:])
	}
	return float64(binary.BigEndian.Uint16(b[0:])), float64(binary.BigEndian.Uint16(b[3:])), nil
}

// crc is Sensirion's CRC-8: polynomial 0x31, begun with 0xFF.
func crc(data ...byte) byte {
	c := byte(0xFF)
	for _, b := range data {
		c ^= b
		for range 8 {
			if c&0x80 != 0 {
				c = c<<1 ^ 0x31
			} else {
				c <<= 1
			}
		}
	}
	return c
}
