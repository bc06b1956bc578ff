package app

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base32"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"

	"aovuon/server/broker"
	"aovuon/server/homeassistant"
	"aovuon/server/web"
)

// TelemetryConfig says who may look at the server with other programs.
type TelemetryConfig struct {
	HomeAssistant *HomeAssistantConfig `yaml:"home_assistant"` // nil: nothing is told
	Traces        *TracesConfig        `yaml:"traces"`         // nil: none are made
}

// HomeAssistantConfig says where Home Assistant reads what is measured: a listener of this server's own, or its own broker.
type HomeAssistantConfig struct {
	Listen       string `yaml:"listen"` // host:port of MQTT; Home Assistant reads there with the one credential that server telemetry homeassistant prints
	CertFile     string `yaml:"cert_file"`
	KeyFile      string `yaml:"key_file"`
	URL          string `yaml:"url"` // of a broker that Home Assistant reads already, such as its Mosquitto: tcp:// or ssl://
	Username     string `yaml:"username"`
	PasswordFile string `yaml:"password_file"`
	CAFile       string `yaml:"ca_file"`
	Prefix       string `yaml:"prefix"`   // of discovery; empty: homeassistant
	Language     string `yaml:"language"` // vi or en
	Remove       bool   `yaml:"remove"`   // take away what was said
}

func (t *TelemetryConfig) files() []namedFile {
	h := t.HomeAssistant
	if h == nil {
		return nil
	}
	return []namedFile{
		{"telemetry.home_assistant.password_file", &h.PasswordFile, "put the password of the broker's user into this file"},
		{"telemetry.home_assistant.ca_file", &h.CAFile, "put the certificate of the broker's CA (PEM) there"},
		{"telemetry.home_assistant.cert_file", &h.CertFile, "put the listener's certificate (PEM) there"},
		{"telemetry.home_assistant.key_file", &h.KeyFile, "put the private key of the certificate (PEM) there"},
	}
}

func (t *TelemetryConfig) check() *keyError {
	if wrong := t.Traces.check(); wrong != nil {
		return wrong
	}
	const at = "telemetry.home_assistant"
	h := t.HomeAssistant
	switch {
	case h == nil:
		return nil
	case (h.Listen == "") == (h.URL == ""):
		return &keyError{at, "want exactly one of listen and url", "write listen: 127.0.0.1:1884, or url: tcp://host:1883 of the broker that Home Assistant reads"}
	case h.Listen != "" && !hostPort(h.Listen):
		return &keyError{at + ".listen", fmt.Sprintf("%q is no address", h.Listen), "write host:port, such as 127.0.0.1:1884"}
	case h.URL != "" && !strings.HasPrefix(h.URL, "tcp://") && !strings.HasPrefix(h.URL, "ssl://"):
		return &keyError{at + ".url", fmt.Sprintf("%q is no broker address", h.URL), "write tcp://host:1883 or ssl://host:8883"}
	case h.Listen != "" && (h.Username != "" || h.PasswordFile != "" || h.CAFile != ""):
		return &keyError{at + ".username", "a listener of our own has a credential of its own", "remove username, password_file and ca_file; server telemetry homeassistant prints what to enter"}
	case (h.Username == "") != (h.PasswordFile == ""):
		return &keyError{at + ".username", "username and password_file belong together", "name both, or neither"}
	case h.URL != "" && h.CertFile != "" || (h.CertFile == "") != (h.KeyFile == ""):
		return &keyError{at + ".cert_file", "cert_file and key_file belong together, and to listen", "name both beside listen, or neither"}
	case h.Language != "" && h.Language != web.Vietnamese && h.Language != web.English:
		return &keyError{at + ".language", fmt.Sprintf("%q", h.Language), "write vi, or en"}
	case strings.ContainsAny(h.Prefix, "+#. /"):
		return &keyError{at + ".prefix", fmt.Sprintf("%q", h.Prefix), "write one word, as Home Assistant has it: homeassistant"}
	}
	return nil
}

func (h *HomeAssistantConfig) prefix() string {
	if h.Prefix == "" {
		return "homeassistant"
	}
	return h.Prefix
}

// homeAssistantUser is who reads. It is no gateway's id.
const homeAssistantUser = "home_assistant"

func (c *Config) homeAssistantSecret() string {
	return filepath.Join(c.DataDir, "homeassistant.password")
}

// readersSecret is the hash of the credential; it is read at each sign-in, so that a new one counts at once.
func (c *Config) readersSecret() ([32]byte, bool) {
	s, err := secret(c.homeAssistantSecret())
	return sha256.Sum256([]byte(s)), err == nil
}

