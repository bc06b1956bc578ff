package app_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"aovuon/firmware-sim/control"
	"aovuon/server/parttest"
)

// port is a loopback address that was free just now.
func port(t *testing.T) string {
	t.Helper()
	for {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if _, given := ports.LoadOrStore(l.Addr().String(), true); !given {
			return l.Addr().String()
		}
	}
}

// ports are the addresses that port gave: what is free now may be one that another part of the same demo was told.
var ports sync.Map

// program is the path of one of the programs that the test binary stands in for.
func program(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

type demoRun struct {
	http, mqtt, dir string
	cmd             *exec.Cmd
	screen          *screen
}

// startDemo starts the demo and waits until it shows where to look.
func startDemo(t *testing.T, dir string, more ...string) *demoRun {
	t.Helper()
	d := &demoRun{http: port(t), mqtt: port(t), dir: dir}
	d.cmd, d.screen = start(t, "firmware-sim", append([]string{
		"demo", "--dir", dir, "--http", d.http, "--mqtt", d.mqtt,
		"--server", program(t, "server"), "--gateway", program(t, "gateway"), "--days", "1", "--every", "1s", "--panel", port(t),
	}, more...)...)
	d.screen.await(t, "Stop:                    Ctrl-C")
	return d
}

// unplug takes a probe out on the field's own page, which then shows that the product knows.
func (d *demoRun) unplug(t *testing.T) {
	t.Helper()
	page := regexp.MustCompile(`The field itself: +(http://localhost:\d+)`).FindStringSubmatch(d.screen.String())
	if page == nil {
		t.Fatalf("no link to the page of the field:\n%s", d.screen)
	}
	awaitPage(t, page[1]+"/place/ao1", []string{"AoVườn nói đúng", "Ao 1"})
	usage := regexp.MustCompile(`value="(set DEVICE FAULT[^"]*)"`).FindStringSubmatch(bodyOf(t, page[1]+"/place/ao1"))[1]
	resp, err := http.PostForm(page[1]+"/do", url.Values{"usage": {usage}, "DEVICE": {"ao1-do"}, "FAULT": {"unplug"}, "back": {"/place/ao1"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("unplug: %d, %v", resp.StatusCode, err)
	}
	awaitPage(t, page[1]+"/place/ao1", []string{"Rút dây", "Không trả lời", "AoVườn biết đầu dò hỏng"})
}

// bodyOf is what a page says.
func bodyOf(t *testing.T, address string) string {
	t.Helper()
	resp, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// stop is Ctrl-C.
func (d *demoRun) stop(t *testing.T) {
	t.Helper()
	if err := d.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := d.cmd.Wait(); err != nil {
		t.Fatalf("Ctrl-C: %v\n%s", err, d.screen)
	}
}

// children are the processes that a process started: pid by command line.
func children(t *testing.T, pid int) map[int]string {
	t.Helper()
	list := make(map[int]string)
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			continue // the thread has ended
		}
		for cell := range strings.FieldsSeq(string(raw)) {
			n, err := strconv.Atoi(cell)
			if err != nil {
				t.Fatal(err)
			}
			line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", n))
			if err != nil {
				continue // a command that has ended
			}
			list[n] = string(bytes.ReplaceAll(line, []byte{0}, []byte{' '}))
		}
	}
	if len(list) == 0 {
		parttest.Missing(t, "/proc/PID/task/TID/children", "run on a Linux kernel with CONFIG_PROC_CHILDREN")
	}
	return list
}

// gone waits until none of the processes is there any more.
func gone(t *testing.T, pids map[int]string) {
	t.Helper()
	late := time.Now().Add(3 * time.Minute)
	for pid, line := range pids {
		for syscall.Kill(pid, 0) == nil && !zombie(pid) {
			if time.Now().After(late) {
				t.Errorf("orphan: %d %s", pid, line)
				break
			}
			time.Sleep(10 * time.Millisecond) // nobody tells of the end of another's child
		}
	}
}

// zombie reports whether a process has ended and only waits for its parent to hear of it.
func zombie(pid int) bool {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || regexp.MustCompile(`\) Z `).Match(raw)
}

// released is how far the server has signed for a gateway's batches.
func released(t *testing.T, dir, id string) (n uint64, epoch string) {
	t.Helper()
	out, err := exec.Command("gateway", "spool", "--config", filepath.Join(dir, id, "gateway.yaml")).Output()
	if err != nil {
		t.Fatal(err)
	}
	var s struct {
		Epoch    string `json:"epoch"`
		Released uint64 `json:"released"`
	}
	if err := json.Unmarshal(out, &s); err != nil {
		t.Fatal(err)
	}
	return s.Released, s.Epoch
}

// awaitPage asks for a page until it says everything that is wanted.
func awaitPage(t *testing.T, address string, want []string) {
	t.Helper()
	late := time.Now().Add(3 * time.Minute)
	for missing := want; len(missing) > 0; {
		resp, err := http.Get(address)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("%s answers %d, %v", address, resp.StatusCode, err)
		}
		if err := resp.Body.Close(); err != nil {
			t.Error(err)
		}
		missing = slices.DeleteFunc(slices.Clone(missing), func(s string) bool { return bytes.Contains(raw, []byte(s)) })
		if time.Now().After(late) {
			t.Fatalf("%s says nothing of %v:\n%s", address, missing, raw)
		}
	}
}

func TestDemo_GoesOnFromWhereItWas(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	d := startDemo(t, dir)
	for _, want := range []string{"preparing", "gw-vuon: 1 days, 18720 readings", "gw-ao-phukhe: 1 days, 23040 readings", "replay: done", "AoVườn: http://localhost:", "/01/09521234010036/10/"} {
		d.screen.await(t, want)
	}
	resp, err := http.Get("http://" + d.http + "/")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("the dashboard answers %d, %v", resp.StatusCode, err)
	}
	if err := resp.Body.Close(); err != nil {
		t.Error(err)
	}
	http.DefaultClient.CloseIdleConnections()
	// Each gateway's own page answers, and knows its probes by all its buses.
	for id, want := range map[string][]string{"gw-ao-phukhe": {"ao1-do", "ao2-do-b", "ao4-quat", "ao1-bao-hoa"}, "gw-vuon": {"khoai1-am", "khoai1-dat", "thuoc1-vpd"}} {
		page := regexp.MustCompile(`The gateway's own page:  (http://127\.0\.0\.1:\d+)  \(` + id + `\)`).FindStringSubmatch(d.screen.String())
		if page == nil {
			t.Fatalf("no link to the page of %s:\n%s", id, d.screen)
		}
		awaitPage(t, page[1], want)
	}
	d.unplug(t)
	d.powerCut(t)
	family := children(t, d.cmd.Process.Pid)
	if len(family) != 3 { // the server, two gateways
		t.Errorf("children: %v", family)
	}
	d.stop(t)
	gone(t, family)
	if !strings.Contains(d.screen.String(), "it goes on from here") {
		t.Errorf("no last word:\n%s", d.screen)
	}
	before, epoch := released(t, dir, "gw-vuon")
	if before < 24 {
		t.Errorf("%d batches delivered of a day's season", before)
	}
	d = startDemo(t, dir)
	for _, never := range []string{"preparing", "season:", "replay:"} {
		if strings.Contains(d.screen.String(), never) {
			t.Errorf("a second start says %q", never)
		}
	}
	late := time.Now().Add(3 * time.Minute)
	for {
		now, same := released(t, dir, "gw-vuon")
		if same != epoch {
			t.Fatalf("epoch %s, was %s", same, epoch)
		}
		if now > before {
			break
		}
		if time.Now().After(late) {
			t.Fatalf("still at %d batches\n%s", now, d.screen)
		}
	}
	d.stop(t)
}

