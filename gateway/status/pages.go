package status

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"aovuon/gateway/lanpage"
	"aovuon/gateway/measure"
	"aovuon/gateway/scan"
	"aovuon/gateway/words"
)

// homePage is what the first page shows.
type homePage struct {
	Snapshot
	Sensors []sensor
	Tiles   []tile
}

// sensor is a card: what one sensor says, and the colour of the worst of it.
type sensor struct {
	ID, Bus string
	Tone    string // good, doubt or fault
	Rows    []Channel
}

// tile is one thing about the gateway itself.
type tile struct {
	Name string // key
	Tone string
	Text string
	Why  string // the program's own words, English
}

func (s *Server) home(w http.ResponseWriter, r *http.Request) {
	snap := s.o.Snapshot(r.Context())
	p := homePage{Snapshot: snap, Tiles: tiles(s.words[lanpage.Language(w, r)], snap)}
	at := map[string]int{}
	for _, c := range snap.Channels {
		i, ok := at[c.Sensor]
		if !ok {
			i = len(p.Sensors)
			at[c.Sensor] = i
			p.Sensors = append(p.Sensors, sensor{ID: c.Sensor, Bus: c.Bus})
		}
		p.Sensors[i].Rows = append(p.Sensors[i].Rows, c)
	}
	for i := range p.Sensors {
		p.Sensors[i].Tone = tone(worst(p.Sensors[i].Rows))
	}
	s.show(w, r, http.StatusOK, "home", page{Title: "home.title", Nav: "home", Auto: r.URL.Query().Get("auto") == "1", Data: p})
}

func tone(q measure.Quality) string {
	switch q {
	case measure.Good:
		return "good"
	case measure.Fault:
		return "fault"
	case measure.Uncalibrated, measure.Estimated, measure.Suspect, measure.OutOfRange:
	}
	return "doubt"
}

// tiles say how the link, the spool, the clock and the disk are.
func tiles(w *words.Words, s Snapshot) []tile {
	link := tile{Name: "link", Tone: "good", Text: w.T("link.up", w.Length(s.LinkFor))}
	switch {
	case !s.Link:
		link.Tone, link.Text, link.Why = "fault", w.T("link.down", w.Length(s.LinkFor)), s.LinkError
		if why := w.Or("link.why."+s.LinkWhy, ""); why != "" {
			link.Text += ". " + why
		}
	case s.ReceiptAge != nil:
		link.Text = w.T("link.receipt", w.Length(*s.ReceiptAge))
	}
	waits := tile{Name: "spool", Tone: "good", Text: w.T("spool.waits", w.Count(s.Pending), w.Count(s.Sealed))}
	if s.Sealed > 20 {
		waits.Tone = "doubt"
	}
	clock := tile{Name: "clock", Tone: "good", Text: w.T("clock.unsynced")}
	if !s.Time.IsZero() {
		clock.Text = w.DateTime(s.Time) + " " + w.T("clock."+s.Clock)
	}
	if s.Clock == measure.EstimatedClock.String() || s.Clock == measure.Unsynced.String() {
		clock.Tone = "doubt"
	}
	disk := tile{Name: "disk", Tone: "good", Text: w.T("disk.ok")}
	if s.Health != "ok" {
		disk.Tone, disk.Text, disk.Why = "fault", w.T("disk.bad"), s.Health
	}
	if s.Dropped > 0 {
		disk.Tone, disk.Text = "fault", disk.Text+" "+w.T("disk.dropped", w.Count(s.Dropped))
	}
	if s.Thinned > 0 {
		disk.Text += " " + w.T("disk.thinned", w.Count(s.Thinned))
		if disk.Tone == "good" {
			disk.Tone = "doubt"
		}
	}
	return []tile{link, waits, clock, disk}
}

// logLines is how many lines a page of the log has.
const logLines = 60

type logPage struct {
	Entries []Entry
	Warn    bool // warnings and errors alone
	Older   int  // lines to skip for the next page; 0 when there is none
}

func (s *Server) log(w http.ResponseWriter, r *http.Request) {
	skip, err := strconv.Atoi(r.URL.Query().Get("skip"))
	if err != nil || skip < 0 {
		skip = 0
	}
	p := logPage{Warn: r.URL.Query().Get("warn") == "1"}
	level := slog.LevelInfo
	if p.Warn {
		level = slog.LevelWarn
	}
	var more bool
	if p.Entries, more = s.o.Log.Newest(s.o.Now(), level, skip, logLines); more {
		p.Older = skip + logLines
	}
	s.show(w, r, http.StatusOK, "log", page{Title: "log.title", Nav: "log", Data: p})
}

type busesPage struct {
	Looking  bool
	Report   *scan.Report
	Ago      int64 // seconds
	Err      string
	Proposal string
}

func (s *Server) buses(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	p := busesPage{Looking: s.looking}
	if last := s.scanned; last != nil {
		p.Report, p.Ago = &last.Report, int64(s.o.Now().Sub(last.at)/time.Second)
		if last.err != nil {
			p.Err = last.err.Error()
		}
	}
	s.mu.Unlock()
	s.show(w, r, http.StatusOK, "buses", page{Title: "buses.title", Nav: "buses", Data: p})
}

// scan looks through the buses. It takes seconds, in which probes wait for their turn; one is enough at a time.
func (s *Server) scan(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	begun := s.looking
	s.looking = true
	s.mu.Unlock()
	if !begun {
		ctx, cancel := context.WithTimeout(r.Context(), scanLimit)
		report, err := s.o.Scan(ctx)
		cancel()
		s.mu.Lock()
		s.looking, s.scanned = false, &scanned{Report: report, at: s.o.Now(), err: err}
		s.mu.Unlock()
	}
	http.Redirect(w, r, "/buses", http.StatusSeeOther)
}
