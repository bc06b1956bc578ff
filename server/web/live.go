package web

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"time"

	"aovuon/server/watch"
)

// The stream of changes: an event "part" carries {"id","html"}, the new inside of an element of the page. A part is sent
// when what people would see of it has changed, so ages move on without a script that can count.
const (
	liveTick  = 20 * time.Second // also tells a page that the line is alive
	livePause = time.Second      // between two looks at most this often
	liveWrite = 10 * time.Second // a reader who takes nothing for so long is gone
)

type part struct {
	ID   string `json:"id"`
	HTML string `json:"html"`
}

// live streams the parts of the dashboard, or of one place's page (?place=).
func (s *Server) live(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		w.Header().Set("Allow", "GET")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	if code := r.URL.Query().Get("place"); code != "" {
		f, err := s.farmNow(r.Context())
		if err != nil {
			s.o.Log.Warn("live stream", slog.Any("err", err))
			http.Error(w, "not now", http.StatusServiceUnavailable) // the browser comes back by itself
			return
		}
		if _, ok := f.Place(code); !ok {
			http.NotFound(w, r)
			return
		}
	}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	changes := s.o.Live.Subscribe(r.Context())
	tick := time.NewTicker(liveTick)
	defer tick.Stop()
	out := http.NewResponseController(w)
	sent := map[string]string{}
	for {
		parts, err := s.parts(r)
		if err != nil {
			s.o.Log.Warn("live stream", slog.Any("err", err))
			return // the browser comes back by itself
		}
		// The deadline is the operating system's business, not the pages' clock. A writer that can set none, waits.
		if err := out.SetWriteDeadline(time.Now().Add(liveWrite)); err != nil { //nolint:forbidigo // see above
			s.o.Log.Debug("live stream without deadline", slog.Any("err", err))
		}
		if !s.sendParts(w, parts, sent) || out.Flush() != nil {
			return
		}
		if !s.awaitChange(r, changes, tick.C) || !s.still(r) {
			return
		}
	}
}

// awaitChange waits for a change or a tick, and then until livePause after the last look: changes come in bursts.
// False ends the stream.
func (s *Server) awaitChange(r *http.Request, changes <-chan []watch.Value, tick <-chan time.Time) bool {
	pause := time.NewTimer(livePause)
	defer pause.Stop()
	select {
	case <-r.Context().Done():
		return false
	case <-s.o.Done:
		return false
	case _, ok := <-changes:
		if !ok {
			return false
		}
	case <-tick:
	}
	select {
	case <-r.Context().Done():
		return false
	case <-s.o.Done:
		return false
	case <-pause.C:
		return true
	}
}

// still reports whether the session of a stream lives on.
func (s *Server) still(r *http.Request) bool {
	if visitor(r.Context()) == nil {
		return true
	}
	v, err := s.who(r, false)
	return err == nil && v != nil
}

// sendParts writes those parts that changed, and a sign of life.
func (s *Server) sendParts(w http.ResponseWriter, parts []part, sent map[string]string) bool {
	buf := []byte("event: alive\ndata: \n\n")
	for _, p := range parts {
		if sent[p.ID] == p.HTML {
			continue
		}
		sent[p.ID] = p.HTML
		raw, err := json.Marshal(p)
		if err != nil {
			return false
		}
		buf = append(append(append(buf, "event: part\ndata: "...), raw...), "\n\n"...)
	}
	_, err := w.Write(buf)
	return err == nil
}

// parts draws what the stream's page shows now.
func (s *Server) parts(r *http.Request) ([]part, error) {
	w := s.words(r)
	f, err := s.farmNow(r.Context())
	if err != nil {
		return nil, err
	}
	var out []part
	var cards []card
	if p, ok := f.Place(r.URL.Query().Get("place")); ok {
		cards = []card{s.ownCard(r.Context(), w, f, p, s.values(r.Context()), s.o.Now())}
	} else {
		b := s.newBoard(r.Context(), w, f, s.o.Now())
		cards = b.cards()
		html, err := s.e.render(w.lang, "dashboard.html", "totals", b)
		if err != nil {
			return nil, err
		}
		out = append(out, part{"totals", string(slim(html))})
	}
	for _, c := range cards {
		html, err := s.e.render(w.lang, "dashboard.html", "card", c)
		if err != nil {
			return nil, err
		}
		out = append(out, part{"p-" + c.Place.Code, string(slim(html))})
	}
	return out, nil
}
