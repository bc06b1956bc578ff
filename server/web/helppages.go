package web

import (
	"html/template"
	"net/http"
	"path"
	"slices"
	"strings"

	"aovuon/server/farm"
	"aovuon/server/help"
)

// helpRoutes are the guides: for everybody, also before anybody signed in, since whoever cannot get in needs one most.
func (s *Server) helpRoutes() []route {
	return []route{
		{"GET /help", everybody(), s.page(s.helpPage)},
		{"GET /help/{id}", everybody(), s.page(s.guidePage)},
		{"GET /help/{shelf}/{id}", everybody(), s.page(s.guidePage)},
	}
}

type helpView struct {
	frame
	Shelves []shelfView
	Guide   *help.Guide
	Body    template.HTML // of the guide
	Board   *boardView    // of a guide that builds one
}

// shelfView is one list of guides.
type shelfView struct {
	Title, What string
	Guides      []*help.Guide
}

// helpPage lists the guides.
func (s *Server) helpPage(r *http.Request, w *words) (answer, error) {
	v := helpView{Shelves: []shelfView{{Guides: s.e.help.Shelf(w.lang, "")}}}
	for _, name := range []string{buildShelf, calibrationShelf} {
		v.Shelves = append(v.Shelves, shelfView{w.t("help." + name), w.t("help." + name + ".what"), s.e.help.Shelf(w.lang, name)})
	}
	return s.drawHelp(r, w, w.t("help.title"), v)
}

// guidePage is one guide, to read and to print.
func (s *Server) guidePage(r *http.Request, w *words) (answer, error) {
	shelf, id := r.PathValue("shelf"), r.PathValue("id")
	g, ok := s.e.help.Guide(w.lang, path.Join(shelf, id))
	if !ok {
		return s.missing(r, w, "missing.page", "")
	}
	v := helpView{Guide: g, Body: g.Body(s.facts())}
	if shelf == buildShelf {
		v.Board = s.e.boards[w.lang+"/"+id]
	}
	return s.drawHelp(r, w, g.Title, v)
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

// guide returns where a guide, or a section of it, is, for templates: {{with guide "recall"}}, {{with guide "build/siren#steps"}}.
func (e *engine) guide(w *words, id string) guideLink {
	id, part, cut := strings.Cut(id, "#")
	g, ok := e.help.Guide(w.lang, id)
	if !ok {
		panic("web: templates: no guide " + id) // a test draws every page
	}
	out := guideLink{inLanguage("/help/"+id, w.lang), g.Title}
	if !cut {
		return out
	}
	i := slices.IndexFunc(g.Parts, func(p help.Part) bool { return p.ID == part })
	if i < 0 {
		panic("web: templates: guide " + id + " has no section " + part)
	}
	return guideLink{out.Href + "#" + part, w.t("help.part", g.Title, g.Parts[i].Title)}
}
