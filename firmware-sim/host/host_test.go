package host_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"aovuon/firmware-sim/child"
	"aovuon/firmware-sim/control"
	"aovuon/firmware-sim/disk"
	"aovuon/firmware-sim/field"
	"aovuon/firmware-sim/host"
	"aovuon/gateway/sense"
)

// TestMain makes the test binary stand in for the simulator that puts programs on cards, and for a gateway that says what its
// machine is and lives until it is told to end.
func TestMain(m *testing.M) {
	args := os.Args
	switch {
	case len(args) > 3 && args[0] == "firmware-sim" && args[1] == "on-card":
		if err := disk.Enter(3, args[3:]); err != nil {
			os.Exit(4)
		}
	case len(args) == 4 && args[1] == "run" && args[2] == "--config":
		os.Exit(gateway(args[3]))
	}
	goleak.VerifyTestMain(m)
}

// gateway is a program that writes what it knows of its machine into its data folder, and ends as it is told by a file there.
func gateway(config string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	data := filepath.Join(filepath.Dir(config), "data")
	root := os.Getenv("AOVUON_MACHINE")
	_, healthy := os.Stat(filepath.Join(data, "die"))
	at := sense.NewSystemClock(sense.SystemClockOptions{Root: root, Simulated: true}).Now()
	line := fmt.Sprintf("%s %s %d\n", at.Boot, at.Clock, os.Getpid())
	f, err := os.OpenFile(filepath.Join(data, "boots"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return 5
	}
	if _, err := f.WriteString(line); err != nil {
		return 6
	}
	if err := errors.Join(f.Sync(), f.Close(), os.WriteFile(filepath.Join(data, "unsynced"), []byte("gone"), 0o600)); err != nil {
		return 7
	}
	if _, err := os.Stdout.WriteString("it runs\n"); err != nil {
		return 8
	}
	if healthy == nil {
		return 9
	}
	<-ctx.Done()
	return 0
}

// screen collects what is printed.
type screen struct {
	mu   sync.Mutex
	text strings.Builder
}

func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

const places = `
seed: 5
places: [{ id: ao1, kind: pond }]
buses: [{ id: i2c, socket: ao1.sock }, { id: pins, pins: pins.sock }]
devices:
  - { id: ao1-do, kind: ezo-do, bus: i2c, address: 0x61, place: ao1 }
  - { id: ao1-quat, kind: aerator, bus: pins, pin: quat, place: ao1, amps: 3.2, rate: 1 }
`

// rig is a host at work.
type rig struct {
	t      *testing.T
	dir    string
	desk   *control.Desk
	screen *screen
	stop   func() error
}

func self(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// prepare makes a field, and the machines that text adds to it.
func prepare(t *testing.T, dir, text string) (*host.Host, *field.Field, *screen, error) {
	t.Helper()
	write(t, filepath.Join(dir, "gw-1", "gateway.yaml"), "gateway: gw-1\nserver: { url: tcp://127.0.0.1:1 }\nbuses: { a: { i2c: \"unix:../ao1.sock\" } }\n"+
		"aerators: [{ relay: { pin: \"unix:../pins.sock#quat\" } }]\n")
	file := filepath.Join(dir, "field.yaml")
	write(t, file, places+text)
	c, err := field.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	f, err := field.New(c, field.Options{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	s := &screen{}
	household := child.NewHousehold(child.NewScreen(s), "gw-1")
	t.Cleanup(household.Close)
	h, err := host.New(t.Context(), c, f, host.Options{Household: household, Sim: self(t), Gateway: self(t), Now: time.Now, Log: slog.New(slog.NewTextHandler(s, nil))})
	return h, f, s, err
}

func start(t *testing.T, text string) *rig {
	t.Helper()
	dir, err := os.MkdirTemp("", "aovuon-host-") //nolint:usetesting // a Unix socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Log(err)
		}
	})
	h, f, s, err := prepare(t, dir, text)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background()) // its end is awaited
	up, done := make(chan struct{}), make(chan error, 1)
	go func() { done <- h.Run(ctx, func() { close(up) }) }()
	r := &rig{t: t, dir: dir, desk: f.Desk(), screen: s}
	r.stop = sync.OnceValue(func() error {
		cancel()
		return <-done
	})
	t.Cleanup(func() {
		if err := r.stop(); err != nil {
			t.Errorf("Run: %v\n%s", err, s)
		}
	})
	select {
	case <-up:
	case err := <-done:
		done <- err
		t.Fatalf("it ended before it was up\n%s", s)
	}
	return r
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
}

