package app

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"aovuon/server/setup"
)

// layers are the two texts of a configuration with setup: true. The file of the person who runs the server stands above what the setup page
// settled, first-level key by first-level key: what is in the file counts, and nobody but that person writes it.
type layers struct {
	path    string // of the configuration file
	raw     []byte
	below   string // path of the settings; empty: there are none
	settled []byte // what counts of them
	hidden  []string
}

// lay returns the configuration of both; settled are the settings instead of those on disk, unless nil.
func (l *layers) lay(dataDir string, settled *setup.Settings) (Config, error) {
	c := defaults()
	var s setup.Settings
	var had []byte
	var err error
	if settled != nil {
		s = *settled
	} else if s, had, err = setup.ReadSettings(dataDir); err != nil {
		return c, fmt.Errorf("config: %w\n  mend: correct it, or remove the file and finish the setup page again (server setup-link --again)", err)
	}
	if settled != nil || had != nil {
		l.below = filepath.Join(dataDir, setup.SettingsFile)
		l.cover(&s)
		settle(dataDir, &s)
		if l.settled, err = s.Text(); err != nil {
			return c, err
		}
		if err := decodeFile(l.below, l.settled, &c); err != nil {
			return c, err
		}
	}
	if err := decodeFile(l.path, l.raw, &c); err != nil {
		return c, err
	}
	if c.Broker.Embedded == nil && c.Broker.Outside == nil { // nobody said yet
		c.Broker.Embedded = &EmbeddedConfig{Listen: "127.0.0.1:1883"}
	}
	return c, nil
}

// cover takes away what the file says itself.
func (l *layers) cover(s *setup.Settings) {
	keys := firstKeys(l.raw)
	hide := func(key string, there bool) bool {
		if !there || !slices.Contains(keys, key) {
			return false
		}
		l.hidden = append(l.hidden, key)
		return true
	}
	if hide("name", s.Name != "") {
		s.Name = ""
	}
	if hide("phone", s.Phone != "") {
		s.Phone = ""
	}
	if hide("listen", s.Listen != "") {
		s.Listen = ""
	}
	if hide("public_url", s.PublicURL != "") {
		s.PublicURL = ""
	}
	if hide("tls", s.TLS != nil) {
		s.TLS = nil
	}
	if hide("broker", s.Broker != nil) {
		s.Broker = nil
	}
	if hide("channels", s.Channels != nil) {
		s.Channels = nil
	}
	if hide("backup", s.Backup != nil) {
		s.Backup = nil
	}
}

// settle makes the paths of settings those of this machine: in the file they are relative to the data folder, so that it can be moved.
func settle(dataDir string, s *setup.Settings) {
	if abs, err := filepath.Abs(dataDir); err == nil {
		dataDir = abs
	}
	if t := s.TLS; t != nil {
		t.CertFile, t.KeyFile = below(dataDir, t.CertFile), below(dataDir, t.KeyFile)
	}
	if b := s.Backup; b != nil {
		b.Dir, b.RecipientsFile = below(dataDir, b.Dir), below(dataDir, b.RecipientsFile)
	}
}

// at says where a value stands that cannot be worked with.
func (l *layers) at(wrong *keyError) error {
	top, _, _ := strings.Cut(wrong.key, ".")
	if l.below != "" && !slices.Contains(firstKeys(l.raw), top) && slices.Contains(firstKeys(l.settled), top) {
		return fmt.Errorf("config: %s: %w", l.below, wrong)
	}
	return fmt.Errorf("config: %s:%d: %w", l.path, lineOf(l.raw, wrong.key), wrong)
}

// firstKeys are the first-level keys of a file.
func firstKeys(raw []byte) (out []string) {
	file, err := parser.ParseBytes(raw, 0)
	if err != nil {
		return nil
	}
	for _, d := range file.Docs {
		switch m := d.Body.(type) {
		case *ast.MappingNode:
			for _, v := range m.Values {
				out = append(out, v.Key.String())
			}
		case *ast.MappingValueNode:
			out = append(out, m.Key.String())
		}
	}
	return out
}

type configCmd struct{}

// Run prints what is in force, and from which file.
func (configCmd) Run(e *env) error {
	if _, err := LoadConfig(e.config); err != nil {
		return err
	}
	raw, err := readConfig(e.config)
	if err != nil {
		return err
	}
	c := defaults()
	if err := decodeFile(e.config, raw, &c); err != nil {
		return err
	}
	var own yaml.MapSlice
	if err := yaml.UnmarshalWithOptions(raw, &own); err != nil {
		return fmt.Errorf("config: %w", err)
	}
	text, err := yaml.Marshal(own)
	if err != nil {
		return fmt.Errorf("config: %w", err)
	}
	if err := e.printf("# from %s\n%s", e.config, text); err != nil || !c.Setup {
		return err
	}
	l := &layers{path: e.config, raw: raw}
	if _, err := l.lay(below(filepath.Dir(e.config), c.DataDir), nil); err != nil {
		return err
	}
	if l.below == "" {
		return e.printf("# the setup page has settled nothing yet: server setup-link prints the way to it\n")
	}
	said := slices.DeleteFunc(strings.Split(string(l.settled), "\n"), func(s string) bool { return strings.HasPrefix(s, "#") })
	if err := e.printf("# from %s\n%s", l.below, strings.Join(said, "\n")); err != nil || len(l.hidden) == 0 {
		return err
	}
	return e.printf("# there, too, and not in force because %s says it: %s\n", filepath.Base(e.config), strings.Join(l.hidden, ", "))
}
