package web

import (
	"cmp"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"aovuon/server/account"
	"aovuon/server/diary"
	"aovuon/server/farm"
	"aovuon/server/watch/outbreak"
)

func (s *Server) pestRoutes() []route {
	if s.o.Book == nil {
		return nil
	}
	return []route{{"GET /pests", needs(account.ReadBook), s.page(s.pestsPage)}}
}

// pestSpans are the choices of how far the page looks back, days; the first is the one people get who ask for none.
func pestSpans() []string { return []string{"10", "30", "90"} }

func daysOfSpan(name string) int {
	switch name {
	case "30":
		return 30
	case "90":
		return 90
	}
	return 10
}

type pestsView struct {
	frame
	Clusters []clusterView
	Tabs     []tab
	Subjects []tab
	Map      template.HTML
	Unmapped string // places with reports that have no outline
	Cases    []pestLine
	Empty    string
	Log      []entry // the ways to report something
	Rule     string
}

// clusterView is the same thing at several places.
type clusterView struct {
	Title, When string
	Places      []pestPlace // those the visitor may see
	Others      string      // how many more there are
	Guessed     bool
	Do          []string
}

type pestPlace struct{ Name, Code string }

// pestLine is one report.
type pestLine struct {
	Day, Place, Code, Entry string
	What, Amount            string
	Level                   level
	Ago                     string
}

func (s *Server) pestsPage(r *http.Request, w *words) (answer, error) {
	ctx, now := r.Context(), s.o.Now()
	whole, err := s.wholeFarm(ctx)
	if err != nil {
		return answer{}, err
	}
	f := s.ownFarm(ctx, whole)
	span := r.URL.Query().Get("days")
	if !slices.Contains(pestSpans(), span) {
		span = pestSpans()[0]
	}
	rules, today := outbreak.Defaults(), farm.MidnightIn(now, w.zone)
	events, err := s.o.Book.Events(ctx, diary.Query{Kinds: outbreak.Kinds(), From: today.AddDate(0, 0, 1-max(daysOfSpan(span), rules.Days))})
	if err != nil {
		return answer{}, err
	}
	all := outbreak.Cases(diary.Entries(events), w.zone)
	v := pestsView{Rule: w.t("pests.rule", w.count(int64(rules.Places)), w.num(rules.Metres, 0), w.count(int64(rules.Days)))}
	clusters := rules.Clusters(whole, all, today)
	for _, c := range clusters {
		if one, mine := newClusterView(w, f, c); mine {
			v.Clusters = append(v.Clusters, one)
		}
	}
	from := today.AddDate(0, 0, 1-daysOfSpan(span))
	seen := slices.DeleteFunc(all, func(c outbreak.Case) bool {
		_, mine := f.Place(c.Place)
		return !mine || c.Day.Before(from)
	})
	of := r.URL.Query().Get("of")
	v.Subjects, seen = subjectTabs(w, seen, of, span)
	for _, name := range pestSpans() {
		v.Tabs = append(v.Tabs, tab{w.amount("for.days", int64(daysOfSpan(name))), pestsHref(w, name, of), name == span})
	}
	v.fill(w, f, seen, clusters, now)
	if may := s.may(ctx, account.KeepDiary); may {
		v.Log = reportLinks(w, f)
	}
	return s.draw(r, w, "pests.html", "pests", w.t("pests.title"), func(fr frame) any { v.frame = fr; return v })
}

func pestsHref(w *words, span, of string) string {
	return inLanguage("/pests?days="+span+"&of="+template.URLQueryEscaper(of), w.lang)
}

// newClusterView shows a cluster to those who have a place in it; of other places it says how many.
func newClusterView(w *words, f *farm.Farm, c outbreak.Cluster) (v clusterView, mine bool) {
	v = clusterView{
		Title: w.t("pests.cluster", subjectName(w, c.Subject, c.Name), w.count(int64(len(c.Places)))), When: w.t("pests.cluster.when", w.date(c.First), w.date(c.Last)),
		Guessed: c.Guessed,
	}
	for _, p := range f.Places {
		if slices.Contains(c.Places, p.Code) {
			v.Places = append(v.Places, pestPlace{p.Title.In(w.lang), p.Code})
		}
	}
	if more := len(c.Places) - len(v.Places); more > 0 {
		v.Others = w.amount("pests.cluster.others", int64(more))
	}
	key := w.t("do.outbreak_crop")
	if c.Subject == outbreak.Fish {
		key = w.t("do.outbreak_fish")
	}
	v.Do = []string{key, w.t("do.outbreak_call")}
	return v, len(v.Places) > 0
}

