package influx_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"aovuon/gateway/measure"
	"aovuon/server/history"
	"aovuon/server/history/influx"
	"aovuon/server/parttest"
)

func TestStore_SignsInAsConfigured(t *testing.T) {
	for name, tc := range map[string]struct {
		o    influx.Options
		want string
	}{
		"nobody":        {influx.Options{}, ""},
		"token":         {influx.Options{Token: "t0ken"}, "Token t0ken"},
		"user password": {influx.Options{Username: "user", Password: "mật khẩu"}, "Basic dXNlcjpt4bqtdCBraOG6qXU="},
	} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			seen := map[string]string{}
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				defer mu.Unlock()
				seen[r.URL.Path] = r.Header.Get("Authorization")
				if r.URL.Path == "/x/query" {
					fmt.Fprintln(w, `{"results":[{"statement_id":0}]}`) //nolint:errcheck // the test would see it
				}
			}))
			defer srv.Close()
			tc.o.URL, tc.o.Database = srv.URL+"/x/", "db"
			s := open(t, tc.o)
			defer closed(t, s)
			if err := s.Write(t.Context(), points(1)); err != nil {
				t.Error(err)
			}
			if _, err := s.Latest(t.Context(), []history.Series{points(1)[0].Series}); err != nil {
				t.Error(err)
			}
			for _, path := range []string{"/x/api/v2/write", "/x/query"} {
				if got, ok := seen[path]; !ok || got != tc.want {
					t.Errorf("%s was asked with %q, %t: want %q", path, got, ok, tc.want)
				}
			}
		})
	}
}

func TestNew_RefusesNonsense(t *testing.T) {
	for name, o := range map[string]influx.Options{
		"no url": {Database: "d"}, "no scheme": {URL: "127.0.0.1:8086", Database: "d"}, "no database": {URL: "http://h"},
		"password in the url": {URL: "http://u:secret@h", Database: "d"}, "query": {URL: "http://h?x=1", Database: "d"},
		"token and user": {URL: "http://h", Database: "d", Token: "t", Username: "u"}, "no url at all": {URL: "http://[::1", Database: "d"},
	} {
		if _, err := influx.New(o); !errors.Is(err, history.ErrConfiguration) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v: want ErrConfiguration that tells no secret", name, err)
		}
	}
}

