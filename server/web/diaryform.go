package web

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"aovuon/server/account"
	"aovuon/server/diary"
	"aovuon/server/farm"
	"aovuon/server/form"
)

// logView is the form of one entry.
type logView struct {
	frame
	Place    farm.Place // Code "": of the co-op as a whole
	Kind     string
	Label    string
	Fields   fieldsPart
	ID       string // of the entry, so that sending the form twice is one entry
	Cycles   []optionView
	Cycle    string
	Occurred string // as it was written; empty: now
	Note     string
	Problem  string
	Action   string
	Back     string
	Corrects string
	Old      entryLine  // what it corrects
	OldMedia string     // JSON of its photos and voice notes
	NoInputs bool       // it asks for an input, and none of its types is on record
	Holds    []ruleLine // of a harvest: what its lot would be held for
}

// logAsked is what the address of a form asks for.
type logAsked struct {
	farm  *farm.Farm
	place farm.Place
	kind  diary.Kind
	reg   register
}

// logAsk reads the address of a form; ok is false where there is no such form for this visitor.
func (s *Server) logAsk(r *http.Request) (a logAsked, ok bool, err error) {
	if a.farm, err = s.farmNow(r.Context()); err != nil {
		return a, false, err
	}
	if raw := r.PathValue("code"); raw != "" {
		if a.place, ok = placeCalled(a.farm, raw); !ok {
			return a, false, nil
		}
	}
	if a.kind, ok = diary.KindOf(r.PathValue("kind")); !ok || !s.mayWrite(r.Context(), a.place.Code) {
		return a, false, nil
	}
	if a.kind.Name == diary.Release { // led to from a lot that is held, not from the board
		ok = a.place.Code != "" && s.may(r.Context(), account.ReleaseLot)
	} else {
		ok = loggable(a.kind, a.place)
	}
	if !ok {
		return a, false, nil
	}
	a.reg, _, err = s.registerNow(r.Context())
	return a, err == nil, err
}

// placeCalled returns the place of a code as it was typed.
func placeCalled(f *farm.Farm, typed string) (farm.Place, bool) {
	code, err := farm.ParseCode(typed)
	if err != nil {
		return farm.Place{}, false
	}
	return f.Place(code)
}

// loggable reports whether a kind of event is entered at a place, by a form of its own.
func loggable(k diary.Kind, p farm.Place) bool {
	switch {
	case k.Name == diary.Void || k.Name == diary.Release:
		return false
	case p.Code == "":
		return k.Anywhere
	}
	return len(k.Places) == 0 || slices.Contains(k.Places, p.Kind)
}

// logPage is the form of an entry, with what was entered last at this place.
func (s *Server) logPage(r *http.Request, w *words) (answer, error) {
	a, ok, err := s.logAsk(r)
	if err != nil {
		return answer{}, err
	}
	if !ok {
		return s.missing(r, w, "missing.form", "")
	}
	last, err := s.lastValues(r, a)
	if err != nil {
		return answer{}, err
	}
	if a.kind.Name == diary.Release {
		last["lot_code"] = r.URL.Query().Get("lot")
	}
	return s.logForm(r, w, a, logView{}, last, nil)
}

// lastValues are the answers of the last entry of a kind at a place that the next one begins with, and what the season says.
func (s *Server) lastValues(r *http.Request, a logAsked) (form.Values, error) {
	out := form.Values{}
	if cycles := a.reg.openCycles(a.place.Code, s.o.Now()); len(cycles) > 0 {
		for _, key := range []string{"product", "species", "variety"} {
			if v := cycles[0].Values.Text(key); v != "" {
				out[key] = v
			}
		}
	}
	events, err := s.o.Book.Events(r.Context(), diary.Query{Places: []string{a.place.Code}, Kinds: []string{a.kind.Name}, Newest: 20})
	if err != nil {
		return nil, err
	}
	for _, e := range slices.Backward(diary.Entries(events)) {
		if e.Kind != a.kind.Name || e.Voided || e.Place != a.place.Code {
			continue
		}
		for _, f := range a.kind.Fields {
			if v, there := e.Values[f.Key]; f.Kept && there {
				out[f.Key] = v
			}
		}
		break
	}
	return out, nil
}

