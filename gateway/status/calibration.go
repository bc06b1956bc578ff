package status

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"aovuon/gateway/calibrate"
	"aovuon/gateway/lanpage"
	"aovuon/gateway/measure"
	"aovuon/gateway/words"
)

func (s *Server) calibrations(w http.ResponseWriter, r *http.Request) {
	s.show(w, r, http.StatusOK, "calibrate", page{Title: "cal.title", Nav: "calibrate", Data: s.o.Targets()})
}

// sessionPage is one calibration: what to begin with, or where it stands.
type sessionPage struct {
	Sensor  string
	Targets []calibrate.Target // of the sensor
	State   *calibrate.State   // nil before it began
	Step    *calibrate.Step
	Problem string // in the language of the page
	Newest  float64
	Nominal string // of the step, as a person would type it
}

func (s *Server) session(w http.ResponseWriter, r *http.Request) {
	s.showSession(w, r, http.StatusOK, nil)
}

// showSession draws where a calibration stands, and why the last thing asked for was refused.
func (s *Server) showSession(w http.ResponseWriter, r *http.Request, status int, refused error) {
	sensor := r.PathValue("sensor")
	text := s.words[lanpage.Language(w, r)]
	p := sessionPage{Sensor: sensor}
	for _, t := range s.o.Targets() {
		if t.Sensor == sensor {
			p.Targets = append(p.Targets, t)
		}
	}
	if len(p.Targets) == 0 {
		s.message(w, r, http.StatusNotFound, "missing")
		return
	}
	measuring := false
	if st, err := s.o.Desk.State(r.Context(), sensor, -1); err == nil {
		p.State = &st
		measuring = st.Phase == calibrate.Measuring
		if step, ok := st.Step(); ok {
			p.Step = &step
			if step.Nominal != nil {
				p.Nominal = text.Plain(*step.Nominal)
			}
		}
		if st.Problem != "" {
			p.Problem = problem(text, st.Code, st.Problem)
		}
		if n := len(st.Readings); n > 0 {
			p.Newest = st.Readings[n-1]
		}
	}
	if refused != nil {
		p.Problem = refusal(text, refused)
	}
	s.show(w, r, status, "session", page{Title: "cal.title", Nav: "calibrate", Auto: measuring, Data: p})
}

// problem is what is in the way, in the person's language, with the gateway's own words where they say more.
func problem(w *words.Words, code, text string) string {
	if w.Lang() != words.English && w.Has("problem."+code) {
		return w.T("problem."+code) + " (" + text + ")"
	}
	return text
}

func refusal(w *words.Words, err error) string {
	if refusal, ok := errors.AsType[*calibrate.Refusal](err); ok {
		return problem(w, refusal.Code, err.Error())
	}
	if w.Has("problem.form") && errors.Is(err, errForm) {
		return w.T("problem.form")
	}
	return err.Error()
}

// errForm says that a field of a form is no number.
var errForm = errors.New("not a number")

// calibrate does what a form asks for.
func (s *Server) calibrate(w http.ResponseWriter, r *http.Request) {
	if err := s.step(r); err != nil {
		s.showSession(w, r, http.StatusUnprocessableEntity, err)
		return
	}
	http.Redirect(w, r, "/calibrate/"+r.PathValue("sensor"), http.StatusSeeOther)
}

func (s *Server) step(r *http.Request) (err error) {
	sensor, field := r.PathValue("sensor"), func(name string) string {
		v := strings.TrimSpace(r.PostForm.Get(name))
		if !utf8.ValidString(v) {
			return ""
		}
		return v
	}
	switch field("do") {
	case "begin":
		points, err := number(field("points"))
		if err != nil {
			return err
		}
		b := calibrate.Begin{
			Sensor: sensor, Quantity: measure.Quantity(field("quantity")), Method: calibrate.Method(field("method")), Who: field("who"),
			Serial: field("serial"), NewProbe: field("new") == "1",
		}
		if points != nil {
			b.Points = int(*points)
		}
		_, err = s.o.Desk.Begin(r.Context(), b)
		return err
	case "answer", "skip":
		a := calibrate.Answer{Step: field("step"), Skip: field("do") == "skip", Lot: field("lot"), Expiry: field("expiry")}
		if !a.Skip {
			if a.Value, err = number(field("value")); err != nil {
				return err
			}
			if a.Celsius, err = number(field("celsius")); err != nil {
				return err
			}
		}
		_, err = s.o.Desk.Answer(r.Context(), sensor, a)
		return err
	case "finish":
		_, err = s.o.Desk.Finish(r.Context(), sensor, field("note"))
		return err
	case "abort":
		_, err = s.o.Desk.Abort(r.Context(), sensor)
		return err
	}
	return fmt.Errorf("status: unknown button: %w", errForm)
}

// number reads what a person typed, with a decimal comma or point; nothing is nil.
func number(text string) (*float64, error) {
	if text == "" {
		return nil, nil //nolint:nilnil // absent is absent
	}
	v, err := strconv.ParseFloat(strings.ReplaceAll(text, ",", "."), 64)
	if err != nil {
		return nil, fmt.Errorf("status: %.20q: %w", text, errForm)
	}
	return &v, nil
}
