package web

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"slices"
	"time"
	"unicode/utf8"

	"aovuon/server/account"
	"aovuon/server/diary/assess"
	"aovuon/server/diary/gate"
	"aovuon/server/farm"
)

// Gates judge what is on record; assess.Assessor is one.
type Gates interface {
	// Verdict judges a place now; "": the co-op with all its places.
	Verdict(ctx context.Context, place string) (gate.Verdict, error)
}

// gateRoutes are what programs ask of the gates.
func (s *Server) gateRoutes() []route {
	if s.o.Gates == nil || s.o.Book == nil {
		return nil
	}
	return []route{
		{"GET /gates", needs(account.SeeRegister), s.page(s.gatesPage)},
		{"GET /api/actives", guard{action: account.SeePlaces, script: true}, s.apiActives},
		{"GET /api/gates", guard{action: account.ReadBook, script: true}, s.apiGates},
	}
}

// verdict judges a place, or the co-op. A history that does not answer takes no page away: what waits for degree-days goes on waiting.
func (s *Server) verdict(ctx context.Context, place string) (gate.Verdict, error) {
	v, err := s.o.Gates.Verdict(ctx, place)
	if errors.Is(err, assess.ErrTemperatures) {
		s.o.Log.Warn("judged without temperatures", slog.Any("err", err))
		err = nil
	}
	return v, err
}

// gateView is what was found at a place, all of it, for the template "gates".
type gateView struct{ Lines []gateLine }

// gateLine is one finding with all that leads on from it.
type gateLine struct {
	ruleLine
	Record string // kind/id, for those who may see the register
}

func newGateLine(w *words, x gate.Finding, now time.Time, register bool) gateLine {
	line := gateLine{ruleLine: newRuleLine(w, x, now)}
	if register {
		line.Record = x.Record
	}
	return line
}

// gatesAt is what the gates find at a place, for those who may read its book.
func (s *Server) gatesAt(ctx context.Context, w *words, p farm.Place, now time.Time) (*gateView, error) {
	if s.o.Gates == nil || !s.may(ctx, account.ReadBook) {
		return nil, nil //nolint:nilnil // nothing is shown
	}
	v, err := s.verdict(ctx, p.Code)
	if err != nil {
		return nil, err
	}
	out := &gateView{}
	for _, x := range v.Of(p.Code) {
		out.Lines = append(out.Lines, newGateLine(w, x, now, s.may(ctx, account.SeeRegister)))
	}
	if line, ok := freeLine(w, v, p.Code, now); ok {
		out.Lines = slices.Insert(out.Lines, 0, gateLine{ruleLine: line})
	}
	return out, nil
}

// rulesAt is what the gates find at a place now, and the kinds of entries that are overdue there.
func (s *Server) rulesAt(ctx context.Context, w *words, p farm.Place, now time.Time) ([]ruleLine, []string, error) {
	if s.o.Gates == nil {
		return nil, nil, nil
	}
	v, err := s.verdict(ctx, p.Code)
	if err != nil {
		return nil, nil, err
	}
	var overdue []string
	for _, x := range v.Of(p.Code) {
		if x.Kind != "" && !slices.Contains(overdue, x.Kind) {
			overdue = append(overdue, x.Kind)
		}
	}
	return ruleLines(w, v, p.Code, now), overdue, nil
}

// ruleLines puts what was found at a place into words, the gravest first. Of several waiting times that end the last one is said: until then
// the others are of no use to anybody.
func ruleLines(w *words, v gate.Verdict, place string, now time.Time) []ruleLine {
	var out []ruleLine
	waits := map[gate.Rule]bool{}
	for _, x := range v.Of(place) {
		if x.Rule == gate.CertMissing { // for the office, which /gates tells
			continue
		}
		if x.Rule == gate.Withdrawal || x.Rule == gate.PreHarvest {
			if waits[x.Rule] {
				continue
			}
			waits[x.Rule] = true // they are in order: what clears last comes first
		}
		out = append(out, newRuleLine(w, x, now))
	}
	if line, ok := freeLine(w, v, place, now); ok {
		out = append([]ruleLine{line}, out...)
	}
	return out
}

// freeShown is how long after the last waiting day a page says that it is over.
const freeShown = 30 * 24 * time.Hour

// freeLine says that waiting is over, where it was and nothing else holds the place.
func freeLine(w *words, v gate.Verdict, place string, now time.Time) (ruleLine, bool) {
	last := gate.Harvest{}
	for _, h := range v.Harvests {
		if h.Place == place && (h.Unknown || h.From.After(last.From)) {
			last = h
		}
	}
	if last.From.IsZero() || !last.May(now) || now.Sub(last.From) > freeShown || len(v.Holds(place, "")) > 0 {
		return ruleLine{}, false
	}
	return ruleLine{Level: fine, Text: w.t("gate.free", w.date(last.From)), Entry: last.Cause}, true
}

