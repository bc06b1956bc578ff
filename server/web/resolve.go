package web

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"aovuon/server/account"
	"aovuon/server/farm"
	"aovuon/server/ledger"
	"aovuon/server/trace"
	"aovuon/server/trace/digitallink"
)

// Names finds what short codes, serials and boxes name; see sqldb.DB for what each promises.
type Names interface {
	Shortened(ctx context.Context, code string) ([]trace.Link, error)
}

// codeRoutes are the addresses that stand in codes: a path for each of GS1's primary keys, and short ones. All of them are taken before
// http.ServeMux.
func (s *Server) codeRoutes(labels *account.Bucket) []route {
	out := []route{
		{"/01/", stranger(), s.limited(labels, s.negotiated(s.code))},
		{"/t/", stranger(), s.limited(labels, s.negotiated(s.code))},
		{"GET /jws/{path...}", stranger(), s.limited(labels, s.plain(s.statementOf))},
		{"GET /.well-known/gs1resolver", stranger(), s.plain(s.describeResolver)},
	}
	for _, key := range digitallink.Keys() {
		switch key {
		case "01":
		case "00":
			out = append(out, route{"/00/", stranger(), s.limited(labels, s.negotiated(s.code))})
		default:
			out = append(out, route{"/" + key + "/", stranger(), s.limited(labels, s.keyed)})
		}
	}
	return out
}

// named returns the lot or item that the path of a label names, long or short. The error is a *trace.MalformedError, or wraps
// trace.ErrUnknown.
func (s *Server) named(r *http.Request) (trace.Link, error) {
	path := r.URL.EscapedPath()
	if !strings.HasPrefix(path, "/t/") {
		if d, err := digitallink.ParsePath(path, r.URL.RawQuery); err == nil && d.Qualifier("235") != "" {
			return trace.Link{}, trace.ErrUnknown // well-formed, and none of ours
		}
		return trace.ParseLink(path, r.URL.RawQuery)
	}
	short, err := trace.ParseShort(path)
	if err == nil && short.Serial != "" && s.o.Packed != nil {
		item, ok, err := s.o.Packed.Item(r.Context(), short.Serial)
		if err != nil || !ok {
			return trace.Link{}, orUnknown(err)
		}
		return item.Link(), nil
	}
	if err != nil || s.o.Names == nil || short.Lot == "" {
		return trace.Link{}, orUnknown(err)
	}
	lots, err := s.o.Names.Shortened(r.Context(), short.Lot)
	if err != nil {
		return trace.Link{}, err
	}
	switch len(lots) {
	case 0:
		return trace.Link{}, trace.ErrUnknown
	case 1:
		return lots[0], nil
	}
	return trace.Link{}, &severalError{lots}
}

// severalError says that lots share a short code: once in 20,000 co-ops of ten thousand lots. Which it is stands on the label beside it.
type severalError struct{ lots []trace.Link }

func (e *severalError) Error() string { return "web: lots share a short code" }
func (e *severalError) Unwrap() error { return trace.ErrUnknown }

type severalPage struct {
	frame
	Lots []severalLot
}

type severalLot struct{ Lot, Href string }

// which asks the reader which of several lots it is: neither is guessed.
func (s *Server) which(r *http.Request, w *words, lots []trace.Link) (answer, error) {
	f, err := s.wholeFarm(r.Context())
	if err != nil {
		return answer{}, err
	}
	p := severalPage{frame: s.frame(r, w, f, w.t("which.title"))}
	p.Plain = true
	for _, l := range lots {
		p.Lots = append(p.Lots, severalLot{l.Lot, l.Path()})
	}
	body, err := s.e.render(w.lang, "which.html", "layout", p)
	return answer{status: http.StatusMultipleChoices, body: body}, err
}

// orUnknown returns the error; without one it is that nobody issued the code.
func orUnknown(err error) error {
	if err != nil {
		return err
	}
	return trace.ErrUnknown
}

// negotiated answers programs at the address of a lot, an item or a box with what they ask for, by linkType or Accept, and everybody else with
// the page.
func (s *Server) negotiated(page http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.negotiate(w, r, page, func(asked string, typed bool) error { return s.resolve(w, r, asked, typed, page) })
	}
}

// negotiate calls page, or resolve where a program asks for something else.
func (s *Server) negotiate(w http.ResponseWriter, r *http.Request, page http.HandlerFunc, resolve func(asked string, typed bool) error) {
	h := w.Header()
	h.Add("Vary", "Accept")
	h.Set("Access-Control-Allow-Origin", "*") // the same for everybody
	h.Set("Access-Control-Expose-Headers", "Link")
	asked, typed := r.URL.Query().Get("linkType"), r.URL.Query().Has("linkType")
	kind := preferred(r, mimeHTML, mimeLinkset, "application/json", mimeLD)
	switch {
	case r.Method == http.MethodOptions:
		h.Set("Allow", "GET, HEAD, OPTIONS")
		h.Set("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS")
		w.WriteHeader(http.StatusNoContent)
	case r.Method != http.MethodGet && r.Method != http.MethodHead, !typed && (kind == mimeHTML || kind == ""):
		h.Set("Link", `<?linkType=linkset>; rel="linkset"; type="application/linkset+json"`)
		page(w, r)
	default:
		if err := resolve(asked, typed); err != nil {
			s.o.Log.Error("code not resolved", slog.String("path", cut(r.URL.Path)), slog.Any("err", err))
			http.Error(w, "503", http.StatusServiceUnavailable)
		}
	}
}

