package story

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"embed"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"reflect"
	"strconv"
	"strings"
	"text/template"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

//go:embed standard
var standard embed.FS

// The standard field's gateway and places.
const (
	gatewayID = "gw-ao-phukhe"
	pondCode  = "F7NE3CDQ7"
	plotCode  = "WW08G83KH"
)

// setting is what the standard field may differ in: an option `every=1s` of the command sets Every.
type setting struct {
	Every   string // how often a thermometer, the air and the soil are asked
	Slow    string // how often EZO circuits are asked, which take their time
	Commit  string
	Seal    string
	Offline string
	Seed    string
	Speed   string
	Density string // of the pond
	Stock   string // kg of fish in it when the world begins; nobody feeds or refills it then
	Begin   string // the day the world begins
	Fouling string // from when on the oxygen probe is fouled; a moment, then a date
	Clock   string // assumed (right), kernel (what the machine says)
	Broker  string // embedded, mosquitto
	History string // sqlite, influx
	Twin    bool   // a second oxygen probe, of another make, on RS485
	Aerator bool   // an aerator that the gateway switches, its current, and an alarm
	Broken  bool   // its motor does not run

	Dir                             string
	HTTP, MQTT, Metrics, InfluxPort int
}

// What templates ask.
func (s setting) Assume() bool    { return s.Clock != "kernel" }
func (s setting) Mosquitto() bool { return s.Broker == "mosquitto" }
func (s setting) Influx() bool    { return s.History == "influx" }
func (s setting) Root() bool      { return os.Getuid() == 0 }

// parse reads the options of the command.
func (s *setting) parse(args []string) error {
	for _, arg := range args {
		name, value, given := strings.Cut(arg, "=")
		field := reflect.ValueOf(s).Elem().FieldByNameFunc(func(f string) bool { return strings.ToLower(f) == name })
		switch {
		case name == strings.ToLower(name) && field.IsValid() && field.Kind() == reflect.String && given:
			field.SetString(value)
		case name == strings.ToLower(name) && field.IsValid() && field.Kind() == reflect.Bool && !given:
			field.SetBool(true)
		default:
			return fmt.Errorf("field: no option %q: want every=, slow=, commit=, seal=, offline=, seed=, speed=, density=, stock=, begin=, fouling=, "+
				"clock=assumed|kernel, broker=embedded|mosquitto, history=sqlite|influx, twin, aerator, broken", arg)
		}
	}
	for name, one := range map[string]struct{ value, a, b string }{
		"clock": {s.Clock, "assumed", "kernel"}, "broker": {s.Broker, "embedded", "mosquitto"}, "history": {s.History, "sqlite", "influx"},
	} {
		if one.value != one.a && one.value != one.b {
			return fmt.Errorf("field: %s=%s: want %s or %s", name, one.value, one.a, one.b)
		}
	}
	return nil
}

// makeField makes a standard co-op's field as an installer would, by the programs' own commands: a pond and a potato plot,
// one gateway, one server that knows it. Nothing runs in it yet.
func makeField(ts *testscript.TestScript, neg bool, args []string) {
	c := castOf(ts, neg, args, 0, "field [OPTION]...")
	s := setting{
		Every: "200ms", Slow: "1s", Commit: "200ms", Seal: "500ms", Seed: "952", Speed: "1", Density: "1",
		Clock: "assumed", Broker: "embedded", History: "sqlite", Dir: ts.MkAbs("."),
		Begin: c.o.Now().In(zone()).AddDate(0, 0, -20).Format(time.DateOnly),
		HTTP:  c.freePort(ts), MQTT: c.freePort(ts), Metrics: c.freePort(ts), InfluxPort: c.freePort(ts),
	}
	ts.Check(s.parse(args))
	if s.Fouling != "" {
		at, err := c.moment(s.Fouling)
		ts.Check(err)
		s.Fouling = at.Format("2006-01-02 15:04")
	}
	s.Offline = cmp.Or(s.Offline, s.Seal)
	for name, value := range map[string]string{
		"HTTP": strconv.Itoa(s.HTTP), "MQTT": strconv.Itoa(s.MQTT), "METRICS": strconv.Itoa(s.Metrics), "INFLUX": strconv.Itoa(s.InfluxPort),
		"URL": "http://127.0.0.1:" + strconv.Itoa(s.HTTP), "CONTROL": ts.MkAbs("control.sock"), "POND": pondCode, "PLOT": plotCode,
		"COMMIT": s.Commit,
	} {
		ts.Setenv(name, value)
	}
	for _, name := range []string{"field.yaml", "gateway.yaml", "server.yaml", "farm.yaml"} {
		write(ts, name, s)
	}
	card, err := c.ask(ts, "gateway", "init", "--config", "gateway.yaml")
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs("card.txt"), []byte(card), 0o600))
	if s.Mosquitto() {
		c.makeBroker(ts, s)
	}
	if s.Influx() {
		need(ts, false, []string{"influxd"})
		write(ts, "influxdb.conf", s)
	}
	_, err = c.ask(ts, "server", "init", "--config", "server.yaml")
	ts.Check(err)
	key, err := c.ask(ts, "server", "key", "--config", "server.yaml")
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs("server.vkey"), []byte(key), 0o600))
	_, err = c.ask(ts, "server", "gateway", "add", "card.txt", "--config", "server.yaml")
	ts.Check(err)
	_, err = c.ask(ts, "server", "farm", "import", "farm.yaml", "--config", "server.yaml")
	ts.Check(err)
}

