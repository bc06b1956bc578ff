package web

import (
	"context"
	"errors"
	"net/http"
	"time"

	"aovuon/server/account"
	"aovuon/server/farm"
	"aovuon/server/trace"
	"aovuon/server/trace/scan"
)

// SaleBook keeps which items were said to be sold.
type SaleBook interface {
	// Subjects returns what codes stand for; codes that nobody issued are left out.
	Subjects(ctx context.Context, codes []string) (map[string]scan.Subject, error)
	// Sell keeps that an item was sold; first is false where it was said before.
	Sell(ctx context.Context, s scan.Sale) (first bool, err error)
	Unsell(ctx context.Context, serial string) error
	Sale(ctx context.Context, serial string) (scan.Sale, bool, error)
}

// The names in a page's query that ask for these forms, as asksReport does.
const (
	asksWhere = "where"
	asksSold  = "sold"
)

// shopCookie keeps a shop's code on its own phone, so that it is typed once; shopDays is how long.
const (
	shopCookie = "shop"
	shopDays   = 400
)

// sayRoutes are what strangers say of a code: where they are, and, with a shop's code, that it was sold.
func (s *Server) sayRoutes() []route {
	if s.o.Scans == nil || s.o.ScanDesk == nil {
		return nil
	}
	where, sold := account.NewBucket(entryBurst, entryEvery, s.o.Now), account.NewBucket(entryBurst, entryEvery, s.o.Now)
	return []route{
		{"POST /scan/where", stranger(), s.limited(where, s.form(s.sayWhere))},
		{"POST /scan/sold", stranger(), s.limited(sold, s.form(s.saySold))},
	}
}

// scanOf is the scan that a request is.
func (s *Server) scanOf(r *http.Request, code string) scan.Scanned {
	return scan.Scanned{Code: code, Addr: s.address(r), Agent: cut(r.UserAgent()), At: s.o.Now()}
}

// unknownScanned notes that somebody opened a code which nobody issued: who opens many of them guesses.
func (s *Server) unknownScanned(r *http.Request) {
	if s.o.Scans != nil {
		s.o.Scans.Note(s.scanOf(r, r.URL.Path))
	}
}

type whereView struct {
	frame
	Code, Back string
	Provinces  []scan.Province
	Abroad     string
}

// linkAsked returns the code of a request's path; ok is false where nobody issued it.
func (s *Server) linkAsked(r *http.Request) (link trace.Link, ok bool, err error) {
	link, err = s.named(r)
	if err == nil {
		_, err = s.itemOf(r.Context(), &link)
	}
	if err == nil && link.Serial == "" {
		_, err = s.lotCommon(r.Context(), link, s.words(r), s.o.Now())
	}
	_, malformed := errors.AsType[*trace.MalformedError](err)
	_, several := errors.AsType[*severalError](err)
	if malformed || several || errors.Is(err, trace.ErrUnknown) {
		return link, false, nil
	}
	return link, err == nil, err
}

// whereForm asks a reader for their province. The co-op asks nobody else: an address alone does not tell it.
func (s *Server) whereForm(r *http.Request, w *words) (answer, error) {
	link, ok, err := s.linkAsked(r)
	if err != nil {
		return answer{}, err
	}
	if !ok || s.o.Scans == nil {
		return s.missing(r, w, "missing.label", "")
	}
	v := whereView{Code: link.Path(), Back: inLanguage(link.Path(), w.lang), Provinces: scan.Provinces(), Abroad: scan.Abroad}
	return s.drawPlain(r, w, "where.html", w.t("where.title"), func(fr frame) any { v.frame = fr; return v })
}

// drawPlain renders a page of forms for strangers.
func (s *Server) drawPlain(r *http.Request, w *words, file, title string, fill func(frame) any) (answer, error) {
	return s.draw(r, w, file, "", title, func(fr frame) any { fr.Plain = true; return fill(fr) })
}

func (s *Server) sayWhere(r *http.Request, w *words) (answer, error) {
	code, province := r.PostForm.Get("of"), r.PostForm.Get("province")
	link, err := trace.ParseLink(code, "")
	if err != nil || !scan.ValidProvince(province) {
		return s.missing(r, w, "missing.label", "")
	}
	s.o.Scans.Say(s.scanOf(r, link.Path()), province)
	return answer{to: inLanguage(link.Path(), w.lang)}, nil
}

