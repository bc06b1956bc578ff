package web

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"aovuon/server/diary"
)

// What a phone may send at once.
const (
	maxSent     = 100
	maxSentBody = 2 << 20 // bytes
)

// sameWriter answers 409 where the phone sends what somebody else wrote on it than who is signed in: it stays there until that person is.
func (s *Server) sameWriter(w http.ResponseWriter, r *http.Request) bool {
	if as := r.Header.Get("X-As"); as != "" && as != visitor(r.Context()).Account.ID {
		s.apiRefuse(w, http.StatusConflict, "somebody else wrote this: that person must sign in")
		return false
	}
	return true
}

// apiDiary takes what a phone's outbox sends. Each entry is answered by itself; sending it again is answered again and changes nothing.
func (s *Server) apiDiary(w http.ResponseWriter, r *http.Request) {
	if !s.sameWriter(w, r) {
		return
	}
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxSentBody))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		s.apiRefuse(w, http.StatusRequestEntityTooLarge, "diary: too much at once")
		return
	}
	var list []json.RawMessage
	if err == nil {
		err = json.Unmarshal(raw, &list)
	}
	if err != nil {
		s.apiRefuse(w, http.StatusBadRequest, "diary: want a JSON array of entries")
		return
	}
	if len(list) > maxSent {
		s.apiRefuse(w, http.StatusRequestEntityTooLarge, "diary: more than 100 entries at once")
		return
	}
	sent, outcomes := readSent(list)
	if len(sent) > 0 {
		taken, err := s.o.Desk.Take(r.Context(), s.writer(r), sent)
		if err != nil {
			s.apiFail(w, err)
			return
		}
		outcomes = append(outcomes, taken...)
	}
	s.apiSend(w, http.StatusOK, map[string]any{"outcomes": outcomes})
}

// readSent reads entries one by one, so that one that cannot be read keeps none of the others back. What only the server knows is not
// believed of a phone.
func readSent(list []json.RawMessage) (sent []diary.Sent, refused []diary.Outcome) {
	refused = []diary.Outcome{}
	for _, raw := range list {
		var one diary.Sent
		if err := json.Unmarshal(raw, &one); err != nil {
			var named struct {
				ID string `json:"id"`
			}
			if json.Unmarshal(raw, &named) == nil && diary.ValidID(named.ID) {
				refused = append(refused, diary.Outcome{ID: named.ID, State: diary.Refused, Code: "shape"})
			}
			continue
		}
		one.Actor, one.Device, one.Synced, one.Skew = "", "", time.Time{}, 0
		sent = append(sent, one)
	}
	return sent, refused
}
