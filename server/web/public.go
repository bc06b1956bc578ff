package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"aovuon/server/farm"
	"aovuon/server/label"
	"aovuon/server/trace"
	"aovuon/server/trace/scan"
	"aovuon/server/web/splice"
)

// Scans is told of every code that is opened, and knows what was seen of it before.
type Scans interface {
	// Scanned notes a scan and returns what is known of those before it. It waits for nothing: a page is not late because of it.
	Scanned(ctx context.Context, s scan.Scanned) scan.Facts
	// Note notes a scan of a code of which nothing is asked, Say that its reader says to be in a province. Neither waits.
	Note(s scan.Scanned)
	Say(s scan.Scanned, province string)
	// Changed says that what is known of a code was changed by somebody.
	Changed(code string)
}

// asksReport is the name in a page's query that asks for the form of a report: a link to it needs no path, so that it stands in the part of a
// page that is the same for every item.
const asksReport = "report"

// code answers the address in a code, long or short. Malformed ones and unknown ones are not found, and neither is guessed at.
func (s *Server) code(w http.ResponseWriter, r *http.Request) {
	if !onlyReads(w, r) {
		return
	}
	if _, asked := r.URL.Query()[asksReport]; asked {
		s.answer(w, r, s.reportForm)
		return
	}
	if _, asked := r.URL.Query()[asksWhere]; asked {
		s.answer(w, r, s.whereForm)
		return
	}
	if _, asked := r.URL.Query()[asksSold]; asked {
		s.answer(w, r, s.soldForm)
		return
	}
	p, err := s.codeAsked(r)
	bad, malformed := errors.AsType[*trace.MalformedError](err)
	several, shared := errors.AsType[*severalError](err)
	switch {
	case malformed:
		s.sendUnknown(w, r, "malformed."+string(bad.Fault), bad.Part)
	case shared:
		s.answer(w, r, func(r *http.Request, w *words) (answer, error) { return s.which(r, w, several.lots) })
	case errors.Is(err, trace.ErrUnknown):
		s.unknownScanned(r)
		s.sendUnknown(w, r, "missing.label", "")
	case err != nil:
		s.sendFailed(w, r, err)
	default:
		s.sendPart(w, r, http.StatusOK, p)
	}
}

// onlyReads answers 405 to whoever wants to do more than read.
func onlyReads(w http.ResponseWriter, r *http.Request) bool {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return true
	}
	w.Header().Set("Allow", "GET, HEAD")
	http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
	return false
}

// codeAsked draws the page of whatever the path of a request names.
func (s *Server) codeAsked(r *http.Request) (codePart, error) {
	if sscc, err := boxAsked(r); err != nil || sscc != "" {
		if err != nil {
			return codePart{}, err
		}
		return s.publicBox(r, sscc)
	}
	link, err := s.named(r)
	if err != nil {
		return codePart{}, err
	}
	return s.codePage(r, link)
}

// codePart is a page of which the middle is its own.
type codePart struct {
	page   *splice.Page
	middle []byte
}

// codePage draws the page of a link; the error wraps trace.ErrUnknown where nobody issued it.
func (s *Server) codePage(r *http.Request, link trace.Link) (codePart, error) {
	ctx, words, now := r.Context(), s.words(r), s.o.Now()
	item, err := s.itemOf(ctx, &link)
	if err != nil {
		return codePart{}, err
	}
	lot := trace.Link{GTIN: link.GTIN, Lot: link.Lot}
	sh, err := s.lotCommon(ctx, lot, words, now)
	if err != nil {
		return codePart{}, err
	}
	v := codeView{Reports: s.o.Reports != nil, Lot: link.Lot, Item: item, Demo: sh.demo}
	if s.o.Scans != nil {
		v.Scan = s.o.Scans.Scanned(ctx, s.scanOf(r, link.Path()))
		v.Seen, v.Says = !v.Scan.Unknown, s.o.ScanDesk != nil
		v.Sellable = item != nil && (item.State == trace.ItemActivated || item.State == trace.ItemShipped)
	}
	v.say(words, trace.Judge(sh.state, item, len(v.Scan.Unusual) > 0, now), sh.state)
	middle, err := s.e.render(words.lang, "label.html", "verdict", v)
	return codePart{sh.page, slim(middle)}, err
}

// itemOf looks up the item of a link and fills in what it is of; nil for a link to a whole lot.
func (s *Server) itemOf(ctx context.Context, link *trace.Link) (*trace.Item, error) {
	if link.Serial == "" {
		return nil, nil //nolint:nilnil // a lot has no item, and that is no fault
	}
	if s.o.Packed == nil || link.Variant != "" {
		return nil, trace.ErrUnknown
	}
	item, ok, err := s.o.Packed.Item(ctx, link.Serial)
	if err != nil {
		return nil, fmt.Errorf("web: item: %w", err)
	}
	if !ok || link.Lot != "" && item.Lot != link.Lot {
		return nil, trace.ErrUnknown
	}
	if item.GTIN != link.GTIN { // a number that was corrected keeps its labels alive
		d, err := s.o.Lots.Dossier(ctx, trace.Link{GTIN: link.GTIN, Lot: item.Lot})
		if err == nil && d.Lot.GTIN != item.GTIN {
			err = trace.ErrUnknown
		}
		if err != nil {
			return nil, err
		}
	}
	link.GTIN, link.Lot = item.GTIN, item.Lot
	return &item, nil
}

