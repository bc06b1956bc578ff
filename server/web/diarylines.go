package web

import (
	"context"
	"slices"
	"strings"
	"time"

	"aovuon/server/account"
	"aovuon/server/diary"
	"aovuon/server/farm"
	"aovuon/server/form"
)

// entryLine is one entry of the diary in a list.
type entryLine struct {
	ID      string
	Kind    string
	Label   string // of the kind
	At      time.Time
	Place   string // title; empty: the co-op as a whole
	Code    string
	cycle   string
	Summary string // its answers, the first of them
	Note    string
	Who     string
	Media   []diary.Media
	Photos  int64 // and voice notes
	Voided  bool
	Changed bool
	Late    bool // it came long after it was done
}

// lateAfter is how long after something was done its entry counts as written later: an auditor asks why.
const lateAfter = 48 * time.Hour

// teller puts entries into words.
type teller struct {
	w     *words
	farm  *farm.Farm
	reg   register
	names map[string]string // of writers
}

// teller returns one for a visitor; names of writers are for those who see all places and for oneself.
func (s *Server) teller(ctx context.Context, w *words, f *farm.Farm, reg register) (teller, error) {
	t := teller{w: w, farm: f, reg: reg, names: map[string]string{}}
	v := visitor(ctx)
	if !s.may(ctx, account.SeeAllPlaces) {
		if v != nil {
			t.names[v.Account.ID] = v.Account.Name
		}
		return t, nil
	}
	people, err := s.o.Accounts.People.Accounts(ctx)
	if err != nil {
		return t, err
	}
	for _, a := range people {
		t.names[a.ID] = a.Name
	}
	return t, nil
}

func (t teller) line(e diary.Entry) entryLine {
	l := entryLine{
		ID: e.First.ID, Kind: e.Kind, Label: t.w.t("diary." + e.Kind), At: e.At(), Code: e.Place, cycle: e.Cycle, Note: e.Note, Media: e.Media, Photos: int64(len(e.Media)), Voided: e.Voided,
		Changed: e.Corrected() && !e.Voided, Who: t.who(e.First.Actor), Late: e.First.Synced.Sub(e.First.At()) > lateAfter,
	}
	if p, ok := t.farm.Place(e.Place); ok {
		l.Place = p.Title.In(t.w.lang)
	}
	if k, ok := diary.KindOf(e.Kind); ok {
		l.Summary = strings.Join(t.answers(k, e.Values, 4), " · ")
	}
	return l
}

func (t teller) who(actor string) string {
	if n := t.names[actor]; n != "" {
		return n
	}
	return t.w.t("entry.somebody")
}

// answers writes the first answers of an event, at most most of them; 0: all.
func (t teller) answers(k diary.Kind, v form.Values, most int) []string {
	var out []string
	for _, f := range k.Fields {
		if most > 0 && len(out) >= most {
			break
		}
		text := t.answer(f, v)
		switch {
		case text == "":
		case f.Type == form.Ref || f.Type == form.Choice && (f.Quick || f.Required), f.Key == diary.KeyAmount, f.Key == diary.KeyKG:
			out = append(out, text)
		default:
			out = append(out, t.w.t("field."+f.Key)+" "+text)
		}
	}
	return out
}

// answer writes one answer; "" where there is none.
func (t teller) answer(f form.Field, v form.Values) string {
	if f.File {
		if n := len(v.List(f.Key)); n > 0 {
			return t.w.amount("form.photo", int64(n))
		}
		return ""
	}
	switch f.Type {
	case form.Number:
		n, ok := v.Number(f.Key)
		if !ok {
			return ""
		}
		unit := t.w.unitOf(f)
		if r, ok := t.reg.record(farm.Input, v.Text(diary.KeyInput)); unit == "" && f.Key == diary.KeyAmount && ok {
			unit = t.w.t("option.unit." + r.Values.Text("unit"))
		}
		if text := t.w.plainNumber(n); unit != "" {
			return text + nbsp + unit
		}
		return t.w.plainNumber(n)
	case form.Flag:
		on, ok := v[f.Key].(bool)
		if !ok {
			return ""
		}
		return t.w.t(map[bool]string{true: "form.yes", false: "form.no"}[on])
	case form.Date:
		if d := v.Day(f.Key, t.w.zone); !d.IsZero() {
			return t.w.date(d)
		}
	case form.Moment:
		if at, err := time.Parse(time.RFC3339, v.Text(f.Key)); err == nil {
			return t.w.dateTime(at)
		}
	case form.Choice, form.Ref, form.Text, form.Long:
		var all []string
		for _, one := range v.List(f.Key) {
			all = append(all, t.named(f, one))
		}
		return strings.Join(all, ", ")
	}
	return ""
}

// named puts a choice or a reference into words.
func (t teller) named(f form.Field, v string) string {
	switch {
	case f.Type == form.Choice && slices.Contains(f.Options, v):
		return t.w.t("option." + f.Key + "." + v)
	case f.Type == form.Ref && f.Of == farm.RefPlace:
		if p, ok := t.farm.Place(v); ok {
			return p.Title.In(t.w.lang)
		}
	case f.Type == form.Ref:
		if r, ok := t.reg.record(farm.RecordKind(f.Of), v); ok {
			return r.Name()
		}
	}
	return v
}
