package parttest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// InfluxdOptions are what an InfluxDB may differ in.
type InfluxdOptions struct {
	Auth         bool   // asks for user and password; the server's Username and Password are an administrator's
	Dir          string // where it keeps its data, and finds what an earlier one kept; empty: a folder that goes with the test
	MaxBodyBytes int    // larger write requests are answered 413; 0: InfluxDB's own 25 MB
}

// InfluxdServer is an InfluxDB 1.8 of the test's own, with an empty database.
type InfluxdServer struct {
	URL      string // http://127.0.0.1:port
	Database string
	Username string // empty without Auth
	Password string

	p    *process
	http *http.Client
}

// Influxd starts an InfluxDB 1.8 without users and creates one database in it.
func Influxd(t testing.TB) *InfluxdServer {
	t.Helper()
	return InfluxdWith(t, InfluxdOptions{})
}

// InfluxdWith is Influxd with options.
func InfluxdWith(t testing.TB, o InfluxdOptions) *InfluxdServer {
	t.Helper()
	path := Tool(t, "influxd")
	for try := 1; ; try++ {
		s, err := startInfluxd(t, path, o)
		if err == nil {
			return s
		}
		if try == 5 || !errors.Is(err, errEnded) {
			t.Fatalf("parttest: %v", err)
		}
	}
}

func startInfluxd(t testing.TB, path string, o InfluxdOptions) (*InfluxdServer, error) {
	t.Helper()
	dir, port := o.Dir, reservePort(t)
	if dir == "" {
		dir = tempDir(t, "aovuon-influxd-")
	}
	conf := filepath.Join(dir, "influxdb.conf")
	if err := os.WriteFile(conf, []byte(influxdConfig(dir, port, o)), 0o600); err != nil {
		return nil, err
	}
	s := &InfluxdServer{
		URL: "http://" + loopback(port), Database: "aovuon",
		p:    newProcess(t, "influxd", path, "run", "-config", conf),
		http: &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}},
	}
	s.p.ready = s.ping
	if err := s.p.start(); err != nil {
		return nil, err
	}
	if o.Auth {
		user, password := "admin", "mật khẩu 'thử' 1"
		if err := s.create(`CREATE USER admin WITH PASSWORD 'mật khẩu \'thử\' 1' WITH ALL PRIVILEGES`); err != nil {
			return nil, err
		}
		s.Username, s.Password = user, password
	}
	return s, s.create(`CREATE DATABASE "` + s.Database + `"`)
}

// influxdConfig: loopback only, every write synced to disk before it is answered (InfluxDB's default), no reports home.
func influxdConfig(dir string, port int, o InfluxdOptions) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("reporting-disabled = true")
	line("bind-address = %q", "127.0.0.1:0") // backup service: any port
	line("[meta]\ndir = %q", filepath.Join(dir, "meta"))
	line("[data]\ndir = %q\nwal-dir = %q", filepath.Join(dir, "data"), filepath.Join(dir, "wal"))
	line("query-log-enabled = false\nwal-fsync-delay = %q", "0s")
	line("[monitor]\nstore-enabled = false")
	line("[subscriber]\nenabled = false")
	line("[continuous_queries]\nenabled = false")
	line("[http]\nbind-address = %q\nlog-enabled = false\nflux-enabled = false\nauth-enabled = %t", loopback(port), o.Auth)
	if o.MaxBodyBytes > 0 {
		line("max-body-size = %d", o.MaxBodyBytes)
	}
	return b.String()
}

// Kill ends the server with SIGKILL. Its data and its port stay.
func (s *InfluxdServer) Kill() { s.p.end(syscall.SIGKILL) }

// Stop asks the server to end and waits. Its data and its port stay.
func (s *InfluxdServer) Stop() { s.p.end(syscall.SIGTERM) }

// Start starts a stopped or killed server again, on the same data and port, and waits until it answers.
func (s *InfluxdServer) Start() {
	s.p.t.Helper()
	if err := s.p.start(); err != nil {
		s.p.t.Fatalf("parttest: %v", err)
	}
}

// PID returns the server's process id, 0 when it does not run.
func (s *InfluxdServer) PID() int { return s.p.pid() }

// Query runs one InfluxQL statement and returns the JSON answer.
func (s *InfluxdServer) Query(q string) string {
	s.p.t.Helper()
	body, err := s.post(q)
	if err != nil {
		s.p.t.Fatalf("parttest: influxd: %s: %v", q, err)
	}
	return body
}

func (s *InfluxdServer) create(statement string) error {
	body, err := s.post(statement)
	if err == nil && strings.Contains(body, `"error"`) {
		err = errors.New(body)
	}
	if err != nil {
		return fmt.Errorf("influxd: %s: %w", statement, err)
	}
	return nil
}

func (s *InfluxdServer) post(q string) (_ string, err error) {
	form := url.Values{"q": {q}, "db": {s.Database}, "epoch": {"ms"}}
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, s.URL+"/query", strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if s.Username != "" {
		req.SetBasicAuth(s.Username, s.Password)
	}
	resp, err := s.http.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, resp.Body.Close()) }()
	b, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", resp.Status, b)
	}
	return string(b), err
}

func (s *InfluxdServer) ping(ctx context.Context) (err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/ping", nil)
	if err != nil {
		return err
	}
	resp, err := s.http.Do(req)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusNoContent {
		err = errors.New(resp.Status)
	}
	return errors.Join(err, resp.Body.Close())
}
