package splice_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"aovuon/server/web/splice"
)

// unzip reads one gzip member, and nothing may stand behind it: readers stop there.
func unzip(t testing.TB, z []byte) []byte {
	t.Helper()
	in := bytes.NewReader(z)
	r, err := gzip.NewReader(in)
	if err != nil {
		t.Fatal(err)
	}
	r.Multistream(false)
	raw, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if in.Len() > 0 {
		t.Fatalf("%d bytes behind the member", in.Len())
	}
	return raw
}

func TestGzip_IsTheWholePage(t *testing.T) {
	head, tail := strings.Repeat("<p class=\"verdict\">Mã hợp lệ</p>\n", 300), strings.Repeat("<li>nước ao 27,5 °C</li>\n", 900)
	for _, middle := range []string{"", "x", "<p class=\"verdict\">Mã hợp lệ</p> 9SRM4C2K7P0XA", strings.Repeat("mã lạ ", 20_000)} {
		for _, ends := range [][2]string{{head, tail}, {"", ""}, {head, ""}, {"", tail}} {
			p, err := splice.New([]byte(ends[0]), []byte(ends[1]))
			if err != nil {
				t.Fatal(err)
			}
			z, err := p.Gzip([]byte(middle))
			if err != nil {
				t.Fatal(err)
			}
			want := ends[0] + middle + ends[1]
			if got := string(unzip(t, z)); got != want {
				t.Fatalf("%d bytes between %d and %d: another page came out", len(middle), len(ends[0]), len(ends[1]))
			}
			if string(p.Plain([]byte(middle))) != want {
				t.Error("the plain page is another")
			}
		}
	}
}

func FuzzGzip(f *testing.F) {
	f.Add([]byte("<head>"), []byte("a"), []byte("</html>"))
	f.Fuzz(func(t *testing.T, head, middle, tail []byte) {
		p, err := splice.New(head, tail)
		if err != nil {
			t.Fatal(err)
		}
		z, err := p.Gzip(middle)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(unzip(t, z), p.Plain(middle)) {
			t.Error("another page came out")
		}
	})
}

func TestTag_IsAnotherForAnotherPage(t *testing.T) {
	tags := map[string]bool{}
	for _, parts := range [][3]string{{"a", "b", "c"}, {"ab", "", "c"}, {"a", "", "bc"}, {"a", "b", "d"}, {"a", "x", "c"}} {
		p, err := splice.New([]byte(parts[0]), []byte(parts[2]))
		if err != nil {
			t.Fatal(err)
		}
		tag := p.Tag([]byte(parts[1]))
		if len(tag) != 16 || tags[tag] || tag != p.Tag([]byte(parts[1])) {
			t.Errorf("%q: tag %q", parts, tag)
		}
		tags[tag] = true
	}
}

func BenchmarkGzip(b *testing.B) {
	words := make([]byte, 60_000)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range words {
		words[i] = "abcdefgh <>/"[r.IntN(12)]
	}
	p, err := splice.New(words[:10_000], words[10_000:])
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := p.Gzip(words[20_000:21_500]); err != nil {
			b.Fatal(err)
		}
	}
}
