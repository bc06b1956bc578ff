package app

import (
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"strconv"
	"time"

	"aovuon/gateway/wire"
	"aovuon/server/backup"
	"aovuon/server/channel"
	"aovuon/server/setup"
)

// Config is the server's one configuration file. Relative paths are relative to the file.
type Config struct {
	Setup       bool            `yaml:"setup"`        // until the setup page was finished, run serves that; what it settled lies below this file: layer.go
	SetupListen string          `yaml:"setup_listen"` // host:port of the setup page
	DataDir     string          `yaml:"data_dir"`     // server.key, server.db, history.db and the embedded broker's store live here
	SharedDir   string          `yaml:"shared_dir"`   // several processes on one database: keys, photos and tokens, in a folder that all of them have; empty: data_dir
	Roles       []string        `yaml:"roles"`        // what this process does; empty: everything
	Listen      string          `yaml:"listen"`       // host:port of the pages
	PublicURL   string          `yaml:"public_url"`   // what labels and printed links begin with
	Name        string          `yaml:"name"`         // of the server's signing key
	Phone       string          `yaml:"phone"`        // of the co-op, for its members: printed on the farmer's card; empty: a line to write on
	Database    DatabaseConfig  `yaml:"database"`
	History     HistoryConfig   `yaml:"history"`
	Broker      BrokerConfig    `yaml:"broker"`
	Ledger      LedgerConfig    `yaml:"ledger"`
	Gates       GatesConfig     `yaml:"gates"`
	Trace       TraceConfig     `yaml:"trace"`
	Backup      BackupConfig    `yaml:"backup"`
	Access      AccessConfig    `yaml:"access"`
	TLS         TLSConfig       `yaml:"tls"`
	Channels    channel.Config  `yaml:"channels"`  // how people are told of alarms
	Intakes     IntakesConfig   `yaml:"intakes"`   // devices that cannot sign
	Telemetry   TelemetryConfig `yaml:"telemetry"` // who looks at this server with other programs
}

// AccessConfig says who may read the co-op's pages, what staff sign in with, and whose word about a client's address is taken.
type AccessConfig struct {
	Pages string `yaml:"pages"` // signed-in, or open: everybody may read them, nobody change anything without signing in
	// SecondFactor is required, or advised: whether staff get anywhere without a passkey or one-time codes.
	SecondFactor string   `yaml:"second_factor"`
	Proxies      []string `yaml:"proxies"` // addresses or networks of proxies before this server: their X-Forwarded-For is believed
}

// DatabaseConfig says where the batch log and the registers live.
type DatabaseConfig struct {
	Driver  string `yaml:"driver"`   // sqlite (server.db in data_dir) or postgres
	DSNFile string `yaml:"dsn_file"` // postgres: file with the connection string
}

// HistoryConfig says where the time series live.
type HistoryConfig struct {
	Engine       string `yaml:"engine"` // sqlite (history.db in data_dir) or influx
	URL          string `yaml:"url"`
	Database     string `yaml:"database"` // what InfluxQL calls it
	Username     string `yaml:"username"` // InfluxDB 1.8 with users
	PasswordFile string `yaml:"password_file"`
	TokenFile    string `yaml:"token_file"` // InfluxDB 2.x and 3, instead of username and password_file
	Org          string `yaml:"org"`        // InfluxDB 2.x
	Bucket       string `yaml:"bucket"`     // InfluxDB 2.x, where it is not named like the database

	Retention *RetentionConfig `yaml:"retention"` // nil: every single reading is kept
}

// checkInflux finds what cannot be meant together.
func (h *HistoryConfig) checkInflux() *keyError {
	switch {
	case !httpURL(h.URL):
		return &keyError{"history.url", fmt.Sprintf("%q is no web address", h.URL), "write http://host:8086"}
	case h.Database == "":
		return &keyError{"history.database", "missing", "name the InfluxDB database, such as aovuon"}
	case h.TokenFile != "" && (h.Username != "" || h.PasswordFile != ""):
		return &keyError{"history.token_file", "there is a user name, too", "keep token_file for InfluxDB 2.x and 3, username and password_file for 1.8"}
	case (h.Username == "") != (h.PasswordFile == ""):
		return &keyError{"history.username", "username and password_file belong together", "name both, or neither"}
	case h.Org != "" && h.TokenFile == "":
		return &keyError{"history.org", "organisations are those of InfluxDB 2.x, which wants a token", "name a token_file, or remove org"}
	case h.Bucket != "" && h.Org == "":
		return &keyError{"history.bucket", "buckets are those of InfluxDB 2.x, which wants to know the organisation", "set org, or remove bucket"}
	}
	return nil
}

