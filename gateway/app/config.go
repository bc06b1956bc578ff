package app

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"aovuon/gateway/edge"
	"aovuon/gateway/measure"
	"aovuon/gateway/sense/kind"
	"aovuon/gateway/sense/probe"
	"aovuon/gateway/uplink"
	"aovuon/gateway/wire"
	"aovuon/gateway/yamlfile"
)

// Config is the gateway's configuration file. sample.yaml explains every key; unknown keys are errors.
type Config struct {
	Gateway      string                  `yaml:"gateway"`
	DataDir      string                  `yaml:"data_dir"`
	KeyFile      string                  `yaml:"key_file"`
	PasswordFile string                  `yaml:"password_file"`
	Server       ServerConfig            `yaml:"server"`
	Clock        ClockConfig             `yaml:"clock"`
	Seal         SealConfig              `yaml:"seal"`
	Spool        SpoolConfig             `yaml:"spool"`
	Status       StatusConfig            `yaml:"status"`
	Buses        map[string]kind.BusSpec `yaml:"buses"`
	Sensors      []kind.Spec             `yaml:"sensors"`
	Derived      []kind.DerivedSpec      `yaml:"derived"`
	Timezone     string                  `yaml:"timezone"` // of times of day in this file
	Aerators     []edge.Aerator          `yaml:"aerators"`
	Alarms       []edge.Alarm            `yaml:"alarms"`
	Siren        edge.Siren              `yaml:"siren"`
	Health       HealthConfig            `yaml:"health"`
	Metrics      MetricsConfig           `yaml:"metrics"`
	Update       UpdateConfig            `yaml:"update"`

	path string    // of the file itself
	src  *document // for errors that name a line
}

// ServerConfig says where batches go and whose receipts count.
type ServerConfig struct {
	URL     string `yaml:"url"`
	KeyFile string `yaml:"key_file"`
	CAFile  string `yaml:"ca_file"`
	// What this gateway shows the broker, where that asks for certificates.
	CertFile    string `yaml:"cert_file"`
	CertKeyFile string `yaml:"cert_key_file"`
}

// StatusConfig says where the installer's page is to be seen.
type StatusConfig struct {
	Listen  string `yaml:"listen"`   // host:port; empty: nowhere
	PINFile string `yaml:"pin_file"` // of what changes something
}

// ClockConfig says how far the machine's clock is trusted.
type ClockConfig struct {
	AssumeSynced bool `yaml:"assume_synced"`
}

// SealConfig says how often readings are written to disk and made into batches.
type SealConfig struct {
	CommitEvery  time.Duration `yaml:"commit_every"`
	Every        time.Duration `yaml:"every"`
	OfflineEvery time.Duration `yaml:"offline_every"`
}

// SpoolConfig says how much of the disk what waits for the server may take.
type SpoolConfig struct {
	Quota Bytes `yaml:"quota"`
}

// The bounds of a quota: below the lower one the batches that may be under way leave no room for anything else.
const (
	minQuota Bytes = 32_000_000
	maxQuota Bytes = 1_000_000_000_000
)

// defaults are the values of what the file does not say.
func defaults() Config {
	return Config{
		DataDir: "./data", Timezone: "Asia/Ho_Chi_Minh",
		Server: ServerConfig{KeyFile: "server.vkey"},
		Seal:   SealConfig{CommitEvery: 2 * time.Second, Every: 30 * time.Second, OfflineEvery: 15 * time.Minute},
		Spool:  SpoolConfig{Quota: 500_000_000},
		Health: HealthConfig{ID: "gw-health", Every: time.Minute},
		Update: UpdateConfig{Version: hold, Attempt: 1, Within: 10 * time.Minute, Rate: 250_000},
	}
}

func (c *Config) spoolFile() string { return filepath.Join(c.DataDir, "spool.db") }

// load reads and checks what stands in the file itself. The files it names and the sensors are checked by those who
// need them: init must work before there is a key, and Offline has buses of its own.
func load(path string) (*Config, error) {
	raw, err := readConfig(path)
	if err != nil {
		return nil, err
	}
	return parse(path, raw)
}

// readConfig reads the file, and the server's block of enrolled.yaml where the file has none.
func readConfig(path string) ([]byte, error) {
	raw, err := readFile(path)
	if err != nil {
		return nil, err
	}
	return withEnrolled(path, raw)
}

// readFile reads the file as it stands.
func readFile(path string) ([]byte, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("app: configuration: %w (gateway sample prints one to start from)", err)
	}
	return raw, nil
}

func parse(path string, raw []byte) (*Config, error) {
	file, err := yamlfile.Parse(path, raw, "gateway sample")
	if err != nil {
		return nil, err
	}
	src := &document{file}
	if err := src.Misfits(reflect.TypeFor[Config]()); err != nil {
		return nil, err
	}
	cfg := defaults()
	if err := yamlfile.Decode(raw, &cfg); err != nil {
		return nil, src.Explain(err)
	}
	cfg.path, cfg.src = path, src
	cfg.resolve()
	return &cfg, cfg.validate()
}

