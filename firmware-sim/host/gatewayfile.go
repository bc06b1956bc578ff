package host

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/goccy/go-yaml"

	"aovuon/firmware-sim/field"
)

// gatewayFile is what the simulator needs to know of a gateway's configuration.
type gatewayFile struct {
	id     string
	data   string // its data folder
	broker string // host:port that it connects to
	wires  field.Wires
}

// readGateway reads a gateway's configuration; what is wrong with it otherwise is for the gateway to say.
func readGateway(path string) (*gatewayFile, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("gateway configuration: %w (gateway sample prints one to start from)", err)
	}
	type relay struct {
		Relay struct {
			Pin string `yaml:"pin"`
		} `yaml:"relay"`
		Siren struct {
			Pin string `yaml:"pin"`
		} `yaml:"siren"`
	}
	var known struct {
		Gateway string `yaml:"gateway"`
		DataDir string `yaml:"data_dir"`
		Server  struct {
			URL string `yaml:"url"`
		} `yaml:"server"`
		Buses map[string]struct {
			I2C     string `yaml:"i2c"`
			W1      string `yaml:"w1"`
			OneWire string `yaml:"onewire"`
			Serial  string `yaml:"serial"`
		} `yaml:"buses"`
		Aerators []relay `yaml:"aerators"`
		Alarms   []relay `yaml:"alarms"`
	}
	if err := yaml.Unmarshal(raw, &known); err != nil {
		return nil, fmt.Errorf("%s: %s (gateway check --config %s says more)", path, strings.TrimSpace(yaml.FormatError(err, false, true)), path)
	}
	dir := filepath.Dir(path)
	at := func(p string) string {
		socket, remote := strings.CutPrefix(p, "unix:")
		if p == "" || filepath.IsAbs(socket) {
			return p
		}
		if remote {
			return "unix:" + filepath.Join(dir, socket)
		}
		return filepath.Join(dir, p)
	}
	g := &gatewayFile{id: known.Gateway, data: filepath.Join(dir, "data")}
	if known.DataDir != "" {
		g.data = at(known.DataDir)
	}
	if u, err := url.Parse(known.Server.URL); err == nil {
		g.broker = u.Host
	}
	w := &g.wires
	for _, b := range known.Buses {
		if strings.HasPrefix(b.I2C, "unix:") { // others are this machine's own
			w.I2C = append(w.I2C, at(b.I2C))
		}
		w.W1, w.OneWire, w.Serial = append(w.W1, at(b.W1)), append(w.OneWire, b.OneWire), append(w.Serial, at(b.Serial))
	}
	for _, r := range append(known.Aerators, known.Alarms...) {
		for _, pin := range []string{r.Relay.Pin, r.Siren.Pin} {
			if strings.HasPrefix(pin, "unix:") {
				w.Pins = append(w.Pins, at(pin))
			}
		}
	}
	return g, nil
}
