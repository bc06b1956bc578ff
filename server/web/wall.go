package web

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"aovuon/server/farm"
)

// The wall screen shows one part of a zone after the other: so many places at a time, each part so long. Which one is told by the clock of the
// server alone, so every screen shows the same, and nothing is kept of any.
const (
	wallTiles              = 20
	wallStep               = 20 * time.Second
	wallLeast, wallLongest = 5, 300 // seconds that may be asked for
	wallListed             = 7
)

type wallPage struct {
	Title   string
	Coop    farm.Text
	Demo    bool
	Clock   string // hour and minute of what is shown
	Date    string
	Seconds int    // until the next part
	Build   string // of the pages: another one means that the screen is loaded anew
	Theme   string
	Zone    string
	Part    int64 // 1, 2, 3 …
	Parts   int64
	Tiles   []card
	Look    int64
	Lost    int64
	Fine    int64
	Worst   []card // of all zones
	More    int64
	Others  []cardNote
	Deaf    bool
	Alarm   string // what is wrong with the server itself
	Empty   bool
}

// wall draws the screen that hangs on the wall of the co-op's office: large, without anything to press, whatever is worst always in sight.
func (s *Server) wall(r *http.Request, w *words) (answer, error) {
	f, err := s.farmNow(r.Context())
	if err != nil {
		return answer{}, err
	}
	step, err := strconv.Atoi(r.URL.Query().Get("every"))
	if err != nil {
		step = int(wallStep.Seconds())
	}
	step = min(max(step, wallLeast), wallLongest)
	now, ask := s.o.Now(), s.asked(r)
	ask.View, ask.State = "", ""
	b := s.newBoard(r.Context(), w, f, ask, now)
	local := now.In(w.zone)
	p := wallPage{
		Title: w.t("wall.title"), Coop: f.Coop.Name, Demo: f.Coop.Demo, Clock: local.Format("15:04"), Date: w.date(now), Seconds: step, Build: s.e.build, Theme: themeOf(r),
		Look: int64(len(b.Look)), Lost: int64(len(b.Lost)), Fine: int64(b.Fine), Others: b.Others, Deaf: b.Deaf, Alarm: s.alarm(w), Empty: b.Places == 0,
	}
	p.Others = p.Others[:min(len(p.Others), 2)]
	for _, c := range slices.Concat(b.Look, b.Lost) {
		if len(p.Worst)+len(p.Others) == wallListed {
			p.More++
			continue
		}
		p.Worst = append(p.Worst, c)
	}
	parts := wallParts(f, b)
	if len(parts) > 0 {
		turn := int(now.Unix()/int64(step)) % len(parts)
		p.Zone, p.Tiles, p.Part, p.Parts = parts[turn].Name, parts[turn].Cards, int64(turn+1), int64(len(parts))
	}
	body, err := s.e.render(w.lang, "wall.html", "wall", p)
	return answer{status: http.StatusOK, body: body}, err
}

// wallParts cuts every zone into screens, in the order of the farm: a screen does not jump when something becomes worse elsewhere.
func wallParts(f *farm.Farm, b board) (out []zoneCards) {
	for _, z := range f.Zones {
		for _, shown := range b.Zones {
			if shown.ID != z.ID {
				continue
			}
			for cards := shown.Cards; len(cards) > 0; cards = cards[min(len(cards), wallTiles):] {
				out = append(out, zoneCards{ID: shown.ID, Name: shown.Name, Cards: cards[:min(len(cards), wallTiles)]})
			}
		}
	}
	return out
}