func subjectName(w *words, subject, name string) string {
	if subject == outbreak.Fish {
		return w.t("outbreak.fish")
	}
	return name
}

// subjectTabs are what was reported, the most often first, and the cases of the one that is asked for.
func subjectTabs(w *words, cases []outbreak.Case, of, span string) (tabs []tab, chosen []outbreak.Case) {
	n, name := map[string]int{}, map[string]string{}
	var order []string
	for _, c := range cases {
		if n[c.Subject]++; n[c.Subject] == 1 {
			order = append(order, c.Subject)
		}
		name[c.Subject] = subjectName(w, c.Subject, c.Name)
	}
	slices.SortStableFunc(order, func(a, b string) int { return cmp.Compare(n[b], n[a]) })
	if n[of] == 0 {
		of = ""
	}
	if len(order) > 1 {
		tabs = append(tabs, tab{w.t("pests.all"), pestsHref(w, span, ""), of == ""})
		for _, x := range order {
			tabs = append(tabs, tab{w.t("pests.of", name[x], w.count(int64(n[x]))), pestsHref(w, span, x), of == x})
		}
	}
	for _, c := range cases {
		if of == "" || c.Subject == of {
			chosen = append(chosen, c)
		}
	}
	return tabs, chosen
}

// fill writes the list and the map.
func (v *pestsView) fill(w *words, f *farm.Farm, cases []outbreak.Case, clusters []outbreak.Cluster, now time.Time) {
	inCluster := map[string]bool{}
	for _, c := range clusters {
		for _, code := range c.Places {
			inCluster[code] = true
		}
	}
	at := map[string]int{}
	newest := slices.Clone(cases)
	slices.Reverse(newest)
	for _, c := range newest {
		p, _ := f.Place(c.Place)
		at[c.Place]++
		line := pestLine{Day: w.date(c.Day), Place: p.Title.In(w.lang), Code: c.Place, Entry: c.Entry, Level: noted, Ago: w.ago(now, c.At)}
		if inCluster[c.Place] {
			line.Level = warned
		}
		line.What, line.Amount = c.Name, caseAmount(w, c)
		if c.Name == "" {
			line.What = subjectName(w, c.Subject, "")
		}
		v.Cases = append(v.Cases, line)
	}
	if len(v.Cases) == 0 {
		v.Empty = w.t("pests.none")
	}
	var unmapped []string
	m := pestMap{id: "pests", title: w.t("pests.map"), desc: w.t("pests.map.desc", w.count(int64(len(at))), w.count(int64(len(f.Places))))}
	for _, p := range f.Places {
		if len(p.Outline) == 0 {
			if at[p.Code] > 0 {
				unmapped = append(unmapped, p.Title.In(w.lang))
			}
			continue
		}
		one := pestShape{outline: p.Outline, href: inLanguage("/places/"+p.Code, w.lang), name: p.Title.In(w.lang), kind: string(p.Kind), text: w.t("pests.map.clear", p.Title.In(w.lang))}
		if n := at[p.Code]; n > 0 {
			one.n, one.level, one.text = n, noted, w.t("pests.map.some", p.Title.In(w.lang), w.amount("pests.reports", int64(n)))
			if inCluster[p.Code] {
				one.level = warned
			}
		}
		m.shapes = append(m.shapes, one)
	}
	v.Map = m.svg()
	if len(unmapped) > 0 {
		v.Unmapped = w.t("pests.unmapped", strings.Join(unmapped, ", "))
	}
}

func caseAmount(w *words, c outbreak.Case) string {
	switch {
	case c.Dead > 0:
		return w.amount("pests.dead", int64(c.Dead))
	case c.Share > 0:
		return w.t("pests.share", w.figure(c.Share))
	}
	return ""
}

// reportLinks are the forms with which the visitor reports something: of the one own place, or through the list of places.
func reportLinks(w *words, f *farm.Farm) (out []entry) {
	kinds := map[farm.Kind][]string{farm.Pond: {"mortality", "health"}, farm.Plot: {"scouting"}}
	for _, p := range f.Places {
		for _, k := range kinds[p.Kind] {
			out = append(out, entry{Name: k, Href: "/p/" + p.Code + "/log/" + k, Label: w.t("pests.log", w.t("diary."+k), p.Title.In(w.lang))})
		}
	}
	if len(out) > 6 { // many places: the board of each offers its forms
		return nil
	}
	return out
}
