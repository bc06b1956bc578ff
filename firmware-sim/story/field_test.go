package story_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aovuon/firmware-sim/control"
	"aovuon/gateway/spool"
	"aovuon/server/broker"
	"aovuon/server/parttest"
	"aovuon/server/sqldb"
)

// field is one place where the whole product stands: a folder with the configurations, a simulator, a gateway, a server
// and, where asked for, a broker and a database of others.
type field struct {
	t       testing.TB
	dir     string
	devices []device
	pace    pace
	web     string // http://127.0.0.1:port
	mqtt    string // address of the broker, for gateways
	ca      string // of the broker's certificate; empty without TLS

	sim, gateway, server *program

	guests []string  // other gateways that a story enrolled: what they send is not counted
	db     *sqldb.DB // see database

	mosquitto *parttest.MosquittoServer // nil: the server has a broker of its own
	influxd   *parttest.InfluxdServer   // nil: the history is SQLite
}

// setting is what a field may differ in.
type setting struct {
	devices   []device
	pace      pace
	speed     float64 // of the simulated world; 0: 1
	mosquitto bool    // broker outside, TLS and passwords
	influx    bool    // history in InfluxDB
}

// newField makes a field by the programs' own commands, as an installer would. Nothing runs in it yet but the parts of
// others.
func newField(t testing.TB, s setting) *field {
	t.Helper()
	f := &field{t: t, dir: tempFolder(t), devices: s.devices, pace: s.pace, web: "http://" + loopback(freePort(t))}
	if f.pace.commit == 0 {
		f.pace = pace{commit: 200 * time.Millisecond, seal: 500 * time.Millisecond}
	}
	f.mqtt = "tcp://" + loopback(freePort(t))
	f.write("field.yaml", fieldYAML(s.devices, max(s.speed, 1)))
	f.write("farm.yaml", farmYAML(s.devices))
	f.writeGateway(f.pace)
	card := once(t, "gateway", "init", "--config", f.path("gateway.yaml"))
	f.write("card.txt", card)
	if s.mosquitto {
		f.startMosquitto()
		f.writeGateway(f.pace)
	}
	if s.influx {
		f.influxd = parttest.Influxd(t)
	}
	f.write("server.yaml", f.serverYAML())
	once(t, "server", "init", "--config", f.path("server.yaml"))
	f.write("server.vkey", once(t, "server", "key", "--config", f.path("server.yaml")))
	once(t, "server", "gateway", "add", f.path("card.txt"), "--config", f.path("server.yaml"))
	once(t, "server", "farm", "import", f.path("farm.yaml"), "--config", f.path("server.yaml"))
	f.sim = newProgram(t, "firmware-sim", "serve", "--config", f.path("field.yaml"))
	f.gateway = newProgram(t, "gateway", "run", "--config", f.path("gateway.yaml"))
	f.server = newProgram(t, "server", "run", "--config", f.path("server.yaml"))
	return f
}

// tempFolder is t.TempDir with a short path, because a Unix socket's is at most 107 bytes.
func tempFolder(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "aovuon-story-") //nolint:usetesting // see above
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() && os.Getenv("AOVUON_KEEP") != "" {
			t.Logf("kept: %s", dir)
			return
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Logf("remove %s: %v", dir, err)
		}
	})
	return dir
}

func (f *field) path(name string) string { return filepath.Join(f.dir, name) }

func (f *field) write(name, text string) {
	f.t.Helper()
	if err := os.WriteFile(f.path(name), []byte(text), 0o600); err != nil {
		f.t.Fatal(err)
	}
}

func (f *field) read(name string) string {
	f.t.Helper()
	b, err := os.ReadFile(f.path(name))
	if err != nil {
		f.t.Fatal(err)
	}
	return string(b)
}

func (f *field) writeGateway(p pace) {
	f.t.Helper()
	f.write("gateway.yaml", gatewayYAML(f.dir, f.devices, f.mqtt, f.ca, p))
}

// serverSecret is the server's password at an outside broker.
const serverSecret = "mật khẩu của máy chủ"

// startMosquitto starts a broker that lets each gateway at its own topics only, as server/README.md asks.
func (f *field) startMosquitto() {
	f.t.Helper()
	f.mosquitto = parttest.Mosquitto(f.t, parttest.MosquittoOptions{
		TLS:   true,
		Users: map[string]string{gatewayID: strings.TrimSpace(f.read("gw/mqtt.secret")), "server": serverSecret},
		ACL:   broker.MosquittoACL("server"),
	})
	f.mqtt, f.ca = f.mosquitto.URL, f.mosquitto.CAFile
	f.write("broker.secret", serverSecret+"\n")
}

