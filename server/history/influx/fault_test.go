package influx_test

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/history"
	"aovuon/server/history/influx"
)

// answer is what a made-up server says to a request of these lines; a nil answer stores them.
type answer func(request int, lines []string) *reply

type reply struct {
	status int
	header map[string]string
	body   string
	stored []string // lines it stored all the same
}

// fake is a server that follows a script: real ones cannot be made to answer 429 when a test wants it.
type fake struct {
	*httptest.Server
	mu       sync.Mutex
	requests int
	largest  int
	stored   map[string]int
}

func newFake(t *testing.T, script answer) *fake {
	f := &fake{stored: map[string]int{}}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if got := r.URL.Query(); r.URL.Path != "/api/v2/write" || got.Get("precision") != "ms" || got.Get("bucket") != "aovuon" {
			t.Errorf("request %s", r.URL)
		}
		if r.Header.Get("Content-Encoding") != "gzip" || r.ContentLength <= 0 {
			t.Errorf("encoding %q, length %d", r.Header.Get("Content-Encoding"), r.ContentLength)
		}
		z, err := gzip.NewReader(r.Body)
		if err != nil {
			t.Error(err)
			return
		}
		var lines []string
		for s := bufio.NewScanner(z); s.Scan(); {
			lines = append(lines, s.Text())
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		f.requests++
		f.largest = max(f.largest, len(lines))
		a := script(f.requests, lines)
		if a == nil {
			a = &reply{status: http.StatusNoContent, stored: lines}
		}
		for _, l := range a.stored {
			if !strings.HasPrefix(l, "ph.hour,") { // what makes a rollup stale is no point
				f.stored[l]++
			}
		}
		if a.status == 0 { // cut the wire
			conn, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				err = conn.Close()
			}
			if err != nil {
				t.Error(err)
			}
			return
		}
		for k, v := range a.header {
			w.Header().Set(k, v)
		}
		w.WriteHeader(a.status)
		if _, err := w.Write([]byte(a.body)); err != nil && a.body != "" {
			t.Error(err)
		}
	}))
	t.Cleanup(f.Close)
	return f
}

func points(n int) []history.Point {
	ps := make([]history.Point, n)
	for i := range ps {
		ps[i] = history.Point{
			Series: history.Series{Place: "AO 1", Quantity: measure.PH, Gateway: "gw", Sensor: "s"},
			Time:   time.UnixMilli(1_780_000_000_000 + int64(i)).UTC(), Value: float64(i),
		}
	}
	return ps
}

// badLines refuses values 13 and 7777, as a server refuses a line.
func badLines(lines []string) (bad []string) {
	for _, l := range lines {
		if strings.Contains(l, "value=13,") || strings.Contains(l, "value=7777,") {
			bad = append(bad, l)
		}
	}
	return bad
}

func without(lines, bad []string) (rest []string) {
	for _, l := range lines {
		if len(bad) == 0 || !strings.Contains(strings.Join(bad, "\n"), l) {
			rest = append(rest, l)
		}
	}
	return rest
}

