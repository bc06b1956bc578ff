package app_test

import (
	"bufio"
	"database/sql" //nolint:depguard // damages the spool file on purpose
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"aovuon/gateway/spool"
	"aovuon/gateway/wire"
	"aovuon/server/parttest"
)

// process is `gateway run` as a program of its own, whose log can be waited for.
type process struct {
	t   *testing.T
	cmd *exec.Cmd
	log *bufio.Scanner
	all strings.Builder
}

// startGateway runs the program.
func startGateway(t *testing.T, config string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.Command(os.Args[0])} // ended by signals
	p.cmd.Args = []string{"gateway", "run", "--config", config}
	errs, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.log = bufio.NewScanner(errs)
	t.Cleanup(func() {
		if p.cmd.ProcessState == nil {
			t.Log(p.cmd.Process.Kill(), p.cmd.Wait())
		}
		if t.Failed() {
			t.Log(p.all.String())
		}
	})
	return p
}

// asked is what the log says once the probes were asked: the one that is not there comes after the one that is.
const asked = "sensor fault began"

// await reads the log until it has said every one of texts, in whatever order.
func (p *process) await(texts ...string) {
	p.t.Helper()
	missing := slices.Clone(texts)
	for len(missing) > 0 && p.log.Scan() {
		p.all.WriteString(p.log.Text() + "\n")
		missing = slices.DeleteFunc(missing, func(text string) bool { return strings.Contains(p.log.Text(), text) })
	}
	if len(missing) > 0 {
		p.t.Fatalf("the program ended without saying %q", missing)
	}
}

// stop ends the program as systemd does; it must end well.
func (p *process) stop() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	p.await("everything read is on disk")
	for p.log.Scan() {
		p.all.WriteString(p.log.Text() + "\n")
	}
	if err := p.cmd.Wait(); err != nil {
		p.t.Error(err)
	}
}

// newPond is a gateway that asks a thermometer every second, and once one that is not there, with its data folder on a file system of its own of so many
// MB; 0 is none of its own.
func newPond(t *testing.T, megabytes string) (config, data string) {
	t.Helper()
	config, _ = newGateway(t)
	data = filepath.Join(filepath.Dir(config), "data")
	key, err := wire.CreateKey(filepath.Join(filepath.Dir(config), "server.key"), "htx-test")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(raw), "every: 60s}", "every: 1s}, {id: ao2-temp, kind: ds18b20, bus: w, device: 28-0123456789ac, every: 1h}", 1) +
		"clock: {assume_synced: true}\nseal: {commit_every: 50ms, every: 100ms, offline_every: 100ms}\n" +
		"key_file: gateway.key\npassword_file: mqtt.secret\n"
	for name, content := range map[string]string{config: text, filepath.Join(filepath.Dir(config), "server.vkey"): key + "\n"} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"gateway.key", "mqtt.secret"} {
		if err := os.Rename(filepath.Join(data, name), filepath.Join(filepath.Dir(config), name)); err != nil {
			t.Fatal(err)
		}
	}
	if megabytes == "" {
		return config, data
	}
	parttest.Disk(t, data, megabytes)
	return config, data
}

// held counts the readings of a stopped gateway's spool and returns when the first was taken.
func held(t *testing.T, data string) (n int, first time.Time, gaps []wire.Gap) {
	t.Helper()
	s, _, err := spool.Open(t.Context(), filepath.Join(data, "spool.db"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	batches, err := s.After(t.Context(), s.Epoch(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, sealed := range batches {
		b, err := wire.OpenUnverified(sealed.Body)
		if err != nil {
			t.Fatal(err)
		}
		gaps = append(gaps, b.Gaps...)
		for _, r := range b.Readings {
			if n++; n == 1 {
				first = r.Time.Wall
			}
		}
	}
	return n, first, gaps
}

// TestRun_StartsOnADiskThatIsReadOnly: it asks the probes, keeps what they say in memory, says so, and has all of it on
// disk when the disk takes it.
func TestRun_StartsOnADiskThatIsReadOnly(t *testing.T) {
	t.Parallel()
	config, data := newPond(t, "8")
	parttest.SetReadOnly(t, data, true)
	p := startGateway(t, config)
	p.await("the disk does not take readings", asked)
	back := time.Now()
	parttest.SetReadOnly(t, data, false)
	p.await("the disk takes readings again")
	p.stop()
	if n, first, gaps := held(t, data); n == 0 || !first.Before(back) || len(gaps) != 0 {
		t.Errorf("%d readings, the first of %v, the disk was back at %v, gaps %v", n, first, back, gaps)
	}
}

// TestRun_StartsOnADiskThatIsFull, and goes on when there is room.
func TestRun_StartsOnADiskThatIsFull(t *testing.T) {
	t.Parallel()
	config, data := newPond(t, "8")
	ballast := filepath.Join(data, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 9<<20), 0o600); err == nil {
		t.Fatal("the disk is not full")
	}
	p := startGateway(t, config)
	p.await("the disk does not take readings", asked)
	back := time.Now()
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	p.await("the disk takes readings again")
	p.stop()
	if n, first, gaps := held(t, data); n == 0 || !first.Before(back) || len(gaps) != 0 {
		t.Errorf("%d readings, the first of %v, the disk had room at %v, gaps %v", n, first, back, gaps)
	}
}

// TestRun_SetsACorruptSpoolAsideAndGoesOn, without a restart, and with what can be read back.
func TestRun_SetsACorruptSpoolAsideAndGoesOn(t *testing.T) {
	t.Parallel()
	config, data := newPond(t, "")
	p := startGateway(t, config)
	p.await("the spool is open", asked)
	path := filepath.Join(data, "spool.db")
	parttest.Await(t, "a reading is in it", func() bool {
		st, err := spool.ReadStats(t.Context(), path)
		return err == nil && st.Sealed > 0
	})
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), `UPDATE state SET crc = 0`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	damaged := time.Now()
	p.await("a corrupt spool file is set aside")
	p.await("read back what could be read")
	p.stop()
	n, first, gaps := held(t, data)
	if n == 0 || !first.Before(damaged) || len(gaps) == 0 || gaps[0].Reason != wire.GapSpoolCorrupt {
		t.Errorf("%d readings, the first of %v, damage at %v, gaps %v", n, first, damaged, gaps)
	}
	if aside, err := filepath.Glob(path + ".corrupt-*"); err != nil || len(aside) == 0 {
		t.Errorf("nothing was set aside: %v", err)
	}
}

// TestRun_RefusesASpoolOfALaterProgram: that is no fault of the disk, and waiting mends nothing.
func TestRun_RefusesASpoolOfALaterProgram(t *testing.T) {
	t.Parallel()
	config, data := newPond(t, "")
	path := filepath.Join(data, "spool.db")
	s, _, err := spool.Open(t.Context(), path, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), `PRAGMA user_version = 9; UPDATE state SET crc = 0`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	p := startGateway(t, config)
	p.await("gateway: ")
	if !strings.Contains(p.all.String(), "update the program") {
		t.Error("it does not say what to do")
	}
	for p.log.Scan() { // to its end
	}
	if err := p.cmd.Wait(); err == nil {
		t.Error("it ended as if all were well")
	}
}