// codeView is what a page says of the one code that was scanned.
type codeView struct {
	Lot      string
	Item     *trace.Item
	Demo     string // what a made-up lot says of itself; empty: it is none
	Scan     scan.Facts
	Seen     bool // scans are counted
	Says     bool // a reader can say where they are, a shop that it sold the item
	Sellable bool // the item may be sold
	Tone     string
	Head     string   // the verdict, in three words
	Why      string   // and in a sentence
	Odd      []string // what is unusual about the scans
	State    string   // how far the item has come
	NetG     string
	Count    string

	Reports bool // a reader can write to the co-op
}

func (v *codeView) say(w *words, verdict trace.Verdict, lot trace.State) {
	v.Tone, v.Head = string(verdict.Tone()), w.t("verdict."+string(verdict))
	v.Why = w.t("verdict."+string(verdict)+".why", v.Lot)
	switch {
	case verdict == trace.IsExpired:
		v.Why = w.t("verdict.expired.why", w.date(v.Item.Best))
	case verdict == trace.NotReleased && lot == trace.Growing:
		v.Why = w.t("verdict.growing.why", v.Lot)
	}
	v.counted(w)
	if v.Item != nil {
		v.State = w.t("item." + string(v.Item.State))
		if v.Item.NetG > 0 {
			v.NetG = w.grams(v.Item.NetG)
		}
	}
}

// counted tells the scans before this one.
func (v *codeView) counted(w *words) {
	for _, rule := range v.Scan.Unusual {
		if key := "scan.rule." + rule; w.has(key) {
			v.Odd = append(v.Odd, w.t(key))
		}
	}
	if v.Count = w.t("scan.first"); v.Scan.Count > 0 {
		where := v.Scan.Province
		if where == "" {
			where = w.t("scan.nowhere")
		}
		v.Count = w.t("scan.since", w.dateTime(v.Scan.First), where, w.amount("scan.times", int64(v.Scan.Count)))
	}
}

// grams writes grams as people read them.
func (w *words) grams(g float64) string {
	if g >= 1000 {
		return w.mass(g / 1000)
	}
	return w.figure(g) + nbsp + "g"
}

// lotCommon returns the part of a lot's page that is the same for each of its items. Its key says of which revision of the records it is drawn,
// so what is recalled or held is shown so by the next answer.
func (s *Server) lotCommon(ctx context.Context, lot trace.Link, w *words, now time.Time) (*common, error) {
	rev, err := s.o.Lots.LotRevision(ctx, lot)
	if err != nil {
		return nil, fmt.Errorf("web: revision of lot %s: %w", lot.Lot, err)
	}
	of := commonOf{what: lot.Path(), lang: w.lang}
	return s.commons.get(ctx, of, rev+" "+w.date(now), func(ctx context.Context) (*common, error) { return s.drawLot(ctx, lot, w, now) })
}

// drawLot draws that part.
func (s *Server) drawLot(ctx context.Context, lot trace.Link, w *words, now time.Time) (*common, error) {
	d, err := s.o.Lots.Dossier(ctx, lot)
	if err != nil {
		return nil, err
	}
	f, err := s.wholeFarm(ctx)
	if err != nil {
		return nil, err
	}
	p := newPublicFacts(w, f, d, now)
	p.publicFrame = s.publicFrame(w, f, d.Product.Name.In(w.lang)+" · "+w.t("label.lot", d.Lot.Code))
	p.Internal = farm.Internal(d.Lot.GTIN)
	if p.URL, err = trace.Address(s.base, d.Lot.Link()); err != nil {
		return nil, err
	}
	body := "withheld"
	if d.Lot.Sellable() { // else its label must not be issued: the page says so, and claims nothing
		body = "lot"
		if err := s.fillLot(ctx, p, f, w, now); err != nil {
			return nil, err
		}
	}
	page, err := s.compose(w, "head", body, p)
	if err != nil {
		return nil, err
	}
	sh := &common{page: page, state: d.Lot.State}
	if d.Lot.Demo {
		sh.demo = p.say("label.demo")
	}
	return sh, nil
}

// fillLot adds what is said of a lot that may be labelled.
func (s *Server) fillLot(ctx context.Context, p *publicFacts, f *farm.Farm, w *words, now time.Time) (err error) {
	if s.o.OpenBatches {
		p.Bundle = "/ledger/bundle" + p.Lot.Link().Path() + ".zip"
	}
	p.water(w)
	p.gaps(w)
	if p.People, err = s.o.People.Producers(ctx, p.Lot.Places); err != nil {
		return err
	}
	p.Map = lotMap(w, f, p.Places)
	if err := s.bookOf(ctx, p, w, now); err != nil {
		return err
	}
	p.says(w)
	return p.drawQR()
}