// resolve makes every path absolute or relative to where the program runs, from relative to the configuration file.
func (c *Config) resolve() {
	dir := filepath.Dir(c.path)
	at := func(p *string, fallback string) {
		if *p == "" {
			*p = fallback
		} else if !filepath.IsAbs(*p) {
			*p = filepath.Join(dir, *p)
		}
	}
	at(&c.DataDir, filepath.Join(dir, "data"))
	at(&c.KeyFile, filepath.Join(c.DataDir, "gateway.key"))
	at(&c.PasswordFile, filepath.Join(c.DataDir, "mqtt.secret"))
	at(&c.Server.KeyFile, "")
	at(&c.Status.PINFile, filepath.Join(c.DataDir, "status.pin"))
	at(&c.Server.CAFile, "")
	at(&c.Server.CertFile, "")
	at(&c.Server.CertKeyFile, "")
	at(&c.Update.KeyFile, "")
	if _, err := os.Stat(installedKeys); c.Update.KeyFile == "" && err == nil {
		c.Update.KeyFile = installedKeys
	}
	for _, r := range c.relays() {
		if rest, ok := strings.CutPrefix(r.Pin, "unix:"); ok && rest != "" && !filepath.IsAbs(rest) {
			r.Pin = "unix:" + filepath.Join(dir, rest)
		}
	}
	for i := range c.Sensors {
		if probe.IsFile(c.Sensors[i].Template) {
			at(&c.Sensors[i].Template, "")
		}
	}
	for name, b := range c.Buses {
		if socket, ok := strings.CutPrefix(b.I2C, "unix:"); ok && socket != "" && !filepath.IsAbs(socket) {
			b.I2C = "unix:" + filepath.Join(dir, socket)
		}
		at(&b.W1, "")
		at(&b.Serial, "")
		c.Buses[name] = b
	}
}

func (c *Config) validate() error {
	var bad []error
	say := func(key, problem, mend string) { bad = append(bad, c.src.Problem(problem, mend, key)) }
	if c.Gateway == "" {
		say("$.gateway", "the gateway has no id", "add a line such as: gateway: gw-ao-phukhe")
	} else if !wire.ValidGatewayID(c.Gateway) {
		say("$.gateway", fmt.Sprintf("bad gateway id %q", c.Gateway), "use 2 to 39 of a-z, 0-9 and -, not - first")
	}
	overTLS, err := uplink.CheckURL(c.Server.URL)
	switch {
	case !c.enrolled(): // it is measured with, and not sent
	case c.Server.URL == "":
		say("$.server.url", "no server to send to", "add url: tcp://host:1883, or ssl://host:8883 for TLS, under server")
	case err != nil:
		say("$.server.url", fmt.Sprintf("bad address %q", c.Server.URL), err.Error())
	case c.Server.CAFile != "" && !overTLS:
		say("$.server.ca_file", "certificates are of use only with TLS", "write url: ssl://..., or remove ca_file")
	}
	switch {
	case (c.Server.CertFile == "") != (c.Server.CertKeyFile == ""):
		say("$.server.cert_file", "cert_file and cert_key_file belong together", "name both, or neither")
	case c.Server.CertFile != "" && err == nil && !overTLS:
		say("$.server.cert_file", "certificates are of use only with TLS", "write url: ssl://..., or remove cert_file and cert_key_file")
	}
	if l := c.Status.Listen; l != "" {
		if _, port, err := net.SplitHostPort(l); err != nil || !validPort(port) {
			say("$.status.listen", fmt.Sprintf("bad address %q", l), "write 0.0.0.0:8081 for the local network, 127.0.0.1:8081 for this machine alone, or leave it out for none")
		}
	}
	if c.Server.KeyFile == "" {
		say("$.server.key_file", "no file with the server's key", "put the line that `server key` prints into a file and name it here")
	}
	within := func(key string, d, lo, hi time.Duration) {
		if d < lo || d > hi {
			say("$.seal."+key, fmt.Sprintf("%s of %v", key, d), fmt.Sprintf("write a time from %v to %v", lo, hi))
		}
	}
	within("commit_every", c.Seal.CommitEvery, 50*time.Millisecond, 10*time.Second)
	within("every", c.Seal.Every, 100*time.Millisecond, time.Hour)
	within("offline_every", c.Seal.OfflineEvery, 100*time.Millisecond, 24*time.Hour)
	if q := c.Spool.Quota; q < minQuota || q > maxQuota {
		say("$.spool.quota", fmt.Sprintf("quota of %v", q), fmt.Sprintf("write a size from %v to %v", minQuota, maxQuota))
	}
	if _, err := time.LoadLocation(c.Timezone); err != nil {
		say("$.timezone", fmt.Sprintf("there is no time zone %q", c.Timezone), "write a name such as Asia/Ho_Chi_Minh")
	}
	c.validateSide(say)
	c.validateUpdate(say)
	if len(c.Sensors) == 0 {
		say("$.sensors", "no sensor", "list at least one under sensors; gateway sample shows how")
	}
	checkID := func(list string, i int, id string) { // kind.Build checks the rest; the wire has a word of its own
		if id == "gateway" || (id != "" && !measure.ValidID(id, wire.MaxSensorLength)) {
			say(fmt.Sprintf("$.%s[%d].id", list, i), fmt.Sprintf("bad sensor id %q", id), "use up to 40 of a-z, 0-9 and -, not - first; \"gateway\" is taken")
		}
	}
	for i, s := range c.Sensors {
		checkID("sensors", i, s.ID)
	}
	for i, d := range c.Derived {
		checkID("derived", i, d.ID)
	}
	return errors.Join(bad...)
}

