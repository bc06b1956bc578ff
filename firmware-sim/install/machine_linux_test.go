package install_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"aovuon/server/parttest"
)

// machine is a computer with a clean Debian: its disk is a folder, its network is its own.
type machine struct {
	t     testing.TB
	disk  string
	boot  *exec.Cmd
	init  int           // pid of its systemd, seen from outside; 0: it is off
	log   *bytes.Buffer // of its console, since it was switched on
	done  chan struct{} // closed once it is off
	ended error         // how, once done is closed
	http  *http.Client
}

// newMachine unpacks a clean Debian and switches it on.
func newMachine(t testing.TB) *machine {
	t.Helper()
	if os.Getuid() != 0 {
		parttest.Missing(t, "root", "run as root: a machine is booted for the packages")
	}
	nspawn := parttest.Tool(t, "systemd-nspawn")
	parttest.Tool(t, "mmdebstrap")
	m := &machine{t: t, disk: t.TempDir()}
	if out, err := exec.Command("../../.ci/root").CombinedOutput(); err != nil { // made by .ci/parts meanwhile: waits for it
		t.Fatalf(".ci/root: %v\n%s", err, out)
	}
	arch := strings.TrimSpace(output(t, "dpkg", "--print-architecture"))
	output(t, "tar", "-xpf", "../../.bin/root-"+arch+".tar", "-C", m.disk)
	if err := os.WriteFile(filepath.Join(m.disk, "etc/hostname"), []byte("hop-ao\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	// Where the simulated buses are, as devices are in /dev.
	if err := os.MkdirAll(filepath.Join(m.disk, "srv/sim"), 0o755); err != nil {
		t.Fatal(err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	m.http = &http.Client{Jar: jar, Timeout: time.Minute, Transport: &http.Transport{DialContext: m.dial, DisableKeepAlives: true}}
	m.on(nspawn)
	t.Cleanup(m.cut)
	return m
}

// on switches it on and waits until everything that starts by itself has.
func (m *machine) on(nspawn string) {
	m.t.Helper()
	m.log, m.done = &bytes.Buffer{}, make(chan struct{})
	m.boot = exec.Command(nspawn, "--quiet", "--boot", "--directory="+m.disk, "--register=no", "--keep-unit", "--private-network", "--console=pipe")
	m.boot.Stdout, m.boot.Stderr = m.log, m.log
	m.boot.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if err := m.boot.Start(); err != nil {
		m.t.Fatal(err)
	}
	go func() {
		m.ended = m.boot.Wait()
		close(m.done)
	}()
	parttest.Await(m.t, "a systemd of its own", func() bool {
		select {
		case <-m.done:
			m.t.Fatalf("the machine does not start: %v\n%s", m.ended, m.log)
		default:
		}
		m.init = initOf(m.boot.Process.Pid)
		return m.init != 0
	})
	parttest.Await(m.t, "its system bus", func() bool {
		_, err := os.Stat(fmt.Sprintf("/proc/%d/root/run/dbus/system_bus_socket", m.init))
		return err == nil
	})
	// "degraded" is a machine, too: its console has no keyboard.
	state, _ := m.try("systemctl", "is-system-running", "--wait")
	if s := strings.TrimSpace(state); s != "running" && s != "degraded" {
		m.t.Fatalf("the machine is %q:\n%s", s, m.log)
	}
}

// initOf is the child of systemd-nspawn that is pid 1 of the machine; 0 while there is none.
func initOf(pid int) int {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return 0
	}
	for child := range strings.FieldsSeq(string(raw)) {
		name, err := os.ReadFile("/proc/" + child + "/comm")
		if err != nil || strings.TrimSpace(string(name)) != "systemd" {
			continue
		}
		var n int
		if _, err := fmt.Sscan(child, &n); err == nil {
			return n
		}
	}
	return 0
}

// cut takes the power away: nothing in it gets to say goodbye.
func (m *machine) cut() {
	if m.init == 0 {
		return
	}
	for _, pid := range []int{m.init, -m.boot.Process.Pid} {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			m.t.Error(err)
		}
	}
	<-m.done
	m.init = 0
}

// run has a command run in the machine, as root, and returns what it printed; the test ends when it fails.
func (m *machine) run(command ...string) string {
	m.t.Helper()
	out, ok := m.try(command...)
	if !ok {
		journal, _ := m.try("journalctl", "--no-pager", "-n", "60", "-o", "cat")
		m.t.Fatalf("%s failed\n%s\n\n%s", strings.Join(command, " "), out, journal)
	}
	return out
}

// try is run for what may fail.
func (m *machine) try(command ...string) (said string, ok bool) {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(m.t.Context(), 4*time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, "nsenter", append([]string{"--target", fmt.Sprint(m.init), "--all", "--wdns=/", "--"}, command...)...)
	c.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive", "HOME=/root"}
	out, err := c.CombinedOutput()
	return string(out), err == nil
}

// dial opens a connection in the machine's network.
func (m *machine) dial(ctx context.Context, network, address string) (conn net.Conn, err error) {
	elsewhere.Do(func() {
		ns, openErr := os.Open(fmt.Sprintf("/proc/%d/ns/net", m.init))
		if openErr != nil {
			err = fmt.Errorf("the machine's network: %w", openErr)
			return
		}
		err = errors.Join(unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET), ns.Close())
		if err == nil {
			conn, err = (&net.Dialer{FallbackDelay: -1}).DialContext(ctx, network, address)
		}
	})
	return conn, err
}

// elsewhere runs functions on a thread of its own, which may be in another network and ends with the program alone: a child that another thread
// started would end with that thread.
var elsewhere = thread(make(chan func()))

type thread chan func()

func (t thread) start() {
	runtime.LockOSThread()
	for f := range t {
		f()
	}
}

// Do runs f there, and waits for it.
func (t thread) Do(f func()) {
	done := make(chan struct{})
	t <- func() { defer close(done); f() }
	<-done
}

// page gets a page of the machine.
func (m *machine) page(url string) (int, string) {
	m.t.Helper()
	status, body, err := m.ask(url)
	if err != nil {
		m.t.Fatal(err)
	}
	return status, body
}

func (m *machine) ask(url string) (int, string, error) {
	res, err := m.http.Get(url)
	if err != nil {
		return 0, "", err
	}
	body, err := io.ReadAll(res.Body)
	return res.StatusCode, string(body), errors.Join(err, res.Body.Close())
}

// put copies a file into the machine.
func (m *machine) put(from, to string) {
	m.t.Helper()
	output(m.t, "cp", from, filepath.Join(m.disk, to))
}

// read returns a file of the machine.
func (m *machine) read(name string) string {
	m.t.Helper()
	raw, err := os.ReadFile(filepath.Join(m.disk, name))
	if err != nil {
		m.t.Fatal(err)
	}
	return string(raw)
}

// write changes a file of the machine and keeps owner and mode.
func (m *machine) write(name, text string) {
	m.t.Helper()
	if err := os.WriteFile(filepath.Join(m.disk, name), []byte(text), 0o600); err != nil {
		m.t.Fatal(err)
	}
}

func output(t testing.TB, name string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}
