package story_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aovuon/gateway/wire"
	"aovuon/server/parttest"
)

// workshop is a maker's: it builds programs and signs them.
type workshop struct {
	t    *testing.T
	dir  string
	key  string
	real string // a gateway program, of version 9.1
}

// newWorkshop builds the real program under a version that the one of the test, which has none, is older than.
func newWorkshop(t *testing.T) *workshop {
	t.Helper()
	w := &workshop{t: t, dir: tempFolder(t)}
	w.key = filepath.Join(w.dir, "maker.key")
	once(t, "gateway", "release", "key", w.key)
	w.real = filepath.Join(w.dir, "gateway-9.1")
	w.build(w.real, "9.1+good")
	return w
}

func (w *workshop) build(to, version string) {
	w.t.Helper()
	tool := parttest.Tool(w.t, "go")
	cmd := exec.CommandContext(w.t.Context(), tool, "build", "-ldflags", "-s -w -X aovuon/gateway/update.stamped="+version, "-o", to, "aovuon/gateway")
	if out, err := cmd.CombinedOutput(); err != nil {
		w.t.Fatalf("build: %v\n%s", err, out)
	}
}

// script makes a program of version v that is a shell script.
func (w *workshop) script(v, text string) string {
	w.t.Helper()
	path := filepath.Join(w.dir, "gateway-"+v)
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o700); err != nil {
		w.t.Fatal(err)
	}
	return path
}

func (w *workshop) sign(path, version string, more ...string) string {
	w.t.Helper()
	args := append([]string{"release", "sign", "--key", w.key, "--version", version, "--platform", platform(w.t)}, more...)
	once(w.t, "gateway", append(args, path)...)
	return path + ".release"
}

// platform is what this machine is.
func platform(t *testing.T) string {
	t.Helper()
	var v struct{ Platform string }
	if err := json.Unmarshal([]byte(once(t, "gateway", "version", "--json")), &v); err != nil {
		t.Fatal(err)
	}
	return v.Platform
}

// program is what the gateway said last of its program, as the server has it.
func (f *field) program() wire.ProgramReport {
	f.t.Helper()
	r, err := f.database().Report(f.t.Context(), gatewayID)
	if err != nil {
		f.t.Fatal(err)
	}
	if r.Program == nil {
		return wire.ProgramReport{}
	}
	return *r.Program
}

func (f *field) awaitProgram(version string, state wire.ProgramState, code string) {
	f.t.Helper()
	var p wire.ProgramReport
	awaitWithin(f.t, time.Minute, fmt.Sprintf("version %q %s %s", version, state, code), func() (bool, string) {
		p = f.program()
		return p.Version == version && p.State == state && p.Code == code, fmt.Sprintf("%+v", p)
	})
}

func (f *field) roll(args ...string) {
	f.t.Helper()
	once(f.t, "server", append([]string{"release", "roll", "--config", f.path("server.yaml")}, args...)...)
}

func (f *field) addRelease(manifest string) {
	f.t.Helper()
	once(f.t, "server", "release", "add", "--config", f.path("server.yaml"), manifest)
}

// TestUpdate_GoodCrashingMute: a gateway takes a program from its co-op's server, and goes back from one that crashes and from
// one that works and never reports; no reading is lost or doubled on the way.
func TestUpdate_GoodCrashingMute(t *testing.T) {
	t.Parallel()
	f := newField(t, setting{devices: one(), pace: pace{commit: 100 * time.Millisecond, seal: 300 * time.Millisecond}})
	w := newWorkshop(t)
	file := f.read("gateway.yaml")
	keyed := fmt.Sprintf("%supdate: { key_file: %q, url: %q, within: 8s, rate: 1GB }\n", file, w.key+".vkey", f.web)
	f.write("gateway.yaml", keyed)
	f.startSim()
	f.startServer()
	f.gateway.start()
	f.awaitProgram("", wire.ProgramCurrent, "")

	// A good one.
	f.addRelease(w.sign(w.real, "9.1+good"))
	f.roll("9.1+good", gatewayID)
	f.awaitProgram("9.1+good", wire.ProgramCurrent, "")
	before := f.released()
	f.awaitReceiptsAfter(before)
	f.awaitPage("/gateways/"+gatewayID, "9.1&#43;good")

	// One that crashes.
	f.addRelease(w.sign(w.script("9.2", "echo cannot go on >&2; exit 7"), "9.2"))
	f.roll("9.2", gatewayID)
	f.awaitProgram("9.1+good", wire.ProgramRolledBack, "crash")
	if why := f.program().Why; !strings.Contains(why, "exit status 7") || !strings.Contains(why, "cannot go on") {
		t.Errorf("why: %q", why)
	}
	f.awaitPage("/gateways/"+gatewayID, "9.2", f.words()["program.why.crash"])

	// One that works and reports to nobody: the good program with a server that is not there.
	mute := f.path("mute.yaml")
	f.write("mute.yaml", strings.ReplaceAll(keyed, f.mqtt, "tcp://127.0.0.1:1"))
	f.addRelease(w.sign(w.script("9.3", fmt.Sprintf("exec %s run --config %s", w.real, mute)), "9.3"))
	f.roll("9.3", gatewayID)
	f.awaitProgram("9.1+good", wire.ProgramRolledBack, "mute")
	f.awaitReceiptsAfter(f.released())

	// One that was signed by somebody else, and one that is older.
	forger := &workshop{t: t, dir: w.dir, key: filepath.Join(w.dir, "forger.key")}
	once(t, "gateway", "release", "key", forger.key)
	f.addRelease(forger.sign(forger.script("9.4", "exit 0"), "9.4"))
	f.roll("9.4", gatewayID)
	f.awaitProgram("9.1+good", wire.ProgramRefused, "signature")
	f.addRelease(w.sign(w.script("9.0", "exit 0"), "9.0"))
	f.roll("9.0", gatewayID)
	f.awaitProgram("9.1+good", wire.ProgramRefused, "older")

	// The power goes; the program that came from afar is in force again, without the server's word.
	killed := time.Now()
	f.gateway.kill()
	lost := interrupted(killed.Add(-f.pace.commit), time.Now())
	f.gateway.start()
	f.awaitReceiptsAfter(f.released())
	if st := once(t, "gateway", "update", "--config", f.path("gateway.yaml")); !strings.Contains(st, "running 9.1+good") {
		t.Error(st)
	}
	if status, _, err := f.get("/releases/9.1+good/" + strings.ReplaceAll(platform(t), "/", "-") + ".release"); err != nil || status != http.StatusOK {
		t.Error(status, err)
	}
	f.settle("programs that came and went", append(f.handovers(), lost)...)
}

// handovers are the times in which one program gave its place to another: a question that was under way then is cut off, as by
// Ctrl-C; the probe may answer when nobody listens any more.
func (f *field) handovers() (out []window) {
	f.t.Helper()
	for line := range strings.Lines(f.gateway.Out.Tail(1 << 20)) {
		if !strings.Contains(line, "stopped; everything read is on disk") {
			continue
		}
		stamp, _, _ := strings.Cut(strings.TrimPrefix(line, "time="), " ")
		at, err := time.Parse(time.RFC3339, stamp)
		if err != nil {
			f.t.Fatal(err)
		}
		out = append(out, interrupted(at.Add(-2*time.Second), at.Add(time.Second)))
	}
	if len(out) < 5 { // the first program, the good one on trial, before each of two bad ones, the mute one
		f.t.Errorf("%d handovers", len(out))
	}
	return out
}
