package parttest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// shareEnv names the environment variable in which Sharing tells the tests of its package where what they share lies.
const shareEnv = "AOVUON_TEST_SHARED"

// M is what Sharing takes and gives: a *testing.M, or what stands before one.
type M interface{ Run() int }

// Sharing has the tests of one package share the parts that cost more to make than to use: PostgreSQL, of which each test then
// has a database of its own in one cluster, made when the first asks. What was made is ended when the tests are. It stands in
// TestMain: os.Exit(parttest.Sharing(m).Run()), or goleak.VerifyTestMain(parttest.Sharing(m)).
func Sharing(m M) M { return sharing{m} }

type sharing struct{ m M }

func (s sharing) Run() int {
	if os.Getenv(shareEnv) != "" { // a process that a test started: what it was given is all it has, and it may be killed
		return s.m.Run()
	}
	dir, err := os.MkdirTemp("", "aovuon-shared-")
	if err == nil {
		err = os.Setenv(shareEnv, dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "parttest: what the tests share:", err)
		return 1
	}
	code := s.m.Run()
	if err := errors.Join(sharedPostgres{dir}.end(), os.Unsetenv(shareEnv), os.RemoveAll(dir)); err != nil {
		fmt.Fprintln(os.Stderr, "parttest: what the tests shared:", err)
		if code == 0 {
			return 1
		}
	}
	return code
}

// sharedPostgres is the cluster in a folder of Sharing. All that is known of it lies there, so that it belongs to no test: cluster/
// (see PostgresServer), postgres.pid and postgres.log.
type sharedPostgres struct{ dir string }

func (s sharedPostgres) path(name string) string { return filepath.Join(s.dir, name) }

// PostgresLike is Postgres with a database like the one that fill makes of an empty one: where the tests share a cluster it is filled
// once, under a name, and copied. A test alone gets an empty one, and fills it by what it does first.
func PostgresLike(t testing.TB, name string, fill func(dsn string) error) string {
	t.Helper()
	dir := os.Getenv(shareEnv)
	if dir == "" {
		return Postgres(t)
	}
	s := sharedPostgres{dir}
	Once(t, name, func(string) error { return fill(s.join(t).create(name)) })
	return s.database(t, name)
}

// database returns the DSN of a database in the cluster that goes with the test, a copy of another there.
func (s sharedPostgres) database(t testing.TB, like string) string {
	t.Helper()
	pg := s.join(t)
	name := "test" + strings.ToLower(rand.Text())
	dsn := pg.create(name, "--template="+like)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := pg.run(ctx, "dropdb", "--force", "-h", pg.dir, "-U", pg.user, name); err != nil {
			t.Logf("parttest: %v", err)
		}
		if t.Failed() {
			t.Logf("parttest: end of the log of the shared postgres:\n%s", (&process{logs: s.path("postgres.log")}).tail())
		}
	})
	return dsn
}

// join makes and starts the cluster if nobody did.
func (s sharedPostgres) join(t testing.TB) *PostgresServer {
	t.Helper()
	pg := &PostgresServer{t: t, dir: s.path("cluster"), user: postgresUser}
	err := pg.find()
	if err == nil {
		err = once(s.path("postgres.pid"), func() error { return s.start(pg) })
	}
	if err != nil {
		t.Fatalf("parttest: shared: %v", err)
	}
	return pg
}

// Once gives the tests of a package that share (Sharing) a file that the first of them makes; ok is false where they do not share.
// None may change it. It need not be written: what is made may lie elsewhere under its name.
func Once(t testing.TB, name string, write func(path string) error) (path string, ok bool) {
	t.Helper()
	dir := os.Getenv(shareEnv)
	if dir == "" {
		return "", false
	}
	path = filepath.Join(dir, name)
	err := once(path+".made", func() error {
		if err := write(path); err != nil {
			return err
		}
		return os.WriteFile(path+".made", nil, 0o600)
	})
	if err != nil {
		t.Fatalf("parttest: make %s: %v", name, err)
	}
	return path, true
}

// once has begin make file where it is not there yet, by one test at a time.
func once(file string, begin func() error) error {
	unlock, err := lock(file + ".lock")
	if err != nil {
		return err
	}
	_, err = os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		err = begin()
	}
	return errors.Join(err, unlock())
}

// lock waits until no other test holds the folder.
func lock(path string) (unlock func() error, err error) {
	for late := time.After(readyTimeout); ; {
		err := os.Mkdir(path, 0o700)
		if err == nil {
			return func() error { return os.Remove(path) }, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
		select {
		case <-time.After(pollEvery):
		case <-late:
			return nil, fmt.Errorf("%s is held by another test for %s", path, readyTimeout)
		}
	}
}

// start makes the cluster, starts it and waits until it accepts connections. It is waited for by end, not by a goroutine: which
// test's would that be?
func (s sharedPostgres) start(pg *PostgresServer) error {
	for _, dir := range []string{s.dir, pg.dir} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	if err := os.Chmod(s.dir, 0o711); err != nil { // PostgreSQL's user goes through it
		return err
	}
	if err := pg.makeCluster(); err != nil {
		return err
	}
	out, err := os.OpenFile(s.path("postgres.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	cmd := exec.Command(filepath.Join(pg.bin, "postgres"), pg.arguments(true)...) //nolint:noctx // ended by end
	cmd.Stdout, cmd.Stderr, cmd.Dir, cmd.SysProcAttr = out, out, "/", attributes(pg.as)
	if err := errors.Join(cmd.Start(), out.Close()); err != nil {
		return fmt.Errorf("start postgres: %w", err)
	}
	if err := os.WriteFile(s.path("postgres.pid"), []byte(strconv.Itoa(cmd.Process.Pid)), 0o600); err != nil {
		return errors.Join(err, cmd.Process.Kill(), cmd.Wait())
	}
	ctx, cancel := context.WithTimeout(context.Background(), readyTimeout)
	defer cancel()
	for {
		err := pg.isReady(ctx)
		if err == nil {
			return cmd.Process.Release()
		}
		select {
		case <-time.After(pollEvery):
		case <-ctx.Done():
			return fmt.Errorf("postgres is not ready after %s: %w\n%s", readyTimeout, err, (&process{logs: s.path("postgres.log")}).tail())
		}
	}
}

// end stops the cluster, if it was started, and waits until it is gone.
func (s sharedPostgres) end() error {
	text, err := os.ReadFile(s.path("postgres.pid"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	pid, err := strconv.Atoi(string(text))
	if err != nil {
		return err
	}
	p, err := os.FindProcess(pid)
	if err != nil {
		return err
	}
	if err := p.Signal(syscall.SIGQUIT); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	_, err = p.Wait()
	return err
}
