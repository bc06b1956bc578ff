package parttest_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"go.uber.org/goleak"

	"aovuon/server/parttest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// verdict is a testing.TB that remembers how its test ended instead of ending it.
type verdict struct {
	testing.TB
	skipped, failed string
}

func (v *verdict) Helper()                   {}
func (v *verdict) Skip(a ...any)             { v.skipped = fmt.Sprint(a...) }
func (v *verdict) Fatalf(f string, a ...any) { v.failed = fmt.Sprintf(f, a...) }

func TestMissing_SkipsAloudAndFailsWhenRequired(t *testing.T) {
	t.Setenv("AOVUON_REQUIRE", "")
	var v verdict
	parttest.Tool(&v, "no-such-tool-here")
	if !strings.Contains(v.skipped, "no-such-tool-here") || !strings.Contains(v.skipped, "apt-get install") {
		t.Errorf("skipped with %q: want the part's name and how to install it", v.skipped)
	}
	t.Setenv("AOVUON_REQUIRE", "all")
	v = verdict{}
	func() {
		parttest.Missing(&v, "the part", "build it")
	}()
	if !strings.Contains(v.failed, "the part") || !strings.Contains(v.failed, "build it") {
		t.Errorf("failed with %q: want the part's name and how to install it", v.failed)
	}
}

