package web

import (
	"net/http"
	"net/url"
	"slices"
)

// themeCookie keeps how somebody wants the pages to look on this device. It says nothing of the person, and is set by no page but the
// form that asks for it.
const themeCookie = "theme"

// themeDays is how long a browser keeps it: the longest it will.
const themeDays = 400

// themes are the ways to draw pages: by the device's own wish, light, dark, and for a screen that the sun shines on.
func themes() []string { return []string{"auto", "light", "dark", "sun"} }

// themeOf returns what somebody asked for; "" is as the device wishes.
func themeOf(r *http.Request) string {
	c, err := r.Cookie(themeCookie)
	if err != nil || c.Value == "auto" || !slices.Contains(themes(), c.Value) {
		return ""
	}
	return c.Value
}

// themeTab is one choice of the switch.
type themeTab struct {
	Name, Href string
	Here       bool
}

// Themes are the choices of the switch in the head of a page.
func (f frame) Themes() (out []themeTab) {
	for _, name := range themes() {
		href := "/theme?" + url.Values{"to": {name}, "back": {f.Here}}.Encode()
		out = append(out, themeTab{name, href, name == f.Theme || f.Theme == "" && name == "auto"})
	}
	return out
}

// setTheme keeps a choice and goes back to where it was made. It needs no script; static/shell.js does the same without loading the page again.
// It is a link and no form: whoever makes somebody else follow it has changed colours.
func (s *Server) setTheme(r *http.Request, w *words) (answer, error) {
	name := r.URL.Query().Get("to")
	if !slices.Contains(themes(), name) {
		return s.missing(r, w, "missing.page", "")
	}
	c := &http.Cookie{ // the script sets it, too: no secret
		Name: themeCookie, Value: name, Path: "/", MaxAge: themeDays * 24 * 60 * 60, Secure: s.secure, SameSite: http.SameSiteLaxMode,
	}
	if name == "auto" {
		c.MaxAge = -1
	}
	return answer{to: inLanguage(localPath(r.URL.Query().Get("back")), w.lang), set: []*http.Cookie{c}, secret: true}, nil
}
