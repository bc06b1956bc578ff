package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"aovuon/server/watch"
)

// The stream of changes: an event "part" carries {"id","html"}, the new inside of an element of the page. A part is sent
// when what people would see of it has changed, so ages move on without a script that can count.
//
// After every look an event "all" ends what was sent, and its id says what the page has now: some bytes of the sum of each part, in their order. A
// browser brings it back when it connects again (Last-Event-ID), a page that was just drawn brings its own (?have=), and only what differs is
// sent. So the server remembers nothing of a page, and a page that missed anything gets it.
const (
	liveTick  = 20 * time.Second // also tells a page that the line is alive
	livePause = time.Second      // between two looks at most this often
	liveWrite = 10 * time.Second // a reader who takes nothing for so long is gone
	liveRetry = 3 * time.Second  // after a line broke
	partSum   = 3                // bytes of the sum of a part: that a change is missed, until the next, is one in 16 million
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
	sent, had := map[string]string{}, lastHeard(r)
	s.write(w, fmt.Appendf(nil, "retry: %d\n\n", liveRetry.Milliseconds()))
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
		if had != nil {
			have(parts, had, sent)
			had = nil
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
	buf = append(append(append(buf, "id: "...), tokenOf(parts)...), "\nevent: all\ndata: \n\n"...)
	_, err := w.Write(buf)
	return err == nil
}

// live is the address of the stream of a dashboard, for a page that has what token says.
func (a sift) live(token string) string {
	q := a.query()
	q.Set("have", token)
	return "/live?" + q.Encode()
}

// partMark is what stands in a token for a part.
func partMark(p part) []byte {
	sum := sha256.Sum256([]byte(p.ID + "\x00" + p.HTML))
	return sum[:partSum]
}

// tokenOf says what a page has.
func tokenOf(parts []part) string {
	raw := make([]byte, 0, len(parts)*partSum)
	for _, p := range parts {
		raw = append(raw, partMark(p)...)
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

// lastHeard is what a page says that it has; nil: nothing, or what no server of ours ever said.
func lastHeard(r *http.Request) []byte {
	token := r.Header.Get("Last-Event-Id")
	if token == "" {
		token = r.URL.Query().Get("have")
	}
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(raw) == 0 || len(raw)%partSum != 0 {
		return nil
	}
	return raw
}

// have marks as sent what a page has. One with another number of parts is of another farm, and gets everything.
func have(parts []part, had []byte, sent map[string]string) {
	if len(had) != len(parts)*partSum {
		return
	}
	for i, p := range parts {
		if bytes.Equal(had[i*partSum:(i+1)*partSum], partMark(p)) {
			sent[p.ID] = p.HTML
		}
	}
}

// parts draws what the stream's page shows now.
func (s *Server) parts(r *http.Request) ([]part, error) {
	w := s.words(r)
	f, err := s.farmNow(r.Context())
	if err != nil {
		return nil, err
	}
	p, ok := f.Place(r.URL.Query().Get("place"))
	if !ok {
		b := s.newBoard(r.Context(), w, f, s.asked(r), s.o.Now())
		return s.boardParts(r.Context(), w, f, &b)
	}
	c := s.ownCard(r.Context(), w, f, p, s.values(r.Context()), s.o.Now())
	html, err := s.e.render(w.lang, "place.html", "card", c)
	if err != nil {
		return nil, err
	}
	return []part{{"p-" + p.Code, string(slim(html))}}, nil
}