// BrokerConfig names exactly one broker.
type BrokerConfig struct {
	Embedded *EmbeddedConfig `yaml:"embedded"`
	Outside  *OutsideConfig  `yaml:"outside"`
	// Address is host:port at which gateways reach the broker, told them when they enrol. Empty: the host of public_url and the port of
	// listen, or outside.url.
	Address string `yaml:"address"`
}

// EmbeddedConfig is the broker inside this process.
type EmbeddedConfig struct {
	Listen string `yaml:"listen"` // host:port of MQTT; port 0 takes a free one
	// CertFile and KeyFile turn TLS on. Without them gateways must reach the listener over a trusted network.
	CertFile string `yaml:"cert_file"`
	KeyFile  string `yaml:"key_file"`
	CAFile   string `yaml:"ca_file"` // who signed CertFile, told gateways when they enrol; empty: the system knows them
	LAN      bool   `yaml:"lan"`     // TLS with a certificate of the server's own authority
	// ClientCertificates asks gateways for the certificate they got when they enrolled: optional, or required; empty: none are issued.
	ClientCertificates string `yaml:"client_certificates"`
	// What strangers may cost before they have named themselves, and silent clients afterwards. 0: the broker's defaults.
	MaxConnections int           `yaml:"max_connections"`
	AuthTimeout    time.Duration `yaml:"auth_timeout"`
	Silence        time.Duration `yaml:"silence"`
}

// check finds limits that cannot be meant.
func (e *EmbeddedConfig) check() *keyError {
	switch {
	case e.LAN && e.CertFile != "":
		return &keyError{"broker.embedded.lan", "there is a cert_file, too", "keep one of the two"}
	case e.CAFile != "" && e.CertFile == "":
		return &keyError{"broker.embedded.ca_file", "it belongs to cert_file", "name cert_file and key_file, or remove it"}
	case e.ClientCertificates != "" && e.ClientCertificates != "optional" && e.ClientCertificates != "required":
		return &keyError{"broker.embedded.client_certificates", fmt.Sprintf("%q", e.ClientCertificates), "write optional or required, or remove it"}
	case e.ClientCertificates != "" && !e.LAN && e.CertFile == "":
		return &keyError{"broker.embedded.client_certificates", "they need TLS", "write lan: true, or name cert_file and key_file"}
	case e.MaxConnections < 0 || e.MaxConnections > 1_000_000:
		return &keyError{"broker.embedded.max_connections", strconv.Itoa(e.MaxConnections), "write how many sockets at most, such as 1024"}
	case e.AuthTimeout != 0 && (e.AuthTimeout < time.Second || e.AuthTimeout > time.Minute):
		return &keyError{"broker.embedded.auth_timeout", e.AuthTimeout.String(), "write 1s to 1m"}
	case e.Silence != 0 && e.Silence < 6*time.Minute:
		return &keyError{"broker.embedded.silence", e.Silence.String(), "write 6m or more: a gateway says how it is every 5 minutes"}
	}
	return nil
}

// OutsideConfig is a broker that speaks MQTT 3.1.1 and shared subscriptions: Mosquitto, EMQX.
type OutsideConfig struct {
	URL          string `yaml:"url"` // tcp:// or ssl://
	Username     string `yaml:"username"`
	PasswordFile string `yaml:"password_file"`
	CAFile       string `yaml:"ca_file"`
	Group        string `yaml:"group"` // of the shared subscription; servers on one database share one group
}

func defaults() Config {
	return Config{
		SetupListen: ":8080", DataDir: "data", Listen: "127.0.0.1:8080", PublicURL: "http://localhost:8080", Name: "server",
		Database: DatabaseConfig{Driver: "sqlite"}, History: HistoryConfig{Engine: "sqlite"},
		Backup: BackupConfig{At: "02:30", Keep: backup.Keep{Daily: 7, Weekly: 5}},
		Ledger: LedgerConfig{Batches: "closed"}, Gates: defaultGates(), Trace: defaultTrace(), Access: AccessConfig{Pages: "signed-in", SecondFactor: "required"},
	}
}

// LoadConfig reads and checks a configuration file, and what the setup page settled where that is asked for. Its errors name the file, the line
// and the mend.
func LoadConfig(path string) (Config, error) { return loadConfig(path, nil) }

