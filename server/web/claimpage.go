package web

import (
	"context"
	"errors"
	"html/template"
	"net/http"
	"strings"
	"time"

	"aovuon/gateway/wire"
	"aovuon/server/account"
	"aovuon/server/label"
)

// Claim is what a gateway enrols itself with, once.
type Claim struct {
	Text    string // what its QR says: wire.Claim
	Code    string // of it, to be typed
	Server  string // where it is asked
	Expires time.Time
}

// The errors of claims that people can mend.
var (
	ErrClaimTaken = errors.New("web: the gateway is in service")
	ErrClaimMany  = errors.New("web: too many claims are open")
)

// Claims makes a claim for a gateway; the error wraps ErrClaimTaken or ErrClaimMany where somebody can do something about it.
type Claims func(ctx context.Context, gateway string, valid time.Duration) (Claim, error)

// claimHours are for how long a claim may count, in hours: wire's limit is a week.
func claimHours() []int64 { return []int64{1, 48, 168} }

func (s *Server) claimRoutes() []route {
	if s.o.Claims == nil {
		return nil
	}
	g := needs(account.EditFarm)
	return []route{
		{"GET /gateways/new", g, s.page(s.claimPage)},
		{"POST /gateways/new", g, s.form(s.makeClaim)},
		{"POST /gateways/claim.txt", g, s.claimFile},
	}
}

type claimView struct {
	frame
	ID      string
	Problem string
	Hours   []optionView
	Claim   *Claim
	Box     string // where the box's own page is: its name on the network
	Groups  string // the code as it is read out
	QR      template.HTML
}

func (s *Server) claimPage(r *http.Request, w *words) (answer, error) {
	return s.claimForm(r, w, claimView{}, 48)
}

func (s *Server) claimForm(r *http.Request, w *words, v claimView, hours int64) (answer, error) {
	for _, h := range claimHours() {
		v.Hours = append(v.Hours, optionView{Value: w.plainNumber(float64(h)), Label: w.amount("claim.hours", h), Chosen: h == hours})
	}
	a, err := s.draw(r, w, "claim.html", "system", w.t("claim.title"), func(f frame) any {
		f.There = inLanguage("/gateways/new", map[string]string{Vietnamese: English, English: Vietnamese}[w.lang])
		v.frame = f
		return v
	})
	if v.Problem != "" {
		a.status = http.StatusUnprocessableEntity
	}
	return a, err
}

// makeClaim makes a claim and shows it, once: only what checks it is kept.
func (s *Server) makeClaim(r *http.Request, w *words) (answer, error) {
	v := claimView{ID: strings.ToLower(strings.TrimSpace(r.PostForm.Get("id")))}
	hours := int64(0)
	for _, h := range claimHours() {
		if r.PostForm.Get("hours") == w.plainNumber(float64(h)) {
			hours = h
		}
	}
	switch {
	case !wire.ValidGatewayID(v.ID):
		v.Problem = w.t("claim.wrong.id")
	case hours == 0:
		v.Problem = w.t("claim.wrong.hours")
	}
	if v.Problem != "" {
		return s.claimForm(r, w, v, hours)
	}
	c, err := s.o.Claims(r.Context(), v.ID, time.Duration(hours)*time.Hour)
	switch {
	case errors.Is(err, ErrClaimTaken):
		v.Problem = w.t("claim.wrong.taken", v.ID)
	case errors.Is(err, ErrClaimMany):
		v.Problem = w.t("claim.wrong.many")
	case err != nil:
		return answer{}, err
	}
	if v.Problem != "" {
		return s.claimForm(r, w, v, hours)
	}
	code, err := label.NewText(c.Text)
	if err != nil {
		return answer{}, err
	}
	v.Claim, v.QR, v.Box, v.Groups = &c, template.HTML(code.SVG(w.t("claim.qr"))), v.ID+".local", c.Code
	return s.claimForm(r, w, v, hours)
}

// claimFile gives a claim back as the file for a USB stick. It was shown already and is kept nowhere, so the page brings it along.
func (s *Server) claimFile(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "the form cannot be read", http.StatusBadRequest)
		return
	}
	text := strings.TrimSpace(r.PostForm.Get("claim"))
	if _, err := wire.ParseClaim(text); err != nil {
		http.Error(w, "no claim", http.StatusBadRequest)
		return
	}
	attach(w, "claim.txt")
	s.write(w, []byte(text+"\n"))
}

// attach makes an answer a text file to keep.
func attach(w http.ResponseWriter, name string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
}