// powerCut takes the power from a gateway and cuts the other's link: neither is a reason to end the demo.
func (d *demoRun) powerCut(t *testing.T) {
	t.Helper()
	socket := regexp.MustCompile(`--control (\S+)`).FindStringSubmatch(d.screen.String())
	if socket == nil {
		t.Fatalf("it does not say how to command it:\n%s", d.screen)
	}
	for _, line := range []string{"gateway gw-vuon power-cut", "link gw-ao-phukhe cut", "gateway gw-vuon start"} {
		if _, err := control.Ask(t.Context(), socket[1], line); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
	lines, err := control.Ask(t.Context(), socket[1], "gateway list")
	if err != nil || len(lines) != 2 || !strings.HasPrefix(lines[0], "gw-ao-phukhe running ") || !strings.HasPrefix(lines[1], "gw-vuon running ") {
		t.Errorf("after a power cut: %q, %v", lines, err)
	}
}

func TestDemo_SaysWhichProgramDied(t *testing.T) {
	d := startDemo(t, filepath.Join(t.TempDir(), "run"), "--days", "0")
	family := children(t, d.cmd.Process.Pid)
	for pid, line := range family {
		if strings.Contains(line, "gw-vuon") {
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := d.cmd.Wait(); err == nil || d.cmd.ProcessState.ExitCode() != 1 {
		t.Errorf("exit %v", err)
	}
	if !strings.Contains(d.screen.String(), "gw-vuon ended by itself (signal: killed)") {
		t.Errorf("it does not say who died:\n%s", d.screen)
	}
	gone(t, family)
}

func TestDemo_LeavesNoOrphansWhenKilled(t *testing.T) {
	d := startDemo(t, filepath.Join(t.TempDir(), "run"), "--days", "0")
	family := children(t, d.cmd.Process.Pid)
	if err := d.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := d.cmd.Wait(); err == nil {
		t.Error("killed, and yet no error")
	}
	gone(t, family)
}

func TestDemo_PortTakenSaysHowToMend(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "run")
	_, complaint, status := run(t, "demo", "--dir", dir, "--http", port(t), "--mqtt", l.Addr().String(),
		"--server", program(t, "server"), "--gateway", program(t, "gateway"))
	if status != 1 || !strings.Contains(complaint, "address already in use") || !strings.Contains(complaint, "--mqtt 127.0.0.1:1884") {
		t.Errorf("%d %s", status, complaint)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("started half: the folder is there")
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

func TestDemo_KeepsHistoryInInflux(t *testing.T) {
	influxd := parttest.Tool(t, "influxd")
	dir := filepath.Join(t.TempDir(), "run")
	d := startDemo(t, dir, "--history", "influx", "--influxd", influxd)
	d.screen.await(t, "history=influx")
	family := children(t, d.cmd.Process.Pid)
	if len(family) != 4 { // influxd, the server, two gateways; the field is in the demo itself
		t.Errorf("children: %v", family)
	}
	address := regexp.MustCompile(`InfluxDB on (\S+),`).FindStringSubmatch(d.screen.String())[1]
	count := func() string {
		resp, err := http.Get("http://" + address + "/query?db=aovuon&q=" + strings.ReplaceAll(`SELECT count(value) FROM water_temperature WHERE time > 0`, " ", "%20"))
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		if err := resp.Body.Close(); err != nil {
			t.Error(err)
		}
		return string(raw)
	}
	late := time.Now().Add(3 * time.Minute)
	for n := 0; n < 4*24*60; { // four ponds, a day; the projection follows the receipts
		if m := regexp.MustCompile(`,(\d+)\]\]`).FindStringSubmatch(count()); m != nil {
			var err error
			if n, err = strconv.Atoi(m[1]); err != nil {
				t.Fatal(err)
			}
		}
		if time.Now().After(late) {
			t.Fatalf("%d of a day's water temperatures in InfluxDB", n)
		}
	}
	http.DefaultClient.CloseIdleConnections()
	d.stop(t)
	gone(t, family)
	startDemo(t, dir, "--history", "influx", "--influxd", influxd).stop(t)
}