// newReadersSecret writes a credential.
func (c *Config) newReadersSecret() error {
	var b [20]byte
	if _, err := rand.Read(b[:]); err != nil {
		return err
	}
	text := strings.ToLower(base32.StdEncoding.EncodeToString(b[:]))
	return os.WriteFile(c.homeAssistantSecret(), []byte(text+"\n"), 0o600)
}

// openHomeAssistant makes what tells Home Assistant; nil: nobody is told.
func (s *running) openHomeAssistant() (func(context.Context) error, error) {
	h := s.config.Telemetry.HomeAssistant
	if h == nil {
		return nil, nil //nolint:nilnil // nothing to tell is no error
	}
	lang := h.Language
	if lang == "" {
		lang = web.Vietnamese
	}
	names, unsigned, err := web.QuantityWords(lang)
	if err != nil {
		return nil, err
	}
	service := &homeassistant.Service{
		Options: homeassistant.Options{
			Prefix: h.prefix(), Words: homeassistant.Words{Quantity: names, Unsigned: unsigned, Lang: lang}, URL: s.config.base(), Version: version(),
		},
		Farm: s.db.Farm, Live: s.live, Filled: func() bool { return s.liveRunner.Load() != nil }, File: filepath.Join(s.config.DataDir, "homeassistant.json"),
		Remove: h.Remove, Now: s.now, Log: s.log,
	}
	return func(ctx context.Context) error {
		to := broker.OutsideOptions{URL: h.URL, Username: h.Username, PasswordFile: h.PasswordFile, CAFile: h.CAFile, Log: s.log}
		if h.Listen != "" {
			readers, err := s.config.startReaders(h, s)
			if err != nil {
				return err
			}
			defer readers.Close()
			to = readers.Publisher()
		}
		return broker.Retain(ctx, to, broker.Will{Topic: homeassistant.StatusTopic, Text: homeassistant.Offline}, func(ctx context.Context, publish func(string, []byte) error) error {
			return service.Run(ctx, func(m homeassistant.Message) error { return publish(m.Topic, m.Payload) })
		})
	}, nil
}

// startReaders starts the listener at which Home Assistant reads.
func (c *Config) startReaders(h *HomeAssistantConfig, s *running) (*broker.Readers, error) {
	if _, ok := c.readersSecret(); !ok {
		if err := c.newReadersSecret(); err != nil {
			return nil, err
		}
	}
	o := broker.EmbeddedOptions{Listen: h.Listen, StoreDir: filepath.Join(c.DataDir, "readers"), Log: s.log}
	if h.CertFile != "" {
		cert, err := tls.LoadX509KeyPair(h.CertFile, h.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("telemetry.home_assistant.cert_file: %w", err)
		}
		o.TLS = &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	}
	return broker.StartReaders(broker.ReadersOptions{
		Embedded: o, User: homeAssistantUser, Secret: c.readersSecret, Topics: []string{h.prefix(), "aovuon/ha"}, Says: []string{h.prefix() + "/status"},
	})
}

type telemetryHomeAssistantCmd struct {
	New bool `help:"Make another password; the one before is worth nothing from then on."`
}

// Run prints what to enter in Home Assistant.
func (cmd *telemetryHomeAssistantCmd) Run(e *env) error {
	c, err := LoadConfig(e.config)
	if err != nil {
		return err
	}
	h := c.Telemetry.HomeAssistant
	switch {
	case h == nil:
		return fmt.Errorf("%s has no telemetry.home_assistant: write telemetry: { home_assistant: { listen: 127.0.0.1:1884 } }, and start the server again", e.config)
	case h.URL != "":
		return e.printf("Home Assistant reads %s, where this server publishes: nothing is to be entered\n", h.URL)
	}
	if _, err := os.Stat(c.homeAssistantSecret()); cmd.New || errors.Is(err, fs.ErrNotExist) {
		if err := c.newReadersSecret(); err != nil {
			return err
		}
	}
	password, err := secret(c.homeAssistantSecret())
	if err != nil {
		return err
	}
	host, port, err := net.SplitHostPort(h.Listen)
	if err != nil {
		return err
	}
	return e.printf("In Home Assistant: Settings, Devices and services, Add integration, MQTT.\nbroker    %s\nport      %s\nusername  %s\npassword  %s\ndiscovery prefix %s\n",
		host, port, homeAssistantUser, password, h.prefix())
}