// newRuleLine puts one finding into words.
func newRuleLine(w *words, x gate.Finding, now time.Time) ruleLine {
	line := ruleLine{Level: levelOf(x), Text: w.t("gate."+string(x.Rule), gateArgs(w, x.Args)...), Entry: x.Cause}
	if !x.Clears.IsZero() && x.Level == gate.Block && x.Claim == "" {
		line.Until, line.Left = x.Clears.In(w.zone).Format(time.DateOnly), w.left(now, x.Clears)
	}
	return line
}

// levelOf is how much somebody should look at a finding. What must not be said on a label endangers nobody, and is for somebody to put right.
func levelOf(x gate.Finding) level {
	switch x.Level {
	case gate.Block:
		if x.Claim != "" {
			return warned
		}
		return danger
	case gate.Warning:
		return warned
	case gate.Note:
	}
	return noted
}

// left writes how many whole local days there are until a day.
func (w *words) left(now, until time.Time) string {
	y, m, d := now.In(w.zone).Date()
	y2, m2, d2 := until.In(w.zone).Date()
	days := int64(time.Date(y2, m2, d2, 0, 0, 0, 0, time.UTC).Sub(time.Date(y, m, d, 0, 0, 0, 0, time.UTC)) / (24 * time.Hour))
	return w.t("spot.left", w.count(max(0, days)))
}

// gateArgs writes the arguments of a finding.
func gateArgs(w *words, args []any) []string {
	out := make([]string, len(args))
	for i, a := range args {
		switch x := a.(type) {
		case string:
			out[i] = x
			switch {
			case x == "":
				out[i] = w.t("gate.none")
			case w.has("option.scheme." + x):
				out[i] = w.t("option.scheme." + x)
			case w.has("option.unit." + x):
				out[i] = w.t("option.unit." + x)
			}
		case farm.Text:
			out[i] = x.In(w.lang)
		case int:
			out[i] = w.count(int64(x))
		case float64:
			out[i] = w.figure(x)
		case time.Time:
			out[i] = w.date(x)
		}
	}
	return out
}

// figure writes a number with the decimals it has, one at most, or three where there is less than 1.
func (w *words) figure(v float64) string {
	most := 1
	if math.Abs(v) < 1 {
		most = 3
	}
	decimals := 0
	for decimals < most && math.Abs(v*math.Pow10(decimals)-math.Round(v*math.Pow10(decimals))) > 1e-6 {
		decimals++
	}
	return w.num(v, decimals)
}

// apiActive is one active that a text names.
type apiActive struct {
	gate.Hit
	Blocks bool   `json:"blocks"`
	Status string `json:"status"`
	Text   string `json:"text"`
}

// mostTyped bounds how much of what is typed is looked at, in characters.
const mostTyped = 400

// apiActives answers what a text that is being typed has to be warned of. It is the same for everybody: it tells nothing of the co-op but, of a
// plot that is named and may be seen, the ponds beside it.
func (s *Server) apiActives(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	text, branch := q.Get("text"), farm.Branch(q.Get("branch"))
	if utf8.RuneCountInString(text) > mostTyped {
		s.apiRefuse(w, http.StatusBadRequest, "text: longer than 400 characters")
		return
	}
	if !slices.Contains(farm.Branches(), branch) {
		s.apiRefuse(w, http.StatusBadRequest, "branch: want fish, crop, herb or process")
		return
	}
	words, status := s.words(r), gate.Actives().Status
	out := []apiActive{}
	for _, h := range gate.Warn(text, branch) {
		out = append(out, apiActive{h, h.Blocks(), status, activeText(words, h, status)})
	}
	s.apiSend(w, http.StatusOK, map[string]any{"actives": out})
}

// activeText is what is said of an active while its name is typed.
func activeText(w *words, h gate.Hit, status string) string {
	switch {
	case h.Scope == gate.Drift:
		return w.t("gate.typed.drift", h.Name)
	case h.Blocks():
		return w.t("gate.typed.banned", h.Name, h.Source, status)
	}
	return w.t("gate.typed.maybe", h.Name, h.Source, status)
}

// apiRule is one finding in /api/gates.
type apiRule struct {
	gate.Finding
	Text string `json:"text"`
}

// apiGates answers what holds a harvest of a place back, and what else was found there.
func (s *Server) apiGates(w http.ResponseWriter, r *http.Request) {
	_, p, ok := s.apiPlace(w, r)
	if !ok {
		return
	}
	v, err := s.verdict(r.Context(), p.Code)
	if err != nil {
		s.apiFail(w, err)
		return
	}
	words, found := s.words(r), []apiRule{}
	for _, x := range v.Of(p.Code) {
		found = append(found, apiRule{x, words.t("gate."+string(x.Rule), gateArgs(words, x.Args)...)})
	}
	harvests := slices.DeleteFunc(v.Harvests, func(h gate.Harvest) bool { return h.Place != p.Code })
	s.apiSend(w, http.StatusOK, map[string]any{"place": p.Code, "harvests": harvests, "findings": found})
}
