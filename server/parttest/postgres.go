package parttest

import (
	"bufio"
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

// PostgresServer is a PostgreSQL cluster, reached by a Unix socket in its folder: no port, no password.
type PostgresServer struct {
	t    testing.TB
	p    *process
	bin  string // folder of psql and the rest
	dir  string
	as   *syscall.Credential
	user string
	n    int // databases made
}

// postgresUser is who owns the clusters and all that is in them.
const postgresUser = "aovuon"

// Postgres returns the DSN of an empty database: in the cluster that the tests of the package share (Sharing), else in one of the
// test's own. Tests that kill the server use NewPostgres, and so do those that measure: a shared one does not sync.
func Postgres(t testing.TB) string {
	t.Helper()
	_, speed := t.(*testing.B)
	if dir := os.Getenv(shareEnv); dir != "" && !speed {
		return sharedPostgres{dir}.database(t, "template1")
	}
	return NewPostgres(t).Database()
}

// NewPostgres makes and starts a cluster of the test's own. The tests of root run it as user postgres, or nobody.
func NewPostgres(t testing.TB) *PostgresServer {
	t.Helper()
	s := &PostgresServer{t: t, dir: tempDir(t, "aovuon-pg-"), user: postgresUser}
	err := s.find()
	if err == nil {
		err = s.makeCluster()
	}
	if err != nil {
		t.Fatalf("parttest: %v", err)
	}
	_, speed := t.(*testing.B)
	s.p = newProcess(t, "postgres", filepath.Join(s.bin, "postgres"), s.arguments(!speed)...)
	s.p.as, s.p.stop, s.p.ready = s.as, syscall.SIGQUIT, s.isReady // waits for no client and writes nothing more: the data go with the test
	if err := s.p.start(); err != nil {
		t.Fatalf("parttest: %v", err)
	}
	return s
}

// find sets where PostgreSQL's programs are and who runs them: PostgreSQL refuses to run as root. It ends the test where there is none.
func (s *PostgresServer) find() (err error) {
	s.t.Helper()
	var ok bool
	if s.bin, ok = postgresBin(); !ok {
		Missing(s.t, "postgresql", installHint("postgres"))
	}
	if os.Getuid() == 0 {
		if s.as, err = unprivileged(); err != nil {
			return fmt.Errorf("postgres: %w", err)
		}
	}
	return nil
}

// arguments are those of the server. A test kills processes, not the machine: what the kernel has is not lost by quick, and each
// database is made by some hundred small files.
func (s *PostgresServer) arguments(quick bool) []string {
	args := []string{"-D", s.data(), "-k", s.dir, "-c", "listen_addresses=", "-c", "max_connections=50", "-c", "shared_buffers=32MB"}
	if quick {
		args = append(args, "-c", "fsync=off", "-c", "full_page_writes=off")
	}
	return args
}

func (s *PostgresServer) isReady(ctx context.Context) error {
	return s.run(ctx, "pg_isready", "-q", "-h", s.dir, "-U", s.user, "-d", "postgres")
}

// makeCluster runs initdb, without syncing: a power cut ends the test anyway.
func (s *PostgresServer) makeCluster() error {
	if s.as != nil {
		if err := os.Chown(s.dir, int(s.as.Uid), int(s.as.Gid)); err != nil {
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
	return s.create("test" + strconv.Itoa(s.n))
}

func (s *PostgresServer) create(name string, flags ...string) string {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := s.run(ctx, "createdb", append(flags, "-h", s.dir, "-U", s.user, name)...); err != nil {
		s.t.Fatalf("parttest: %v", err)
	}
	return fmt.Sprintf("host=%s user=%s dbname=%s sslmode=disable", s.dir, s.user, name)
}

// Kill ends the server with SIGKILL. Its children notice a moment later, and may go on answering until then. Its data and its socket path stay.
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

// Lock takes a table of a database for itself, as a long migration does: whoever asks for it waits until release.
func (s *PostgresServer) Lock(dsn, table string) (release func()) {
	s.t.Helper()
	cmd := exec.CommandContext(s.t.Context(), filepath.Join(s.bin, "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", dsn)
	cmd.SysProcAttr, cmd.Dir = attributes(s.as), "/"
	in, err := cmd.StdinPipe()
	if err != nil {
		s.t.Fatalf("parttest: %v", err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		s.t.Fatalf("parttest: %v", err)
	}
	if err := cmd.Start(); err != nil {
		s.t.Fatalf("parttest: %v", err)
	}
	_, err = fmt.Fprintf(in, "BEGIN;\nLOCK TABLE %s IN ACCESS EXCLUSIVE MODE;\n\\echo locked\n", table)
	if line, rerr := bufio.NewReader(out).ReadString('\n'); line != "locked\n" {
		s.t.Fatalf("parttest: lock %s: %q, %v", table, line, errors.Join(err, rerr))
	}
	return func() {
		if err := errors.Join(in.Close(), cmd.Wait()); err != nil {
			s.t.Errorf("parttest: lock %s: %v", table, err)
		}
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
