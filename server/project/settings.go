package project

import (
	"context"
	"fmt"
	"log/slog"

	"aovuon/gateway/wire"
	"aovuon/server/desired"
	"aovuon/server/ingest"
)

// SettingsName is the name of the projection of what gateways say of their settings.
const SettingsName = "settings"

// Reports keeps the newest report of each gateway.
type Reports interface {
	// SaveReport keeps r unless a later one of its gateway (by Position) is there.
	SaveReport(ctx context.Context, r desired.Report) error
}

// Settings leads the settings documents of the log to where the pages and the outbox look.
type Settings struct {
	store Reports
	log   *slog.Logger
}

// NewSettings returns the projection.
func NewSettings(store Reports, log *slog.Logger) *Settings { return &Settings{store: store, log: log} }

// Name implements Projection.
func (*Settings) Name() string { return SettingsName }

// Apply implements Projection. Of a chunk only the newest report of each gateway is written. One that cannot be read is
// told and passed over: it stays in the log.
func (s *Settings) Apply(ctx context.Context, records []ingest.Record) error {
	newest := map[string]desired.Report{}
	for i := range records {
		r := &records[i]
		for _, d := range r.Batch.Documents {
			if d.Kind != wire.DocSettings {
				continue
			}
			body, err := wire.ParseSettingsReport(d.Body)
			if err != nil {
				s.log.Warn("settings of a gateway cannot be read", slog.String("gateway", r.Batch.Gateway),
					slog.Int64("position", r.Position), slog.Any("err", err))
				continue
			}
			newest[r.Batch.Gateway] = desired.Report{
				SettingsReport: body, Gateway: r.Batch.Gateway, Position: r.Position, Time: d.Time.Wall,
			}
		}
	}
	for _, report := range newest {
		if err := s.store.SaveReport(ctx, report); err != nil {
			return fmt.Errorf("save settings: %w", err)
		}
	}
	return nil
}