// logForm draws the form of an entry.
func (s *Server) logForm(r *http.Request, w *words, a logAsked, v logView, values form.Values, problems form.Problems) (answer, error) {
	now := s.o.Now()
	v.Place, v.Kind, v.Label = a.place, a.kind.Name, w.t("diary."+a.kind.Name)
	v.Fields = fieldsView(w, a.kind.Fields, values, problems, a.reg.offered(w, a.farm, a.kind.Name))
	v.NoInputs = slices.ContainsFunc(v.Fields.Quick, func(f fieldView) bool { return f.Of == string(farm.Input) && f.Required && len(f.Options) == 0 })
	raw, err := json.Marshal(append([]diary.Media{}, v.Old.Media...))
	if err != nil {
		return answer{}, err
	}
	v.OldMedia = string(raw)
	if v.ID == "" {
		if v.ID, err = s.newEventID(); err != nil {
			return answer{}, err
		}
	}
	if v.Corrects == "" {
		for _, c := range a.reg.openCycles(a.place.Code, now) {
			v.Cycles = append(v.Cycles, optionView{c.ID, c.Name(), c.ID == v.Cycle})
		}
		if len(v.Cycles) == 1 && v.Cycle == "" {
			v.Cycle = v.Cycles[0].Value
		}
	}
	if a.kind.Name == diary.Harvest {
		rules, _, err := s.rulesAt(r.Context(), w, a.place, now)
		if err != nil {
			return answer{}, err
		}
		v.Holds = slices.DeleteFunc(rules, func(l ruleLine) bool { return l.Level != danger })
	}
	v.Back, v.Action = "/diary", r.URL.Path
	if a.place.Code != "" {
		v.Back = "/p/" + a.place.Code
	}
	title := v.Label
	if a.place.Code != "" {
		title += " · " + a.place.Title.In(w.lang)
	}
	if p := slices.IndexFunc(problems, func(p form.Problem) bool { return p.Key == "note" }); p >= 0 && v.Problem == "" {
		v.Problem = w.t("problem.diary.empty")
	}
	if v.Problem == "" && len(problems) > 0 {
		v.Problem = w.t("problem.diary.fields")
	}
	res, err := s.draw(r, w, "log.html", "diary", title, func(f frame) any {
		v.frame = f
		v.Here = r.URL.Path
		v.There = inLanguage(r.URL.Path, map[string]string{Vietnamese: English, English: Vietnamese}[w.lang])
		v.Script = "log.js"
		return v
	})
	if v.Problem != "" {
		res.status = http.StatusUnprocessableEntity
	}
	return res, err
}

// log takes the form of an entry.
func (s *Server) log(r *http.Request, w *words) (answer, error) {
	a, ok, err := s.logAsk(r)
	if err != nil {
		return answer{}, err
	}
	if !ok {
		return s.missing(r, w, "missing.form", "")
	}
	return s.keepEntry(r, w, a, logView{})
}

// keepEntry writes what a form says into the diary, and leads on; what is wrong is drawn into the form again, with all that was written.
func (s *Server) keepEntry(r *http.Request, w *words, a logAsked, v logView) (answer, error) {
	get := func(key string) []string { return r.PostForm[key] }
	values, problems := form.Written(a.kind.Fields, get, w.zone, a.reg.exists(a.farm))
	v.ID, v.Cycle, v.Note, v.Occurred = r.PostForm.Get("id"), r.PostForm.Get("cycle"), strings.TrimSpace(r.PostForm.Get("note")), r.PostForm.Get("occurred")
	if v.Old.ID != "" && v.Cycle == "" {
		v.Cycle = v.Old.cycle
	}
	if !diary.ValidID(v.ID) {
		v.ID = ""
	}
	now := s.o.Now()
	e := diary.Event{
		ID: v.ID, Kind: a.kind.Name, Place: a.place.Code, Cycle: v.Cycle, Values: values, Note: v.Note, Corrects: v.Corrects, Occurred: now, Recorded: now,
	}
	if at, given, ok := occurred(v.Occurred, w.zone); given && ok {
		e.Occurred = at
	} else if given {
		v.Problem = w.t("problem.diary.when")
	} else if v.Corrects != "" && !v.Old.At.IsZero() {
		e.Occurred = v.Old.At
	}
	media, err := s.keepUploads(r, "photo")
	if err != nil {
		if v.Problem, err = s.mediaProblem(w, err); err != nil {
			return answer{}, err
		}
	}
	e.Media = append(slices.Clone(v.Old.Media), media...)
	if v.Problem != "" || len(problems) > 0 || e.ID == "" {
		if e.ID == "" && v.Problem == "" {
			v.Problem = w.t("problem.diary.id")
		}
		return s.logForm(r, w, a, v, asWritten(a.kind.Fields, values, get), problems)
	}
	outcomes, err := s.o.Desk.Take(r.Context(), s.writer(r), []diary.Sent{{Event: e, SentAt: now}})
	if err != nil {
		return answer{}, err
	}
	if len(outcomes) != 1 {
		return answer{}, errors.New("web: the desk answered no entry")
	}
	if o := outcomes[0]; o.State == diary.Refused {
		if o.Code == "reused" { // sent before with other answers: what stands here now would be another entry
			v.ID = ""
		}
		v.Problem = w.t("problem.diary." + o.Code)
		return s.logForm(r, w, a, v, values, o.Problems)
	}
	to := "/diary/" + url.PathEscape(e.ID)
	switch {
	case v.Corrects != "":
		to = "/diary/" + url.PathEscape(v.Old.ID)
	case a.place.Code != "":
		to = "/p/" + a.place.Code + "?kept=" + url.QueryEscape(e.ID)
	}
	return answer{to: inLanguage(to, w.lang)}, nil
}

// occurred reads when something was done; given: something was written.
func occurred(s string, zone *time.Location) (at time.Time, given, ok bool) {
	if s = strings.TrimSpace(s); s == "" {
		return time.Time{}, false, true
	}
	f := []form.Field{{Key: "at", Type: form.Moment}}
	v, problems := form.Written(f, func(string) []string { return []string{s} }, zone, nil)
	at, err := time.Parse(time.RFC3339, v.Text("at"))
	return at, true, err == nil && len(problems) == 0
}
