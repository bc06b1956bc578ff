package web

import (
	"net/http"
	"slices"
	"strings"

	"aovuon/server/diary"
	"aovuon/server/farm"
	"aovuon/server/form"
	"aovuon/server/media"
)

// showPhotos gives the photos of a form's fields their addresses: those that stand on record, which alone are served.
func (s *Server) showPhotos(w *words, rec farm.Record, reg register, fields *fieldsPart) (onRecord []photoView) {
	kept, ok := reg.record(rec.Kind, rec.ID)
	if !ok || s.o.Shelf == nil {
		return nil
	}
	have := kept.Photos()
	href := func(sum string) string { return "/farm/" + string(rec.Kind) + "/" + rec.ID + "/media/" + sum }
	for _, part := range [][]fieldView{fields.Quick, fields.More} {
		for _, v := range part {
			for i := range v.Photos {
				if slices.Contains(have, v.Photos[i].Sum) {
					v.Photos[i].Href = href(v.Photos[i].Sum)
				}
			}
		}
	}
	for i, sum := range have {
		onRecord = append(onRecord, photoView{Sum: sum, Label: w.t("form.photo.n", w.count(int64(i+1))), Href: href(sum)})
	}
	return onRecord
}

// recordPhotos keeps the photos of a form, and returns what was written with their hashes beside those that were ticked.
func (s *Server) recordPhotos(r *http.Request, fields []form.Field) (get func(key string) []string, err error) {
	added := map[string][]string{}
	get = func(key string) []string { return slices.Concat(r.PostForm[key], added[key]) }
	for _, f := range fields {
		if !f.File {
			continue
		}
		list, err := s.keepUploads(r, "photo-"+f.Key)
		if err != nil {
			return get, err
		}
		for _, m := range list {
			if !strings.HasPrefix(m.Type, "image/") {
				return get, media.ErrKind
			}
			added[f.Key] = append(added[f.Key], m.SHA256)
		}
	}
	return get, nil
}

// recordMedia shows a photo that a record names.
func (s *Server) recordMedia(w http.ResponseWriter, r *http.Request) {
	rec, ok, err := s.recordAsked(r)
	sum := r.PathValue("sum")
	if err == nil && (!ok || s.o.Shelf == nil || !slices.Contains(rec.Photos(), sum)) {
		http.NotFound(w, r)
		return
	}
	var m diary.Media
	var raw []byte
	if err == nil {
		m, raw, ok, err = s.o.Shelf.Media(r.Context(), sum)
	}
	s.sendMedia(w, r, m, raw, ok, err)
}
