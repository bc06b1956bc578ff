package notify_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"aovuon/server/watch/notify"
)

// Every letter of Vietnamese, composed and decomposed, is the letter that people type instead of it.
func TestPlain_EveryLetterOfVietnamese(t *testing.T) {
	for plain, marked := range map[string]string{
		"a": "àáảãạăằắẳẵặâầấẩẫậ", "e": "èéẻẽẹêềếểễệ", "i": "ìíỉĩị", "o": "òóỏõọôồốổỗộơờớởỡợ", "u": "ùúủũụưừứửữự", "y": "ỳýỷỹỵ", "d": "đ",
		"A": "ÀÁẢÃẠĂẰẮẲẴẶÂẦẤẨẪẬ", "E": "ÈÉẺẼẸÊỀẾỂỄỆ", "I": "ÌÍỈĨỊ", "O": "ÒÓỎÕỌÔỒỐỔỖỘƠỜỚỞỠỢ", "U": "ÙÚỦŨỤƯỪỨỬỮỰ", "Y": "ỲÝỶỸỴ", "D": "Đ",
	} {
		for _, r := range marked {
			if got := notify.Plain(string(r)); got != plain {
				t.Errorf("%c: %q, want %q", r, got, plain)
			}
		}
	}
	if got := notify.Plain("Ôxy"); got != "Oxy" {
		t.Error(got)
	}
}

func TestPlain_Sentences(t *testing.T) {
	for in, want := range map[string]string{
		"NGUY CẤP – Ao cá Phú Khê 1: ôxy 2,6\u00a0mg/L": "NGUY CAP - Ao ca Phu Khe 1: oxy 2,6 mg/L",
		"Nước 34,5\u00a0°C, NH₃-N 0,12":                 "Nuoc 34,5  do C, NH3-N 0,12", "“lúa” [1] {2} ~ 日本": `"lua" (1) (2) - ??`, "20 m²": "20 m2",
	} {
		if got := notify.Plain(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestShort_HoldsWholePartsFirst(t *testing.T) {
	long := strings.Repeat("chữ ", 60)
	for _, c := range []struct {
		parts []string
		want  string
	}{
		{[]string{"Một.", "Hai.", ""}, "Mot. Hai."},
		{[]string{strings.Repeat("a", 150), "dài quá"}, strings.Repeat("a", 150) + " dai qua"},
		{[]string{strings.Repeat("a", 150), "dài quá rồi"}, strings.Repeat("a", 150)},
	} {
		if got := notify.Short(c.parts...); got != c.want {
			t.Errorf("%q: %q", c.parts, got)
		}
	}
	if got := notify.Short(long); !strings.HasSuffix(got, "chu...") || len(got) > notify.ShortMost {
		t.Errorf("%d %q", len(got), got)
	}
	if got := notify.Short("Ao 1.", long); !strings.HasPrefix(got, "Ao 1. chu chu") || len(got) > notify.ShortMost {
		t.Errorf("%d %q", len(got), got)
	}
}

// Whatever is written, a short text is one SMS of characters that every telephone has.
func TestShort_IsOneSMS(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		got := notify.Short(rapid.SliceOf(rapid.String()).Draw(t, "parts")...)
		if len(got) > notify.ShortMost || utf8.RuneCountInString(got) != len(got) || strings.ContainsAny(got, "[]{}~|\\^`\x00") {
			t.Fatalf("%q", got)
		}
		for _, r := range got {
			if r < ' ' || r > '~' {
				t.Fatalf("%q holds %q", got, r)
			}
		}
	})
}
