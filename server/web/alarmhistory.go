package web

import (
	"net/http"
	"net/url"
	"slices"
	"time"

	"aovuon/server/account"
	"aovuon/server/form"
	"aovuon/server/watch/alarm"
)

// alarmsShown is how many alarms a page of the past lists, alarmDays how far back it looks unless it is asked for more.
const alarmsShown, alarmDays = 100, 30

type alarmHistoryView struct {
	frame
	Days     []alarmDay
	Places   []optionView
	From, To string
	Wrong    string
	Older    string // link to those before; empty: there are none
	Count    string
	Messages bool // the visitor may read what was sent of alarms
}

type alarmDay struct {
	Date   string
	Alarms []alarmRow
}

// alarmHistory lists the alarms of a time, the newest first.
func (s *Server) alarmHistory(r *http.Request, w *words) (answer, error) {
	ctx, now := r.Context(), s.o.Now()
	f, err := s.farmNow(ctx)
	if err != nil {
		return answer{}, err
	}
	v := alarmHistoryView{Places: placeOptions(w, f), Messages: s.o.Notify != nil && s.may(ctx, account.SeeRegister)}
	asked := r.URL.Query()
	place := asked.Get("place")
	if place != "" {
		i := slices.IndexFunc(v.Places, func(o optionView) bool { return o.Value == place })
		if i < 0 {
			return s.missing(r, w, "missing.page", "")
		}
		v.Places[i].Chosen = true
	}
	from, to := v.span(w, asked, now)
	list, err := s.o.Alarms.Find(ctx, alarm.Query{Place: place, From: from, To: to, Limit: alarmsShown + 1})
	if err != nil {
		return answer{}, err
	}
	if len(list) > alarmsShown {
		list = list[:alarmsShown]
		asked.Set("to", list[len(list)-1].Began.In(w.zone).Format(time.DateOnly))
		v.Older = "/alarms/history?" + asked.Encode()
	}
	list = slices.DeleteFunc(list, func(a alarm.Alarm) bool { return !s.seesAlarm(ctx, f, a) })
	v.Count = w.count(int64(len(list)))
	for _, a := range list {
		if day := w.date(a.Began); len(v.Days) == 0 || v.Days[len(v.Days)-1].Date != day {
			v.Days = append(v.Days, alarmDay{Date: day})
		}
		at := &v.Days[len(v.Days)-1]
		at.Alarms = append(at.Alarms, s.newAlarmRow(r.Context(), w, f, a, now))
	}
	return s.draw(r, w, "alarmhistory.html", "alarms", w.t("alarms.history"), func(fr frame) any { v.frame = fr; return v })
}

// span reads the days that a list is asked for: the last alarmDays, unless it says.
func (v *alarmHistoryView) span(w *words, asked url.Values, now time.Time) (from, to time.Time) {
	dates := []form.Field{{Key: "from", Type: form.Date}, {Key: "to", Type: form.Date}}
	days, problems := form.Written(dates, func(key string) []string { return asked[key] }, w.zone, nil)
	v.From, v.To = days.Text("from"), days.Text("to")
	from, to = now.AddDate(0, 0, -alarmDays), now
	switch {
	case len(problems) > 0:
		v.Wrong = w.t("problem.form.date")
		return from, to
	case v.From != "" && v.To != "" && v.To < v.From:
		v.Wrong = w.t("problem.diary.span")
		return from, to
	}
	if t := days.Day("to", w.zone); !t.IsZero() {
		to = t.AddDate(0, 0, 1)
		from = to.AddDate(0, 0, -alarmDays)
	}
	if t := days.Day("from", w.zone); !t.IsZero() {
		from = t
	}
	return from, to
}
