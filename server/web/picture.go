package web

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/singleflight"

	"aovuon/server/farm"
	"aovuon/server/media"
)

// mostPicture is how large a picture may be that strangers are sent, bytes: two seconds of a slow telephone network are 113 kB in all.
const mostPicture = 30 << 10

func pictureHref(record, sum string) string { return "/picture/" + record + "/" + sum + ".jpg" }

// picture shows a photo of a product to everybody: of products alone, and only one that the product's record names now. It is made small
// once, and kept by its hash.
func (s *Server) picture(w http.ResponseWriter, r *http.Request) {
	sum, jpg := strings.CutSuffix(r.PathValue("sum"), ".jpg")
	if s.o.Book == nil || s.o.Shelf == nil || !jpg {
		http.NotFound(w, r)
		return
	}
	reg, _, err := s.registerNow(r.Context())
	if err != nil {
		s.apiFail(w, err)
		return
	}
	rec, ok := reg.record(farm.Product, r.PathValue("record"))
	if !ok || !slices.Contains(rec.Photos(), sum) {
		http.NotFound(w, r)
		return
	}
	body, err := s.pictures.get(sum, func() ([]byte, error) {
		_, raw, ok, err := s.o.Shelf.Media(context.WithoutCancel(r.Context()), sum)
		if err != nil || !ok {
			return nil, err
		}
		return media.Thumb(raw, mostPicture)
	})
	switch {
	case err != nil:
		s.apiFail(w, err)
	case body == nil:
		http.NotFound(w, r)
	default:
		h := w.Header()
		h.Set("Content-Type", "image/jpeg")
		h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
		h.Set("Cache-Control", "public, max-age=86400")
		if !s.unchanged(w, r, body) {
			s.write(w, body)
		}
	}
}

// mostPictures is how many small pictures are kept: a co-op has some dozen products.
const mostPictures = 200

// pictures keeps small pictures by the hash of the large ones. It is safe for concurrent use.
type pictures struct {
	once singleflight.Group
	mu   sync.Mutex
	have map[string][]byte
}

// get returns a picture, making it where there is none: once, however many wait for it. nil: there is none to be made.
func (p *pictures) get(sum string, draw func() ([]byte, error)) ([]byte, error) {
	p.mu.Lock()
	body := p.have[sum]
	p.mu.Unlock()
	if body != nil {
		return body, nil
	}
	made, err, _ := p.once.Do(sum, func() (any, error) {
		body, err := draw()
		if err != nil || body == nil {
			return body, err
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.have == nil || len(p.have) >= mostPictures {
			p.have = map[string][]byte{}
		}
		p.have[sum] = body
		return body, nil
	})
	if err != nil {
		return nil, err
	}
	return made.([]byte), nil // the function above returns nothing else
}
