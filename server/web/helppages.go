package web

import (
	"html/template"
	"net/http"

	"aovuon/server/farm"
	"aovuon/server/help"
)

// helpRoutes are the guides: for everybody, also before anybody signed in, since whoever cannot get in needs one most.
func (s *Server) helpRoutes() []route {
	return []route{
		{"GET /help", everybody(), s.page(s.helpPage)},
		{"GET /help/{id}", everybody(), s.page(s.guidePage)},
	}
}

type helpView struct {
	frame
	Guides []*help.Guide
	Guide  *help.Guide
	Body   template.HTML // of the guide
}

// helpPage lists the guides.
func (s *Server) helpPage(r *http.Request, w *words) (answer, error) {
	return s.drawHelp(r, w, w.t("help.title"), helpView{Guides: s.e.help.List(w.lang)})
}

// guidePage is one guide, to read and to print.
func (s *Server) guidePage(r *http.Request, w *words) (answer, error) {
	g, ok := s.e.help.Guide(w.lang, r.PathValue("id"))
	if !ok {
		return s.missing(r, w, "missing.page", "")
	}
	return s.drawHelp(r, w, g.Title, helpView{Guide: g, Body: g.Body(s.facts())})
}

// facts are what guides say of the co-op itself.
func (s *Server) facts() map[string]string {
	if s.o.Phone == nil {
		return nil
	}
	return map[string]string{"coop.phone": s.o.Phone.Number()}
}

// drawHelp draws a page that holds nothing of anybody: it goes on where the register cannot be read.
func (s *Server) drawHelp(r *http.Request, w *words, title string, v helpView) (answer, error) {
	f, err := s.farmNow(r.Context())
	if err != nil {
		f = &farm.Farm{}
	}
	v.frame = s.frame(r, w, f, title)
	v.Nav, v.Sheet, v.Outbox = "help", "help.css", visitor(r.Context()) != nil
	body, err := s.e.render(w.lang, "help.html", "layout", v)
	return answer{status: http.StatusOK, body: body}, err
}

// guideLink is a guide as pages lead to it.
type guideLink struct{ Href, Title string }

// guide returns where a guide is, for templates: {{with guide "recall"}}.
func (e *engine) guide(w *words, id string) guideLink {
	g, ok := e.help.Guide(w.lang, id)
	if !ok {
		panic("web: templates: no guide " + id) // a test draws every page
	}
	return guideLink{inLanguage("/help/"+id, w.lang), g.Title}
}