func TestWrite_DoesWhatEachAnswerAsksFor(t *testing.T) {
	const n = 9_990 // and what makes the rollups of their hours stale
	always := func(r reply) answer { return func(int, []string) *reply { return &r } }
	partial := func(status int, body string, keep bool) answer {
		return func(_ int, lines []string) *reply {
			bad := badLines(lines)
			if len(bad) == 0 {
				return nil
			}
			r := &reply{status: status, body: body, header: map[string]string{"Content-Type": "application/json"}}
			if keep { // 1.8, 2.x and 3 Core keep the good lines of such a request
				r.stored = without(lines, bad)
			}
			return r
		}
	}
	for name, tc := range map[string]struct {
		script      answer
		is          error         // what the error must be
		after       time.Duration // Retry-After
		rejected    []int
		reason      string // the error, or the reason of what is rejected, says so
		maxRequests int
	}{
		"204 stores":             {maxRequests: 2},
		"400 partial, rest kept": {script: partial(400, `{"error":"partial write: thế dropped=1"}`, true), rejected: []int{13, 7777}, reason: "400: partial write: thế dropped=1", maxRequests: 60},
		"400 all or nothing":     {script: partial(400, `{"code":"invalid","message":"unable to parse"}`, false), rejected: []int{13, 7777}, reason: "400: unable to parse", maxRequests: 60},
		"422 partial":            {script: partial(422, `{"code":"unprocessable entity","message":"type conflict"}`, true), rejected: []int{13, 7777}, reason: "422: type conflict", maxRequests: 60},
		"400 of 3 Core":          {script: partial(400, `{"error":"partial write of line protocol occurred","data":[{"error_message":"no good","line_number":1}]}`, true), rejected: []int{13, 7777}, reason: "partial write of line protocol occurred: no good", maxRequests: 60},
		"400 without JSON":       {script: partial(400, "not\nJSON", true), rejected: []int{13, 7777}, reason: "not JSON", maxRequests: 60},
		"400 of 3 Core, long":    {script: untyped(partial(400, `{"error":"partial write of line protocol occurred","data":[{"original_line":"`+strings.Repeat("x", 70_000)+`","error_message":"no good","line_number":1}]}`, true)), rejected: []int{13, 7777}, reason: "partial write", maxRequests: 60},
		"400 of a TLS port":      {script: always(reply{status: 400, body: "Client sent an HTTP request to an HTTPS server.\n"}), is: history.ErrConfiguration, reason: "url", maxRequests: 1},
		"400 of a proxy":         {script: always(reply{status: 400, body: "<html>The plain HTTP request was sent to HTTPS port"}), is: history.ErrConfiguration, reason: "url", maxRequests: 1},
		"400, all dropped": {script: func(_ int, l []string) *reply {
			return &reply{status: 400, header: map[string]string{"X-Influxdb-Error": fmt.Sprintf("points beyond retention policy dropped=%d", len(l))}}
		}, rejected: seq(n), reason: "beyond retention", maxRequests: 2},
		"413 above 1,000 lines":       {script: func(_ int, l []string) *reply { return tooLarge(len(l) > 1000) }, maxRequests: 24},
		"413 for one line":            {script: func(_ int, l []string) *reply { return tooLarge(len(badLines(l)) > 0) }, rejected: []int{13, 7777}, reason: "413", maxRequests: 30_000},
		"429 with seconds":            {script: always(reply{status: 429, header: map[string]string{"Retry-After": "7"}}), is: history.ErrUnavailable, after: 7 * time.Second, maxRequests: 1},
		"429 without":                 {script: always(reply{status: 429}), is: history.ErrUnavailable, maxRequests: 1},
		"503 with a date":             {script: always(reply{status: 503, header: map[string]string{"Date": "Mon, 02 Mar 2026 10:00:00 GMT", "Retry-After": "Mon, 02 Mar 2026 10:01:30 GMT"}}), is: history.ErrUnavailable, after: 90 * time.Second, maxRequests: 1},
		"503 with nonsense":           {script: always(reply{status: 503, header: map[string]string{"Retry-After": "soon"}}), is: history.ErrUnavailable, maxRequests: 1},
		"500":                         {script: always(reply{status: 500, body: `{"error":"timeout"}`}), is: history.ErrUnavailable, reason: "timeout", maxRequests: 1},
		"504 of a proxy":              {script: always(reply{status: 504, body: "<html>"}), is: history.ErrUnavailable, maxRequests: 1},
		"connection cut":              {script: always(reply{}), is: history.ErrUnavailable, maxRequests: 1},
		"stored, but connection cut":  {script: func(_ int, l []string) *reply { return &reply{stored: l} }, is: history.ErrUnavailable, maxRequests: 1},
		"503 after the first request": {script: func(i int, _ []string) *reply { return only(i > 1, reply{status: 503}) }, is: history.ErrUnavailable, maxRequests: 2},
		"401":                         {script: always(reply{status: 401, body: `{"error":"authorization failed"}`}), is: history.ErrConfiguration, reason: "authorization failed", maxRequests: 1},
		"403":                         {script: always(reply{status: 403}), is: history.ErrConfiguration, reason: "rights", maxRequests: 1},
		"404":                         {script: always(reply{status: 404, body: `{"error":"database not found: \"aovuon\""}`}), is: history.ErrConfiguration, reason: `CREATE DATABASE "aovuon"`, maxRequests: 1},
		"405":                         {script: always(reply{status: 405}), is: history.ErrConfiguration, reason: "url", maxRequests: 1},
	} {
		t.Run(name, func(t *testing.T) {
			if tc.script == nil {
				tc.script = func(int, []string) *reply { return nil }
			}
			f := newFake(t, tc.script)
			s := open(t, influx.Options{URL: f.URL, Database: "aovuon"})
			defer closed(t, s)
			err := s.Write(t.Context(), points(n))
			f.mu.Lock()
			defer f.mu.Unlock()
			if f.requests > tc.maxRequests || f.largest > 5000 {
				t.Errorf("%d requests, the largest of %d lines: want at most %d of 5000", f.requests, f.largest, tc.maxRequests)
			}
			if tc.is != nil {
				if !errors.Is(err, tc.is) || !strings.Contains(err.Error(), tc.reason) {
					t.Fatalf("Write = %v: want %v that says %q", err, tc.is, tc.reason)
				}
				var u *history.UnavailableError
				if errors.As(err, &u) && u.RetryAfter != tc.after {
					t.Errorf("RetryAfter = %s, want %s", u.RetryAfter, tc.after)
				}
				return
			}
			checkRejected(t, err, tc.rejected, tc.reason)
			if want := n - len(tc.rejected); len(f.stored) != want {
				t.Errorf("%d lines stored, want %d", len(f.stored), want)
			}
		})
	}
}

