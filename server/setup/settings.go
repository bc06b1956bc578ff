package setup

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"

	"github.com/goccy/go-yaml"

	"aovuon/gateway/wire"
)

// Where gateways reach the broker.
const brokerPort = 8883

// Settings are the keys of server.yaml that the setup settles. Files are named as there; relative ones are relative to the data folder.
type Settings struct {
	Name      string    `yaml:"name,omitempty"`
	Phone     string    `yaml:"phone,omitempty"`
	Listen    string    `yaml:"listen,omitempty"`
	PublicURL string    `yaml:"public_url,omitempty"`
	TLS       *TLS      `yaml:"tls,omitempty"`
	Broker    *Broker   `yaml:"broker,omitempty"`
	Channels  *Channels `yaml:"channels,omitempty"`
	Backup    *Backup   `yaml:"backup,omitempty"`
}

// TLS is the key tls.
type TLS struct {
	CertFile string `yaml:"cert_file,omitempty"`
	KeyFile  string `yaml:"key_file,omitempty"`
	ACME     *ACME  `yaml:"acme,omitempty"`
	LAN      bool   `yaml:"lan,omitempty"`
	Redirect string `yaml:"redirect,omitempty"`
}

// ACME is the key tls.acme.
type ACME struct {
	Domains []string `yaml:"domains"`
	Email   string   `yaml:"email"`
}

// Broker is the key broker. Its certificate is always one of the server's own authority, which gateways are given when they enrol: it does not
// end when one of the Internet does.
type Broker struct {
	Embedded Embedded `yaml:"embedded"`
}

// Embedded is the key broker.embedded.
type Embedded struct {
	Listen string `yaml:"listen"`
	LAN    bool   `yaml:"lan"`
}

// Channels is the key channels.
type Channels struct {
	Push Push `yaml:"push"`
}

// Push is the key channels.push.
type Push struct {
	Contact string `yaml:"contact"`
}

// Backup is the key backup.
type Backup struct {
	Dir            string `yaml:"dir"`
	RecipientsFile string `yaml:"recipients_file"`
}

// Settings returns what a draft that was checked settles; plain says whether port 80 leads to the pages.
func (d Draft) Settings(plain bool) Settings {
	s := Settings{
		Name: d.Name, Phone: d.Phone, Listen: net.JoinHostPort("", d.PortOr443()), PublicURL: d.URL(), TLS: &TLS{},
		Broker: &Broker{Embedded{Listen: fmt.Sprintf(":%d", brokerPort), LAN: true}},
	}
	switch d.Way {
	case LAN:
		s.TLS.LAN = true
	case Domain:
		s.TLS.ACME = &ACME{Domains: []string{d.Domain}, Email: d.Email}
	case Own:
		s.TLS.CertFile, s.TLS.KeyFile = d.CertFile, d.KeyFile
	}
	if plain {
		s.TLS.Redirect = ":80"
	}
	if d.Email != "" {
		s.Channels = &Channels{Push{Contact: d.Email}}
	}
	return s
}

// settingsHead stands above the settings.
const settingsHead = `# What the setup page, the page "Sao lưu" (backups) and that of the co-op settled; they write this file anew. To settle something yourself, write its key into server.yaml:
# a first-level key that stands there counts, and the same one here does not. "aovuon-server config" says what is in force.
`

// ReadSettings reads the settings of a data folder; none is an empty one.
func ReadSettings(dir string) (s Settings, raw []byte, err error) {
	raw, err = os.ReadFile(filepath.Join(dir, SettingsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return Settings{}, nil, nil
	}
	if err != nil {
		return Settings{}, nil, fmt.Errorf("setup: %w", err)
	}
	if err := yaml.UnmarshalWithOptions(raw, &s, yaml.Strict()); err != nil {
		return Settings{}, raw, fmt.Errorf("setup: %s: %w", filepath.Join(dir, SettingsFile), err)
	}
	return s, raw, nil
}

// Text is the settings as they stand in the file.
func (s Settings) Text() ([]byte, error) {
	raw, err := yaml.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("setup: %w", err)
	}
	return append([]byte(settingsHead), raw...), nil
}

// Write keeps settings in a data folder: on disk when it returns, or what was there before.
func (s Settings) Write(dir string) error {
	text, err := s.Text()
	if err != nil {
		return err
	}
	return wire.WriteFile(filepath.Join(dir, SettingsFile), text, 0o600)
}