// loadConfig is LoadConfig with other settings of the setup page than those on disk; nil: with those.
func loadConfig(path string, settled *setup.Settings) (Config, error) {
	raw, err := readConfig(path)
	if err != nil {
		return Config{}, err
	}
	c := defaults()
	if err := decodeFile(path, raw, &c); err != nil {
		return Config{}, err
	}
	text := &layers{path: path, raw: raw}
	if c.Setup {
		if c, err = text.lay(below(filepath.Dir(path), c.DataDir), settled); err != nil {
			return Config{}, err
		}
	}
	files := c.files()
	c.DataDir, c.SharedDir = below(filepath.Dir(path), c.DataDir), below(filepath.Dir(path), c.SharedDir)
	if t := c.TLS.ACME; t != nil {
		t.Cache = below(filepath.Dir(path), t.Cache)
	}
	for _, f := range files {
		*f.path = below(filepath.Dir(path), *f.path)
	}
	for _, p := range append(c.Channels.Dirs(), &c.Backup.Dir, &c.Backup.RecipientsFile) { // made when they are needed
		*p = below(filepath.Dir(path), *p)
	}
	wrong := c.check()
	for i := 0; wrong == nil && i < len(files); i++ {
		wrong = files[i].check()
	}
	if wrong != nil {
		return Config{}, text.at(wrong)
	}
	return c, nil
}

