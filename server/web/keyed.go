package web

import (
	"errors"
	"net/http"

	"aovuon/server/farm"
	"aovuon/server/trace"
	"aovuon/server/trace/digitallink"
)

// resolvedKeys lists the primary keys that something of ours can have.
func (s *Server) resolvedKeys() []string {
	if s.o.GLN == "" {
		return []string{"00", "01"}
	}
	return []string{"00", "01", "414", "417"}
}

// keyed answers the path of a key that is no product's and no box's: the co-op and its places by its GLN, and nothing else of ours.
func (s *Server) keyed(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodOptions && !onlyReads(w, r) {
		return
	}
	d, err := digitallink.ParsePath(r.URL.EscapedPath(), r.URL.RawQuery)
	if bad, ok := errors.AsType[*trace.MalformedError](err); ok {
		s.sendUnknown(w, r, "malformed."+string(bad.Fault), bad.Part)
		return
	}
	ours := s.o.GLN != "" && d.Key.Value == s.o.GLN && d.Qualifier("7040") == ""
	place, err := farm.ParseCode(d.Qualifier("254"))
	switch {
	case ours && d.Key.AI == "414" && err == nil:
		s.keyedPlace(w, r, place)
	case ours && (d.Key.AI == "417" || d.Key.AI == "414" && d.Qualifier("254") == ""):
		s.negotiatedPlain("masterData", func(f *farm.Farm) string { return f.Coop.Name.VI }, s.page(s.coopPublic))(w, r)
	default:
		s.sendUnknown(w, r, "missing.label", "")
	}
}

// keyedPlace answers with the page of a place's board.
func (s *Server) keyedPlace(w http.ResponseWriter, r *http.Request, code string) {
	f, err := s.wholeFarm(r.Context())
	if err != nil {
		s.sendFailed(w, r, err)
		return
	}
	p, ok := f.Place(code)
	if !ok {
		s.sendUnknown(w, r, "missing.label", "")
		return
	}
	r.SetPathValue("code", code)
	s.negotiatedPlain("locationInfo", func(*farm.Farm) string { return p.Title.VI }, s.page(s.boardPage))(w, r)
}

// negotiatedPlain answers programs that ask for a linkset, and everybody else with the page.
func (s *Server) negotiatedPlain(kind string, name func(*farm.Farm) string, page http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.negotiate(w, r, page, func(asked string, typed bool) error {
			f, err := s.wholeFarm(r.Context())
			if err != nil {
				return err
			}
			return s.resolvePlain(w, r, s.base+r.URL.EscapedPath(), name(f), kind, asked, typed, page)
		})
	}
}

type coopView struct {
	frame
	Name, Address, GLN string
}

// coopPublic says who the co-op is.
func (s *Server) coopPublic(r *http.Request, w *words) (answer, error) {
	f, err := s.wholeFarm(r.Context())
	if err != nil {
		return answer{}, err
	}
	v := coopView{frame: s.frame(r, w, f, f.Coop.Name.In(w.lang)), Name: f.Coop.Name.In(w.lang), GLN: s.o.GLN}
	v.Plain = true
	if a, ok := farm.AddressAt(f.Coop.Addresses, s.o.Now()); ok {
		v.Address = a.Text.In(w.lang)
	}
	body, err := s.e.render(w.lang, "coop.html", "layout", v)
	return answer{status: http.StatusOK, body: body, public: true}, err
}
