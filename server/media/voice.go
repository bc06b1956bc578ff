package media

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// audio returns the type of a voice note, by its container; empty: it is none. What begins as one and is cut off is ErrBroken.
func audio(raw []byte) (kind string, err error) {
	switch {
	case bytes.HasPrefix(raw, []byte("\x1a\x45\xdf\xa3")):
		kind, err = "audio/webm", webm(raw)
	case bytes.HasPrefix(raw, []byte("OggS")):
		kind, err = "audio/ogg", ogg(raw)
	case len(raw) >= 8 && string(raw[4:8]) == "ftyp":
		kind, err = "audio/mp4", mp4(raw)
	}
	if err != nil {
		return "", err
	}
	return kind, nil
}

// webm checks the header of EBML (RFC 8794): the document's type is webm, and a segment follows.
func webm(raw []byte) error {
	size, n := vint(raw[4:])
	if n == 0 || size > 1024 || 4+n+int(size) > len(raw) {
		return ErrBroken
	}
	head, rest := raw[4+n:4+n+int(size)], raw[4+n+int(size):]
	if !bytes.Contains(head, []byte("\x42\x82\x84webm")) {
		return ErrKind
	}
	if !bytes.HasPrefix(rest, []byte("\x18\x53\x80\x67")) || len(rest) < 16 {
		return ErrBroken
	}
	if bytes.Contains(rest[:min(len(rest), 4096)], []byte("V_")) && !bytes.Contains(rest[:min(len(rest), 4096)], []byte("A_")) {
		return ErrKind // pictures alone
	}
	return nil
}

// vint reads an EBML number and how long it is; length 0: there is none.
func vint(b []byte) (v uint64, n int) {
	if len(b) == 0 || b[0] == 0 {
		return 0, 0
	}
	n = bits.LeadingZeros8(b[0]) + 1
	if n > len(b) {
		return 0, 0
	}
	v = uint64(b[0] & (0xff >> n))
	for _, c := range b[1:n] {
		v = v<<8 | uint64(c)
	}
	return v, n
}

// ogg checks the pages of an Ogg stream (RFC 3533): the first begins a stream of Opus or Vorbis, and each is whole.
func ogg(raw []byte) error {
	for at, page := 0, 0; at < len(raw); page++ {
		p := raw[at:]
		if len(p) < 27 || string(p[:4]) != "OggS" || p[4] != 0 || len(p) < 27+int(p[26]) {
			return ErrBroken
		}
		size := 27 + int(p[26])
		for _, s := range p[27:size] {
			size += int(s)
		}
		if size > len(p) {
			return ErrBroken
		}
		if body := p[27+int(p[26]) : size]; page == 0 && !bytes.HasPrefix(body, []byte("OpusHead")) && !bytes.HasPrefix(body, []byte("\x01vorbis")) {
			return ErrKind
		}
		at += size
	}
	return nil
}

// mp4 walks the boxes of ISO/IEC 14496-12: each is whole, and there is a movie whose tracks are sound.
func mp4(raw []byte) error {
	movie := false
	for at := uint64(0); at < uint64(len(raw)); {
		rest := raw[at:]
		if len(rest) < 8 {
			return ErrBroken
		}
		size, head := uint64(binary.BigEndian.Uint32(rest)), uint64(8)
		switch {
		case size == 1 && len(rest) >= 16:
			size, head = binary.BigEndian.Uint64(rest[8:]), 16
		case size == 0: // to the end
			size = uint64(len(rest))
		}
		if size < head || size > uint64(len(rest)) {
			return ErrBroken
		}
		if body := rest[head:size]; string(rest[4:8]) == "moov" {
			movie = true
			if !handles(body, "soun") || handles(body, "vide") {
				return ErrKind
			}
		}
		at += size
	}
	if !movie {
		return ErrBroken
	}
	return nil
}

// handles reports whether a movie has a track that is handled as a kind of media.
func handles(moov []byte, kind string) bool {
	for at := 0; ; {
		i := bytes.Index(moov[at:], []byte("hdlr"))
		if i < 0 {
			return false
		}
		at += i + 4
		if len(moov) >= at+12 && string(moov[at+8:at+12]) == kind {
			return true
		}
	}
}
