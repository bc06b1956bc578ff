package parttest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// PostgresServer is a PostgreSQL cluster of the test's own, reached by a Unix socket in its folder: no port, no password.
type PostgresServer struct {
	t    testing.TB
	p    *process
	bin  string // folder of psql and the rest
	dir  string
	as   *syscall.Credential
	user string
	n    int // databases made
}

// Postgres starts a cluster and returns the DSN of an empty database in it. Tests that need several databases, or kill
// the server, use NewPostgres.
func Postgres(t testing.TB) string {
	t.Helper()
	return NewPostgres(t).Database()
}

// NewPostgres makes and starts a cluster. PostgreSQL refuses to run as root: the tests of root run it as user postgres,
// or nobody.
func NewPostgres(t testing.TB) *PostgresServer {
	t.Helper()
	bin, ok := postgresBin()
	if !ok {
		Missing(t, "postgresql", installHint("postgres"))
	}
	s := &PostgresServer{t: t, bin: bin, dir: tempDir(t, "aovuon-pg-"), user: "aovuon"}
	if err := s.makeCluster(); err != nil {
		t.Fatalf("parttest: %v", err)
	}
	s.p = newProcess(t, "postgres", filepath.Join(bin, "postgres"),
		"-D", s.data(), "-k", s.dir, "-c", "listen_addresses=", "-c", "max_connections=50", "-c", "shared_buffers=32MB")
	s.p.as, s.p.stop = s.as, syscall.SIGINT // fast shutdown: does not wait for clients
	s.p.ready = func(ctx context.Context) error {
		return s.run(ctx, "pg_isready", "-q", "-h", s.dir, "-U", s.user, "-d", "postgres")
	}
	if err := s.p.start(); err != nil {
		t.Fatalf("parttest: %v", err)
	}
	return s
}

// makeCluster runs initdb, without syncing: a power cut ends the test anyway. The cluster itself runs with fsync on.
func (s *PostgresServer) makeCluster() error {
	if os.Getuid() == 0 {
		cred, err := unprivileged()
		if err != nil {
			return fmt.Errorf("postgres: %w", err)
		}
		s.as = cred
		if err := os.Chown(s.dir, int(cred.Uid), int(cred.Gid)); err != nil {
			return fmt.Errorf("postgres: %w", err)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	return s.run(ctx, "initdb", "-D", s.data(), "-U", s.user, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
}

func (s *PostgresServer) data() string { return filepath.Join(s.dir, "data") }

// Database creates an empty database and returns its DSN, in the key=value form that pgx and libpq read.
func (s *PostgresServer) Database() string {
	s.t.Helper()
	s.n++
	name := "test" + strconv.Itoa(s.n)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := s.run(ctx, "createdb", "-h", s.dir, "-U", s.user, name); err != nil {
		s.t.Fatalf("parttest: %v", err)
	}
	return fmt.Sprintf("host=%s user=%s dbname=%s sslmode=disable", s.dir, s.user, name)
}

// Kill ends the server with SIGKILL and waits until its children have noticed. Its data and its socket path stay.
func (s *PostgresServer) Kill() { s.p.end(syscall.SIGKILL) }

// Start starts a killed server again on the same data and waits until it accepts connections. While children of
// a killed server are still ending, PostgreSQL refuses to start: those starts are repeated.
func (s *PostgresServer) Start() {
	s.t.Helper()
	var err error
	for range 50 {
		if err = s.p.start(); err == nil || !errors.Is(err, errEnded) {
			break
		}
		<-time.After(100 * time.Millisecond)
	}
	if err != nil {
		s.t.Fatalf("parttest: %v", err)
	}
}

// run runs one of PostgreSQL's programs as the cluster's user.
func (s *PostgresServer) run(ctx context.Context, program string, args ...string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, program), args...)
	cmd.SysProcAttr, cmd.Dir = attributes(s.as), "/"
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("postgres: %s: %w: %s", program, err, out)
	}
	return nil
}

// postgresBin finds the folder of initdb and postgres: PATH, else the newest that Debian installed.
func postgresBin() (string, bool) {
	var dirs []string
	if p, err := exec.LookPath("initdb"); err == nil {
		if target, err := filepath.EvalSymlinks(p); err == nil {
			dirs = append(dirs, filepath.Dir(target))
		}
	}
	if found, err := filepath.Glob("/usr/lib/postgresql/*/bin"); err == nil {
		slices.SortFunc(found, func(a, b string) int { return version(b) - version(a) })
		dirs = append(dirs, found...)
	}
	for _, dir := range dirs {
		if runnable(filepath.Join(dir, "initdb")) && runnable(filepath.Join(dir, "postgres")) {
			return dir, true
		}
	}
	return "", false
}

// version returns N of /usr/lib/postgresql/N/bin.
func version(dir string) int {
	n, err := strconv.Atoi(filepath.Base(filepath.Dir(dir)))
	if err != nil {
		return 0
	}
	return n
}

// unprivileged returns the first of the users that may run PostgreSQL for root.
func unprivileged() (*syscall.Credential, error) {
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			return nil, err
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		if err != nil {
			return nil, err
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, errors.New("no user postgres or nobody to run it as")
}
