package app

import (
	"aovuon/server/deploy/grafana"
)

type telemetryCmd struct {
	HomeAssistant telemetryHomeAssistantCmd `cmd:"" name:"homeassistant" help:"Print what to enter in Home Assistant, with the one credential that reads."`
	Dashboards    telemetryDashboardsCmd    `cmd:"" help:"Write dashboards and data sources for Grafana, alert rules and a scrape configuration for Prometheus."`
}

type telemetryDashboardsCmd struct {
	Out string `required:"" help:"Folder to write to; it is made, and files of these names in it are written over." placeholder:"DIR"`
}

// Run writes the files.
func (cmd *telemetryDashboardsCmd) Run(e *env) error {
	written, err := grafana.Write(cmd.Out)
	if err != nil {
		return err
	}
	for _, name := range written {
		if err := e.printf("%s\n", name); err != nil {
			return err
		}
	}
	return nil
}