func (p *publicFacts) drawQR() error {
	code, err := label.New(p.URL)
	if err != nil {
		return err
	}
	p.QR = safeHTML(code.SVG(p.URL))
	return nil
}

// compose renders beginning and end of a public page.
func (s *Server) compose(w *words, head, tail string, data any) (*splice.Page, error) {
	a, err := s.e.render(w.lang, "label.html", head, data)
	if err != nil {
		return nil, err
	}
	b, err := s.e.render(w.lang, "label.html", tail, data)
	if err != nil {
		return nil, err
	}
	return splice.New(slim(a), slim(b))
}

// publicFrame is what stands around every public page. Its links are the page's own query, so that it is the same for every item.
type publicFrame struct {
	Title string
	Coop  farm.Text
	Demo  bool
	There string

	Reports bool // a reader can write to the co-op
}

func (s *Server) publicFrame(w *words, f *farm.Farm, title string) publicFrame {
	fr := publicFrame{Reports: s.o.Reports != nil, Title: title, Coop: f.Coop.Name, Demo: f.Coop.Demo, There: "?lang=" + English}
	if w.lang == English {
		fr.There = "?lang=" + Vietnamese
	}
	return fr
}

// sendUnknown answers that a code is none of ours, or none at all; key says which, part what of it is wrong.
func (s *Server) sendUnknown(w http.ResponseWriter, r *http.Request, key, part string) {
	words := s.words(r)
	f, err := s.wholeFarm(r.Context())
	if err != nil { // that it is malformed can be said without a database
		f = &farm.Farm{}
	}
	rev := f.Coop.Name.VI + "\n" + f.Coop.Name.EN
	sh, err := s.commons.get(r.Context(), commonOf{what: "unknown", lang: words.lang}, rev, func(context.Context) (*common, error) {
		page, err := s.compose(words, "head", "unknown", struct{ publicFrame }{s.publicFrame(words, f, words.t("verdict.unknown"))})
		return &common{page: page}, err
	})
	if err != nil {
		s.sendFailed(w, r, err)
		return
	}
	v := unknownView{words.t(key), part, s.o.Reports != nil}
	middle, err := s.e.render(words.lang, "label.html", "nocode", v)
	if err != nil {
		s.sendFailed(w, r, err)
		return
	}
	s.sendPart(w, r, http.StatusNotFound, partOf(sh, middle))
}

// unknownView is what is said of a code that is none of ours.
type unknownView struct {
	Text, Detail string
	Reports      bool // a reader can write to the co-op
}

func partOf(sh *common, middle []byte) codePart { return codePart{sh.page, slim(middle)} }

func (s *Server) sendFailed(w http.ResponseWriter, r *http.Request, err error) {
	s.answer(w, r, func(*http.Request, *words) (answer, error) { return answer{}, err })
}

// sendPart sends a page with its own middle. Whoever keeps it asks again each time, which costs them nothing while it is the same: it may be
// recalled any moment.
func (s *Server) sendPart(w http.ResponseWriter, r *http.Request, status int, p codePart) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", s.labelCSP())
	h.Set("Cache-Control", "public, no-cache")
	h.Add("Vary", "Accept-Encoding")
	if status == http.StatusOK && s.known(w, r, p.page.Tag(p.middle)) {
		return
	}
	var body []byte
	if takesGzip(r) {
		var err error
		if body, err = p.page.Gzip(p.middle); err != nil {
			s.o.Log.Error("page failed", slog.Any("err", err))
			http.Error(w, "503", http.StatusServiceUnavailable)
			return
		}
		h.Set("Content-Encoding", "gzip")
	} else {
		body = p.page.Plain(p.middle)
	}
	w.WriteHeader(status)
	s.write(w, body)
}

// takesGzip reports whether a browser takes what is compressed by gzip (RFC 9110, 12.5.3).
func takesGzip(r *http.Request) bool {
	for _, line := range r.Header["Accept-Encoding"] {
		for one := range strings.SplitSeq(line, ",") {
			name, q, weighed := strings.Cut(strings.TrimSpace(one), ";")
			if name = strings.TrimSpace(name); name != "gzip" && name != "*" {
				continue
			}
			q = strings.TrimPrefix(strings.ReplaceAll(q, " ", ""), "q=")
			return !weighed || strings.Trim(q, "0.") != ""
		}
	}
	return false
}

// pathOnly returns the path of a code as somebody reports it, bounded.
func pathOnly(u *url.URL) string {
	path := u.EscapedPath()
	if len(path) > maxReported {
		path = path[:maxReported]
	}
	return string(bytes.ToValidUTF8([]byte(path), nil))
}