func (r *rig) tell(line string) []string {
	r.t.Helper()
	lines, err := r.desk.Do(r.t.Context(), line)
	if err != nil {
		r.t.Errorf("%s: %v", line, err)
	}
	return lines
}

// is waits until list says so of the gateway.
func (r *rig) is(want string) {
	r.t.Helper()
	r.await(want, func() bool {
		lines := r.tell("gateway list")
		return len(lines) == 1 && strings.HasPrefix(lines[0], "gw-1 "+want)
	})
}

func (r *rig) await(what string, holds func() bool) {
	r.t.Helper()
	late := time.Now().Add(time.Minute)
	for !holds() {
		if time.Now().After(late) {
			r.t.Fatalf("never: %s; %v\n%s", what, r.tell("gateway list"), r.screen)
		}
		t := time.NewTimer(5 * time.Millisecond)
		<-t.C
	}
}

// boots waits until the gateway has begun so often, and returns what it said each time: boot id, clock state, process id.
func (r *rig) boots(n int) (list [][]string) {
	r.t.Helper()
	r.await(fmt.Sprintf("%d starts", n), func() bool {
		raw, err := os.ReadFile(filepath.Join(r.dir, "gw-1", "data", "boots"))
		if err != nil {
			return false
		}
		list = nil
		for line := range strings.Lines(string(raw)) {
			list = append(list, strings.Fields(line))
		}
		last, err := os.ReadFile(filepath.Join(r.dir, "gw-1", "data", "unsynced")) // what it writes when the others are synchronised
		return len(list) >= n && err == nil && len(last) > 0
	})
	return list
}

const one = "gateways: [{ id: gw-1, config: gw-1/gateway.yaml }]\n"

func TestGateway_PowerCutIsAnotherBoot(t *testing.T) {
	r := start(t, one)
	first := r.boots(1)[0]
	if err := os.Remove(filepath.Join(r.dir, "gw-1", "data", "unsynced")); err != nil {
		t.Fatal(err)
	}
	r.tell("gateway gw-1 restart")
	if second := r.boots(2)[1]; second[0] != first[0] || second[1] != "synced" {
		t.Errorf("a restart: %v, then %v; want the same boot", first, second)
	}
	unsynced := filepath.Join(r.dir, "gw-1", "data", "unsynced")
	lost := r.tell("gateway gw-1 power-cut")
	if b, err := os.ReadFile(unsynced); err != nil || len(b) != 0 {
		t.Errorf("%q survived a power cut (%v, %v)", b, lost, err)
	}
	r.is("no-power pid=0 ")
	for _, line := range []string{"gateway gw-1 power-cut", "gateway gw-1 brown-out"} {
		if _, err := r.desk.Do(t.Context(), line); err == nil || !strings.Contains(err.Error(), "has no power") {
			t.Errorf("%s without power: %v", line, err)
		}
	}
	r.tell("gateway gw-1 clock unsynced")
	r.tell("gateway gw-1 start")
	third := r.boots(3)[2]
	if third[0] == first[0] || third[1] != "unsynced" {
		t.Errorf("after a power cut: %v, before %v; want another boot, and no clock", third, first)
	}
	r.is("running ")
	r.tell("gateway all power-cut 10ms")
	if fourth := r.boots(4)[3]; fourth[0] == third[0] {
		t.Error("the power came back, and no other boot")
	}
	if _, err := r.desk.Do(t.Context(), "gateway gw-1 start"); err == nil || !strings.Contains(err.Error(), "runs already") {
		t.Errorf("started twice: %v", err)
	}
}

