package app_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"aovuon/gateway/measure"
	"aovuon/server/broker"
	"aovuon/server/parttest"
)

// deploy is the folder of the big shape.
const deploy = "../deploy"

func deployed(t *testing.T, name string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(deploy, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// compose is what our compose file uses of the Compose Specification; anything else in it is an error.
type compose struct {
	Name     string                    `yaml:"name"`
	Server   any                       `yaml:"x-server"`
	Services map[string]composeService `yaml:"services"`
	Networks map[string]struct {
		IPAM struct {
			Config []struct {
				Subnet string `yaml:"subnet"`
			} `yaml:"config"`
		} `yaml:"ipam"`
	} `yaml:"networks"`
	Volumes map[string]any `yaml:"volumes"`
	Secrets map[string]struct {
		File string `yaml:"file"`
	} `yaml:"secrets"`
}

type composeService struct {
	Build struct {
		Context    string `yaml:"context"`
		Dockerfile string `yaml:"dockerfile"`
	} `yaml:"build"`
	Image       string            `yaml:"image"`
	Restart     string            `yaml:"restart"`
	Grace       string            `yaml:"stop_grace_period"`
	Shm         string            `yaml:"shm_size"`
	Command     []string          `yaml:"command"`
	Environment map[string]string `yaml:"environment"`
	Networks    []string          `yaml:"networks"`
	Ports       []string          `yaml:"ports"`
	Volumes     []string          `yaml:"volumes"`
	Secrets     []string          `yaml:"secrets"`
	Ulimits     map[string]int    `yaml:"ulimits"`
	DependsOn   map[string]struct {
		Condition string `yaml:"condition"`
	} `yaml:"depends_on"`
	Healthcheck struct {
		Test        []string `yaml:"test"`
		Interval    string   `yaml:"interval"`
		Timeout     string   `yaml:"timeout"`
		Retries     int      `yaml:"retries"`
		StartPeriod string   `yaml:"start_period"`
	} `yaml:"healthcheck"`
}

// What a compose file names must be there: a slip in it is found here, and not on the co-op's machine at night.
func TestDeploy_TheComposeFileNamesOnlyWhatThereIs(t *testing.T) {
	var c compose
	if err := yaml.UnmarshalWithOptions([]byte(deployed(t, "compose.yaml")), &c, yaml.Strict()); err != nil {
		t.Fatal(yaml.FormatError(err, false, true))
	}
	used := map[string]bool{}
	for name, s := range c.Services {
		if len(s.Healthcheck.Test) < 2 || !slices.Contains([]string{"CMD", "CMD-SHELL"}, s.Healthcheck.Test[0]) || s.Restart == "" || !slices.Equal(s.Networks, []string{"inside"}) {
			t.Errorf("%s: healthcheck %v, restart %q, networks %v", name, s.Healthcheck.Test, s.Restart, s.Networks)
		}
		if s.Build.Context == "" && !regexp.MustCompile(`:[0-9]`).MatchString(s.Image) {
			t.Errorf("%s: image %q names no version", name, s.Image)
		}
		for other, d := range s.DependsOn {
			if _, ok := c.Services[other]; !ok || !slices.Contains([]string{"service_started", "service_healthy"}, d.Condition) {
				t.Errorf("%s depends on %s (%s)", name, other, d.Condition)
			}
		}
		for _, v := range s.Volumes {
			from, _, ok := strings.Cut(v, ":")
			if local, file := strings.CutPrefix(from, "./"); file {
				_, err := os.Stat(filepath.Join(deploy, local))
				ok = ok && err == nil
			} else {
				_, named := c.Volumes[from]
				ok, used["volume "+from] = ok && named, true
			}
			if !ok {
				t.Errorf("%s: no volume or file %q", name, v)
			}
		}
		for _, x := range s.Secrets {
			if used["secret "+x] = true; c.Secrets[x].File != "./secrets/"+x {
				t.Errorf("%s: secret %s lies in %q", name, x, c.Secrets[x].File)
			}
		}
		for key, value := range s.Environment {
			if secret, ok := strings.CutPrefix(value, "/run/secrets/"); strings.HasSuffix(key, "_FILE") != ok || ok && !slices.Contains(s.Secrets, secret) {
				t.Errorf("%s: %s=%s, secrets %v", name, key, value, s.Secrets)
			}
		}
	}
	for _, kind := range []string{"volume", "secret"} {
		names := c.volumesOrSecrets(kind)
		for _, name := range names {
			if !used[kind+" "+name] {
				t.Errorf("%s %s is used by nobody", kind, name)
			}
		}
	}
	for _, name := range []string{"may-1", "may-2"} {
		c.checkServer(t, name)
	}
	if want := "may-1:8080 may-2:8080"; !strings.Contains(deployed(t, "Caddyfile"), want) {
		t.Errorf("the Caddyfile does not lead to %s", want)
	}
}

func (c *compose) volumesOrSecrets(kind string) (out []string) {
	if kind == "volume" {
		for name := range c.Volumes {
			out = append(out, name)
		}
		return out
	}
	for name := range c.Secrets {
		out = append(out, name)
	}
	return out
}

// checkServer compares a server's configuration with what its service gives it.
func (c *compose) checkServer(t *testing.T, name string) {
	t.Helper()
	s, text := c.Services[name], deployed(t, name+".yaml")
	if want := "/etc/aovuon/" + name + ".yaml"; !slices.Contains(s.Command, want) || !slices.Contains(s.Volumes, "./"+name+".yaml:"+want+":ro") {
		t.Errorf("%s: command %v, volumes %v", name, s.Command, s.Volumes)
	}
	for _, m := range regexp.MustCompile(`/run/secrets/(\w+)`).FindAllStringSubmatch(text, -1) {
		if !slices.Contains(s.Secrets, m[1]) {
			t.Errorf("%s.yaml names secret %s, the service has %v", name, m[1], s.Secrets)
		}
	}
	for _, m := range regexp.MustCompile(`(?:http|ssl)://([a-z]+):\d+`).FindAllStringSubmatch(text, -1) {
		if _, ok := c.Services[m[1]]; !ok {
			t.Errorf("%s.yaml: %s is no service", name, m[0])
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^\s*(?:data_dir|shared_dir|dir): (/\w+)`).FindAllStringSubmatch(text, -1) {
		if !slices.ContainsFunc(s.Volumes, func(v string) bool { return strings.HasSuffix(v, ":"+m[1]) }) {
			t.Errorf("%s.yaml: %s is no volume of %v", name, m[1], s.Volumes)
		}
	}
	if net := c.Networks["inside"].IPAM.Config[0].Subnet; !strings.Contains(text, "proxies: ["+net+"]") {
		t.Errorf("%s.yaml does not believe the proxy of %s", name, net)
	}
	if same := strings.NewReplacer("may-1", "X", "may_1", "X", "may-2", "X", "may_2", "X"); same.Replace(text) != same.Replace(deployed(t, "may-1.yaml")) {
		t.Errorf("%s.yaml differs in more than the user of the broker", name)
	}
}

func TestDeploy_MosquittoIsToldWhatTheServerAsksFor(t *testing.T) {
	have := lines(deployed(t, "mosquitto/mosquitto.conf"))
	want := lines(broker.MosquittoConf("/mosquitto/config"))
	var missing []string
	for _, line := range want {
		if !slices.Contains(have, line) && !strings.HasPrefix(line, "max_connections") {
			missing = append(missing, line)
		}
	}
	if diff := cmp.Diff([]string(nil), missing); diff != "" {
		t.Errorf("%s", diff)
	}
}

func lines(text string) (out []string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			out = append(out, line)
		}
	}
	return out
}

// here writes the configuration of a server of the compose file with the addresses and folders of this test in the place of the compose file's.
func (s *shape) here(name string) *process {
	s.t.Helper()
	p := &process{t: s.t, dir: s.t.TempDir(), web: freePort(s.t)}
	text := strings.NewReplacer(
		"data_dir: /data", "data_dir: data", "shared_dir: /shared", "shared_dir: "+filepath.Join(s.dir, "shared"), "0.0.0.0:8080", p.web,
		"https://htx.example", s.public, "http://influxdb:8086", s.influx.URL, "ssl://mosquitto:8883", s.mosquitto.URL,
		"/run/secrets/", s.dir+"/", "10.77.0.0/24", "127.0.0.1", "dir: /backups", "dir: "+filepath.Join(s.dir, "backups"),
	).Replace(deployed(s.t, name+".yaml"))
	// InfluxDB 2.7 is not here, 1.8 is: the same engine with neither organisations nor tokens.
	text = regexp.MustCompile(`(?m)^  (token_file|org|bucket):.*\n`).ReplaceAllString(text, "")
	if err := os.WriteFile(p.path("server.yaml"), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return p
}

// shape is the compose file's parts without containers: a real Mosquitto with TLS, the passwords and the access list that the server wrote, a real InfluxDB,
// a real PostgreSQL, a proxy that ends TLS.
type shape struct {
	t         *testing.T
	dir       string
	public    string
	influx    *parttest.InfluxdServer
	mosquitto *parttest.MosquittoServer
	servers   []*process
	back      []atomic.Pointer[url.URL]
	proxy     *httptest.Server
}

func newShape(t *testing.T) *shape {
	t.Helper()
	s := &shape{t: t, dir: t.TempDir(), influx: parttest.Influxd(t), back: make([]atomic.Pointer[url.URL], 2)}
	for name, text := range map[string]string{"pg_dsn": parttest.Postgres(t), "influx_token": "x", "broker_may_1": "one secret", "broker_may_2": "another secret"} {
		if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(s.dir, "backup_keys"), []byte("age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.mosquitto = parttest.Mosquitto(t, parttest.MosquittoOptions{
		TLS: true, Passwords: "nobody:x\n", ACL: broker.MosquittoACL("may-1", "may-2"), Config: s.ownLines(),
	})
	ca, err := os.ReadFile(s.mosquitto.CAFile)
	if err == nil {
		err = os.WriteFile(filepath.Join(s.dir, "broker_ca"), ca, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	s.proxy = httptest.NewUnstartedServer(http.HandlerFunc(s.lead))
	s.proxy.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s.proxy.StartTLS()
	t.Cleanup(s.proxy.Close)
	s.public = s.proxy.URL
	for i, name := range []string{"may-1", "may-2"} {
		p := s.here(name)
		s.servers = append(s.servers, p)
		u, err := url.Parse("http://" + p.web)
		if err != nil {
			t.Fatal(err)
		}
		s.back[i].Store(u)
	}
	return s
}

// ownLines are the lines of the deployed mosquitto.conf that are not about files and sockets.
func (s *shape) ownLines() (out []string) {
	for _, line := range lines(deployed(s.t, "mosquitto/mosquitto.conf")) {
		switch word, _, _ := strings.Cut(line, " "); word {
		case "listener", "certfile", "keyfile", "log_dest", "per_listener_settings", "allow_anonymous", "password_file", "acl_file", "persistence", "allow_zero_length_clientid":
		default:
			out = append(out, line)
		}
	}
	return out
}

// lead is the proxy: the first server that answers.
func (s *shape) lead(w http.ResponseWriter, r *http.Request) {
	for i := range s.back {
		to := s.back[i].Load()
		res, err := http.Get(to.String() + "/healthz")
		if err != nil {
			continue
		}
		if err := res.Body.Close(); err != nil || res.StatusCode != http.StatusOK {
			continue
		}
		p := httputil.ReverseProxy{Rewrite: func(out *httputil.ProxyRequest) {
			out.SetURL(to)
			out.Out.Host = out.In.Host
			out.SetXForwarded()
		}}
		p.ServeHTTP(w, r)
		return
	}
	http.Error(w, "no server answers", http.StatusBadGateway)
}

// passwords writes the broker's password file, as the page says: all of one server, and the line of the other.
func (s *shape) passwords() {
	s.t.Helper()
	out, err := s.servers[0].command("broker", "passwords").Output()
	if err != nil {
		s.t.Fatal(err)
	}
	other, err := s.servers[1].command("broker", "passwords").Output()
	if err != nil {
		s.t.Fatal(err)
	}
	for line := range bytes.Lines(other) {
		if bytes.HasPrefix(line, []byte("may-2:")) {
			out = append(out, line...)
		}
	}
	s.mosquitto.SetPasswords(string(out))
}

// page fetches a page through the proxy.
func (s *shape) page(path string) (status int, body string) {
	res, err := s.proxy.Client().Get(s.public + path)
	if err != nil {
		s.t.Fatal(err)
	}
	raw, err := io.ReadAll(res.Body)
	if err := errors.Join(err, res.Body.Close()); err != nil {
		s.t.Fatal(err)
	}
	return res.StatusCode, string(raw)
}

// The shape of the compose file, its own configuration files, without containers: gateways send through Mosquitto, a buyer's page comes through the
// proxy, and goes on coming when one server is killed.
func TestDeploy_TheShapeWorksWithoutContainers(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts six programs")
	}
	const batches = 300
	s := newShape(t)
	s.servers[0].once("init")
	s.servers[0].once("farm", "demo")
	s.servers[1].once("init")
	fleet := s.servers[0].fleetOf(batches, "gw-ao-phukhe", "gw-cu")
	pem, err := os.ReadFile(s.mosquitto.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	for _, f := range fleet {
		f.dial = func(addr string) (net.Conn, error) {
			return tls.DialWithDialer(&net.Dialer{Timeout: 5 * time.Second}, "tcp", addr, &tls.Config{RootCAs: pool, ServerName: "localhost", MinVersion: tls.VersionTLS12})
		}
	}
	s.passwords()
	for _, p := range s.servers {
		p.mqtt = s.mosquitto.Address()
		p.start()
	}
	wait := s.servers[0].deliverAll(fleet)
	parttest.Await(t, "load", func() bool { return fleet[0].upto.Load() >= batches/10 })
	s.servers[0].kill()
	wait()
	parttest.Await(t, "the other draws the history", func() bool {
		return s.servers[1].metric(`aovuon_projection_position{projection="history"}`) == 2*batches
	})
	if got := s.influx.Query(`SELECT COUNT(value) FROM "` + string(measure.WaterTemperature) + `" WHERE sensor = 'ao1-temp'`); !strings.Contains(got, fmt.Sprint(",", 2*batches, "]")) {
		t.Errorf("InfluxDB says %s", got)
	}
	parttest.Await(t, "the ledger's head through the proxy", func() bool {
		status, body := s.page("/ledger/checkpoint")
		return status == http.StatusOK && strings.HasPrefix(body, "htx")
	})
	if status, _ := s.page("/healthz"); status != http.StatusOK {
		t.Errorf("/healthz answers %d", status)
	}
}
