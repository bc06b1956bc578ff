package app

import (
	"fmt"

	"aovuon/firmware-sim/fieldbench"
)

type fieldbenchCommand struct {
	Dir      string `default:"fieldbench" help:"Folder for server.yaml and cards.txt." type:"path"`
	Gateways int    `default:"50" help:"How many devices the harness has: pond-000, pond-001 …; canary and probe come to them."`
	Listen   string `default:"127.0.0.1:21890" help:"Address of the server's pages."`
	Broker   string `default:"127.0.0.1:21885" help:"Address of the broker: the server's own, or with --outside the harness's."`
	Outside  bool   `help:"The harness runs the broker."`
	Influx   string `help:"InfluxDB, as in http://127.0.0.1:28086; without it the history is SQLite."`
	Database string `default:"bench" help:"Database in InfluxDB."`
}

// Run writes the files.
func (c fieldbenchCommand) Run(e *env) error {
	s := fieldbench.Setting{Listen: c.Listen, Broker: c.Broker, Outside: c.Outside, Influx: c.Influx, Database: c.Database, Gateways: []string{"canary", "probe"}}
	for i := range c.Gateways {
		s.Gateways = append(s.Gateways, fmt.Sprintf("pond-%03d", i))
	}
	if err := s.Write(c.Dir); err != nil {
		return err
	}
	e.say("%d gateways; then: server init, server gateway add cards.txt, server run, each in %s", len(s.Gateways), c.Dir)
	return nil
}