func TestGateway_EndsByItself(t *testing.T) {
	for name, tc := range map[string]struct {
		text string
		want string
	}{
		"never":  {one, "ended "},
		"always": {strings.Replace(one, " }", ", restart: always }", 1), "running "},
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t, tc.text)
			r.boots(1)
			die := filepath.Join(r.dir, "gw-1", "data", "die")
			write(t, die, "")
			r.tell("gateway gw-1 restart")
			r.boots(2)
			r.await("the end", func() bool { return strings.Contains(r.screen.String(), "gateway ended by itself") })
			if err := os.Remove(die); err != nil {
				t.Fatal(err)
			}
			r.is(tc.want)
			if strings.HasPrefix(tc.want, "ended") {
				if line := r.tell("gateway list")[0]; !strings.HasSuffix(line, "how=exit status 9") {
					t.Error(line)
				}
				r.tell("gateway gw-1 start")
				r.is("running ")
			}
		})
	}
}

func TestGateway_ClockAndSupply(t *testing.T) {
	r := start(t, strings.Replace(one, " }", ", rtc: true, start: false }", 1))
	r.is("stopped pid=0 disk=ok refused=0 clock=ok")
	for _, step := range [][2]string{
		{"+3h", "+10800s"}, {"-1y", "-31536000s"}, {"-90s", "-90s"}, {"+1.5d", "+129600s"}, {"ok", "ok"}, {"unsynced", "unsynced"}, {"+3h", "+10800s+unsynced"}, {"unset", "unset"}, {"ok", "ok"},
	} {
		r.tell("gateway gw-1 clock " + step[0])
		r.is("stopped pid=0 disk=ok refused=0 clock=" + step[1] + " ")
	}
	for _, bad := range []string{"noon", "3h", "+3", "+h", "+NaNh", "+200y", "+3w", "", "ok now"} {
		if _, err := r.desk.Do(t.Context(), "gateway gw-1 clock "+bad); !errors.Is(err, control.ErrUsage) {
			t.Errorf("clock %s: %v", bad, err)
		}
	}
	r.tell("gateway gw-1 clock unsynced")
	r.tell("gateway gw-1 start")
	if boot := r.boots(1)[0]; boot[1] != "rtc" {
		t.Errorf("with a battery-backed clock: %v", boot)
	}
	supply := func(want string) {
		t.Helper()
		r.await("a supply of "+want, func() bool {
			b, err := os.ReadFile(filepath.Join(r.dir, "machines", "gw-1", "sys/devices/platform/soc/soc:firmware/get_throttled"))
			return err == nil && strings.TrimSpace(string(b)) == want
		})
	}
	supply("0")
	r.tell("gateway gw-1 brown-out 1h")
	supply("50005")
	r.tell("gateway gw-1 brown-out 1ms")
	supply("50000")
	r.is("running ")
}