func below(dir, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// namedFile is a file that the configuration may name, and what has to be in it.
type namedFile struct {
	key  string
	path *string
	mend string
}

func (c *Config) files() []namedFile {
	f := []namedFile{
		{"database.dsn_file", &c.Database.DSNFile, "put the PostgreSQL connection string into this file"},
		{"ledger.policy_file", &c.Ledger.PolicyFile, "put the policy there; server ledger policy prints one to start from"},
		{"backup.drill_dsn_file", &c.Backup.DrillDSNFile, "put the connection string of an empty PostgreSQL database into this file"},
		{"tls.cert_file", &c.TLS.CertFile, "put the certificate of the pages (PEM) there"},
		{"tls.key_file", &c.TLS.KeyFile, "put the private key of the certificate (PEM) there"},
		{"trace.scan.regions", &c.Trace.Scan.Regions, "put the table of address ranges and provinces there, one 113.160.92.0/22,33 a line"},
		{"history.password_file", &c.History.PasswordFile, "put the password of the InfluxDB user into this file"},
		{"history.token_file", &c.History.TokenFile, "put the token that InfluxDB gave into this file"},
	}
	if e := c.Broker.Embedded; e != nil {
		f = append(f, namedFile{"broker.embedded.ca_file", &e.CAFile, "put the certificate of who signed cert_file (PEM) there"},
			namedFile{"broker.embedded.cert_file", &e.CertFile, "put the broker's certificate (PEM) there"},
			namedFile{"broker.embedded.key_file", &e.KeyFile, "put the private key of the certificate (PEM) there"})
	}
	if o := c.Broker.Outside; o != nil {
		f = append(f, namedFile{"broker.outside.password_file", &o.PasswordFile, "put the password of the broker's user into this file"},
			namedFile{"broker.outside.ca_file", &o.CAFile, "put the certificate of the broker's CA (PEM) there"})
	}
	f = append(f, namedFile{"intakes.password_file", &c.Intakes.PasswordFile, "put the password of that user into this file"})
	for i := range c.Intakes.Sources {
		f = append(f, namedFile{"intakes.sources", &c.Intakes.Sources[i].Mapping, "put the mapping there; server/intake/README.md has a sample for each kind"})
	}
	f = append(f, c.Telemetry.files()...)
	for _, n := range c.Channels.Files() {
		f = append(f, namedFile{n.Key, n.Path, n.Mend})
	}
	return f
}

// check finds a file that is missing, cannot be read or is empty before anything is opened.
func (f namedFile) check() *keyError {
	if *f.path == "" {
		return nil
	}
	if _, err := secret(*f.path); err != nil {
		return &keyError{f.key, err.Error(), f.mend}
	}
	return nil
}

// keyError is a value that cannot be worked with: which key, what is wrong, how to mend it.
type keyError struct{ key, what, mend string }

func (e *keyError) Error() string { return e.key + ": " + e.what + ": " + e.mend }

func (c *Config) check() *keyError {
	switch {
	case !wire.ValidGatewayID(c.Name):
		return &keyError{"name", fmt.Sprintf("%q is no key name", c.Name), "use small letters, digits and hyphens, 2 to 39 characters"}
	case !setup.Phone(c.Phone):
		return &keyError{"phone", fmt.Sprintf("%q is no telephone number", c.Phone), `write it in quotes, such as "0912 345 678"`}
	case !hostPort(c.SetupListen):
		return &keyError{"setup_listen", fmt.Sprintf("%q is no address", c.SetupListen), "write host:port, such as :8080"}
	case !hostPort(c.Listen):
		return &keyError{"listen", fmt.Sprintf("%q is no address", c.Listen), "write host:port, such as 127.0.0.1:8080"}
	case !httpURL(c.PublicURL):
		return &keyError{"public_url", fmt.Sprintf("%q is no web address", c.PublicURL), "write http:// or https://, host, and no path"}
	}
	if b := c.Ledger.Batches; b != "open" && b != "closed" {
		return &keyError{"ledger.batches", fmt.Sprintf("%q", b), "write open, or closed"}
	}
	if p := c.Access.Pages; p != "open" && p != "signed-in" {
		return &keyError{"access.pages", fmt.Sprintf("%q", p), "write signed-in, or open"}
	}
	if f := c.Access.SecondFactor; f != "required" && f != "advised" {
		return &keyError{"access.second_factor", fmt.Sprintf("%q", f), "write required, or advised"}
	}
	if _, err := c.Access.proxies(); err != nil {
		return &keyError{"access.proxies", err.Error(), "write addresses or networks, such as [127.0.0.1, 10.0.0.0/8]"}
	}
	if wrong := c.TLS.check(); wrong != nil {
		return wrong
	}
	if wrong := c.Gates.check(); wrong != nil {
		return wrong
	}
	if wrong := c.Trace.check(); wrong != nil {
		return wrong
	}
	switch d := c.Database; {
	case d.Driver == "postgres" && d.DSNFile == "":
		return &keyError{"database.dsn_file", "missing", "name a file with the PostgreSQL connection string"}
	case d.Driver == "sqlite" && d.DSNFile != "":
		return &keyError{"database.dsn_file", "sqlite needs none", "remove it, or set driver: postgres"}
	case d.Driver != "sqlite" && d.Driver != "postgres":
		return &keyError{"database.driver", fmt.Sprintf("unknown driver %q", d.Driver), "use sqlite or postgres"}
	}
	if wrong := c.checkRoles(); wrong != nil {
		return wrong
	}
	switch h := c.History; {
	case h.Engine == "influx":
		if wrong := h.checkInflux(); wrong != nil {
			return wrong
		}
	case h.Engine == "sqlite" && h != (HistoryConfig{Engine: "sqlite", Retention: h.Retention}):
		return &keyError{"history.engine", "sqlite takes no other keys", "remove them, or set engine: influx"}
	case h.Engine != "sqlite":
		return &keyError{"history.engine", fmt.Sprintf("unknown engine %q", h.Engine), "use sqlite or influx"}
	}
	if err := c.History.Retention.check(); err != nil {
		return err
	}
	if err := c.checkBackup(); err != nil {
		return err
	}
	if err := c.checkBroker(); err != nil {
		return err
	}
	if err := c.checkIntakes(); err != nil {
		return err
	}
	if wrong := c.Telemetry.check(); wrong != nil {
		return wrong
	}
	if wrong := c.Channels.Check(); wrong != nil {
		return &keyError{wrong.Key, wrong.What, wrong.Mend}
	}
	return nil
}

func (c *Config) checkBroker() *keyError {
	e, o := c.Broker.Embedded, c.Broker.Outside
	switch {
	case c.Broker.Address != "" && !hostPort(c.Broker.Address):
		return &keyError{"broker.address", fmt.Sprintf("%q is no address", c.Broker.Address), "write host:port, such as htx.example:8883"}
	case (e == nil) == (o == nil):
		return &keyError{"broker", "want exactly one of embedded and outside", "write broker: { embedded: { listen: 127.0.0.1:1883 } }"}
	case e != nil && !hostPort(e.Listen):
		return &keyError{"broker.embedded.listen", fmt.Sprintf("%q is no address", e.Listen), "write host:port, such as 127.0.0.1:1883"}
	case e != nil && (e.CertFile == "") != (e.KeyFile == ""):
		return &keyError{"broker.embedded.cert_file", "cert_file and key_file belong together", "name both, or neither"}
	case o == nil:
		return e.check()
	}
	u, err := url.Parse(o.URL)
	switch {
	case err != nil || u.Host == "" || (u.Scheme != "tcp" && u.Scheme != "ssl"):
		return &keyError{"broker.outside.url", fmt.Sprintf("%q is no broker address", o.URL), "write tcp://host:1883 or ssl://host:8883"}
	case o.CAFile != "" && u.Scheme != "ssl":
		return &keyError{"broker.outside.ca_file", "only TLS needs a CA", "write url: ssl://..., or remove ca_file"}
	case (o.Username == "") != (o.PasswordFile == ""):
		return &keyError{"broker.outside.username", "username and password_file belong together", "name both, or neither"}
	case !wire.ValidGatewayID(o.Group):
		return &keyError{"broker.outside.group", fmt.Sprintf("%q is no group name", o.Group), "write group: aovuon"}
	}
	return nil
}

func hostPort(s string) bool {
	_, port, err := net.SplitHostPort(s)
	if err != nil {
		return false
	}
	_, err = strconv.ParseUint(port, 10, 16)
	return err == nil
}

func httpURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && (u.Path == "" || u.Path == "/") && u.RawQuery == "" && u.User == nil
}