type soldView struct {
	frame
	Code, Serial, Back string
	Problem            string
	Typed              string
	Shop               string // whose phone this is; empty: nobody's
	Done, Before       string // what was kept; that it was said before
}

func (s *Server) soldForm(r *http.Request, w *words) (answer, error) {
	link, ok, err := s.linkAsked(r)
	if err != nil {
		return answer{}, err
	}
	if !ok || link.Serial == "" || s.o.ScanDesk == nil || s.o.Scans == nil {
		return s.missing(r, w, "sold.none", "")
	}
	v := soldView{}
	if code := s.cookie(r, shopCookie); code != "" {
		shop, err := s.o.ScanDesk.ShopOf(r.Context(), code)
		if err != nil && !errors.Is(err, scan.ErrNoShop) {
			return answer{}, err
		}
		v.Shop = shop.Name
	}
	return s.drawSold(r, w, link, v)
}

func (s *Server) drawSold(r *http.Request, w *words, link trace.Link, v soldView) (answer, error) {
	v.Code, v.Serial, v.Back = link.Path(), link.Serial, inLanguage(link.Path(), w.lang)
	a, err := s.drawPlain(r, w, "sold.html", w.t("sold.title"), func(fr frame) any { v.frame = fr; return v })
	if v.Problem != "" {
		a.status = http.StatusUnprocessableEntity
	}
	return a, err
}

// saySold keeps that a shop sold an item.
func (s *Server) saySold(r *http.Request, w *words) (answer, error) {
	link, err := trace.ParseLink(r.PostForm.Get("of"), "")
	if err != nil || link.Serial == "" {
		return s.missing(r, w, "sold.none", "")
	}
	ctx, typed := r.Context(), r.PostForm.Get("shop")
	code, bad := farm.ParseCode(typed)
	if typed == "" {
		code, bad = s.cookie(r, shopCookie), nil
	}
	shop, err := s.o.ScanDesk.ShopOf(ctx, code)
	if bad != nil || errors.Is(err, scan.ErrNoShop) {
		return s.drawSold(r, w, link, soldView{Problem: w.t("sold.problem.shop"), Typed: cut(typed)})
	}
	if err != nil {
		return answer{}, err
	}
	subjects, err := s.o.ScanDesk.Subjects(ctx, []string{link.Path()})
	if err != nil {
		return answer{}, err
	}
	v, now := soldView{Shop: shop.Name}, s.o.Now()
	switch sub, ours := subjects[link.Path()]; {
	case !ours:
		return s.missing(r, w, "sold.none", "")
	case sub.State != trace.ItemActivated && sub.State != trace.ItemShipped && sub.State != trace.ItemSold:
		v.Problem = w.t("sold.problem.state", w.t("item."+string(sub.State)))
		return s.drawSold(r, w, link, v)
	}
	first, err := s.o.ScanDesk.Sell(ctx, scan.Sale{Serial: link.Serial, At: now, Shop: shop.ID})
	if err != nil {
		return answer{}, err
	}
	v.Done = w.t("sold.done", w.dateTime(now), shop.Name)
	if !first {
		if v.Done, v.Before, err = s.soldBefore(r, w, link.Serial, shop, now); err != nil {
			return answer{}, err
		}
	}
	a, err := s.drawSold(r, w, link, v)
	if typed != "" {
		a.set = append(a.set, s.newCookie(shopCookie, code, shopDays))
	}
	return a, err
}

// soldBefore says what it means that an item is sold a second time: a tap too many, or a copied label.
func (s *Server) soldBefore(r *http.Request, w *words, serial string, shop scan.Shop, now time.Time) (done, before string, err error) {
	sale, _, err := s.o.ScanDesk.Sale(r.Context(), serial)
	if err != nil {
		return "", "", err
	}
	if sale.Shop == shop.ID && now.Sub(sale.At) < time.Hour {
		return w.t("sold.done", w.dateTime(sale.At), shop.Name), "", nil
	}
	return "", w.t("sold.before", w.dateTime(sale.At)), nil
}
