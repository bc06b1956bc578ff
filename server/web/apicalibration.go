package web

import (
	"context"
	"net/http"
	"slices"
	"time"

	"aovuon/gateway/measure"
	"aovuon/gateway/wire"
	"aovuon/server/account"
	"aovuon/server/calibration"
	"aovuon/server/farm"
)

// apiCalibration is one calibration in /api/calibrations. Time is absent while nothing dates it; Record is absent where
// the document cannot be read.
type apiCalibration struct {
	Gateway  string               `json:"gateway"`
	Sensor   string               `json:"sensor"`
	Quantity measure.Quantity     `json:"quantity"`
	Time     *time.Time           `json:"time,omitempty"`
	Received time.Time            `json:"received"`
	Position int64                `json:"position"` // of the signed batch that carried it
	Standing calibration.Standing `json:"standing,omitempty"`
	Due      *time.Time           `json:"due,omitempty"`
	Record   *calibration.Record  `json:"record,omitempty"`
}

func newAPICalibration(e calibration.Entry, now time.Time) apiCalibration {
	a := apiCalibration{Gateway: e.Gateway, Sensor: e.Sensor, Quantity: e.Quantity, Received: e.Received, Position: e.Position}
	if !e.Time.IsZero() {
		a.Time = &e.Time
	}
	rec, err := calibration.Read(e.Body)
	if err != nil {
		return a
	}
	a.Record = &rec
	st, due := e.Standing(rec, now)
	a.Standing = st
	if !due.IsZero() {
		a.Due = &due
	}
	return a
}

// apiCalibrations answers with the calibrations of every probe a place ever had, newest first for each probe.
func (s *Server) apiCalibrations(w http.ResponseWriter, r *http.Request) {
	f, p, ok := s.apiPlace(w, r)
	if !ok {
		return
	}
	now, out := s.o.Now(), []apiCalibration{}
	for _, x := range probesAt(f, p, time.Time{}, now) {
		entries, err := s.o.Calibrations.Calibrations(r.Context(), x.gateway, x.sensor, calibrationsShown)
		if err != nil {
			s.apiFail(w, err)
			return
		}
		for _, e := range entries {
			out = append(out, newAPICalibration(e, now))
		}
	}
	s.apiSend(w, http.StatusOK, map[string]any{"calibrations": out})
}

// ownProbe reports whether a probe hangs, or hung, at a place the visitor may see.
func (s *Server) ownProbe(ctx context.Context, gateway, sensor string) bool {
	if s.may(ctx, account.SeeAllPlaces) {
		return true
	}
	f, err := s.farmNow(ctx)
	return err == nil && slices.ContainsFunc(f.Mounts, func(m farm.Mount) bool { return m.Gateway == gateway && m.Sensor == sensor })
}

// apiCalibrationAt answers with the calibration that was in force when a reading was taken: who made it right, and when.
func (s *Server) apiCalibrationAt(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	gateway, sensor, quantity := q.Get("gateway"), q.Get("sensor"), measure.Quantity(q.Get("quantity"))
	_, known := quantity.Info()
	at := s.o.Now()
	var err error
	if text := q.Get("at"); text != "" {
		at, err = time.Parse(time.RFC3339, text)
	}
	switch {
	case !wire.ValidGatewayID(gateway):
		s.apiRefuse(w, http.StatusBadRequest, "gateway: want the id of a gateway")
	case !measure.ValidID(sensor, wire.MaxSensorLength):
		s.apiRefuse(w, http.StatusBadRequest, "sensor: want the id of a sensor")
	case !known:
		s.apiRefuse(w, http.StatusBadRequest, "quantity: unknown")
	case err != nil:
		s.apiRefuse(w, http.StatusBadRequest, "at: want a time such as 2026-11-25T08:00:00Z")
	case !s.ownProbe(r.Context(), gateway, sensor):
		s.apiRefuse(w, http.StatusNotFound, "no calibration of that quantity before that time")
	default:
		e, ok, err := s.o.Calibrations.CalibrationAt(r.Context(), gateway, sensor, quantity, at)
		if err != nil {
			s.apiFail(w, err)
			return
		}
		if !ok {
			s.apiRefuse(w, http.StatusNotFound, "no calibration of that quantity before that time")
			return
		}
		s.apiSend(w, http.StatusOK, newAPICalibration(e, at))
	}
}
