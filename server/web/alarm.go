package web

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"aovuon/server/farm"
	"aovuon/server/watch/alarm"
	"aovuon/server/watch/rule"
)

type alarmView struct {
	frame
	Row     alarmRow
	Problem string
	Note    string // as it was typed
	Steps   []alarmStep
	Snoozes []optionView
}

// alarmStep is one thing that happened to an alarm, in words.
type alarmStep struct{ When, What, Who, Why, Note string }

// snoozes are for how many minutes an alarm may be put off. What is critical may be so for half an hour, no longer.
func snoozes(a alarm.Alarm) []int {
	if a.Level == rule.Crit {
		return []int{10, 30}
	}
	return []int{30, 120, 480}
}

// alarmOf returns the alarm of a request, if the visitor may see it.
func (s *Server) alarmOf(r *http.Request) (a alarm.Alarm, changes []alarm.Change, f *farm.Farm, ok bool, err error) {
	if f, err = s.farmNow(r.Context()); err != nil {
		return a, nil, nil, false, err
	}
	a, changes, err = s.o.Alarms.Alarm(r.Context(), r.PathValue("id"))
	if errors.Is(err, alarm.ErrNone) {
		return a, nil, f, false, nil
	}
	return a, changes, f, err == nil && s.seesAlarm(r.Context(), f, a), err
}

func (s *Server) alarmPage(r *http.Request, w *words) (answer, error) {
	return s.drawAlarm(r, w, "", "")
}

func (s *Server) drawAlarm(r *http.Request, w *words, problem, note string) (answer, error) {
	a, changes, f, ok, err := s.alarmOf(r)
	if err != nil {
		return answer{}, err
	}
	if !ok {
		return s.missing(r, w, "alarm.none", "")
	}
	now := s.o.Now()
	v := alarmView{Row: s.newAlarmRow(r.Context(), w, f, a, now), Problem: problem, Note: note}
	for _, c := range slices.Backward(changes) {
		v.Steps = append(v.Steps, s.newAlarmStep(r, w, c))
	}
	for _, m := range snoozes(a) {
		v.Snoozes = append(v.Snoozes, optionView{Value: strconv.Itoa(m), Label: w.length(time.Duration(m) * time.Minute)})
	}
	out, err := s.draw(r, w, "alarm.html", "alarms", v.Row.Where+": "+lowerFirst(v.Row.What), func(fr frame) any { v.frame = fr; return v })
	if problem != "" {
		out.status = http.StatusUnprocessableEntity
	}
	return out, err
}

func (s *Server) newAlarmStep(r *http.Request, w *words, c alarm.Change) alarmStep {
	out := alarmStep{When: w.dateTime(c.At), Note: c.Note}
	switch c.What {
	case alarm.ToState:
		out.What = w.t("alarm.to." + string(c.Alarm.State))
		if c.Alarm.State == alarm.Firing && c.From != alarm.Recovering {
			out.What += ", " + lowerFirst(w.t("alarm.level."+string(c.Alarm.Level)))
		}
	case alarm.Snoozed:
		out.What = w.t("alarm.did.snooze", w.dateTime(c.Alarm.Snoozed))
	default:
		out.What = w.t("alarm.did." + c.What)
	}
	if c.By != "" {
		out.Who = s.calledOf(r.Context(), c.By)
	}
	if (c.What == alarm.ToState || c.What == alarm.Raised) && len(c.Alarm.Decision.Why) > 0 {
		out.Why = w.reason("why", c.Alarm.Decision.Why[0], c.At)
	}
	return out
}

// actor is the account of a request.
func actor(r *http.Request) string {
	if v := visitor(r.Context()); v != nil {
		return v.Account.ID
	}
	return ""
}

// refusedAlarm returns what is wrong with a wish, in words; empty with an error that is none of the visitor's.
func (w *words) refusedAlarm(err error, now time.Time) (string, error) {
	refused, ok := errors.AsType[*alarm.Refused](err)
	if !ok {
		return "", err
	}
	return w.reason("alarm.refused", rule.Reason{Key: refused.Key, Args: refused.Args}, now), nil
}

// acting gives f an alarm that the visitor may act on.
func (s *Server) acting(r *http.Request, w *words, f func(a alarm.Alarm, note string) error) (answer, error) {
	a, _, fm, ok, err := s.alarmOf(r)
	if err != nil {
		return answer{}, err
	}
	if !ok || !s.actsOn(r.Context(), fm, a) {
		return s.missing(r, w, "alarm.none", "")
	}
	note := strings.TrimSpace(r.PostForm.Get("note"))
	if err := f(a, note); err != nil {
		problem, err := w.refusedAlarm(err, s.o.Now())
		if err != nil {
			return answer{}, err
		}
		return s.drawAlarm(r, w, problem, note)
	}
	return answer{status: http.StatusSeeOther, to: inLanguage("/alarms/"+a.ID, w.lang), secret: true}, nil
}

// ackAlarm keeps that somebody sees to an alarm.
func (s *Server) ackAlarm(r *http.Request, w *words) (answer, error) {
	return s.acting(r, w, func(a alarm.Alarm, note string) error {
		_, err := s.o.Alarms.Ack(r.Context(), a.ID, actor(r), note)
		return err
	})
}

// snoozeAlarm keeps an alarm from calling again for a while.
func (s *Server) snoozeAlarm(r *http.Request, w *words) (answer, error) {
	return s.acting(r, w, func(a alarm.Alarm, note string) error {
		minutes, err := strconv.Atoi(r.PostForm.Get("minutes"))
		if err != nil || !slices.Contains(snoozes(a), minutes) {
			return &alarm.Refused{Key: "choose", Err: "no such length of a snooze"}
		}
		_, err = s.o.Alarms.Snooze(r.Context(), a.ID, s.o.Now().Add(time.Duration(minutes)*time.Minute), actor(r), note)
		return err
	})
}
