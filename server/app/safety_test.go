package app_test

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
	"sync"
	"syscall"
	"testing"
	"time"

	"aovuon/server/parttest"
	"aovuon/server/sqldb/sqldbtest"
)

// onDisk puts the data folder of a server on a file system of its own, of so many megabytes.
func onDisk(t *testing.T, p *process, megabytes string) (data string) {
	t.Helper()
	data = filepath.Join(t.TempDir(), "disk")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	parttest.Disk(t, data, megabytes)
	p.amend("data_dir: " + data)
	p.once("init")
	return data
}

// amend adds lines to the configuration.
func (p *process) amend(lines string) {
	p.t.Helper()
	old, err := os.ReadFile(p.path("server.yaml"))
	if err == nil {
		err = os.WriteFile(p.path("server.yaml"), append(old, lines+"\n"...), 0o600)
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

// fill writes until nothing fits any more.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{1 << 20, 4096, 1} {
		for chunk := make([]byte, size); err == nil; {
			_, err = f.Write(chunk)
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
		err = nil
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func (p *process) awaitPage(what, path string, status int, words string) {
	p.t.Helper()
	parttest.Await(p.t, what, func() bool {
		code, body, err := p.get(path)
		return err == nil && code == status && strings.Contains(body, words)
	})
}

func TestServer_FullDiskWithholdsReceiptsSaysSoAndGoesOnByItself(t *testing.T) {
	sqldbtest.OnSQLiteOnly(t, "PostgreSQL's disk is its own business")
	p := newProcess(t, "{ engine: sqlite }", "")
	data := onDisk(t, p, "48")
	p.once("farm", "demo")
	const batches = 4000
	fleet := p.fleetOf(batches, "gw-ao-phukhe")
	p.start()
	begin := time.Now()
	wait := p.deliverAll(fleet)
	parttest.Await(t, "load before the fault", func() bool { return fleet[0].upto.Load() >= 300 })
	if rate := float64(fleet[0].upto.Load()) / time.Since(begin).Seconds(); rate < 100 {
		t.Errorf("%.0f batches/s before the fault: the run says little", rate)
	}
	filler := filepath.Join(data, "filler")
	fill(t, filler)
	p.awaitPage("/healthz says so", "/healthz", http.StatusServiceUnavailable, "cannot be committed")
	stuck := fleet[0].upto.Load()
	p.awaitPage("pages say so, and that nothing is lost", "/", http.StatusOK, "Số liệu vẫn nằm ở thiết bị ngoài ao, không mất")
	p.awaitPage("the system page says why", "/system", http.StatusOK, "full")
	if code, body, err := p.get("/static/none"); err != nil || code == 0 {
		t.Errorf("%d %s %v", code, body, err)
	}
	if now := fleet[0].upto.Load(); now != stuck || now == batches {
		t.Errorf("receipts up to %d, then %d of %d on a full disk", stuck, now, batches)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	wait()
	p.awaitPage("healthy again", "/healthz", http.StatusOK, "ok")
	if _, body, err := p.get("/"); err != nil || strings.Contains(body, "thiết bị ngoài ao, không mất") {
		t.Errorf("the banner stays: %v", err)
	}
	p.awaitHistory(batches)
	p.stop()
	if out := p.once("log", "count"); !strings.Contains(out, fmt.Sprintf("%d batches in the log", batches)) {
		t.Errorf("acknowledged %d, %s", fleet[0].upto.Load(), out)
	}
	t.Logf("full at batch %d, nothing acknowledged was lost, %d in the log at the end", stuck, batches)
}

// A disk that is full while nothing comes is told of before something comes, and the telling ends by itself.
func TestServer_FullDiskIsSaidWhileNothingComes(t *testing.T) {
	p := newProcess(t, "{ engine: sqlite }", "")
	data := onDisk(t, p, "48")
	p.once("farm", "demo")
	p.start()
	p.awaitPage("healthy", "/healthz", http.StatusOK, "ok")
	filler := filepath.Join(data, "filler")
	fill(t, filler)
	p.awaitPage("/healthz says so", "/healthz", http.StatusServiceUnavailable, "the disk is full")
	p.awaitPage("pages say so", "/", http.StatusOK, "không mất")
	p.awaitPage("the system page says why", "/system", http.StatusOK, "the disk is full")
	if got := p.metric("aovuon_disk_writable"); got != 0 {
		t.Errorf("aovuon_disk_writable %v", got)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	p.awaitPage("healthy again", "/healthz", http.StatusOK, "ok")
	if list, err := filepath.Glob(filepath.Join(data, ".writable*")); err != nil || len(list) > 0 {
		t.Errorf("left behind: %v, %v", list, err)
	}
	p.stop()
}

func TestServer_ReadOnlyDataFolderIsSaidAtStart(t *testing.T) {
	p := newProcess(t, "{ engine: sqlite }", "")
	data := onDisk(t, p, "16")
	parttest.SetReadOnly(t, data, true)
	out, err := p.command("run").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "read-only") || !strings.Contains(string(out), "mount") {
		t.Errorf("%v: %s", err, out)
	}
	t.Logf("%s", out)
	parttest.SetReadOnly(t, data, false)
	p.start()
	p.stop()
}

// onPostgres is a server whose database can be killed.
func onPostgres(t *testing.T) (*process, *parttest.PostgresServer) {
	t.Helper()
	pg := parttest.NewPostgres(t)
	dsn, text := filepath.Join(t.TempDir(), "dsn"), pg.Database()
	if err := os.WriteFile(dsn, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	mqtt := freePort(t)
	p := newProcess(t, "{ engine: sqlite }", fmt.Sprintf("{ embedded: { listen: %s } }\ndatabase: { driver: postgres, dsn_file: %s }", mqtt, dsn))
	p.mqtt, p.dsn = mqtt, text
	return p, pg
}

func TestServer_SilentDatabaseLeavesTheLastValuesOnThePages(t *testing.T) {
	p, pg := onPostgres(t)
	p.once("farm", "demo")
	const batches = 6000
	fleet := p.fleetOf(batches, "gw-ao-phukhe")
	p.start()
	wait := p.deliverAll(fleet)
	parttest.Await(t, "load before the fault", func() bool { return fleet[0].upto.Load() >= 100 })
	p.awaitPage("the dashboard", "/", http.StatusOK, "°C")
	release := pg.Lock(p.dsn, "log_end") // a database that is there and does not answer
	p.awaitPage("/healthz of a database that does not answer", "/healthz", http.StatusServiceUnavailable, "cannot be committed")
	release()
	p.awaitPage("healthy once it answers", "/healthz", http.StatusOK, "ok")
	pg.Kill()
	p.awaitPage("the dashboard without a database", "/", http.StatusOK, "cơ sở dữ liệu không trả lời")
	p.awaitPage("/healthz", "/healthz", http.StatusServiceUnavailable, "")
	p.awaitPage("a page that only the database has", "/system", http.StatusServiceUnavailable, "tạm thời chưa xem được")
	pg.Start()
	wait()
	p.awaitPage("healthy again", "/healthz", http.StatusOK, "ok")
	parttest.Await(t, "the end of the alarm", func() bool {
		code, body, err := p.get("/")
		return err == nil && code == http.StatusOK && !strings.Contains(body, "không trả lời")
	})
	p.stop()
	if out := p.once("log", "count"); !strings.Contains(out, fmt.Sprintf("%d batches in the log", batches)) {
		t.Error(out)
	}
}

// keys makes a key for backups and returns the file with it.
func (p *process) keys() (identity string) {
	p.t.Helper()
	identity = p.path("secret.txt")
	cmd := p.command("backup", "key")
	out, err := cmd.Output()
	if err == nil {
		err = os.WriteFile(identity, out, 0o600)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	return identity
}

func TestBackup_KilledAtAnyMomentLeavesNoHalfFile(t *testing.T) {
	p := newProcess(t, "{ engine: sqlite }", "")
	p.amend("backup: { dir: copies, recipients_file: backup.keys }")
	id := p.keys()
	fleet := p.fleetOf(2000, "gw-one")
	p.start()
	p.deliverAll(fleet)()
	begin := time.Now()
	p.once("backup", "--no-drill")
	whole := 2 * time.Since(begin)
	kills, finished := parttest.Effort(t, 5, 15, 60, 200), 0
	for i := range kills {
		ctx, cancel := context.WithTimeout(t.Context(), whole*time.Duration(i+1)/time.Duration(kills))
		cmd := exec.CommandContext(ctx, os.Args[0], "backup", "--no-drill", "--config", p.path("server.yaml"), "--to", p.path(fmt.Sprint("x", i)))
		cmd.Env, cmd.Dir = append(os.Environ(), asServer+"=1"), p.dir
		out, err := cmd.CombinedOutput() // SIGKILL when the time is up
		cancel()
		if err != nil && strings.Contains(string(out), "server:") {
			t.Fatalf("%d: not killed, but failed: %v %s", i, err, out)
		}
		file := p.path(fmt.Sprint("x", i))
		switch _, serr := os.Stat(file); {
		case errors.Is(serr, fs.ErrNotExist) && err == nil:
			t.Errorf("%d: done, and no file", i)
		case serr != nil && !errors.Is(serr, fs.ErrNotExist):
			t.Error(serr)
		case serr == nil:
			finished++
			p.once("backup", "drill", file, "--identity", id)
		}
	}
	p.once("backup", "--no-drill", "--to", p.path("last"))
	left, err := filepath.Glob(p.path("data/*.tmp"))
	if err != nil || len(left) > 0 {
		t.Errorf("left: %q, %v", left, err)
	}
	t.Logf("%d kills within %v, %d backups were finished, each restored", kills, whole, finished)
	p.stop()
}

func TestServer_BacksUpByItselfAndShowsIt(t *testing.T) {
	p := newProcess(t, "{ engine: sqlite }", "")
	p.amend("backup: { dir: copies, recipients_file: backup.keys }")
	id := p.keys()
	p.once("farm", "demo")
	p.start()
	p.awaitPage("the system page", "/system", http.StatusOK, "Đã sao lưu và thử phục hồi")
	if p.metric("aovuon_backup_made_timestamp_seconds") < 1 {
		t.Error("no metric")
	}
	files, err := filepath.Glob(p.path("copies/*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%q, %v", files, err)
	}
	p.once("backup", "drill", files[0], "--identity", id)
	if err := os.Remove(files[0]); err != nil {
		t.Fatal(err)
	}
	p.awaitPage("what is missing is said", "/system", http.StatusOK, "Không thấy tệp sao lưu cuối")
	p.stop()
}

func TestBackup_OfPostgresIsTriedAndRestored(t *testing.T) {
	parttest.Tool(t, "pg_dump")
	p, pg := onPostgres(t)
	write := func(name string) string {
		if err := os.WriteFile(p.path(name), []byte(pg.Database()), 0o600); err != nil {
			t.Fatal(err)
		}
		return p.path(name)
	}
	drill, fresh := write("drill.dsn"), write("fresh.dsn")
	p.once("farm", "demo")
	fleet := p.fleetOf(300, "gw-one")
	p.start()
	var wg sync.WaitGroup
	wg.Go(p.deliverAll(fleet))
	if out := p.once("backup", "--plain", "--to", p.path("one.tar.zst")); !strings.Contains(out, "not tried further: the database was not opened") {
		t.Error(out)
	}
	wg.Wait()
	p.amend(fmt.Sprintf("backup: { drill_dsn_file: %s }", drill))
	for range 2 { // the drill leaves its database empty
		if err := os.RemoveAll(p.path("two.tar.zst")); err != nil {
			t.Fatal(err)
		}
		if out := p.once("backup", "--plain", "--to", p.path("two.tar.zst")); !strings.Contains(out, "and 300 batches agree") {
			t.Error(out)
		}
	}
	p.stop()
	out := p.once("restore", p.path("two.tar.zst"), "--to", p.path("new"), "--dsn-file", fresh)
	if !strings.Contains(out, "300 batches against the signed head") {
		t.Error(out)
	}
	if out, err := p.command("restore", p.path("two.tar.zst"), "--to", p.path("newer"), "--dsn-file", fresh).CombinedOutput(); err == nil || !strings.Contains(string(out), "has tables: name an empty one") {
		t.Errorf("%v %s", err, out)
	}
	// The server goes on from the restored database.
	p.amend("data_dir: " + p.path("new"))
	text, err := os.ReadFile(p.path("server.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	for i, l := range lines {
		if strings.HasPrefix(l, "database:") {
			lines[i] = "database: { driver: postgres, dsn_file: fresh.dsn }"
		}
	}
	if err := os.WriteFile(p.path("server.yaml"), []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := p.once("log", "count"); !strings.Contains(out, "300 batches in the log") {
		t.Error(out)
	}
}
