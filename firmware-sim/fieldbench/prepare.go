package fieldbench

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"aovuon/gateway/wire"
)

// Setting is what a run of the harness needs of the server.
type Setting struct {
	Gateways []string // their names: those of the harness's devices
	Listen   string   // host:port of the pages
	Broker   string   // host:port of the embedded broker; of another one with Outside
	Outside  bool     // the harness runs the broker
	Influx   string   // URL; empty: SQLite
	Database string   // in InfluxDB
}

// Write writes server.yaml, and cards.txt for `server gateway add` into a folder, and makes that.
func (s Setting) Write(dir string) error {
	var cards strings.Builder
	for _, id := range s.Gateways {
		g, err := NewGateway(id)
		if err != nil {
			return err
		}
		cards.WriteString(g.Card().String())
	}
	history, broker := "{ engine: sqlite }", fmt.Sprintf("{ embedded: { listen: %q } }", s.Broker)
	if s.Influx != "" {
		history = fmt.Sprintf("{ engine: influx, url: %q, database: %q }", s.Influx, s.Database)
	}
	if s.Outside {
		broker = fmt.Sprintf("{ outside: { url: %q, group: fieldbench } }", "tcp://"+s.Broker)
	}
	config := fmt.Sprintf("listen: %q\npublic_url: \"http://%s\"\nname: fieldbench\nhistory: %s\nbroker: %s\n", s.Listen, s.Listen, history, broker)
	for name, content := range map[string]string{"server.yaml": config, "cards.txt": cards.String()} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("fieldbench: %w", err)
		}
		if err := wire.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			return fmt.Errorf("fieldbench: %w", err)
		}
	}
	return nil
}
