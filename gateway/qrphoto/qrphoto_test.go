package qrphoto_test

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/skip2/go-qrcode"
	"golang.org/x/image/draw"
	"golang.org/x/image/math/f64"

	"aovuon/gateway/qrphoto"
)

const claim = "aovuon-claim:0123456789ABCDEF.AAAAAAAAAAAAAAAAAAAAAA@https://htx-phukhe.example:8443"

// shot is a photo of a sheet with the claim, as a phone takes it: turned, on a grey table, lit from one side, noisy.
func shot(t testing.TB, width, height int, side, turn float64) image.Image {
	t.Helper()
	code, err := qrcode.New(claim, qrcode.Medium)
	if err != nil {
		t.Fatal(err)
	}
	sheet := code.Image(600)
	out := image.NewRGBA(image.Rect(0, 0, width, height))
	draw.Draw(out, out.Bounds(), image.NewUniform(color.Gray{120}), image.Point{}, draw.Src)
	s := side / 600
	sin, cos := math.Sincos(turn)
	cx, cy := float64(width)/2, float64(height)/2
	draw.BiLinear.Transform(out, f64.Aff3{s * cos, -s * sin, cx - 300*s*(cos-sin), s * sin, s * cos, cy - 300*s*(sin+cos)}, sheet, sheet.Bounds(), draw.Over, nil)
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // noise of a camera
	for y := range height {
		for x := range width {
			c := out.RGBAAt(x, y)
			light := 0.35 + 0.65*float64(x)/float64(width)
			v := uint8(min(255, max(0, float64(c.G)*light+r.NormFloat64()*8)))
			out.SetRGBA(x, y, color.RGBA{v, v, v, 255})
		}
	}
	return out
}

func jpegOf(t testing.TB, photo image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, photo, &jpeg.Options{Quality: 70}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestRead_APhotoAsAPhoneTakesIt(t *testing.T) {
	for name, c := range map[string]struct {
		width, height int
		side, turn    float64
	}{
		"close, straight":     {900, 1200, 700, 0},
		"turned":              {1200, 1600, 700, 0.4},
		"upside down":         {1200, 900, 600, math.Pi},
		"far away, 5 MP":      {2560, 1920, 420, 0.15},
		"as small as a stamp": {400, 400, 180, 0.1},
	} {
		t.Run(name, func(t *testing.T) {
			text, err := qrphoto.Read(jpegOf(t, shot(t, c.width, c.height, c.side, c.turn)))
			if err != nil || text != claim {
				t.Errorf("%q, %v", text, err)
			}
		})
	}
	var b bytes.Buffer
	if err := png.Encode(&b, shot(t, 500, 500, 400, 0)); err != nil {
		t.Fatal(err)
	}
	if text, err := qrphoto.Read(b.Bytes()); err != nil || text != claim {
		t.Errorf("png: %q, %v", text, err)
	}
}

func TestRead_SaysWhatIsWrong(t *testing.T) {
	whole := jpegOf(t, shot(t, 600, 600, 400, 0))
	huge := bytes.Clone(whole)
	for i := range len(huge) - 9 { // the size of a baseline JPEG stands in its SOF0 segment
		if huge[i] == 0xff && huge[i+1] == 0xc0 {
			copy(huge[i+5:], []byte{0xff, 0xff, 0xff, 0xff})
			break
		}
	}
	for name, c := range map[string]struct {
		raw  []byte
		want error
	}{
		"nothing":                {nil, qrphoto.ErrNoPhoto},
		"text":                   {[]byte(claim), qrphoto.ErrNoPhoto},
		"torn":                   {whole[:len(whole)/3], qrphoto.ErrNoPhoto},
		"says it is 4 gigapixel": {huge, qrphoto.ErrNoPhoto},
		"too many bytes":         {make([]byte, qrphoto.MostBytes+1), qrphoto.ErrNoPhoto},
		"a photo of a fish":      {jpegOf(t, shot(t, 300, 300, 1, 0)), qrphoto.ErrNoCode},
	} {
		if text, err := qrphoto.Read(c.raw); !errors.Is(err, c.want) || text != "" {
			t.Errorf("%s: %q, %v", name, text, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(jpegOf(f, shot(f, 120, 120, 100, 0)))
	f.Add([]byte("\x89PNG\r\n\x1a\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if text, err := qrphoto.Read(raw); (err == nil) != (text != "") {
			t.Errorf("%q, %v", text, err)
		}
	})
}