func TestGateway_Card(t *testing.T) {
	r := start(t, one)
	r.boots(1)
	lines, err := r.desk.Do(t.Context(), "gateway gw-1 sd-readonly")
	if errors.Is(err, disk.ErrUnavailable) {
		t.Skipf("SKIPPED: %v", err)
	}
	if err != nil || len(lines) != 0 {
		t.Fatal(lines, err)
	}
	r.is("running ")
	r.tell("gateway gw-1 restart") // it cannot write what it wants to
	r.await("an end", func() bool { return strings.Contains(r.screen.String(), "exit status 5") })
	r.is("ended pid=0 disk=read-only refused=1 ")
	r.tell("gateway gw-1 sd-ok")
	r.tell("gateway gw-1 start")
	r.boots(2)
	r.tell("gateway gw-1 sd-full 1.5")
	r.is("running ")
	if line := r.tell("gateway list")[0]; !strings.Contains(line, " disk=full ") {
		t.Error(line)
	}
	for _, bad := range []string{"sd-full much", "sd-full -1", "sd-full 1 2", "sd-ok 1", "love", "power-cut soon", "power-cut -1s"} {
		if _, err := r.desk.Do(t.Context(), "gateway gw-1 "+bad); !errors.Is(err, control.ErrUsage) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func TestProgram_BrokerIsGone(t *testing.T) {
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		t.Skip("SKIPPED: no sleep")
	}
	r := start(t, "programs: [{ id: mq, run: ["+sleep+", 1h], broker: true }]\n")
	state := func(want string) {
		t.Helper()
		if lines := r.tell("program list"); len(lines) != 1 || !strings.HasPrefix(lines[0], "mq "+want) || !strings.HasSuffix(lines[0], " broker") {
			t.Errorf("%v; want %s", lines, want)
		}
	}
	state("running pid=")
	r.tell("broker kill")
	state("stopped pid=0")
	r.tell("broker start")
	state("running pid=")
	r.tell("program mq restart")
	state("running pid=")
	for _, bad := range []string{"broker", "broker love", "program mq", "program mq love", "program nobody start", "gateway gw-1 start", "gateway"} {
		if _, err := r.desk.Do(t.Context(), bad); !errors.Is(err, control.ErrUsage) {
			t.Errorf("%s: %v", bad, err)
		}
	}
	if _, err := r.desk.Do(t.Context(), "program all start"); err == nil {
		t.Error("started twice")
	}
}

func TestProgram_BrokerOfOthersIsEveryLink(t *testing.T) {
	r := start(t, strings.Replace(one, " }", ", start: false, link: { listen: \"127.0.0.1:0\", to: \"127.0.0.1:1\" } }", 1))
	said := strings.Join(r.tell("broker kill"), "\n")
	if !strings.Contains(said, "every link is down") || !strings.HasPrefix(r.tell("link list")[0], "gw-1 down ") {
		t.Errorf("%s; %v", said, r.tell("link list"))
	}
	r.tell("broker start")
	if !strings.HasPrefix(r.tell("link list")[0], "gw-1 up ") {
		t.Error(r.tell("link list"))
	}
	alone := start(t, strings.Replace(one, " }", ", start: false }", 1))
	if _, err := alone.desk.Do(t.Context(), "broker kill"); err == nil || !strings.Contains(err.Error(), "programs:") {
		t.Errorf("nothing to cut: %v", err)
	}
}

func TestNew_SaysWhatIsWrong(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := busy.Close(); err != nil {
			t.Error(err)
		}
	}()
	for name, tc := range map[string]struct{ text, says string }{
		"no file":      {"gateways: [{ id: gw-1, config: none.yaml }]", "gateway sample"},
		"another id":   {"gateways: [{ id: gw-2, config: gw-1/gateway.yaml }]", `the configuration of "gw-1"`},
		"no program":   {"gateways: [{ id: gw-1, config: gw-1/gateway.yaml, program: nowhere }]", "make build"},
		"another port": {"gateways: [{ id: gw-1, config: gw-1/gateway.yaml, link: { listen: \"127.0.0.1:2\", to: \"127.0.0.1:3\" } }]", "write url: tcp://127.0.0.1:2"},
		"no server":    {"programs: [{ id: server, run: [./nowhere] }]", "program server"},
	} {
		h, _, _, err := prepare(t, t.TempDir(), tc.text+"\n")
		if err == nil || h != nil || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: %v; want %q", name, err, tc.says)
		}
	}
}

func TestRun_ReportsWhatCannotStart(t *testing.T) {
	dir := t.TempDir()
	program := filepath.Join(dir, "fails")
	if err := os.WriteFile(program, []byte("#!/bin/sh\nexit 3\n"), 0o700); err != nil { //nolint:gosec // it is to be run
		t.Fatal(err)
	}
	h, _, _, err := prepare(t, dir, one+"programs: [{ id: server, run: [./fails], ready: \"127.0.0.1:1\" }]\n")
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Run(t.Context(), func() { t.Error("it is ready") }); err == nil || !strings.Contains(err.Error(), "server ended by itself (exit status 3)") {
		t.Errorf("%v", err)
	}
}
