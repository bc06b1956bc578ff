package status

import (
	"net/http"
	"strconv"
	"time"

	"aovuon/gateway/edge"
)

// aerator is a card: what is commanded, what the motor does, and why.
type aerator struct {
	edge.AeratorStatus
	Tone   string // good, suspect or fault
	For    int64  // seconds the command has stood
	Manual bool
	Left   int64 // seconds
}

type aeratorsPage struct {
	Aerators []aerator
	Alarms   []edge.AlarmStatus
}

func (s *Server) aerators(w http.ResponseWriter, r *http.Request) {
	now := s.o.Edge()
	p := aeratorsPage{Alarms: now.Alarms}
	for _, a := range now.Aerators {
		c := aerator{
			AeratorStatus: a, Tone: "good", For: int64(a.Since / time.Second), Manual: a.Mode != edge.Auto, Left: int64(a.ModeLeft / time.Second),
		}
		switch {
		case a.State.Bad() || a.Relay != "":
			c.Tone = "fault"
		case a.Cause == edge.ByFailSafe || c.Manual:
			c.Tone = "suspect"
		}
		p.Aerators = append(p.Aerators, c)
	}
	s.show(w, r, http.StatusOK, "aerators", page{Title: "aerators.title", Nav: "aerators", Data: p})
}

// override takes a person's word over an aerator.
func (s *Server) override(w http.ResponseWriter, r *http.Request) {
	minutes, err := strconv.Atoi(r.PostFormValue("minutes"))
	if err != nil || minutes < 0 || minutes > int(edge.MaxOverride/time.Minute) {
		s.message(w, r, http.StatusBadRequest, "form")
		return
	}
	if err := s.o.Override(r.Context(), r.PostFormValue("aerator"), edge.Mode(r.PostFormValue("mode")), time.Duration(minutes)*time.Minute); err != nil {
		s.message(w, r, http.StatusBadRequest, "form")
		return
	}
	http.Redirect(w, r, "/aerators", http.StatusSeeOther)
}
