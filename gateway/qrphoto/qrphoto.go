// Package qrphoto reads the QR code of a photo: a JPEG or PNG as a phone takes it comes in, the text of the code goes out.
//
// It is how a phone hands a claim to a gateway over plain HTTP: browsers give a page the camera over HTTPS alone, a file to everybody.
package qrphoto

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	_ "image/jpeg" // what phones send
	_ "image/png"  // a screenshot of the claim
	"unicode/utf8"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
	"golang.org/x/image/draw"
)

const (
	// MostBytes bounds the file, mostPixels what it unpacks to: 50 megapixels in colour are 75 MB, on a machine of 512.
	MostBytes  = 12 << 20
	mostPixels = 50_000_000
	mostText   = 1000
)

// Errors of Read.
var (
	ErrNoPhoto = errors.New("no photo that can be read") // neither JPEG nor PNG, damaged, or too large
	ErrNoCode  = errors.New("no QR code in the photo")
)

// Read returns the text of the QR code in a photo. Its errors wrap ErrNoPhoto or ErrNoCode.
func Read(raw []byte) (text string, err error) {
	defer func() { // what strangers' bytes do to a decoder must not end a gateway
		if p := recover(); p != nil {
			text, err = "", fmt.Errorf("qrphoto: %w: %v", ErrNoPhoto, p)
		}
	}()
	if len(raw) > MostBytes {
		return "", fmt.Errorf("qrphoto: %w: %d bytes, at most %d", ErrNoPhoto, len(raw), MostBytes)
	}
	head, kind, err := image.DecodeConfig(bytes.NewReader(raw))
	if err != nil {
		return "", fmt.Errorf("qrphoto: %w: %w", ErrNoPhoto, err)
	}
	if head.Width <= 0 || head.Height <= 0 || head.Width > mostPixels/head.Height {
		return "", fmt.Errorf("qrphoto: %w: %s of %d x %d, at most %d pixels", ErrNoPhoto, kind, head.Width, head.Height, mostPixels)
	}
	photo, _, err := image.Decode(bytes.NewReader(raw))
	if err != nil {
		return "", fmt.Errorf("qrphoto: %w: %w", ErrNoPhoto, err)
	}
	for _, width := range []int{900, 1600, 2600} { // a code that fills the photo is found in the first size, a small one in the last
		small := shrink(photo, width)
		if text, err := look(small); err == nil && text != "" && len(text) <= mostText && utf8.ValidString(text) {
			return text, nil
		}
		if small.Bounds().Dx() < width { // a larger size is the same picture
			break
		}
	}
	return "", fmt.Errorf("qrphoto: %w", ErrNoCode)
}

// shrink returns the photo in grey, its longer side at most width.
func shrink(photo image.Image, width int) *image.Gray {
	from := photo.Bounds()
	to := image.Rect(0, 0, from.Dx(), from.Dy())
	if long := max(to.Dx(), to.Dy()); long > width {
		to = image.Rect(0, 0, max(1, to.Dx()*width/long), max(1, to.Dy()*width/long))
	}
	grey := image.NewGray(to)
	draw.ApproxBiLinear.Scale(grey, to, photo, from, draw.Src, nil)
	return grey
}

// look reads the code of a grey picture: first as shadows fall over it, then as one that is evenly lit.
func look(grey *image.Gray) (string, error) {
	source := gozxing.NewLuminanceSourceFromImage(grey)
	hints := map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true}
	var bad error
	for _, binarizer := range []gozxing.Binarizer{gozxing.NewHybridBinarizer(source), gozxing.NewGlobalHistgramBinarizer(source)} {
		bitmap, err := gozxing.NewBinaryBitmap(binarizer)
		if err != nil {
			bad = errors.Join(bad, err)
			continue
		}
		found, err := qrcode.NewQRCodeReader().Decode(bitmap, hints)
		if err == nil {
			return found.GetText(), nil
		}
		bad = errors.Join(bad, err)
	}
	return "", bad
}