func (f *field) serverYAML() string {
	var b strings.Builder
	fmt.Fprintf(&b, "data_dir: srv\nlisten: %s\npublic_url: %s\nname: htx-thu\naccess: { pages: open }\ndatabase: { driver: sqlite }\n",
		strings.TrimPrefix(f.web, "http://"), f.web)
	if f.influxd != nil {
		fmt.Fprintf(&b, "history: { engine: influx, url: %q, database: %s }\n", f.influxd.URL, f.influxd.Database)
	} else {
		b.WriteString("history: { engine: sqlite }\n")
	}
	if f.mosquitto != nil {
		fmt.Fprintf(&b, "broker: { outside: { url: %q, username: server, password_file: broker.secret, ca_file: %q, group: aovuon } }\n",
			f.mqtt, f.ca)
	} else {
		fmt.Fprintf(&b, "broker: { embedded: { listen: %s } }\n", strings.TrimPrefix(f.mqtt, "tcp://"))
	}
	return b.String()
}

// startSim starts the simulated field and waits until every bus is there.
func (f *field) startSim() {
	f.t.Helper()
	f.sim.start()
	await(f.t, "the simulator's control socket", func() (bool, string) {
		_, err := control.Ask(f.t.Context(), f.path("control.sock"), "list")
		return err == nil, fmt.Sprint(err)
	})
}

// startServer starts the server and waits until its pages answer.
func (f *field) startServer() {
	f.t.Helper()
	f.server.start()
	f.awaitServer()
}

func (f *field) awaitServer() {
	f.t.Helper()
	await(f.t, "the server's pages", func() (bool, string) {
		status, body, err := f.get("/healthz")
		return err == nil && status == http.StatusOK, fmt.Sprint(status, " ", body, " ", err)
	})
}

// get fetches one page in Vietnamese.
func (f *field) get(path string) (status int, body string, err error) {
	ctx, cancel := context.WithTimeout(f.t.Context(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, f.web+path, nil)
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("Accept-Language", "vi")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	raw, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(raw), errors.Join(err, resp.Body.Close())
}

// awaitPage asks for a page until it says every text.
func (f *field) awaitPage(path string, texts ...string) {
	f.t.Helper()
	await(f.t, "page "+path, func() (bool, string) {
		status, body, err := f.get(path)
		if err != nil || status != http.StatusOK {
			return false, fmt.Sprint(status, " ", err)
		}
		for _, text := range texts {
			if !strings.Contains(body, text) {
				return false, fmt.Sprintf("no %q in:\n%s", text, body)
			}
		}
		return true, ""
	})
}

// spool asks the gateway's own command what waits for the server; ok is false before the first start.
func (f *field) spool() (st spool.Stats, ok bool) {
	f.t.Helper()
	if _, err := os.Stat(f.path("gw/spool.db")); errors.Is(err, fs.ErrNotExist) {
		return st, false
	}
	return spoolOf(f.t, f.path("gateway.yaml")), true
}

// spoolOf is what gateway spool says.
func spoolOf(t testing.TB, config string) (st spool.Stats) {
	t.Helper()
	if err := json.Unmarshal([]byte(once(t, "gateway", "spool", "--config", config)), &st); err != nil {
		t.Fatal(err)
	}
	return st
}

// awaitDrained waits until the server has everything the gateway ever read. The gateway must be a quiet one, and the one
// record it makes must have had the time to be committed and sealed.
func (f *field) awaitDrained() spool.Stats {
	f.t.Helper()
	var st spool.Stats
	awaitWithin(f.t, 3*time.Minute, "an empty spool", func() (bool, string) {
		st, _ = f.spool()
		up := time.Since(f.gateway.started)
		return st.Pending == 0 && st.Sealed == 0 && st.NextSeq > 1 && up > f.pace.commit+f.pace.seal+slack, fmt.Sprintf("%+v", st)
	})
	return st
}

// quieten leaves the gateway one sensor, which is not there: it says so once and then nothing for a day, so that what the
// gateway holds can run empty. The accounts leave its record out.
func (f *field) quieten() {
	f.t.Helper()
	f.write("gateway.yaml", gatewayYAML(f.dir, []device{{id: absent, kind: "ds18b20", bus: "w1", every: 24 * time.Hour}}, f.mqtt, f.ca, f.pace))
}

// absent is the sensor of a quiet gateway.
const absent = "vang-mat"

// breakChip and heal speak to the simulator through its own command.
func (f *field) breakChip(device, kind string) {
	f.t.Helper()
	once(f.t, "firmware-sim", "fault", "--control", f.path("control.sock"), device, kind)
}

func (f *field) heal(device string) {
	f.t.Helper()
	f.breakChip(device, "heal")
}

// database opens the server's database beside the server, until the story ends.
func (f *field) database() *sqldb.DB {
	f.t.Helper()
	if f.db == nil {
		db, err := sqldb.Open(f.t.Context(), sqldb.Config{Driver: sqldb.SQLite, DSN: f.path("srv/server.db")})
		if err != nil {
			f.t.Fatal(err)
		}
		f.db = db
		f.t.Cleanup(func() {
			if err := db.Close(); err != nil {
				f.t.Error(err)
			}
		})
	}
	return f.db
}

// awaitReceiptsAfter waits until the gateway has a receipt for a batch after seq.
func (f *field) awaitReceiptsAfter(seq uint64) {
	f.t.Helper()
	await(f.t, fmt.Sprintf("a receipt after batch %d", seq), func() (bool, string) {
		now := f.released()
		return now > seq, fmt.Sprintf("receipts up to %d", now)
	})
}
