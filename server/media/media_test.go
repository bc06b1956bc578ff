package media_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aovuon/server/ledger"
	"aovuon/server/media"
	"aovuon/server/sqldb"
	"aovuon/server/sqldb/sqldbtest"
)

var by = ledger.By{Actor: "u-tam", At: time.Date(2026, 11, 25, 7, 0, 0, 0, time.UTC)}

func shelf(t testing.TB) (*media.Shelf, *sqldb.DB, string) {
	t.Helper()
	db := sqldbtest.Open(t, sqldbtest.Fresh(t))
	dir := filepath.Join(t.TempDir(), "media")
	return media.New(dir, db), db, dir
}

// picture is wider than high, red at its top left corner and blue elsewhere.
func picture(w, h int) image.Image {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.RGBA{B: 255, A: 255}
			if x < w/2 && y < h/2 {
				c = color.RGBA{R: 255, A: 255}
			}
			img.Set(x, y, c)
		}
	}
	return img
}

func jpegOf(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func pngOf(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// withExif puts what a camera writes into a JPEG: an orientation, its name and a place.
func withExif(raw []byte, orientation uint16) []byte {
	t := []byte("MM\x00\x2a\x00\x00\x00\x08\x00\x02")
	t = append(t, 0x01, 0x12, 0, 3, 0, 0, 0, 1, byte(orientation>>8), byte(orientation), 0, 0)
	t = append(t, 0x01, 0x10, 0, 2, 0, 0, 0, 14, 0, 0, 0, 38, 0, 0, 0, 0)
	t = append(t, "Nokia-of-Tam  GPS 20.7713N 106.2249E"...)
	body := append([]byte("Exif\x00\x00"), t...)
	seg := binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(len(body)+2))
	return append(append(append([]byte{}, raw[:2]...), append(seg, body...)...), raw[2:]...)
}

func oggOf(body string) []byte {
	page := append([]byte("OggS\x00\x02"), make([]byte, 20)...)
	return append(append(page, 1, byte(len(body))), body...)
}

func box(kind string, parts ...[]byte) []byte {
	body := bytes.Join(parts, nil)
	return append(append(binary.BigEndian.AppendUint32(nil, uint32(len(body)+8)), kind...), body...)
}

func mp4Of(handler string) []byte {
	hdlr := box("hdlr", make([]byte, 8), []byte(handler), make([]byte, 13))
	return bytes.Join([][]byte{box("ftyp", []byte("M4A \x00\x00\x00\x00")), box("moov", box("trak", box("mdia", hdlr))), box("mdat", []byte("sound"))}, nil)
}

func webmOf(kind string) []byte {
	head := append([]byte("\x42\x82"), append([]byte{0x80 | byte(len(kind))}, kind...)...)
	out := append([]byte("\x1a\x45\xdf\xa3"), append([]byte{0x80 | byte(len(head))}, head...)...)
	return append(out, "\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xffA_OPUS..."...)
}

func webp(t testing.TB) []byte {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString("UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==")
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func sum(raw []byte) string {
	h := sha256.Sum256(raw)
	return hex.EncodeToString(h[:])
}

func TestKeep_WritesAPhotoAnew(t *testing.T) {
	s, db, _ := shelf(t)
	sent := withExif(jpegOf(t, picture(60, 20)), 6)
	sent = append(sent, "<script>alert(1)</script>PK\x03\x04"...) // a page and an archive behind it
	m, err := s.Keep(t.Context(), sent, by)
	if err != nil || m.SHA256 != sum(sent) || m.Type != "image/jpeg" {
		t.Fatalf("%+v, %v", m, err)
	}
	_, kept, ok, err := s.Media(t.Context(), m.SHA256)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	for _, gone := range []string{"Exif", "Nokia", "GPS", "<script>", "PK\x03\x04"} {
		if bytes.Contains(kept, []byte(gone)) {
			t.Errorf("%q is kept", gone)
		}
	}
	img, err := jpeg.Decode(bytes.NewReader(kept))
	if err != nil || img.Bounds().Dx() != 20 || img.Bounds().Dy() != 60 {
		t.Fatalf("%v, %v", img.Bounds(), err)
	}
	if r, _, b, _ := img.At(15, 5).RGBA(); r < 0xc000 || b > 0x4000 { // turned right, its first corner is at the top right
		t.Errorf("top right is %x %x", r, b)
	}
	i, ok, err := db.MediaItem(t.Context(), m.SHA256)
	if err != nil || !ok || i.Kept != sum(kept) || i.Size != int64(len(kept)) || i.By != "u-tam" {
		t.Errorf("%+v, %v", i, err)
	}
}

func TestKeep_TurnsEveryWay(t *testing.T) {
	// where the red corner of a picture comes to lie, as a viewer that heeds the tag shows it
	for turn, corner := range map[uint16][2]int{1: {0, 0}, 2: {1, 0}, 3: {1, 1}, 4: {0, 1}, 5: {0, 0}, 6: {1, 0}, 7: {1, 1}, 8: {0, 1}, 9: {0, 0}} {
		s, _, _ := shelf(t)
		m, err := s.Keep(t.Context(), withExif(jpegOf(t, picture(64, 32)), turn), by)
		if err != nil {
			t.Fatal(turn, err)
		}
		_, kept, _, err := s.Media(t.Context(), m.SHA256)
		if err != nil {
			t.Fatal(err)
		}
		img, err := jpeg.Decode(bytes.NewReader(kept))
		if err != nil {
			t.Fatal(err)
		}
		w, h := img.Bounds().Dx(), img.Bounds().Dy()
		if (w > h) != (turn < 5 || turn > 8) {
			t.Errorf("%d: %d × %d", turn, w, h)
		}
		x, y := w/8+corner[0]*(w*3/4), h/8+corner[1]*(h*3/4)
		if r, _, b, _ := img.At(x, y).RGBA(); r < b {
			t.Errorf("%d: red is not at %v", turn, corner)
		}
	}
}

func TestKeep_TakesWhatPhonesSend(t *testing.T) {
	for name, c := range map[string]struct {
		raw  []byte
		want string
	}{
		"png":    {pngOf(t, picture(40, 30)), "image/jpeg"},
		"webp":   {webp(t), "image/jpeg"},
		"large":  {jpegOf(t, picture(3000, 1000)), "image/jpeg"},
		"opus":   {oggOf("OpusHead....."), "audio/ogg"},
		"vorbis": {oggOf("\x01vorbis....."), "audio/ogg"},
		"webm":   {webmOf("webm"), "audio/webm"},
		"m4a":    {mp4Of("soun"), "audio/mp4"},
	} {
		s, _, _ := shelf(t)
		for range 2 { // sent again, it is known
			if m, err := s.Keep(t.Context(), c.raw, by); err != nil || m.Type != c.want || m.SHA256 != sum(c.raw) {
				t.Errorf("%s: %+v, %v", name, m, err)
			}
		}
		_, kept, ok, err := s.Media(t.Context(), sum(c.raw))
		if err != nil || !ok {
			t.Fatal(name, ok, err)
		}
		if strings.HasPrefix(c.want, "audio/") && !bytes.Equal(kept, c.raw) {
			t.Errorf("%s was changed", name)
		}
		if name == "large" {
			if cfg, err := jpeg.DecodeConfig(bytes.NewReader(kept)); err != nil || cfg.Width != 2048 || cfg.Height != 682 {
				t.Errorf("%+v, %v", cfg, err)
			}
		}
	}
}

// bombPNG says that it is huge, in a few bytes.
func bombPNG(w, h uint32) []byte {
	ihdr := append([]byte("IHDR"), binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, w), h)...)
	ihdr = append(ihdr, 8, 6, 0, 0, 0)
	out := binary.BigEndian.AppendUint32([]byte("\x89PNG\r\n\x1a\n"), 13)
	return binary.BigEndian.AppendUint32(append(out, ihdr...), crc32.ChecksumIEEE(ihdr))
}