func TestTool_PrefersTheProjectsOwnBinaries(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("AOVUON_BIN", dir)
	own := filepath.Join(dir, "ls")
	if err := os.WriteFile(own, []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	if got := parttest.Tool(t, "ls"); got != own {
		t.Errorf("Tool(ls) = %s, want %s", got, own)
	}
	if got := parttest.Tool(t, "cat"); got == "" || filepath.Dir(got) == dir {
		t.Errorf("Tool(cat) = %q, want the one on PATH", got)
	}
}

func TestInfluxd_KeepsDataAndPortOverKill(t *testing.T) {
	s := parttest.Influxd(t)
	url := s.URL
	s.Query(`CREATE DATABASE "other"`)
	s.Kill()
	if s.PID() != 0 {
		t.Fatal("killed, and still has a process id")
	}
	s.Start()
	if s.URL != url {
		t.Errorf("URL changed from %s to %s", url, s.URL)
	}
	if got := s.Query("SHOW DATABASES"); !strings.Contains(got, `"other"`) || !strings.Contains(got, s.Database) {
		t.Errorf("after kill and start: SHOW DATABASES = %s", got)
	}
	s.Stop()
	s.Start()
}

func TestInfluxd_AuthAndTwoAtOnce(t *testing.T) {
	a := parttest.InfluxdWith(t, parttest.InfluxdOptions{Auth: true})
	b := parttest.Influxd(t)
	if a.URL == b.URL {
		t.Fatal("two servers, one address")
	}
	if a.Username == "" || !strings.Contains(a.Query("SHOW USERS"), "admin") {
		t.Error("no administrator")
	}
	resp, err := http.Get(a.URL + "/query?q=SHOW+DATABASES")
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil {
		t.Error(err)
	}
	if resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("without credentials: %s", resp.Status)
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestPostgres_DatabasesAreEmptyAndSurviveKill(t *testing.T) {
	s := parttest.NewPostgres(t)
	one, two := s.Database(), s.Database()
	psql := func(dsn, q string) string {
		t.Helper()
		out, err := exec.CommandContext(t.Context(), parttest.Tool(t, "psql"), "-AtX", "-c", q, dsn).CombinedOutput()
		if err != nil {
			t.Fatalf("psql: %v: %s", err, out)
		}
		return strings.TrimSpace(string(out))
	}
	psql(one, "CREATE TABLE pond (id BIGINT); INSERT INTO pond VALUES (7)")
	if got := psql(two, "SELECT count(*) FROM information_schema.tables WHERE table_name = 'pond'"); got != "0" {
		t.Errorf("second database has %s tables of the first", got)
	}
	if got := psql(one, "SHOW fsync"); got != "off" { // kills of processes lose nothing that the kernel has; benchmarks write through
		t.Errorf("fsync = %s", got)
	}
	for range 3 {
		s.Kill()
		s.Start()
		if got := psql(one, "SELECT id FROM pond"); got != "7" {
			t.Errorf("after kill: %q", got)
		}
	}
}

// tests is a package's tests, made of a function.
type tests func() int

func (f tests) Run() int { return f() }

func TestSharing_TestsHaveDatabasesOfTheirOwnInOneClusterThatGoesWithThem(t *testing.T) {
	ask := func(t *testing.T, dsn, q string) (string, error) {
		out, err := exec.CommandContext(t.Context(), parttest.Tool(t, "psql"), "-AtX", "-c", q, dsn).CombinedOutput()
		return strings.TrimSpace(string(out)), err
	}
	var first, last, cluster string
	var filled, made int
	code := parttest.Sharing(tests(func() int {
		for range 2 {
			t.Run("one", func(t *testing.T) {
				dsn := parttest.Postgres(t)
				if first == "" {
					first = dsn
				}
				last = dsn
				if out, err := ask(t, dsn, "CREATE TABLE pond (id BIGINT)"); err != nil {
					t.Errorf("not empty: %v: %s", err, out)
				}
				at, err := ask(t, dsn, "SHOW data_directory")
				if err != nil || cluster != "" && at != cluster {
					t.Errorf("cluster %q, the first was in %q: %v", at, cluster, err)
				}
				cluster = at
				like := parttest.PostgresLike(t, "ponds", func(dsn string) error {
					filled++
					_, err := ask(t, dsn, "CREATE TABLE pond AS SELECT 7 AS id")
					return err
				})
				if out, err := ask(t, like, "SELECT id FROM pond; DROP TABLE pond"); err != nil || !strings.HasPrefix(out, "7") {
					t.Errorf("a copy has not what was filled in: %v: %s", err, out)
				}
				path, ok := parttest.Once(t, "file", func(path string) error {
					made++
					return os.WriteFile(path, []byte("made"), 0o600)
				})
				if b, err := os.ReadFile(path); !ok || err != nil || string(b) != "made" {
					t.Errorf("%v: %q, %v", ok, b, err)
				}
				t.Run("beside it", func(t *testing.T) {
					if out, err := ask(t, parttest.Postgres(t), "CREATE TABLE pond (id BIGINT)"); err != nil {
						t.Errorf("not empty: %v: %s", err, out)
					}
				})
			})
		}
		if out, err := ask(t, last, "SELECT 1"); err == nil || !strings.Contains(out, "does not exist") {
			t.Errorf("the database outlived its test: %v: %s", err, out)
		}
		return 7
	})).Run()
	if code != 7 || filled != 1 || made != 1 {
		t.Errorf("code %d; filled %d times, made %d times", code, filled, made)
	}
	if path, ok := parttest.Once(t, "file", func(string) error { t.Error("asked for what is not shared"); return nil }); ok {
		t.Errorf("shared with nobody: %s", path)
	}
	if first == last {
		t.Errorf("two tests in one database: %s", last)
	}
	if out, err := ask(t, last, "SELECT 1"); err == nil || strings.Contains(out, "does not exist") {
		t.Errorf("the cluster outlived the tests: %v: %s", err, out)
	}
	if _, err := os.Stat(filepath.Dir(filepath.Dir(cluster))); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("left: %s: %v", cluster, err)
	}
}

func TestChromium_RendersAPage(t *testing.T) {
	path := parttest.Chromium(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	args := append(parttest.ChromiumFlags(t), "--dump-dom", "data:text/html,<title>x</title><script>document.title='ao v'+'uon'</script>")
	out, err := exec.CommandContext(ctx, path, args...).Output()
	if err != nil || !strings.Contains(string(out), "<title>ao vuon</title>") {
		t.Errorf("DOM = %q, %v", out, err)
	}
}

func TestAxe_ComplainsAboutABadPage(t *testing.T) {
	axe, browser := parttest.Axe(t), parttest.Browser(t)
	page := "data:text/html,<html><body><main><h1>ao</h1><ul><li>1</li></ul><button></button><img src=x><p>v</p></main></body></html>"
	if err := chromedp.Do(browser, chromedp.Navigate(page)); err != nil {
		t.Fatal(err)
	}
	if got := axe(browser); !strings.Contains(got, "image-alt") {
		t.Errorf("a picture without words: %q", got)
	}
}
