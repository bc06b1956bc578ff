package sqldb

import (
	_ "embed" // the dictionary
	"errors"
	"fmt"

	"github.com/klauspost/compress/zstd"
)

// The first byte of a stored body, see FORMAT.md.
const (
	bodyPlain = 0
	bodyZstd  = 1
	bodyDict  = 2
)

// dictionary is what most batches are made of. Bodies of form 2 can be read with these bytes alone: they are never changed; a better one would be
// another form.
//
//go:embed batch.dict
var dictionary []byte

// dictionaryID stands in each frame of form 2: of those that everybody may use.
const dictionaryID = 40_001

// maxBody bounds what a stored body may unpack to: a batch is below 60,000 bytes.
const maxBody = 1 << 20

// codec packs bodies. EncodeAll and DecodeAll are safe for concurrent use.
type codec struct {
	enc *zstd.Encoder
	dec *zstd.Decoder
}

func newCodec() (*codec, error) {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(false), zstd.WithEncoderConcurrency(2),
		zstd.WithWindowSize(64<<10), zstd.WithLowerEncoderMem(true), zstd.WithEncoderDictRaw(dictionaryID, dictionary))
	if err != nil {
		return nil, fmt.Errorf("zstd encoder: %w", err)
	}
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(2), zstd.WithDecoderMaxMemory(maxBody), zstd.WithDecoderDictRaw(dictionaryID, dictionary))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("zstd decoder: %w", err), enc.Close())
	}
	return &codec{enc, dec}, nil
}

func (c *codec) close() { c.dec.Close() }

func (c *codec) pack(body []byte) []byte {
	out := c.enc.EncodeAll(body, append(make([]byte, 0, 1+len(body)), bodyDict))
	if len(out) > len(body) {
		out = append(append(out[:0], bodyPlain), body...)
	}
	return out
}

func (c *codec) unpack(stored []byte) ([]byte, error) {
	if len(stored) == 0 {
		return nil, errors.New("empty body")
	}
	switch stored[0] {
	case bodyPlain:
		return stored[1:], nil
	case bodyZstd, bodyDict: // a frame says itself whether it needs the dictionary
		body, err := c.dec.DecodeAll(stored[1:], nil)
		if err != nil {
			return nil, fmt.Errorf("unpack body: %w", err)
		}
		return body, nil
	}
	return nil, fmt.Errorf("body of unknown form %d", stored[0])
}
