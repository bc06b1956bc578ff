package web

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"aovuon/server/account"
	"aovuon/server/farm"
	"aovuon/server/watch/bulletin"
	"aovuon/server/watch/rule"
)

func (s *Server) bulletinRoutes() []route {
	if s.o.Board == nil || s.o.Book == nil {
		return nil
	}
	return []route{
		{"GET /bulletin", needs(account.SeeRegister), s.page(s.bulletinPage)},
		{"GET /bulletin.txt", needs(account.SeeRegister), s.bulletinFile},
	}
}

type bulletinView struct {
	frame
	Lines []bulletinLine
	File  string
	Long  string
}

// bulletinLine is one paragraph; Head: it opens a topic. Apart: the file has an empty line before it.
type bulletinLine struct {
	Text        string
	Head, Apart bool
}

func (s *Server) bulletinPage(r *http.Request, w *words) (answer, error) {
	lines, err := s.bulletin(r, w)
	if err != nil {
		return answer{}, err
	}
	v := bulletinView{Lines: lines, File: inLanguage("/bulletin.txt", w.lang)}
	v.Long = w.t("bulletin.long", w.length(readingTime(lines)))
	return s.draw(r, w, "bulletin.html", "bulletin", w.t("bulletin.title"), func(fr frame) any { v.frame = fr; return v })
}

// readingTime is how long an announcer takes: 120 words, which in Vietnamese are syllables, a minute.
func readingTime(lines []bulletinLine) time.Duration {
	n := 0
	for _, l := range lines {
		n += len(strings.Fields(l.Text))
	}
	return max(time.Minute, (time.Duration(n) * time.Minute / 120).Round(time.Minute))
}

// bulletinFile sends the text as a file, with a byte order mark: the editors of loudspeaker rooms guess wrongly without.
func (s *Server) bulletinFile(rw http.ResponseWriter, r *http.Request) {
	w := s.words(r)
	lines, err := s.bulletin(r, w)
	if err != nil {
		s.answer(rw, r, func(*http.Request, *words) (answer, error) { return answer{}, err })
		return
	}
	var b strings.Builder
	b.WriteString("\ufeff")
	for _, l := range lines {
		if l.Apart {
			b.WriteString("\r\n")
		}
		b.WriteString(l.Text + "\r\n")
	}
	rw.Header().Set("Content-Type", "text/plain; charset=utf-8")
	rw.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="%s-%s.txt"`, w.t("bulletin.file"), s.o.Now().In(w.zone).Format("2006-01-02-1504")))
	if _, err := rw.Write([]byte(b.String())); err != nil {
		return // who asked has gone
	}
}

// bulletin writes what the loudspeaker should read out now.
func (s *Server) bulletin(r *http.Request, w *words) ([]bulletinLine, error) {
	now := s.o.Now()
	f, err := s.wholeFarm(r.Context())
	if err != nil {
		return nil, err
	}
	reg, _, err := s.registerNow(r.Context())
	if err != nil {
		return nil, err
	}
	people := bulletin.People{}
	for _, h := range reg[farm.Household] {
		people.Names = append(people.Names, h.Name())
	}
	var blind []string
	for _, b := range s.o.Board.Blinds() {
		blind = append(blind, bulletin.TopicsOf(b.Rule)...)
	}
	return writeBulletin(w, f, bulletin.Compose(f, s.o.Board.Decisions("", now), blind, people), now), nil
}

func writeBulletin(w *words, f *farm.Farm, parts []bulletin.Part, now time.Time) []bulletinLine {
	out := []bulletinLine{{Text: w.t("bulletin.hello", f.Coop.Name.In(w.lang), w.spokenMoment(now))}}
	if f.Coop.Demo {
		out = append(out, bulletinLine{Text: w.t("bulletin.demo")})
	}
	for i, p := range parts {
		out = append(out, bulletinLine{w.t("bulletin.nth."+fmt.Sprint(i+1)) + " " + w.t("bulletin.topic."+p.Topic), true, true})
		for _, line := range w.bulletinPart(p, now) {
			out = append(out, bulletinLine{Text: w.spoken(line)})
		}
	}
	if len(parts) == 0 {
		out = append(out, bulletinLine{Text: w.t("bulletin.nothing"), Apart: true})
	}
	return append(out, bulletinLine{Text: w.t("bulletin.bye"), Apart: true})
}

// bulletinPart writes the sentences of one topic.
func (w *words) bulletinPart(p bulletin.Part, now time.Time) (out []string) {
	if p.Blind {
		return []string{w.t("bulletin.blind")}
	}
	if len(p.Groups) == 0 {
		return []string{w.t("bulletin.calm")}
	}
	var advice []string
	for _, g := range p.Groups {
		out = append(out, w.t("bulletin.verdict."+string(g.Verdict), w.bulletinPlaces(g)))
		if g.Verdict == rule.Unknown {
			continue
		}
		for _, do := range w.reasons("do", g.Do, now) {
			if !slices.Contains(advice, do) && len(advice) < mostAdvice {
				advice = append(advice, do)
			}
		}
	}
	if len(advice) > 0 {
		out = append(out, w.t("bulletin.advice")+" "+strings.Join(advice, " "))
	}
	return out
}

// mostAdvice is how many sentences of what to do a topic gets: nobody remembers more.
const mostAdvice = 4

// bulletinPlaces names the places of a group: "Khu ao Phú Khê: Ao 1, Ao 4 và 2 ao khác".
func (w *words) bulletinPlaces(g bulletin.Group) string {
	var names []string
	for _, n := range g.Named {
		names = append(names, lowerFirst(n.In(w.lang)))
	}
	text := strings.Join(names, ", ")
	switch {
	case g.More > 0 && text == "":
		text = w.amount("bulletin.places."+string(g.Kind), int64(g.More))
	case g.More > 0:
		text = w.t("bulletin.and", text, w.amount("bulletin.more."+string(g.Kind), int64(g.More)))
	}
	if zone := g.Zone.In(w.lang); zone != "" {
		return w.t("bulletin.zone", lowerFirst(zone), text)
	}
	return text
}
