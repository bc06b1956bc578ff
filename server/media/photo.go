package media

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"

	"golang.org/x/image/draw"
	"golang.org/x/image/webp"
)

// Bounds of a photo.
const (
	mostPixelsJPEG = 50_000_000 // the largest camera of a common phone
	mostPixels     = 16_000_000 // PNG, WebP: screenshots, and what chat programs send
	mostSide       = 16_000     // pixels
	keptSide       = 2048       // pixels: what is kept is not larger
	quality        = 85
)

// format names what bytes say of themselves: jpeg, png, webp; empty: none of them.
func format(raw []byte) string {
	switch {
	case bytes.HasPrefix(raw, []byte("\xff\xd8\xff")):
		return "jpeg"
	case bytes.HasPrefix(raw, []byte("\x89PNG\r\n\x1a\n")):
		return "png"
	case len(raw) >= 12 && string(raw[:4]) == "RIFF" && string(raw[8:12]) == "WEBP":
		return "webp"
	}
	return ""
}

// redraw decodes a photo and writes it anew. Before anything is decoded its size is read, so that a few bytes cannot ask for much memory.
func redraw(raw []byte) ([]byte, error) {
	kind := format(raw)
	config, decode, most := jpeg.DecodeConfig, jpeg.Decode, mostPixelsJPEG
	switch kind {
	case "png":
		config, decode, most = png.DecodeConfig, png.Decode, mostPixels
	case "webp":
		config, decode, most = webp.DecodeConfig, webp.Decode, mostPixels
	}
	c, err := config(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("%w (%s: %w)", ErrBroken, kind, err)
	}
	if c.Width < 1 || c.Height < 1 || c.Width > mostSide || c.Height > mostSide || c.Width*c.Height > most {
		return nil, fmt.Errorf("%w: %d × %d pixels, want at most %d in all", ErrSize, c.Width, c.Height, most)
	}
	img, err := decode(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("%w (%s: %w)", ErrBroken, kind, err)
	}
	turn := 1
	if kind == "jpeg" {
		turn = orientation(raw)
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, upright(shrunk(img), turn), &jpeg.Options{Quality: quality}); err != nil {
		return nil, fmt.Errorf("media: %w", err)
	}
	return out.Bytes(), nil
}

// shrunk returns the picture on white, no side longer than keptSide.
func shrunk(img image.Image) *image.RGBA {
	w, h := img.Bounds().Dx(), img.Bounds().Dy()
	if long := max(w, h); long > keptSide {
		w, h = max(1, w*keptSide/long), max(1, h*keptSide/long)
	}
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(out, out.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
	if w == img.Bounds().Dx() {
		draw.Draw(out, out.Bounds(), img, img.Bounds().Min, draw.Over)
	} else {
		draw.ApproxBiLinear.Scale(out, out.Bounds(), img, img.Bounds(), draw.Over, nil)
	}
	return out
}

// Bounds of a small picture.
const (
	thumbSide    = 640 // pixels, the longer side: a telephone's width
	leastSide    = 160
	thumbQuality = 74
	leastQuality = 34
)

// Thumb returns a kept photo as a JPEG of at most so many bytes: first less exact, then smaller. The error wraps ErrBroken for what is no
// photo, and ErrSize for one that cannot be made that small.
func Thumb(raw []byte, most int) ([]byte, error) {
	img, err := jpeg.Decode(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBroken, err)
	}
	for side := thumbSide; side >= leastSide; side = side * 3 / 4 {
		small := fitted(img, side)
		for q := thumbQuality; q >= leastQuality; q -= 10 {
			var out bytes.Buffer
			if err := jpeg.Encode(&out, small, &jpeg.Options{Quality: q}); err != nil {
				return nil, fmt.Errorf("media: %w", err)
			}
			if out.Len() <= most {
				return out.Bytes(), nil
			}
		}
	}
	return nil, fmt.Errorf("%w: no small picture of at most %d bytes", ErrSize, most)
}

// fitted returns the picture with no side longer than side; a smaller one as it is.
func fitted(img image.Image, side int) *image.RGBA {
	w, h := img.Bounds().Dx(), img.Bounds().Dy()
	if long := max(w, h); long > side {
		w, h = max(1, w*side/long), max(1, h*side/long)
	}
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.CatmullRom.Scale(out, out.Bounds(), img, img.Bounds(), draw.Src, nil)
	return out
}

// upright turns a picture as orientation 1 to 8 of TIFF 6.0 says, since the tag that says so is not kept.
func upright(img *image.RGBA, turn int) *image.RGBA {
	if turn < 2 || turn > 8 {
		return img
	}
	w, h := img.Bounds().Dx(), img.Bounds().Dy()
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	if turn >= 5 {
		out = image.NewRGBA(image.Rect(0, 0, h, w))
	}
	for y := range h {
		for x := range w {
			u, v := x, y
			switch turn {
			case 2:
				u = w - 1 - x
			case 3:
				u, v = w-1-x, h-1-y
			case 4:
				v = h - 1 - y
			case 5:
				u, v = y, x
			case 6:
				u, v = h-1-y, x
			case 7:
				u, v = h-1-y, w-1-x
			case 8:
				u, v = y, w-1-x
			}
			copy(out.Pix[out.PixOffset(u, v):][:4], img.Pix[img.PixOffset(x, y):][:4])
		}
	}
	return out
}

// orientation reads the tag 0x0112 of the Exif of a JPEG; 1, as it stands, where there is none that can be read.
func orientation(raw []byte) int {
	for at := 2; at+4 <= len(raw) && raw[at] == 0xff; {
		marker, size := raw[at+1], int(binary.BigEndian.Uint16(raw[at+2:]))
		if marker == 0xda || size < 2 || at+2+size > len(raw) { // the picture itself begins, or the segment is cut off
			return 1
		}
		if body := raw[at+4 : at+2+size]; marker == 0xe1 && bytes.HasPrefix(body, []byte("Exif\x00\x00")) {
			return tiffOrientation(body[6:])
		}
		at += 2 + size
	}
	return 1
}

func tiffOrientation(t []byte) int {
	var order binary.ByteOrder = binary.LittleEndian
	if bytes.HasPrefix(t, []byte("MM\x00\x2a")) {
		order = binary.BigEndian
	} else if !bytes.HasPrefix(t, []byte("II\x2a\x00")) {
		return 1
	}
	if len(t) < 8 {
		return 1
	}
	at := uint64(order.Uint32(t[4:]))
	if at+2 > uint64(len(t)) {
		return 1
	}
	n := uint64(order.Uint16(t[at:]))
	for i := range n {
		e := at + 2 + 12*i
		if e+12 > uint64(len(t)) {
			return 1
		}
		if order.Uint16(t[e:]) == 0x0112 {
			if v := int(order.Uint16(t[e+8:])); v >= 1 && v <= 8 {
				return v
			}
			return 1
		}
	}
	return 1
}
