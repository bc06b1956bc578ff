package outbreak

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"aovuon/server/diary"
	"aovuon/server/farm"
	"aovuon/server/watch/rule"
)

// ID names the rule, Topic what it is about.
const (
	ID    = "outbreak"
	Topic = "outbreak"
)

// worth is how long a decision is worth something when no other follows.
const worth = 2 * time.Hour

// Book is the farm and the diary on record.
type Book interface {
	Farm(ctx context.Context) (*farm.Farm, error)
	Events(ctx context.Context, q diary.Query) ([]diary.Event, error)
}

// Source is shown with every decision.
func Source() farm.Text {
	return farm.Text{
		VI: "Quy tắc của phần mềm: cùng một bệnh ở từ 3 nơi, cách nhau không quá 500 m, trong 10 ngày. Chưa có tiêu chuẩn nào đặt con số này.",
		EN: "A rule of this program: the same at 3 places or more, within 500 m of each other, in 10 days. No standard sets these figures.",
	}
}

// Watch looks for clusters. It implements rule.Rule and is safe for concurrent use.
type Watch struct {
	book     Book
	settings Settings
}

// New returns a Watch over what is on record.
func New(book Book, s Settings) *Watch { return &Watch{book, s} }

// ID implements rule.Rule.
func (*Watch) ID() string { return ID }

// Inputs implements rule.Rule.
func (*Watch) Inputs() []rule.Input {
	return []rule.Input{{Diary: scouting}, {Diary: mortality}, {Diary: health}}
}

// Window implements rule.Rule.
func (w *Watch) Window() time.Duration { return time.Duration(w.settings.Days) * 24 * time.Hour }

// Settings returns what a cluster is here.
func (w *Watch) Settings() Settings { return w.settings }

// Decide implements rule.Rule: for every pond and plot.
func (w *Watch) Decide(ctx context.Context, at time.Time) ([]rule.Decision, error) {
	f, err := w.book.Farm(ctx)
	if err != nil {
		return nil, fmt.Errorf("outbreak: farm: %w", err)
	}
	today := farm.Midnight(at)
	events, err := w.book.Events(ctx, diary.Query{Kinds: Kinds(), From: today.AddDate(0, 0, 1-w.settings.Days)})
	if err != nil {
		return nil, fmt.Errorf("outbreak: diary: %w", err)
	}
	cases := Cases(diary.Entries(events), farm.Time())
	cases = slices.DeleteFunc(cases, func(c Case) bool { return c.At.After(at) })
	clusters := w.settings.Clusters(f, cases, today)
	var out []rule.Decision
	for _, p := range f.Places {
		if p.Kind == farm.Shed {
			continue
		}
		d := rule.Decision{Rule: ID, Place: p.Code, Topic: Topic, Verdict: rule.Calm, At: at, Until: at.Add(worth), Source: Source()}
		w.judge(&d, f, p, clusters, cases, today)
		out = append(out, d)
	}
	return out, nil
}

// judge says what the clusters and the cases mean for one place. Of others it says how many, never which: farmers read it.
func (w *Watch) judge(d *rule.Decision, f *farm.Farm, p farm.Place, clusters []Cluster, cases []Case, today time.Time) {
	for _, c := range clusters {
		what := named(c.Subject, c.Name)
		within := []rule.Arg{what, rule.Number(float64(len(c.Places)), 0, ""), rule.Number(w.settings.Metres, 0, "m"), rule.Number(float64(w.settings.Days), 0, "")}
		switch {
		case slices.Contains(c.Places, p.Code):
			raise(d, rule.Warn)
			d.Why = append(d.Why, rule.Because("outbreak_cluster", within...))
			d.Do = append(d.Do, advice(c.Subject), rule.Because("outbreak_call"))
		case w.beside(f, p, c):
			raise(d, rule.Notice)
			d.Why = append(d.Why, rule.Because("outbreak_beside", within...))
			d.Do = append(d.Do, rule.Because("outbreak_look"))
		}
	}
	subjects := w.settings.recent(cases, today)
	var own []Case
	for _, of := range subjects {
		if c, ok := of[p.Code]; ok {
			own = append(own, c)
		}
	}
	slices.SortFunc(own, func(a, b Case) int { return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.Subject, b.Subject)) })
	for _, c := range own {
		raise(d, rule.Notice)
		d.Why = append(d.Why, told(c))
	}
	if len(d.Why) == 0 {
		d.Why = []rule.Reason{rule.Because("outbreak_none", rule.Number(float64(w.settings.Days), 0, ""))}
	}
	d.Do = once(d.Do)
}

// once leaves out what is to be done already, for another cluster.
func once(list []rule.Reason) (out []rule.Reason) {
	for _, r := range list {
		if !slices.ContainsFunc(out, func(o rule.Reason) bool { return o.Key == r.Key }) {
			out = append(out, r)
		}
	}
	return out
}

// beside reports whether a place that could catch it lies near a cluster: a pond near sick ponds, a plot near plots.
func (w *Watch) beside(f *farm.Farm, p farm.Place, c Cluster) bool {
	if (p.Kind == farm.Pond) != (c.Subject == Fish) {
		return false
	}
	return slices.ContainsFunc(c.Places, func(code string) bool {
		q, ok := f.Place(code)
		if !ok {
			return false
		}
		is, _ := near(p, q, w.settings.Metres)
		return is
	})
}

func raise(d *rule.Decision, v rule.Verdict) {
	if v.Worse(d.Verdict) {
		d.Verdict = v
	}
}

// named names what a case is of.
func named(subject, name string) rule.Arg {
	if subject == Fish {
		return rule.Word("outbreak.fish")
	}
	return rule.Named(farm.Text{VI: strings.TrimSpace(name)})
}

// told says what was reported.
func told(c Case) rule.Reason {
	switch {
	case c.Dead > 0:
		return rule.Because("outbreak_dead", rule.Day(c.Day), rule.Number(c.Dead, 0, ""))
	case c.Subject == Fish:
		return rule.Because("outbreak_sick", rule.Day(c.Day))
	case c.Share > 0:
		return rule.Because("outbreak_share", rule.Day(c.Day), named(c.Subject, c.Name), rule.Number(c.Share, 1, "%"))
	}
	return rule.Because("outbreak_seen", rule.Day(c.Day), named(c.Subject, c.Name))
}

func advice(subject string) rule.Reason {
	if subject == Fish {
		return rule.Because("outbreak_fish")
	}
	return rule.Because("outbreak_crop")
}

// Words lists every text of the locales that the rule asks for.
func Words() []string {
	out := []string{"rule." + ID, "topic." + Topic, "outbreak.fish"}
	for _, key := range []string{"cluster", "beside", "dead", "sick", "share", "seen", "none"} {
		out = append(out, "why.outbreak_"+key)
	}
	for _, key := range []string{"fish", "crop", "call", "look"} {
		out = append(out, "do.outbreak_"+key)
	}
	return out
}