func TestKeep_Refuses(t *testing.T) {
	photo, drawn := jpegOf(t, picture(600, 400)), pngOf(t, picture(60, 40))
	bombJPEG := bytes.Clone(photo)
	at := bytes.Index(bombJPEG, []byte("\xff\xc0"))
	copy(bombJPEG[at+5:], "\x3e\x80\x3e\x80") // 16,000 × 16,000
	bombWebP := webp(t)
	copy(bombWebP[21:], "\xff\xff\xff\x0f") // 16,384 × 16,384
	for name, c := range map[string]struct {
		raw  []byte
		want error
	}{
		"nothing":            {nil, media.ErrKind},
		"a page":             {[]byte("<!doctype html><script>1</script>"), media.ErrKind},
		"a drawing":          {[]byte("<svg xmlns='http://www.w3.org/2000/svg' onload='x()'/>"), media.ErrKind},
		"a GIF":              {[]byte("GIF89a\x01\x00\x01\x00\x00\x00\x00;"), media.ErrKind},
		"a PDF":              {[]byte("%PDF-1.7"), media.ErrKind},
		"a WAV":              {[]byte("RIFF\x24\x00\x00\x00WAVEfmt "), media.ErrKind},
		"a program":          {[]byte("\x7fELF\x02\x01\x01"), media.ErrKind},
		"a film":             {mp4Of("vide"), media.ErrKind},
		"a Matroska":         {webmOf("matroska"), media.ErrKind},
		"Ogg of pictures":    {oggOf("\x80theora"), media.ErrKind},
		"too many bytes":     {append(bytes.Clone(photo), make([]byte, media.MostBytes)...), media.ErrSize},
		"a bomb as PNG":      {bombPNG(60000, 60000), media.ErrSize},
		"a flat bomb":        {bombPNG(2_000_000_000, 1), media.ErrSize},
		"a bomb as JPEG":     {bombJPEG, media.ErrSize},
		"a bomb as WebP":     {bombWebP, media.ErrSize},
		"half a JPEG":        {photo[:len(photo)/2], media.ErrBroken},
		"half a PNG":         {drawn[:len(drawn)/2], media.ErrBroken},
		"a JPEG's beginning": {[]byte("\xff\xd8\xff\xe0"), media.ErrBroken},
		"a WebP of nothing":  {[]byte("RIFF\x00\x00\x00\x00WEBP"), media.ErrBroken},
		"half an Ogg":        {oggOf("OpusHead.....")[:35], media.ErrBroken},
		"half an MP4":        {mp4Of("soun")[:60], media.ErrBroken},
		"an MP4 of nothing":  {box("ftyp", []byte("M4A ")), media.ErrBroken},
		"a box beyond":       {append(box("ftyp", []byte("M4A ")), 0xff, 0xff, 0xff, 0xff, 'm', 'o', 'o', 'v'), media.ErrBroken},
		"half a WebM":        {webmOf("webm")[:9], media.ErrBroken},
	} {
		s, db, dir := shelf(t)
		if _, err := s.Keep(t.Context(), c.raw, by); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if list, err := db.MediaItems(t.Context()); err != nil || len(list) != 0 {
			t.Errorf("%s: %d are on record, %v", name, len(list), err)
		}
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%s left a folder", name)
		}
	}
}

