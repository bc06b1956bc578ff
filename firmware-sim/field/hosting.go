package field

import (
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strings"

	"aovuon/gateway/wire"
)

// Gateway is a gateway that `firmware-sim run` hosts: its machine, its link, its card and the program on it. Relative paths are
// relative to the field file.
type Gateway struct {
	ID      string `yaml:"id"`      // as in its configuration
	Config  string `yaml:"config"`  // its gateway.yaml
	Program string `yaml:"program"` // the gateway program; empty: that of --gateway
	Start   *bool  `yaml:"start"`   // with the field; default: true
	Restart string `yaml:"restart"` // when it ends by itself: always, as systemd does on a Pi, or never (default)
	RTC     bool   `yaml:"rtc"`     // its machine has a battery-backed clock
	Link    *Link  `yaml:"link"`    // nil: it reaches its broker directly, and nobody can cut that
	Disk    Disk   `yaml:"disk"`
}

// Link is the network between a gateway and its broker: a port of this machine that the gateway's server.url names, and
// where the broker listens.
type Link struct {
	Listen string `yaml:"listen"`
	To     string `yaml:"to"`
}

// Disk is a gateway's card.
type Disk struct {
	MB float64 `yaml:"mb"` // its size; 0: as large as this machine's disk
}

// Program is another program that `firmware-sim run` hosts: a server, a broker.
type Program struct {
	ID     string   `yaml:"id"`
	Run    []string `yaml:"run"`    // the program and its arguments; it runs in the folder of the field file
	Broker bool     `yaml:"broker"` // the gateways' broker is in it
	Ready  string   `yaml:"ready"`  // host:port that answers when it works; empty: it works at once
}

// RestartAlways is the value of Gateway.Restart that has systemd's way.
const RestartAlways = "always"

// Starts reports whether the gateway starts with the field.
func (g Gateway) Starts() bool { return g.Start == nil || *g.Start }

// resolveHosting makes the paths of what is hosted absolute.
func (c *Config) resolveHosting(dir string) {
	c.Dir = dir
	for i := range c.Gateways {
		under(&c.Gateways[i].Config, dir)
		under(&c.Gateways[i].Program, dir)
	}
	for i, p := range c.Programs {
		if len(p.Run) > 0 && strings.ContainsRune(p.Run[0], filepath.Separator) {
			under(&c.Programs[i].Run[0], dir)
		}
	}
}

// checkHosting finds what is wrong with what is hosted, as far as the field file tells.
func (c Config) checkHosting() error {
	seen := make(map[string]bool)
	ports := make(map[string]string)
	for i, p := range c.Programs {
		if err := p.check(fmt.Sprintf("$.programs[%d]", i), seen); err != nil {
			return err
		}
	}
	for i, g := range c.Gateways {
		at := fmt.Sprintf("$.gateways[%d]", i)
		if err := g.check(at, seen); err != nil {
			return err
		}
		if g.Link == nil || strings.HasSuffix(g.Link.Listen, ":0") {
			continue
		}
		if other := ports[g.Link.Listen]; other != "" {
			return wrong(at+".link.listen", "gateway %s: the link of %s listens on %s: give every link a port of its own", g.ID, other, g.Link.Listen)
		}
		ports[g.Link.Listen] = g.ID
	}
	return nil
}

func (g Gateway) check(at string, seen map[string]bool) error {
	switch {
	case !wire.ValidGatewayID(g.ID):
		return wrong(at+".id", "gateway %q: want the id of its gateway.yaml: 2 to 39 of a-z, 0-9 and -", g.ID)
	case g.ID == everyone || seen[g.ID]:
		return wrong(at+".id", "gateway %s: the name is taken: give every gateway and program its own", g.ID)
	case g.Config == "":
		return wrong(at, "gateway %s has no config: name its gateway.yaml (gateway sample prints one)", g.ID)
	case g.Restart != "" && g.Restart != "never" && g.Restart != RestartAlways:
		return wrong(at+".restart", "gateway %s: restart %q: want always or never", g.ID, g.Restart)
	case g.Disk.MB < 0 || g.Disk.MB > 1e6:
		return wrong(at+".disk.mb", "gateway %s: a card of %g MB: want 0 to 1000000; 0 is as large as this machine's disk", g.ID, g.Disk.MB)
	}
	seen[g.ID] = true
	if g.Link == nil {
		return nil
	}
	if _, port, err := net.SplitHostPort(g.Link.Listen); err != nil || port == "" {
		return wrong(at+".link", "gateway %s: its link listens on %q: want an address such as 127.0.0.1:18831, which its server.url names", g.ID, g.Link.Listen)
	}
	if _, port, err := net.SplitHostPort(g.Link.To); err != nil || port == "" || port == "0" {
		return wrong(at+".link", "gateway %s: its link goes to %q: want where its broker listens, such as 127.0.0.1:1883", g.ID, g.Link.To)
	}
	return nil
}

func (p Program) check(at string, seen map[string]bool) error {
	switch {
	case p.ID == "" || strings.ContainsAny(p.ID, " \t\n"):
		return wrong(at, "a program without id: give it one word, such as server")
	case p.ID == everyone || seen[p.ID]:
		return wrong(at+".id", "program %s: the name is taken: give every gateway and program its own", p.ID)
	case len(p.Run) == 0:
		return wrong(at, "program %s: run is empty: want the program and its arguments, such as [server, run, --config, server.yaml]", p.ID)
	}
	seen[p.ID] = true
	if p.Ready == "" {
		return nil
	}
	if _, port, err := net.SplitHostPort(p.Ready); err != nil || port == "" || port == "0" {
		return wrong(at+".ready", "program %s: ready %q: want an address that answers when it works, such as 127.0.0.1:1883", p.ID, p.Ready)
	}
	return nil
}

// hosts reports whether the file hosts a gateway, a link or a program of a name.
func (c Config) hosts(sort, name string) bool {
	if sort == "program" {
		return slices.ContainsFunc(c.Programs, func(p Program) bool { return name == everyone || p.ID == name })
	}
	return slices.ContainsFunc(c.Gateways, func(g Gateway) bool {
		return (name == everyone || g.ID == name) && (sort == "gateway" || g.Link != nil)
	})
}

// Alone is the field without what it hosts, and without the faults of that.
func (c Config) Alone() Config {
	c.Gateways, c.Programs = nil, nil
	c.Faults = slices.DeleteFunc(slices.Clone(c.Faults), Fault.OfMachine)
	return c
}

// everyone is the name in commands that means all of them.
const everyone = "all"
