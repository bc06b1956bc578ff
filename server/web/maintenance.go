package web

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"aovuon/server/farm"
	"aovuon/server/watch/alarm"
)

type maintenanceView struct {
	frame
	Problem      string
	Note         string
	Places       []optionView
	Hours        []optionView
	Maintenances []maintenanceRow
}

// maintenanceRow is a time in which nobody is called of a place, in words.
type maintenanceRow struct {
	ID, Where, Until, Who, Reason string
}

// maintenanceHours are for how long somebody may be at work on a place.
func maintenanceHours() []int { return []int{1, 2, 4, 8, 24, 72, 168} }

func (s *Server) maintenancePage(r *http.Request, w *words) (answer, error) {
	return s.drawMaintenance(r, w, r.URL.Query().Get("place"), "")
}

func (s *Server) drawMaintenance(r *http.Request, w *words, place, problem string) (answer, error) {
	f, err := s.farmNow(r.Context())
	if err != nil {
		return answer{}, err
	}
	v := maintenanceView{Problem: problem, Note: r.PostForm.Get("note"), Places: placeOptions(w, f)}
	for i := range v.Places {
		v.Places[i].Chosen = v.Places[i].Value == place
	}
	for _, h := range maintenanceHours() {
		n := strconv.Itoa(h)
		v.Hours = append(v.Hours, optionView{n, w.length(time.Duration(h) * time.Hour), n == r.PostForm.Get("hours") || r.PostForm == nil && h == 2})
	}
	if v.Maintenances, err = s.maintenanceRows(r, w, f); err != nil {
		return answer{}, err
	}
	a, err := s.draw(r, w, "maintenance.html", "alarms", w.t("maintenance.title"), func(fr frame) any { v.frame = fr; return v })
	if problem != "" {
		a.status = http.StatusUnprocessableEntity
	}
	return a, err
}

// maintenanceRows are those that last now.
func (s *Server) maintenanceRows(r *http.Request, w *words, f *farm.Farm) (out []maintenanceRow, err error) {
	now := s.o.Now()
	list, err := s.o.Alarms.Maintenances(r.Context(), now, now.Add(alarm.MaintenanceMax))
	if err != nil {
		return nil, err
	}
	for _, m := range list {
		p, own := f.Place(m.Place)
		if m.Over(now) || m.Place != "" && !own {
			continue
		}
		where := w.t("maintenance.all")
		if own {
			where = p.Title.In(w.lang)
		}
		out = append(out, maintenanceRow{m.ID, where, w.moment(m.To, now), s.calledOf(r.Context(), m.By), m.Reason})
	}
	return out, nil
}

// maintain keeps that somebody is at work on a place.
func (s *Server) maintain(r *http.Request, w *words) (answer, error) {
	f, err := s.farmNow(r.Context())
	if err != nil {
		return answer{}, err
	}
	place := r.PostForm.Get("place")
	hours, errN := strconv.Atoi(r.PostForm.Get("hours"))
	if _, known := f.Place(place); !known {
		return s.drawMaintenance(r, w, place, w.t("maintenance.problem.place"))
	}
	if errN != nil || !slices.Contains(maintenanceHours(), hours) {
		return s.drawMaintenance(r, w, place, w.t("alarm.refused.choose"))
	}
	m := alarm.Maintenance{Place: place, To: s.o.Now().Add(time.Duration(hours) * time.Hour), By: actor(r), Reason: r.PostForm.Get("note")}
	if _, err := s.o.Alarms.Maintain(r.Context(), m); err != nil {
		problem, err := w.refusedAlarm(err, s.o.Now())
		if err != nil {
			return answer{}, err
		}
		return s.drawMaintenance(r, w, place, problem)
	}
	return answer{status: http.StatusSeeOther, to: inLanguage("/alarms", w.lang), secret: true}, nil
}

// endMaintenance lets a place call again before its time.
func (s *Server) endMaintenance(r *http.Request, w *words) (answer, error) {
	_, err := s.o.Alarms.EndMaintenance(r.Context(), r.PathValue("id"), actor(r))
	if _, over := errors.AsType[*alarm.Refused](err); err != nil && !over { // what is over has been ended: that was asked for
		if errors.Is(err, alarm.ErrNone) {
			return s.missing(r, w, "maintenance.none", "")
		}
		return answer{}, err
	}
	return answer{status: http.StatusSeeOther, to: inLanguage("/alarms", w.lang), secret: true}, nil
}