func fileOf(dir, sum string) string { return filepath.Join(dir, sum[:2], sum) }

func TestMedia_ThatWasExchangedIsFound(t *testing.T) {
	s, _, dir := shelf(t)
	raw := jpegOf(t, picture(40, 20))
	m, err := s.Keep(t.Context(), raw, by)
	if err != nil {
		t.Fatal(err)
	}
	if bad, err := s.Check(t.Context()); err != nil || len(bad) != 0 {
		t.Fatal(bad, err)
	}
	if err := os.WriteFile(fileOf(dir, m.SHA256), jpegOf(t, picture(20, 20)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := s.Media(t.Context(), m.SHA256); !errors.Is(err, media.ErrAltered) {
		t.Errorf("%v", err)
	}
	if bad, err := s.Check(t.Context()); err != nil || len(bad) != 1 {
		t.Error(bad, err)
	}
	if err := os.Remove(fileOf(dir, m.SHA256)); err != nil {
		t.Fatal(err)
	}
	if bad, err := s.Check(t.Context()); err != nil || len(bad) != 1 {
		t.Error(bad, err)
	}
	if _, err := s.Keep(t.Context(), raw, by); err != nil { // sent again, it is made again
		t.Fatal(err)
	}
	if bad, err := s.Check(t.Context()); err != nil || len(bad) != 0 {
		t.Error(bad, err)
	}
}

func TestSweep_RemovesWhatNothingSpeaksOf(t *testing.T) {
	s, _, dir := shelf(t)
	if gone, err := s.Sweep(t.Context(), by.At); gone != 0 || err != nil { // before the first photo
		t.Fatal(gone, err)
	}
	m, err := s.Keep(t.Context(), jpegOf(t, picture(40, 20)), by)
	if err != nil {
		t.Fatal(err)
	}
	orphan := fileOf(dir, strings.Repeat("ab", 32))
	if err := errors.Join(os.MkdirAll(filepath.Dir(orphan), 0o700), os.WriteFile(orphan, []byte("x"), 0o600)); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(orphan)
	if err != nil {
		t.Fatal(err)
	}
	if gone, err := s.Sweep(t.Context(), info.ModTime().Add(time.Minute)); gone != 0 || err != nil { // it may be about to be entered
		t.Fatal(gone, err)
	}
	if gone, err := s.Sweep(t.Context(), info.ModTime().Add(2*time.Hour)); gone != 1 || err != nil {
		t.Fatal(gone, err)
	}
	if _, _, ok, err := s.Media(t.Context(), m.SHA256); !ok || err != nil {
		t.Error("what is on record went", err)
	}
}

// FuzzKeep: whatever is sent is refused, or comes back as what it says it is; nothing panics or asks for much memory.
func FuzzKeep(f *testing.F) {
	for _, raw := range [][]byte{
		jpegOf(f, picture(20, 10)), withExif(jpegOf(f, picture(20, 10)), 6), pngOf(f, picture(20, 10)), webp(f), oggOf("OpusHead"), mp4Of("soun"), webmOf("webm"), bombPNG(1<<31, 1),
	} {
		f.Add(raw)
	}
	s, _, _ := shelf(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := s.Keep(t.Context(), raw, by)
		if err != nil {
			if !errors.Is(err, media.ErrKind) && !errors.Is(err, media.ErrSize) && !errors.Is(err, media.ErrBroken) {
				t.Fatal(err)
			}
			return
		}
		if m.Type != "image/jpeg" {
			return
		}
		_, kept, ok, err := s.Media(t.Context(), m.SHA256)
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		if _, err := jpeg.DecodeConfig(bytes.NewReader(kept)); err != nil {
			t.Fatal(err)
		}
	})
}