// untyped leaves the content type out, as 3 Core does.
func untyped(a answer) answer {
	return func(i int, lines []string) *reply {
		r := a(i, lines)
		if r != nil {
			r.header = nil
		}
		return r
	}
}

func checkRejected(t *testing.T, err error, want []int, reason string) {
	t.Helper()
	var r *history.RejectedError
	if len(want) == 0 {
		if err != nil {
			t.Errorf("Write = %v", err)
		}
		return
	}
	if !errors.As(err, &r) || errors.Is(err, history.ErrUnavailable) || len(r.Rejected) != len(want) {
		t.Fatalf("Write = %v: want %d points rejected", err, len(want))
	}
	for i, w := range want {
		if got := r.Rejected[i]; got.Point.Value != float64(w) || !strings.Contains(got.Reason, reason) {
			t.Fatalf("rejected %v because of %q: want %d because of %q", got.Point.Value, got.Reason, w, reason)
		}
	}
}

func seq(n int) []int {
	s := make([]int, n)
	for i := range s {
		s[i] = i
	}
	return s
}

func only(when bool, r reply) *reply {
	if !when {
		return nil
	}
	return &r
}

func tooLarge(when bool) *reply {
	return only(when, reply{status: 413, body: `{"error":"Request Entity Too Large"}`})
}

func closed(t testing.TB, s *influx.Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// After a 413 the store does not ask for the same trouble again.
func TestWrite_RemembersWhatWasTooLarge(t *testing.T) {
	f := newFake(t, func(_ int, l []string) *reply { return tooLarge(len(l) > 1000) })
	s := open(t, influx.Options{URL: f.URL, Database: "aovuon"})
	defer closed(t, s)
	if err := s.Write(t.Context(), points(5000)); err != nil {
		t.Fatal(err)
	}
	before := f.requests
	if err := s.Write(t.Context(), points(5000)); err != nil {
		t.Fatal(err)
	}
	if got := f.requests - before; got > 8 {
		t.Errorf("%d requests for 5000 points where 1000 fit", got)
	}
}

func TestWrite_SilentServerIsUnavailable(t *testing.T) {
	release := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	defer srv.Close()
	defer close(release)
	s := open(t, influx.Options{URL: srv.URL, Database: "db", Timeout: 50 * time.Millisecond})
	defer closed(t, s)
	if err := s.Write(t.Context(), points(1)); !errors.Is(err, history.ErrUnavailable) {
		t.Errorf("Write = %v: want ErrUnavailable", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	patient := open(t, influx.Options{URL: srv.URL, Database: "db"})
	defer closed(t, patient)
	if err := patient.Write(ctx, points(1)); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, history.ErrUnavailable) {
		t.Errorf("Write past the caller's deadline = %v: want context.DeadlineExceeded alone", err)
	}
}
