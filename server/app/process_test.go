package app_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"aovuon/gateway/wire"
	"aovuon/server/parttest"
	"aovuon/server/sqldb"
	"aovuon/server/sqldb/sqldbtest"
)

// patience is how long a test waits for what must come.
const patience = 3 * time.Minute

// process is the server program as a process of its own, with the folder it works in.
type process struct {
	t       testing.TB
	dir     string
	cmd     *exec.Cmd
	exited  chan error
	web     string // host:port
	mqtt    string
	dsn     string // of its PostgreSQL database; empty: SQLite
	started chan struct{}
}

// newProcess makes a configuration with free ports and initialises the server. History and broker are lines of YAML.
func newProcess(t testing.TB, history, broker string) *process {
	t.Helper()
	p := &process{t: t, dir: t.TempDir(), web: freePort(t), mqtt: freePort(t)}
	if broker == "" {
		broker = fmt.Sprintf("{ embedded: { listen: %s } }", p.mqtt)
	}
	text := fmt.Sprintf("listen: %s\npublic_url: http://%s\nname: htx-thu\naccess: { pages: open }\nhistory: %s\nbroker: %s\n", p.web, p.web, history, broker)
	if err := os.WriteFile(p.path("server.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if sqldbtest.OnPostgres() && !strings.Contains(broker, "\ndatabase:") { // who names one in those lines, has it
		p.dsn = parttest.Postgres(t)
		if err := os.WriteFile(p.path("pg.dsn"), []byte(p.dsn), 0o600); err != nil {
			t.Fatal(err)
		}
		p.amend("database: { driver: postgres, dsn_file: pg.dsn }")
	}
	p.once("init")
	return p
}

// at is the server's database.
func (p *process) at() sqldb.Config {
	if p.dsn != "" {
		return sqldb.Config{Driver: sqldb.Postgres, DSN: p.dsn}
	}
	return sqldb.Config{Driver: sqldb.SQLite, DSN: p.path("data/server.db")}
}

func freePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return l.Addr().String()
}

func (p *process) path(name string) string { return filepath.Join(p.dir, name) }

func (p *process) command(args ...string) *exec.Cmd {
	cmd := exec.CommandContext(context.Background(), os.Args[0], append(args, "--config", p.path("server.yaml"))...)
	cmd.Env = append(os.Environ(), asServer+"=1")
	cmd.Dir = p.dir
	return cmd
}

// once runs a command to its end and returns what it printed.
func (p *process) once(args ...string) string {
	p.t.Helper()
	out, err := p.command(args...).CombinedOutput()
	if err != nil {
		p.t.Fatalf("server %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// start runs the server and waits until it is healthy.
func (p *process) start() {
	p.t.Helper()
	p.cmd = p.command("run")
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		p.t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.exited, p.started = make(chan error, 1), make(chan struct{})
	go func() {
		lines := bufio.NewScanner(stderr)
		for lines.Scan() {
			if strings.Contains(lines.Text(), "server started") {
				close(p.started)
			}
			if testing.Verbose() {
				fmt.Fprintln(os.Stderr, "  server |", lines.Text())
			}
		}
		p.exited <- p.cmd.Wait()
	}()
	select {
	case <-p.started:
	case err := <-p.exited:
		p.t.Fatalf("server ended: %v", err)
	case <-time.After(patience):
		p.t.Fatal("server did not start")
	}
	p.t.Cleanup(p.kill)
}

// end sends a signal and waits.
func (p *process) end(s os.Signal) error {
	if p.cmd == nil {
		return nil
	}
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Logf("signal: %v", err)
	}
	err := <-p.exited
	p.cmd = nil
	return err
}

func (p *process) kill() {
	if err := p.end(syscall.SIGKILL); err != nil && !strings.Contains(err.Error(), "killed") {
		p.t.Error(err)
	}
}

func (p *process) stop() {
	p.t.Helper()
	begin := time.Now()
	if err := p.end(syscall.SIGTERM); err != nil {
		p.t.Errorf("server ended: %v", err)
	}
	if took := time.Since(begin); took > 5*time.Second {
		p.t.Errorf("stopping took %v", took)
	}
}

// gateway is an enrolled gateway's key and password.
type gateway struct {
	id, secret string
	signer     note.Signer
}

func (p *process) enrol(id string) gateway {
	p.t.Helper()
	vkey, err := wire.CreateKey(p.path(id+".key"), id)
	if err != nil {
		p.t.Fatal(err)
	}
	signer, _, err := wire.LoadKey(p.path(id + ".key"))
	if err != nil {
		p.t.Fatal(err)
	}
	g := gateway{id: id, secret: "password of " + id, signer: signer}
	if err := os.WriteFile(p.path(id+".card"), []byte(wire.NewCard(id, vkey, g.secret).String()), 0o600); err != nil {
		p.t.Fatal(err)
	}
	p.once("gateway", "add", p.path(id+".card"))
	return g
}

// get fetches a page.
func (p *process) get(path string) (int, string, error) {
	res, err := http.Get("http://" + p.web + path)
	if err != nil {
		return 0, "", err
	}
	body, err := io.ReadAll(res.Body)
	return res.StatusCode, string(body), errors.Join(err, res.Body.Close())
}

// metric reads one value of /metrics; name is a whole series with its labels.
func (p *process) metric(name string) float64 {
	_, body, err := p.get("/metrics")
	if err != nil {
		return -1
	}
	m := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(name) + ` (.*)$`).FindStringSubmatch(body)
	if m == nil {
		return -1
	}
	v, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		return -1
	}
	return v
}
