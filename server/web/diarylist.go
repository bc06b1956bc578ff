package web

import (
	"net/http"
	"net/url"
	"slices"
	"time"

	"aovuon/server/diary"
	"aovuon/server/form"
)

// entriesShown is how many entries a page of the diary lists.
const entriesShown = 60

type diaryView struct {
	frame
	Days   []diaryDay
	Places []optionView
	Kinds  []optionView
	From   string
	To     string
	Older  string // link to the days before; empty: there are none
	Anyway []kindLink
	All    bool // the visitor sees every place
	Wrong  string
}

type diaryDay struct {
	Date  string
	Lines []entryLine
}

// diaryPage lists entries, the newest first: of the own places, or of all.
func (s *Server) diaryPage(r *http.Request, w *words) (answer, error) {
	ctx := r.Context()
	f, reg, err := s.landAndRegister(ctx)
	if err != nil {
		return answer{}, err
	}
	v := diaryView{Places: placeOptions(w, f), All: s.mayReadPlace(ctx, "")}
	q, ok := v.read(w, r.URL.Query())
	if !ok {
		return s.missing(r, w, "missing.page", "")
	}
	if len(q.Places) == 0 && !v.All {
		for _, p := range v.Places {
			q.Places = append(q.Places, p.Value)
		}
	}
	var entries []diary.Entry
	if len(q.Places) > 0 || v.All {
		events, err := s.o.Book.Events(ctx, q)
		if err != nil {
			return answer{}, err
		}
		entries = slices.DeleteFunc(diary.Entries(events), func(e diary.Entry) bool {
			return !s.mayReadPlace(ctx, e.Place) || e.Kind == diary.Void && e.Corrects != ""
		})
	}
	if len(entries) > entriesShown {
		entries = entries[len(entries)-entriesShown:]
		older := r.URL.Query()
		older.Set("to", entries[0].At().In(w.zone).Format(time.DateOnly))
		v.Older = "/diary?" + older.Encode()
	}
	t, err := s.teller(ctx, w, f, reg)
	if err != nil {
		return answer{}, err
	}
	for _, e := range slices.Backward(entries) {
		l := t.line(e)
		if day := w.date(l.At); len(v.Days) == 0 || v.Days[len(v.Days)-1].Date != day {
			v.Days = append(v.Days, diaryDay{Date: day})
		}
		at := &v.Days[len(v.Days)-1]
		at.Lines = append(at.Lines, l)
	}
	if s.mayWrite(ctx, "") {
		for _, k := range diary.Kinds() {
			if k.Anywhere {
				v.Anyway = append(v.Anyway, kindLink{Kind: k.Name, Label: w.t("diary." + k.Name), Href: inLanguage("/log/"+k.Name, w.lang)})
			}
		}
	}
	return s.draw(r, w, "diary.html", "diary", w.t("diary.title"), func(fr frame) any { v.frame = fr; return v })
}

// read takes what a list is asked for; ok is false where it asks for a place or a kind that the visitor knows nothing of.
func (v *diaryView) read(w *words, asked url.Values) (q diary.Query, ok bool) {
	if p := asked.Get("place"); p != "" {
		i := slices.IndexFunc(v.Places, func(o optionView) bool { return o.Value == p })
		if i < 0 {
			return q, false
		}
		v.Places[i].Chosen = true
		q.Places = []string{p}
	}
	kind := asked.Get("kind")
	for _, k := range diary.Kinds() {
		if k.Name != diary.Void {
			v.Kinds = append(v.Kinds, optionView{k.Name, w.t("diary." + k.Name), k.Name == kind})
		}
	}
	if kind != "" {
		if _, known := diary.KindOf(kind); !known {
			return q, false
		}
		q.Kinds = []string{kind}
	}
	dates := []form.Field{{Key: "from", Type: form.Date}, {Key: "to", Type: form.Date}}
	days, problems := form.Written(dates, func(key string) []string { return asked[key] }, w.zone, nil)
	v.From, v.To = days.Text("from"), days.Text("to")
	if len(problems) > 0 {
		v.Wrong = w.t("problem.form.date")
	}
	if v.From != "" && v.To != "" && v.To < v.From {
		v.Wrong = w.t("problem.diary.span")
	}
	q.From = days.Day("from", w.zone)
	if to := days.Day("to", w.zone); !to.IsZero() {
		q.To = to.AddDate(0, 0, 1)
	}
	return q, true
}

// outboxPage shows what is on the phone and not with the server; what it shows, a script fills in.
func (s *Server) outboxPage(r *http.Request, w *words) (answer, error) {
	return s.draw(r, w, "outbox.html", "diary", w.t("outbox.title"), func(fr frame) any {
		fr.Script = "phone.js"
		return outboxView{fr, outboxCodes(), formCodes(), fieldKeys()}
	})
}

type outboxView struct {
	frame
	Codes, FormCodes, Keys []string // what the server may answer; their words go along
}

// outboxCodes are the reasons for which the desk refuses an entry.
func outboxCodes() []string {
	return []string{"id", "kind", "place", "cycle", "future", "old", "media", "note", "corrects", "reused", "fields", "shape", "right"}
}

// formCodes are what may be wrong with an answer.
func formCodes() []string {
	var out []string
	for _, c := range []form.Code{
		form.Missing, form.NoNumber, form.NotWhole, form.TooSmall, form.TooLarge, form.NoDate, form.NoMoment, form.NoOption, form.NoRecord, form.NoFlag,
		form.TooLong, form.TooMany, form.BadText, form.Unknown, form.Taken, form.Conflict, form.BadPoint, form.NoGTIN,
	} {
		out = append(out, string(c))
	}
	return out
}

// fieldKeys are the keys of every field that an entry may have.
func fieldKeys() []string {
	var out []string
	for _, k := range diary.Kinds() {
		for _, f := range k.Fields {
			if !slices.Contains(out, f.Key) {
				out = append(out, f.Key)
			}
		}
	}
	return out
}
