package words_test

import (
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"aovuon/gateway/measure"
	"aovuon/gateway/words"
)

func own(text string) fstest.MapFS {
	return fstest.MapFS{"locales/vi.yaml": {Data: []byte(text)}, "locales/en.yaml": {Data: []byte(text)}}
}

func load(t *testing.T, lang string) *words.Words {
	t.Helper()
	w, err := words.Load(lang, own("two: \"%s, %s\"\n"))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestWords_NameEverythingThereIs(t *testing.T) {
	for _, lang := range words.Languages() {
		w := load(t, lang)
		var keys []string
		for _, q := range measure.Quantities() {
			keys = append(keys, "quantity."+string(q))
		}
		for _, r := range measure.FaultReasons() {
			keys = append(keys, "reason."+string(r))
		}
		for q := measure.Good; q <= measure.Fault; q++ {
			keys = append(keys, "quality."+q.String())
		}
		for _, key := range keys {
			if !w.Has(key) {
				t.Errorf("%s: no words for %s", lang, key)
			}
		}
	}
}

func TestWords_WriteAsPeopleHereDo(t *testing.T) {
	at := time.Date(2026, 11, 25, 20, 4, 5, 0, time.UTC)
	for lang, want := range map[string][]string{
		words.Vietnamese: {"1.234,5", "25,60", "0,125", "−1234,5", "26/11/2026 03:04:05", "26/11/2026", "03:04", "61 phút", "47 giờ", "2 ngày", "119 giây", "Không chạy"},
		words.English:    {"1,234.5", "25.60", "0.125", "−1234.5", "26/11/2026 03:04:05", "26/11/2026", "03:04", "61 min", "47 h", "2 days", "119 s", "Not running"},
	} {
		w := load(t, lang)
		got := []string{
			w.Num(1234.5, 1), w.Value(measure.DissolvedOxygen, 25.6), w.Exact(0.125), strings.Replace(w.Plain(-1234.5), "-", "−", 1), w.DateTime(at), w.Date(at), w.Minute(at),
			w.Length(3661), w.Length(172799), w.Length(172800), w.Length(119), w.Value(measure.AeratorRunning, 0),
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("%s: %q, want %q", lang, got[i], want[i])
			}
		}
	}
}

func TestWords_FillInAndShowWhatIsMissing(t *testing.T) {
	w := load(t, words.English)
	for _, tc := range []struct{ got, want string }{
		{w.T("two", "a", "b"), "a, b"},
		{w.T("two", "%s", "b"), "%s, b"},
		{w.T("two", "a"), "a, %s"},
		{w.T("no.such.key"), "no.such.key"},
		{w.Or("no.such.key", "otherwise"), "otherwise"},
	} {
		if tc.got != tc.want {
			t.Errorf("%q, want %q", tc.got, tc.want)
		}
	}
}

func TestLoad_RefusesWordsThatAreThereTwice(t *testing.T) {
	for name, text := range map[string]string{"twice": "quality.good: fine\n", "no map": "- a\n"} {
		if _, err := words.Load(words.English, own(text)); err == nil {
			t.Errorf("%s passed", name)
		}
	}
}