// resolve answers a program. What is malformed or unknown is the page's to say, in whatever language the reader has.
func (s *Server) resolve(w http.ResponseWriter, r *http.Request, asked string, typed bool, page http.HandlerFunc) error {
	if sscc, err := boxAsked(r); err == nil && sscc != "" {
		return s.resolveBox(w, r, sscc, asked, typed, page)
	}
	link, err := s.named(r)
	if err == nil {
		_, err = s.itemOf(r.Context(), &link)
	}
	var d trace.Dossier
	if err == nil {
		d, err = s.o.Lots.Dossier(r.Context(), trace.Link{GTIN: link.GTIN, Lot: link.Lot, Variant: link.Variant})
	}
	if _, bad := errors.AsType[*trace.MalformedError](err); bad || errors.Is(err, trace.ErrUnknown) {
		page(w, r)
		return nil
	}
	if err != nil {
		return err
	}
	vi := s.e.words[Vietnamese]
	targets, err := s.targetsOf(vi, d, link)
	if err != nil {
		return err
	}
	if !typed && preferred(r, mimeHTML, mimeLinkset, "application/json", mimeLD) == mimeLD {
		return s.sendStory(w, r, link)
	}
	if !typed || asked == "linkset" || asked == "all" {
		return s.sendLinkset(w, r, s.anchor(link), d.Product.Name.VI+", "+vi.t("lot.of", d.Lot.Code), targets)
	}
	s.follow(w, r, asked, targets, page)
	return nil
}

// follow answers with the target of a link type: the page itself, or the way to the file.
func (s *Server) follow(w http.ResponseWriter, r *http.Request, asked string, targets []target, page http.HandlerFunc) {
	name, gs1 := linkTypeName(asked)
	lang := r.URL.Query().Get("lang")
	for _, t := range targets {
		if !gs1 || t.kind != name || lang != "" && t.lang != "" && t.lang != lang {
			continue
		}
		if t.mime == mimeHTML { // the page is this one
			page(w, r)
			return
		}
		w.Header().Set("Cache-Control", "no-cache")
		http.Redirect(w, r, t.href, http.StatusTemporaryRedirect)
		return
	}
	http.Error(w, "there is no such link of this thing: ?linkType=linkset lists those there are", http.StatusNotFound)
}

// resolveBox answers a program that asks for a box: it has its page, and what is in it has more.
func (s *Server) resolveBox(w http.ResponseWriter, r *http.Request, sscc, asked string, typed bool, page http.HandlerFunc) error {
	if s.o.Packed == nil {
		page(w, r)
		return nil
	}
	_, ok, err := s.o.Packed.Box(r.Context(), sscc)
	if err != nil {
		return err
	}
	if !ok {
		page(w, r)
		return nil
	}
	address := trace.BoxAddress(s.base, sscc)
	return s.resolvePlain(w, r, address, s.e.words[Vietnamese].t("linkset.box", sscc), "logisticsInfo", asked, typed, page)
}

// resolvePlain answers a program that asks for a thing with no more than a page.
func (s *Server) resolvePlain(w http.ResponseWriter, r *http.Request, address, name, kind, asked string, typed bool, page http.HandlerFunc) error {
	vi, en := s.e.words[Vietnamese].t("linkset.page"), s.e.words[English].t("linkset.page")
	targets := []target{
		{kind: "defaultLink", href: address, title: vi, mime: mimeHTML, lang: "vi"},
		{kind: kind, href: address, title: vi, mime: mimeHTML, lang: "vi"},
		{kind: kind, href: address + "?lang=en", title: en, mime: mimeHTML, lang: "en"},
	}
	if !typed || asked == "linkset" || asked == "all" {
		return s.sendLinkset(w, r, address, name, targets)
	}
	s.follow(w, r, asked, targets, page)
	return nil
}

// sendStory answers with what strangers may know of a lot, as EPCIS.
func (s *Server) sendStory(w http.ResponseWriter, r *http.Request, link trace.Link) error {
	if s.o.EPCIS == nil {
		http.Error(w, "no EPCIS is told here", http.StatusNotAcceptable)
		return nil
	}
	doc, err := s.lotDocument(r.Context(), link, false)
	if errors.Is(err, ledger.ErrNoLeaf) {
		http.Error(w, "the lot is not released for sale: nothing is told of it", http.StatusNotFound)
		return nil
	}
	if err != nil {
		return err
	}
	s.sendPublic(w, r, mimeLD, doc.body)
	return nil
}

// anchor is the address by which a linkset names a thing: its Digital Link on our host, or the short address of a number of the co-op's own.
func (s *Server) anchor(link trace.Link) string {
	if farm.Internal(link.GTIN) && link.Lot != "" {
		if short, err := trace.ShortPath(link); err == nil {
			return s.base + short
		}
	}
	return s.base + link.Path()
}
