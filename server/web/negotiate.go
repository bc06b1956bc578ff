package web

import (
	"cmp"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// The media types that an address of ours is answered in, beside pages.
const (
	mimeHTML    = "text/html"
	mimeLinkset = "application/linkset+json"
	mimeLD      = "application/ld+json"
	mimeJOSE    = "application/jose"
)

// preferred returns which of the offered types a request's Accept prefers, the first of equals; "" when it takes none of them. Who does not
// say takes the first.
func preferred(r *http.Request, offered ...string) string {
	type wish struct {
		kind string
		q    float64
	}
	var wishes []wish
	for _, header := range r.Header.Values("Accept") {
		for part := range strings.SplitSeq(header, ",") {
			kind, params, err := mime.ParseMediaType(part)
			if err != nil {
				continue
			}
			w := wish{kind, 1}
			if q, ok := params["q"]; ok {
				if w.q, err = strconv.ParseFloat(q, 64); err != nil || w.q < 0 || w.q > 1 {
					continue
				}
			}
			wishes = append(wishes, w)
		}
	}
	if len(wishes) == 0 {
		return offered[0]
	}
	best, most := "", 0.0
	for _, kind := range offered {
		main, _, _ := strings.Cut(kind, "/")
		// The most exact range that a type falls into says how much it is wanted (RFC 9110, 12.5.1).
		fits := slices.DeleteFunc(slices.Clone(wishes), func(w wish) bool { return w.kind != kind && w.kind != main+"/*" && w.kind != "*/*" })
		if len(fits) == 0 {
			continue
		}
		w := slices.MaxFunc(fits, func(a, b wish) int { return cmp.Compare(exactness(a.kind), exactness(b.kind)) })
		if w.q > most {
			best, most = kind, w.q
		}
	}
	return best
}

func exactness(kind string) int {
	switch {
	case kind == "*/*":
		return 0
	case strings.HasSuffix(kind, "/*"):
		return 1
	}
	return 2
}

// linkTypeName returns the name of GS1's link type that a linkType parameter asks for: a CURIE, any of the IRIs GS1 has used, or the bare name.
// ok is false for one that is not GS1's.
func linkTypeName(asked string) (name string, ok bool) {
	for _, prefix := range []string{
		"gs1:", "https://ref.gs1.org/voc/", "https://gs1.org/voc/", "https://www.gs1.org/voc/", "http://gs1.org/voc/", "http://www.gs1.org/voc/",
	} {
		if rest, cut := strings.CutPrefix(asked, prefix); cut {
			return rest, rest != ""
		}
	}
	return asked, asked != "" && !strings.ContainsAny(asked, ":/")
}
