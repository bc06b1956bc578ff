package app_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"aovuon/server/parttest"
	"aovuon/server/sqldb"
)

// migrating is a server migrate that waits for the server to stop.
type migrating struct {
	t     *testing.T
	cmd   *exec.Cmd
	lines *bufio.Scanner
	said  strings.Builder
}

func (p *process) migrate(t *testing.T, args ...string) *migrating {
	t.Helper()
	m := &migrating{t: t, cmd: p.command(append([]string{"migrate"}, args...)...)}
	out, err := m.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	m.cmd.Stderr = m.cmd.Stdout
	if err := m.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	m.lines = bufio.NewScanner(out)
	return m
}

// await reads until a line begins with a word.
func (m *migrating) await(word string) {
	m.t.Helper()
	for m.lines.Scan() {
		fmt.Fprintln(&m.said, m.lines.Text())
		if strings.HasPrefix(m.lines.Text(), word) {
			return
		}
	}
	m.t.Fatalf("migrate ended without %q: %v\n%s", word, m.cmd.Wait(), m.said.String())
}

// end waits for the end and returns all it said.
func (m *migrating) end() string {
	m.t.Helper()
	for m.lines.Scan() {
		fmt.Fprintln(&m.said, m.lines.Text())
	}
	if err := m.cmd.Wait(); err != nil {
		m.t.Fatalf("migrate: %v\n%s", err, m.said.String())
	}
	return m.said.String()
}

// database sets the database of a configuration.
func (p *process) database(t *testing.T, line string) {
	t.Helper()
	raw, err := os.ReadFile(p.path("server.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	text := regexp.MustCompile(`(?m)^database:.*\n`).ReplaceAllString(string(raw), "")
	if err := os.WriteFile(p.path("server.yaml"), []byte(text+"database: "+line+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}

// refused runs a command that must fail, and returns what it said.
func (p *process) refused(t *testing.T, args ...string) string {
	t.Helper()
	out, err := p.command(args...).CombinedOutput()
	if err == nil {
		t.Errorf("server %s was not refused: %s", strings.Join(args, " "), out)
	}
	return string(out)
}

func TestMigrate_AWorkingServerGoesToPostgresAndBackAndLosesNothing(t *testing.T) {
	const early, batches = 600, 3000
	t.Setenv("AOVUON_TEST_DB", "")
	p := newProcess(t, "{ engine: sqlite }", "")
	dsn := p.path("dsn")
	if err := os.WriteFile(dsn, []byte(parttest.Postgres(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	p.once("farm", "demo", "--diary")
	first, fleet := p.fleetOf(early, "gw-one"), p.fleetOf(batches, "gw-two", "gw-three")
	p.start()
	p.deliverAll(first)()
	m := p.migrate(t, "--to-dsn-file", dsn)
	m.await("waits")
	wait := p.deliverAll(fleet)
	parttest.Await(t, "load", func() bool { return fleet[0].upto.Load() >= batches/20 })
	before := fleet[0].upto.Load()
	p.stop()
	said := m.end()
	if before == batches {
		t.Error("everything had come before the server was stopped: the run says little")
	}
	root := regexp.MustCompile(`leaves, head (\S+) in both`).FindStringSubmatch(said)
	if root == nil || !strings.Contains(said, "compared one by one") {
		t.Fatalf("migrate says %s", said)
	}
	if text := p.refused(t, "run"); !strings.Contains(text, "was moved to postgres") {
		t.Errorf("the old database: %s", text)
	}
	p.database(t, "{ driver: postgres, dsn_file: "+dsn+" }")
	p.start()
	wait()
	p.awaitHistory(early + 2*batches)
	p.stop()
	if out := p.once("audit"); strings.Contains(out, "WRONG") {
		t.Errorf("audit on PostgreSQL: %s", out)
	}
	t.Logf("to PostgreSQL:\n%s", said)

	// And back, where the file of before is kept.
	back := p.migrate(t, "--to-sqlite").end()
	if kept, err := filepath.Glob(p.path("data/server.db.left-*")); err != nil || len(kept) != 1 || !strings.Contains(back, kept[0]) {
		t.Errorf("kept %v, %v; migrate says %s", kept, err, back)
	}
	if text := p.refused(t, "run"); !strings.Contains(text, sqldb.ErrMoved.Error()) {
		t.Errorf("the database on PostgreSQL: %s", text)
	}
	p.database(t, "{ driver: sqlite }")
	if out := p.once("audit"); strings.Contains(out, "WRONG") {
		t.Errorf("audit on SQLite: %s", out)
	}
	p.start()
	p.awaitHistory(early + 2*batches)
	p.stop()
}

func TestMigrate_SaysWhatIsMissing(t *testing.T) {
	t.Setenv("AOVUON_TEST_DB", "")
	p := newProcess(t, "{ engine: sqlite }", "")
	if err := os.WriteFile(p.path("dsn"), []byte("host=/nowhere dbname=x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		args []string
		want string
	}{
		{nil, "where to?"},
		{[]string{"--to-sqlite", "--to-dsn-file", "dsn"}, "where to?"},
		{[]string{"--to-sqlite"}, "SQLite already"},
		{[]string{"--to-dsn-file", "none"}, "no such file"},
		{[]string{"--to-dsn-file", "dsn"}, "the new database"},
		{[]string{"--to-dsn-file", "dsn", "--undo"}, "nothing to undo"},
	} {
		if text := p.refused(t, append([]string{"migrate"}, x.args...)...); !strings.Contains(text, x.want) {
			t.Errorf("migrate %v says %s", x.args, text)
		}
	}
	p.once("farm", "demo") // it works as before
}