func validPort(port string) bool {
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0
}

// secrets are the files a running gateway needs.
type secrets struct {
	signer   note.Signer
	password string
	server   note.Verifier
}

// openSecrets reads every file the configuration names and reports all that is wrong with them.
func (c *Config) openSecrets() (secrets, error) {
	if !c.enrolled() {
		return secrets{}, c.src.Problem("this gateway is not enrolled with a server", "take a claim of server gateway claim to it: gateway enrol CODE, a USB stick, or the page that gateway run shows", "$.gateway")
	}
	s, err := c.openKeys()
	bad := []error{err}
	if _, err := uplink.TLSConfig(c.Server.CAFile, nil); err != nil {
		bad = append(bad, c.src.Problem(err.Error(), "name a file with the PEM certificate of the authority that signed the server's", "$.server.ca_file"))
	} else if _, err := c.tlsConfig(nil); err != nil {
		bad = append(bad, c.src.Problem(err.Error(), "repeat gateway rekey if that was stopped; else enrol the gateway with a claim (gateway enrol), which writes both files, or remove cert_file and cert_key_file", "$.server.cert_file"))
	}
	return s, errors.Join(bad...)
}

// openKeys is openSecrets without what TLS needs.
func (c *Config) openKeys() (s secrets, err error) {
	var bad []error
	say := func(key string, err error, mend string) {
		if near := "$.data_dir"; !strings.HasPrefix(key, "$.server") && c.src.Node(key) == nil && c.src.Node(near) != nil {
			key = near // it lives there unless its own key says otherwise
		}
		bad = append(bad, c.src.Problem(err.Error(), mend, key))
	}
	if s.signer, _, err = wire.LoadKey(c.KeyFile); err != nil {
		say("$.key_file", err, c.mendSecret(err, mendKey))
	} else if s.signer.Name() != c.Gateway {
		say("$.key_file", fmt.Errorf("key file %s belongs to %q, not to %q", c.KeyFile, s.signer.Name(), c.Gateway),
			"a gateway keeps its id for life: write the old id, or make a new key in a new data_dir")
	}
	if s.password, err = readSecret(c.PasswordFile); err != nil {
		say("$.password_file", err, c.mendSecret(err, mendPassword))
	}
	if s.server, err = wire.LoadVerifier(c.Server.KeyFile); err != nil {
		say("$.server.key_file", err, "put the line that `server key` prints on the server into this file")
	}
	return s, errors.Join(bad...)
}

// What to do about a secret that is there and no good.
const (
	mendKey      = "put back a copy of it; without one this is a new gateway: another id, another data_dir, gateway init"
	mendPassword = "put back a copy of it; or remove it, run gateway init, and enrol the gateway anew with its card"
)

// mendSecret says what to do about a secret that could not be read.
func (c *Config) mendSecret(err error, damaged string) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "make it with: gateway init --config " + c.path
	case errors.Is(err, fs.ErrPermission):
		return "let the gateway's user read it, and ask as that user or as root"
	}
	return damaged
}

// exposed reports the secret files that others than their owner may read or write.
func (c *Config) exposed() error {
	var bad []error
	for _, f := range [][2]string{{"$.key_file", c.KeyFile}, {"$.password_file", c.PasswordFile}, {"$.server.cert_key_file", c.Server.CertKeyFile}, {"$.status.pin_file", c.Status.PINFile}} {
		if info, err := os.Stat(f[1]); err == nil && info.Mode().Perm()&0o077 != 0 {
			bad = append(bad, c.src.Problem(fmt.Sprintf("%s can be read or written by others (mode %04o)", f[1], info.Mode().Perm()),
				"chmod 600 "+f[1], f[0], "$.data_dir", "$.gateway"))
		}
	}
	return errors.Join(bad...)
}