func write(ts *testscript.TestScript, name string, s setting) {
	t, err := template.ParseFS(standard, "standard/"+name)
	ts.Check(err)
	var b bytes.Buffer
	ts.Check(t.Execute(&b, s))
	ts.Check(os.WriteFile(ts.MkAbs(name), b.Bytes(), 0o600))
}

// makeBroker prepares a Mosquitto that lets each gateway at its own topics only, as server/README.md asks.
func (c *cast) makeBroker(ts *testscript.TestScript, s setting) {
	need(ts, false, []string{"mosquitto", "mosquitto_passwd"})
	write(ts, "mosquitto.conf", s)
	write(ts, "acl", s)
	secret := rand.Text()
	ts.Check(os.WriteFile(ts.MkAbs("broker.secret"), []byte(secret+"\n"), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs("passwords"), nil, 0o600))
	tool, err := c.look(ts, "mosquitto_passwd")
	ts.Check(err)
	for user, password := range map[string]string{"server": secret, gatewayID: strings.TrimSpace(ts.ReadFile("gw/mqtt.secret"))} {
		out, err := exec.CommandContext(c.ctx, tool, "-b", ts.MkAbs("passwords"), user, password).CombinedOutput()
		if err != nil {
			ts.Fatalf("mosquitto_passwd: %v: %s", err, out)
		}
	}
}

// up starts the parts of the standard field in the order they are named, and waits until each is at work.
func up(ts *testscript.TestScript, neg bool, args []string) {
	c := castOf(ts, neg, args, 1, "up PART... (server, field, gateway, broker, influx)")
	for _, name := range args {
		switch name {
		case "server":
			c.begin(ts, name, "server", "run", "--config", "server.yaml")
			c.awaitURL(ts, ts.Getenv("URL")+"/healthz", func(string) error { return nil })
		case "field":
			p := c.begin(ts, name, "firmware-sim", "serve", "--config", "field.yaml")
			ts.Check(p.AwaitOutput(c.ctx, "field is up"))
		case "gateway":
			c.begin(ts, name, "gateway", "run", "--config", "gateway.yaml")
		case "broker":
			c.begin(ts, name, "mosquitto", "-c", "mosquitto.conf")
			ts.Check(c.programs[name].AwaitOutput(c.ctx, "running"))
		case "influx":
			c.begin(ts, name, "influxd", "run", "-config", "influxdb.conf")
			c.makeDatabase(ts)
		default:
			ts.Fatalf("up: no part %q: want server, field, gateway, broker or influx; start NAME PROGRAM starts others", name)
		}
	}
}

func (c *cast) makeDatabase(ts *testscript.TestScript) {
	form := url.Values{"q": {`CREATE DATABASE "aovuon"`}}
	c.await(ts, Patience, "InfluxDB", func(ctx context.Context) (bool, string) {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://127.0.0.1:"+ts.Getenv("INFLUX")+"/query", strings.NewReader(form.Encode()))
		if err != nil {
			return false, err.Error()
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return false, err.Error()
		}
		return resp.Body.Close() == nil && resp.StatusCode == http.StatusOK, resp.Status
	})
}
