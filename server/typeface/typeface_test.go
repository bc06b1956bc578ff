package typeface_test

import (
	"math"
	"testing"

	"aovuon/server/typeface"
)

func TestFace_HasEveryVietnameseLetter(t *testing.T) {
	const letters = "aáàảãạăắằẳẵặâấầẩẫậeéèẻẽẹêếềểễệiíìỉĩịoóòỏõọôốồổỗộơớờởỡợuúùủũụưứừửữựyýỳỷỹỵđ" +
		"AÁÀẢÃẠĂẮẰẲẴẶÂẤẦẨẪẬEÉÈẺẼẸÊẾỀỂỄỆIÍÌỈĨỊOÓÒỎÕỌÔỐỒỔỖỘƠỚỜỞỠỢUÚÙỦŨỤƯỨỪỬỮỰYÝỲỶỸỴĐ₫–…«»°²³×"
	for _, ttf := range [][]byte{typeface.Regular(), typeface.Bold()} {
		f, err := typeface.New(ttf)
		if err != nil {
			t.Fatal(err)
		}
		if _, lacks := f.Plain(letters); lacks != 0 {
			t.Errorf("lacks %q", lacks)
		}
		if plain, _ := f.Plain("  Ca\u0301  tra\u0306\u0301m\n"); plain != "Cá trắm" {
			t.Errorf("decomposed text became %q", plain)
		}
		if _, lacks := f.Plain("cá 鱼"); lacks != '鱼' {
			t.Errorf("lacks %q, want 鱼", lacks)
		}
	}
}

// Arial's widths: digits 1139 of 2048, bold A 1479.
func TestFace_HasArialsWidths(t *testing.T) {
	regular, err := typeface.New(typeface.Regular())
	if err != nil {
		t.Fatal(err)
	}
	bold, err := typeface.New(typeface.Bold())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		got, want float64
	}{{regular.Width("00"), 2 * 1139. / 2048}, {bold.Width("A"), 1479. / 2048}} {
		if math.Abs(c.got-c.want) > 1e-4 {
			t.Errorf("width %v, want %v", c.got, c.want)
		}
	}
}
