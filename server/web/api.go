package web

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/farm"
)

// apiPlace is a place in /api/places.
type apiPlace struct {
	Code    string      `json:"code"`
	Name    string      `json:"name"`
	Kind    farm.Kind   `json:"kind"`
	Title   string      `json:"title"`
	AreaM2  float64     `json:"area_m2"`
	Species string      `json:"species,omitempty"`
	State   string      `json:"state"`
	Series  []apiNewest `json:"series"`
}

// apiNewest is the newest reading of a series; value is absent where there is none.
type apiNewest struct {
	Quantity measure.Quantity    `json:"quantity"`
	Unit     string              `json:"unit"`
	Gateway  string              `json:"gateway"`
	Sensor   string              `json:"sensor"`
	Time     *time.Time          `json:"time,omitempty"`
	Value    *float64            `json:"value,omitempty"`
	Quality  string              `json:"quality,omitempty"`
	Reason   measure.FaultReason `json:"reason,omitempty"`
	State    string              `json:"state"`
	Unsigned bool                `json:"unsigned,omitempty"` // its device cannot sign
}

func (s *Server) apiPlaces(w http.ResponseWriter, r *http.Request) {
	f, err := s.farmNow(r.Context())
	if err != nil {
		s.apiFail(w, err)
		return
	}
	words := s.words(r)
	out := []apiPlace{}
	now, at := s.o.Now(), byPlace(s.values(r.Context()))
	known := s.lastKnownOf(r.Context(), f, at, now)
	for _, p := range f.Places {
		c := s.newCard(r.Context(), words, f, p, at[p.Code], known, now)
		a := apiPlace{
			Code: p.Code, Name: p.Name, Kind: p.Kind, Title: p.Title.In(words.lang), AreaM2: p.AreaM2, Species: p.Species, State: c.Level.String(),
			Series: []apiNewest{},
		}
		for _, x := range c.Readings {
			n := apiNewest{Quantity: x.Quantity, Unit: words.unit(x.Quantity), Gateway: x.Gateway, Sensor: x.Sensor, State: x.Level.String(), Unsigned: x.Unsigned}
			if !x.Time.IsZero() {
				n.Time, n.Quality, n.Reason = &x.Time, x.last.Quality.String(), x.last.Reason
				if x.last.Quality != measure.Fault {
					n.Value = &x.last.Value
				}
			}
			a.Series = append(a.Series, n)
		}
		out = append(out, a)
	}
	s.apiSend(w, http.StatusOK, map[string]any{"places": out})
}

// apiSeriesLine is one series in /api/series.
type apiSeriesLine struct {
	Quantity measure.Quantity `json:"quantity"`
	Unit     string           `json:"unit"`
	Gateway  string           `json:"gateway"`
	Sensor   string           `json:"sensor"`
	Unsigned bool             `json:"unsigned,omitempty"` // its device cannot sign
	Steps    []apiStep        `json:"steps"`
}

// apiStep is one step; min, mean and max are absent where n is 0.
type apiStep struct {
	Start  time.Time `json:"start"`
	N      int       `json:"n"`
	Faults int       `json:"faults"`
	Min    *float64  `json:"min,omitempty"`
	Mean   *float64  `json:"mean,omitempty"`
	Max    *float64  `json:"max,omitempty"`
	Worst  string    `json:"worst"`
}

// apiPlace returns the place a request asks for; when ok is false the request is answered.
func (s *Server) apiPlace(w http.ResponseWriter, r *http.Request) (f *farm.Farm, p farm.Place, ok bool) {
	code, err := farm.ParseCode(r.URL.Query().Get("place"))
	if err != nil {
		s.apiRefuse(w, http.StatusBadRequest, "place: want the code of a place")
		return nil, p, false
	}
	if f, err = s.farmNow(r.Context()); err != nil {
		s.apiFail(w, err)
		return nil, p, false
	}
	if p, ok = f.Place(code); !ok {
		s.apiRefuse(w, http.StatusNotFound, "place: unknown")
	}
	return f, p, ok
}

func (s *Server) apiSeries(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	quantity := measure.Quantity(q.Get("quantity"))
	if _, ok := quantity.Info(); quantity != "" && !ok {
		s.apiRefuse(w, http.StatusBadRequest, "quantity: unknown")
		return
	}
	f, p, ok := s.apiPlace(w, r)
	if !ok {
		return
	}
	now := s.o.Now()
	begun, err := s.seasonOf(r.Context(), p.Code, now)
	if err != nil {
		s.apiFail(w, err)
		return
	}
	asked, wrong, ok := askedPeriod(q, begun, now)
	if !ok || wrong != "" {
		s.apiRefuse(w, http.StatusBadRequest, "range: want 24h, 7d, 30d or season; or from and to, of at least 10 minutes and at most 400 days, as 2026-11-01 or 2026-11-01T06:30 in the co-op's time")
		return
	}
	out, words := []apiSeriesLine{}, s.words(r)
	all := seriesAt(f, p, s.values(r.Context()), asked.From, asked.To.Add(time.Nanosecond))
	asked, _, err = s.asKept(r.Context(), all, asked)
	if err != nil {
		s.apiFail(w, err)
		return
	}
	for _, sr := range all {
		if quantity != "" && sr.Quantity != quantity {
			continue
		}
		buckets, err := s.stepsOf(r.Context(), sr, asked)
		if err != nil {
			s.apiFail(w, err)
			return
		}
		line := apiSeriesLine{Quantity: sr.Quantity, Unit: words.unit(sr.Quantity), Gateway: sr.Gateway, Sensor: sr.Sensor, Unsigned: !f.Signs(sr.Gateway), Steps: []apiStep{}}
		for _, b := range buckets {
			st := apiStep{Start: b.Start.UTC(), N: b.N, Faults: b.Faults, Worst: b.Worst.String()}
			if b.N > 0 {
				st.Min, st.Mean, st.Max = &b.Min, &b.Mean, &b.Max
			}
			line.Steps = append(line.Steps, st)
		}
		out = append(out, line)
	}
	s.apiSend(w, http.StatusOK, map[string]any{"place": p.Code, "range": asked.Name, "from": asked.From.UTC(), "to": asked.To.UTC(), "step_s": asked.Step.Seconds(), "series": out})
}

func (s *Server) apiRefuse(w http.ResponseWriter, status int, text string) {
	s.apiSend(w, status, map[string]any{"error": text})
}

func (s *Server) apiFail(w http.ResponseWriter, err error) {
	s.o.Log.Error("api failed", slog.Any("err", err))
	s.apiRefuse(w, http.StatusServiceUnavailable, "not available now")
}

func (s *Server) apiSend(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		s.o.Log.Error("api failed", slog.Any("err", err))
		http.Error(w, "500", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	s.write(w, append(body, '\n'))
}
