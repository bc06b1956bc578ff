package influx_test

import (
	"errors"
	"math"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"aovuon/server/history"
	"aovuon/server/history/influx"
)

// FuzzAnswers: whatever stands where an InfluxDB is expected answers, what is read is a number at a time that was asked for, or an error.
func FuzzAnswers(f *testing.F) {
	f.Add(uint16(200), []byte(`{"results":[{"statement_id":0,"series":[{"tags":{"place":"AO 1","gateway":"gw","sensor":"s"},"values":[[1,2,0],[3600000,2,1]]}]}]}`))
	f.Add(uint16(200), []byte(`{"results":[{"statement_id":0,"series":[{"values":[[1,2,3,4,5,6,7,8]]}]},{"statement_id":1,"series":[{"values":[[1,null,2]]}]}]}`))
	f.Add(uint16(200), []byte(`{"results":[{"statement_id":-1,"series":[{"values":[[1e300,2,77],[null]]}]}]}{"error":"x"}`))
	f.Add(uint16(204), []byte(nil))
	f.Add(uint16(400), []byte(`{"error":"partial write: dropped=999999999999999999"}`))
	var status int
	var body []byte
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		if _, err := w.Write(body); err != nil && !errors.Is(err, http.ErrBodyNotAllowed) {
			return // the reader had enough
		}
	}))
	f.Cleanup(srv.Close)
	s := open(f, influx.Options{URL: srv.URL, Database: "db"})
	f.Cleanup(func() { closed(f, s) })
	f.Fuzz(func(t *testing.T, code uint16, raw []byte) {
		status, body = 200+int(code%400), raw
		if code < 600 && code >= 200 {
			status = int(code)
		}
		ctx, k, from, to := t.Context(), points(1)[0].Series, time.UnixMilli(0), time.UnixMilli(1<<40)
		for _, every := range []time.Duration{0, time.Hour} {
			list, err := s.Range(ctx, history.Query{Series: k, From: from, To: to, Every: every})
			for _, b := range list {
				if err == nil && (math.IsNaN(b.Mean) || math.IsInf(b.Mean, 0)) {
					t.Errorf("%+v", b)
				}
			}
		}
		err := s.Each(ctx, k, from, to, func(p history.Point) error {
			if math.IsNaN(p.Value) || p.Series != k {
				t.Errorf("%+v", p)
			}
			return nil
		})
		list, errLatest := s.Latest(ctx, []history.Series{k})
		for _, p := range list {
			if errLatest == nil && (p.Series != k || math.IsNaN(p.Value)) {
				t.Errorf("newest: %+v", p)
			}
		}
		if _, errCount := s.CountPoints(ctx); status != http.StatusOK && (err == nil || errLatest == nil || errCount == nil) {
			t.Errorf("%d taken for an answer: %v, %v, %v", status, err, errLatest, errCount)
		}
		if err := s.Write(ctx, points(3)); err == nil && (status < 200 || status > 299) {
			t.Errorf("%d taken for stored", status)
		}
	})
}