// Reads: what a broken answer means.
func TestRead_DoesWhatEachAnswerAsksFor(t *testing.T) {
	for name, tc := range map[string]struct {
		status int
		body   string
		is     error
	}{
		"401":                  {401, `{"error":"x"}`, history.ErrConfiguration},
		"404 of a proxy":       {404, "<html>", history.ErrConfiguration},
		"400 of a TLS port":    {400, "Client sent an HTTP request to an HTTPS server.\n", history.ErrConfiguration},
		"429":                  {429, "", history.ErrUnavailable},
		"503":                  {503, "", history.ErrUnavailable},
		"no database":          {200, `{"results":[{"statement_id":0,"error":"database not found: db"}]}`, history.ErrConfiguration},
		"no right":             {200, `{"error":"u not authorized to execute statement"}`, history.ErrConfiguration},
		"server is closing":    {200, `{"results":[{"statement_id":0,"error":"engine is closed"}]}`, history.ErrUnavailable},
		"broken off":           {200, `{"results":[{"statement_id":0,"series":[{"values":[[1,2,0],[2,`, history.ErrUnavailable},
		"no JSON":              {200, "hello", history.ErrUnavailable},
		"a query nobody gets":  {400, `{"error":"error parsing query"}`, nil},
		"too few columns":      {200, `{"results":[{"statement_id":0,"series":[{"values":[[1]]}]}]}`, nil},
		"a quality of its own": {200, `{"results":[{"statement_id":0,"series":[{"values":[[1,2,77]]}]}]}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(tc.status)
				fmt.Fprint(w, tc.body) //nolint:errcheck // the test would see it
			}))
			defer srv.Close()
			s := open(t, influx.Options{URL: srv.URL, Database: "db"})
			defer closed(t, s)
			k, from, to := points(1)[0].Series, time.UnixMilli(0), time.UnixMilli(1<<40)
			_, raw := s.Range(t.Context(), history.Query{Series: k, From: from, To: to})
			_, steps := s.Range(t.Context(), history.Query{Series: k, From: from, To: to, Every: time.Hour})
			each := s.Each(t.Context(), k, from, to, func(history.Point) error { return nil })
			for what, err := range map[string]error{"raw range": raw, "range": steps, "each": each} {
				switch {
				case err == nil:
					t.Errorf("%s: no error", what)
				case tc.is != nil && !errors.Is(err, tc.is):
					t.Errorf("%s: %v: want %v", what, err, tc.is)
				case tc.is == nil && (errors.Is(err, history.ErrUnavailable) || errors.Is(err, history.ErrConfiguration)):
					t.Errorf("%s: %v: want neither ErrUnavailable nor ErrConfiguration", what, err)
				}
			}
		})
	}
}

// A record of another program in our database hides none of ours.
func TestLatest_PassesOverForeignRecords(t *testing.T) {
	d := parttest.Influxd(t)
	s := open(t, influx.Options{URL: d.URL, Database: d.Database})
	defer closed(t, s)
	ours := points(3)
	if err := s.Write(t.Context(), ours); err != nil {
		t.Fatal(err)
	}
	line := fmt.Sprintf("ph,gateway=gw,place=AO\\ 1,sensor=s value=1,note=\"by hand\" %d", ours[2].Time.UnixMilli()+1)
	resp, err := http.Post(d.URL+"/write?precision=ms&db="+d.Database, "text/plain", strings.NewReader(line))
	if err != nil || resp.StatusCode != http.StatusNoContent {
		t.Fatal(resp, err)
	}
	if err := resp.Body.Close(); err != nil {
		t.Fatal(err)
	}
	http.DefaultClient.CloseIdleConnections()
	got, err := s.Latest(t.Context(), []history.Series{ours[0].Series})
	if err != nil || len(got) != 1 || got[0] != ours[2] {
		t.Errorf("Latest = %v, %v: want %v", got, err, ours[2])
	}
	b, err := s.Range(t.Context(), history.Query{Series: ours[0].Series, From: ours[0].Time, To: ours[0].Time.Add(time.Hour), Every: time.Hour})
	if err != nil || len(b) != 1 || b[0].N != 3 {
		t.Errorf("Range = %v, %v: want 3 points", b, err)
	}
}

// InfluxDB writes field after field: a reader may see a record of which one field is not there yet.
func TestRead_PassesOverRecordsHalfWritten(t *testing.T) {
	k := points(1)[0].Series
	var asked int
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		tags, values := `"tags":{"place":"AO 1","gateway":"gw","sensor":"s"},`, `[5,null,0]`
		switch asked++; {
		case !strings.Contains(r.URL.Query().Get("q"), "LIMIT 1"):
			values = `[1,2,null],[2,null,0],[3,null,5],[4,7,1]`
		case strings.Contains(r.URL.Query().Get("db"), "settles") && asked == 3:
			values = `[5,8,0]`
		}
		fmt.Fprintf(w, `{"results":[{"statement_id":0,"series":[{%s"values":[%s]}]}]}`, tags, values) //nolint:errcheck // the test would see it
	}))
	defer srv.Close()
	s := open(t, influx.Options{URL: srv.URL, Database: "settles"})
	defer closed(t, s)
	got, err := s.Latest(t.Context(), []history.Series{k})
	if err != nil || len(got) != 1 || got[0].Value != 8 || got[0].Series != k || asked != 3 {
		t.Errorf("Latest = %v, %v after %d requests", got, err, asked)
	}
	var seen []history.Point
	if err := s.Each(t.Context(), k, time.UnixMilli(0), time.UnixMilli(9), func(p history.Point) error {
		seen = append(seen, p)
		return nil
	}); err != nil || len(seen) != 2 || seen[0].Quality != measure.Fault || seen[1].Value != 7 {
		t.Errorf("Each saw %v, %v", seen, err)
	}
	never := open(t, influx.Options{URL: srv.URL, Database: "never"})
	defer closed(t, never)
	if got, err := never.Latest(t.Context(), []history.Series{k}); !errors.Is(err, history.ErrUnavailable) {
		t.Errorf("Latest = %v, %v: want ErrUnavailable", got, err)
	}
}

func TestStore_UntrustedCertificateIsConfiguration(t *testing.T) {
	srv := httptest.NewUnstartedServer(http.NotFoundHandler())
	srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
	srv.StartTLS()
	defer srv.Close()
	s := open(t, influx.Options{URL: srv.URL, Database: "db"})
	defer closed(t, s)
	if err := s.Write(t.Context(), points(1)); !errors.Is(err, history.ErrConfiguration) {
		t.Errorf("Write = %v: want ErrConfiguration", err)
	}
}

// The same table as far as a real InfluxDB 1.8 can be brought to it.
func TestStore_RealServerAnswersAsTheTableSays(t *testing.T) {
	d := parttest.InfluxdWith(t, parttest.InfluxdOptions{Auth: true, MaxBodyBytes: 3000})
	o := influx.Options{URL: d.URL, Database: d.Database, Username: d.Username, Password: d.Password}
	s := open(t, o)
	defer closed(t, s)
	collect := func() (n int) {
		t.Helper()
		if err := s.Each(t.Context(), points(1)[0].Series, time.Time{}, time.Unix(1<<33, 0), func(history.Point) error { n++; return nil }); err != nil {
			t.Fatal(err)
		}
		return n
	}

	// 413: ten thousand lines do not fit in 3000 bytes, even compressed.
	if err := s.Write(t.Context(), points(10_000)); err != nil || collect() != 10_000 {
		t.Errorf("writes larger than the server takes: %v, %d points", err, collect())
	}

	// 401, 404
	wrong := o
	wrong.Password = "wrong"
	expect(t, wrong, history.ErrConfiguration, "user name")
	wrong = o
	wrong.Database = "not there"
	expect(t, wrong, history.ErrConfiguration, `CREATE DATABASE "not there"`)

	// 400, some lines: another program made value an integer in a measurement of ours.
	d.Query(`CREATE DATABASE "spoilt"`)
	spoilt := o
	spoilt.Database = "spoilt"
	d.Query(`CREATE RETENTION POLICY "short" ON "spoilt" DURATION 1h REPLICATION 1 DEFAULT`)
	sp := open(t, spoilt)
	defer closed(t, sp)
	mixed := points(100) // of 2026
	now := time.Now().UTC().Truncate(time.Millisecond)
	for i := range mixed {
		if i != 13 && i != 77 {
			mixed[i].Time = now.Add(-time.Duration(i) * time.Millisecond)
		}
	}
	mixed[13].Time, mixed[77].Time = now.AddDate(-5, 0, 0), now.AddDate(-5, 0, 1)
	checkRejected(t, sp.Write(t.Context(), mixed), []int{13, 77}, "retention policy")
	got, err := sp.Latest(t.Context(), []history.Series{mixed[0].Series})
	if err != nil || len(got) != 1 || !got[0].Time.Equal(now) {
		t.Errorf("latest of the rest: %v, %v", got, err)
	}
	for i := range mixed {
		mixed[i].Time = now.AddDate(-5, 0, i)
	}
	checkRejected(t, sp.Write(t.Context(), mixed), seq(100), "dropped=198")
}

func expect(t *testing.T, o influx.Options, is error, says string) {
	t.Helper()
	s := open(t, o)
	defer closed(t, s)
	_, rangeErr := s.Range(t.Context(), history.Query{Series: points(1)[0].Series, From: time.UnixMilli(0), To: time.UnixMilli(1 << 41), Every: time.Hour})
	for what, err := range map[string]error{"Write": s.Write(t.Context(), points(1)), "Range": rangeErr} {
		if !errors.Is(err, is) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s = %v: want %v that says %q", what, err, is, says)
		}
	}
}
