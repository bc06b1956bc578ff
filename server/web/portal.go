package web

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/url"

	"aovuon/server/account"
	"aovuon/server/farm"
	"aovuon/server/ledger"
	"aovuon/server/trace"
	"aovuon/server/trace/portal"
)

func (s *Server) portalRoutes() []route {
	if s.o.EPCIS == nil || s.o.Book == nil {
		return nil
	}
	return []route{
		{"GET /portal/{gtin}/{code}", needs(account.SeeRegister), s.page(s.portalPage)},
		{"GET /portal/{gtin}/{code}/bundle.zip", needs(account.SeeRegister), s.plain(s.portalBundle)},
	}
}

// portalRecord puts together what a lot says to the national portal: what strangers may know, in Vietnamese. The error wraps trace.ErrUnknown.
func (s *Server) portalRecord(ctx context.Context, link trace.Link) (portal.Record, portal.Source, error) {
	story, err := s.o.EPCIS.Lot(ctx, link, false)
	if err != nil {
		return portal.Record{}, portal.Source{}, err
	}
	d := story.Dossiers[0]
	src := portal.Source{Story: story, Lot: d.Lot.Link(), GLN: story.Names.GLN, T: s.e.words[Vietnamese].t}
	reg, _, err := s.registerNow(ctx)
	if err != nil {
		return portal.Record{}, src, err
	}
	if rec, ok := reg.record(farm.Product, d.Product.Record); ok {
		src.Product = rec
		if photos := rec.Photos(); len(photos) > 0 {
			src.Picture = s.base + "/picture/" + rec.ID + "/" + photos[0] + ".jpg"
		}
	}
	if src.Address, err = trace.Address(s.base, src.Lot); err != nil {
		return portal.Record{}, src, err
	}
	for _, g := range story.Goods {
		if g.Kind == trace.Pack && g.Step != trace.StepPlain && g.Step != trace.StepActivate {
			for _, p := range g.Out {
				if p.Ref == src.Lot.Ref() {
					src.Items += p.Count
				}
			}
		}
	}
	r, err := portal.Make(src)
	return r, src, err
}

func portalHref(l trace.Link) string {
	return "/portal/" + url.PathEscape(l.GTIN) + "/" + url.PathEscape(l.Lot)
}

// portalCheck says before a lot is released whether its file is complete.
func (s *Server) portalCheck(ctx context.Context, w *words, l trace.Link) ([]deedCheck, error) {
	if s.o.EPCIS == nil {
		return nil, nil
	}
	rec, _, err := s.portalRecord(ctx, l)
	if err != nil {
		return nil, err
	}
	if n := rec.Missing(); n > 0 {
		return []deedCheck{{warned, w.t("lot.check.portal.missing", w.count(int64(n))), portalHref(l)}}, nil
	}
	return []deedCheck{{fine, w.t("lot.check.portal"), portalHref(l)}}, nil
}

type portalView struct {
	frame
	Lot     trace.Lot
	Name    string
	Back    string
	Missing int64
	Laws    []portalLaw
	Stages  int64
	Bundle  string // empty: the lot is not released
}

type portalLaw struct {
	Name   string
	Fields []portalField
}

type portalField struct {
	N      int64
	Name   string
	Values []string
	Said   bool // how it stands is said: it is not simply there
	State  string
	Level  level
	Mend   string // where what is missing is entered; empty: nowhere in the pages
}

// portalPage shows field by field what the lot says, and what is missing, before anything is handed in.
func (s *Server) portalPage(r *http.Request, w *words) (answer, error) {
	rec, src, err := s.portalRecord(r.Context(), trace.Link{GTIN: r.PathValue("gtin"), Lot: r.PathValue("code")})
	if errors.Is(err, trace.ErrUnknown) {
		return s.missing(r, w, "missing.lot", "")
	}
	if err != nil {
		return answer{}, err
	}
	v := portalView{Lot: rec.Lot, Name: rec.Name, Back: lotHref(rec.Lot.Link()), Missing: int64(rec.Missing()), Stages: int64(len(rec.Stages))}
	if toldPublicly(rec.Lot.State) {
		v.Bundle = portalHref(rec.Lot.Link()) + "/bundle.zip"
	}
	for _, law := range portal.Laws() {
		l := portalLaw{Name: w.t("portal." + string(law))}
		for _, f := range rec.Fields {
			if f.Law != law {
				continue
			}
			pf := portalField{N: int64(f.N), Name: w.t(f.Key()), Values: f.Values, Said: f.State != portal.Told, State: w.t("portal.state." + string(f.State)), Level: fine}
			switch f.State {
			case portal.Missing:
				pf.Level, pf.Mend = warned, s.mends(f, src)
			case portal.NotAny:
				pf.Level = noted
			case portal.Told:
			}
			l.Fields = append(l.Fields, pf)
		}
		v.Laws = append(v.Laws, l)
	}
	return s.draw(r, w, "portal.html", "lots", w.t("portal.title", rec.Lot.Code), func(fr frame) any { v.frame = fr; return v })
}

// mends returns where a missing field is entered.
func (s *Server) mends(f portal.Field, src portal.Source) string {
	product := "/farm/product"
	if src.Product.ID != "" {
		product += "/" + src.Product.ID
	}
	switch f.Key() {
	case "portal.tt02.1", "portal.tt02.2", "portal.nd37.1":
		return product
	case "portal.tt02.10":
		return "/farm/certificate"
	case "portal.tt02.3", "portal.tt02.4", "portal.nd37.3":
		return "/coop"
	}
	return ""
}

// portalBundle answers with the bundle of a lot that was released.
func (s *Server) portalBundle(r *http.Request) (file, error) {
	rec, src, err := s.portalRecord(r.Context(), trace.Link{GTIN: r.PathValue("gtin"), Lot: r.PathValue("code")})
	if errors.Is(err, trace.ErrUnknown) || err == nil && !toldPublicly(rec.Lot.State) {
		return file{}, ledger.ErrNoLeaf
	}
	if err != nil {
		return file{}, err
	}
	var b bytes.Buffer
	err = portal.WriteZip(&b, rec, src.Story.Names, src.T, s.o.Now())
	return file{body: b.Bytes(), mime: "application/zip", private: true, name: "truy-xuat-" + fileStem(rec.Lot.Code) + ".zip"}, err
}
