package web

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"aovuon/server/watch/notify"
)

type ladderView struct {
	frame
	Problem, Done             string
	Rungs                     []rungView
	Then                      string
	Again, AtTop, Clock, Keep string
}

type rungView struct{ When, Who string }

func (s *Server) ladderPage(r *http.Request, w *words) (answer, error) {
	set, err := s.o.Notify.Settings(r.Context())
	if err != nil {
		return answer{}, err
	}
	return s.drawLadder(r, w, set, ladderView{
		Again: strconv.Itoa(int(set.Again / time.Minute)), AtTop: strconv.Itoa(int(set.AtTop / time.Minute)), Clock: clock(set.DigestAt), Keep: strconv.Itoa(set.KeepDays),
	})
}

// drawLadder draws the form, and who is told when.
func (s *Server) drawLadder(r *http.Request, w *words, set notify.Settings, v ladderView) (answer, error) {
	list, err := s.o.Notify.Contacts(r.Context())
	if err != nil {
		return answer{}, err
	}
	for _, rung := range notify.Ladder(list, set) {
		when := w.t("ladder.first")
		if rung.After > 0 {
			when = w.t("ladder.at", w.length(rung.After))
		}
		v.Rungs = append(v.Rungs, rungView{when, strings.Join(rung.Names, ", ")})
	}
	v.Then = w.t("ladder.then", w.length(set.AtTop))
	a, err := s.draw(r, w, "ladder.html", "contacts", w.t("ladder.title"), func(fr frame) any { v.frame = fr; return v })
	if v.Problem != "" {
		a.status = http.StatusUnprocessableEntity
	}
	return a, err
}

func (s *Server) saveLadder(r *http.Request, w *words) (answer, error) {
	old, err := s.o.Notify.Settings(r.Context())
	if err != nil {
		return answer{}, err
	}
	p := r.PostForm
	v := ladderView{Again: p.Get("again"), AtTop: p.Get("top"), Clock: p.Get("clock"), Keep: p.Get("keep")}
	again, errA := strconv.Atoi(strings.TrimSpace(v.Again))
	top, errT := strconv.Atoi(strings.TrimSpace(v.AtTop))
	keep, errK := strconv.Atoi(strings.TrimSpace(v.Keep))
	at, ok := clockOf(v.Clock)
	set := notify.Settings{Again: time.Duration(again) * time.Minute, AtTop: time.Duration(top) * time.Minute, DigestAt: at, KeepDays: keep}
	if errors.Join(errA, errT, errK) != nil || !ok || again > 1e4 || top > 1e4 || set.Check() != nil {
		v.Problem = w.t("ladder.problem")
		return s.drawLadder(r, w, old, v)
	}
	if err := s.o.Notify.SaveSettings(r.Context(), set, s.sender(r)); err != nil {
		return answer{}, err
	}
	v.Done = w.t("ladder.saved")
	return s.drawLadder(r, w, set, v)
}
