package panel

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"aovuon/firmware-sim/control"
)

// do has the field obey what a form says, and leads back to the page the form is on.
func (s *Page) do(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		s.message(w, r, http.StatusBadRequest, "form")
		return
	}
	back := s.backTo(r.PostForm.Get("back"))
	last := &attempt{head: r.PostForm.Get("usage"), values: r.PostForm}
	line, subject, err := s.lineOf(r.Context(), last.head, r.PostForm)
	last.subject = subject
	if err != nil {
		last.err = err
		s.draw(w, r, back, http.StatusUnprocessableEntity, last)
		return
	}
	n, err := s.obey(r, line)
	if err != nil {
		last.err = err
		s.draw(w, r, back, http.StatusUnprocessableEntity, last)
		return
	}
	q := back.Query()
	q.Set("done", strconv.Itoa(n))
	back.RawQuery, back.Fragment = q.Encode(), "done"
	http.Redirect(w, r, back.String(), http.StatusSeeOther)
}

// lineOf is the command a form means. A form names one of the usages the field has just now, or one of the page's own presets.
func (s *Page) lineOf(ctx context.Context, head string, values url.Values) (line, subject string, err error) {
	list, err := s.usages(ctx)
	if err != nil {
		return "", "", err
	}
	i := slices.IndexFunc(list, func(u usage) bool { return u.Head == head })
	if i < 0 {
		return "", "", errNoForm
	}
	if name := list[i].subject(); name != "" {
		subject = values.Get(name)
	}
	line, err = list[i].line(values.Get)
	return line, subject, err
}

// obey gives the field a line. The desk tells the log of it.
func (s *Page) obey(r *http.Request, line string) (n int, err error) {
	by := r.RemoteAddr
	if host, _, err := net.SplitHostPort(by); err == nil {
		by = host
	}
	_, err = s.o.Desk.Do(control.By(runningOf(r.Context()), by), line)
	return s.o.Said.last(by), err
}

// backTo is a page of ours, or the first.
func (s *Page) backTo(path string) *url.URL {
	first := &url.URL{Path: "/"}
	u, err := url.Parse(path)
	if err != nil || u.IsAbs() || u.Host != "" || u.User != nil {
		return first
	}
	if id, ok := strings.CutPrefix(u.Path, "/place/"); (!ok || !s.hasPlace(id)) && u.Path != "/machines" && u.Path != "/log" {
		return first
	}
	back := &url.URL{Path: u.Path}
	if q := u.Query().Get("q"); q != "" && len(q) < 40 {
		back.RawQuery = url.Values{"q": {q}}.Encode()
	}
	return back
}
