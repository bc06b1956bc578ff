package app

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"strings"

	"aovuon/gateway/settings"
	"aovuon/gateway/wire"
)

func (r *reloader) tell(ctx context.Context) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tellLocked(ctx)
}

// standing is what is in force now.
func (r *reloader) standing() wire.SettingsReport {
	r.mu.Lock()
	defer r.mu.Unlock()
	report, err := r.report()
	if err != nil {
		report.Why = strings.TrimSpace(report.Why + " " + err.Error())
	}
	return report
}

func (r *reloader) report() (wire.SettingsReport, error) {
	report := wire.SettingsReport{Version: r.wanted.newest.Version, State: r.wanted.State, Why: r.wanted.Why, Kept: r.kept}
	if r.parts.program != nil {
		report.Program = r.parts.program()
	}
	merged, kept, err := settings.Apply(r.file, r.wanted.inForce.Changes)
	if err != nil {
		return report, err
	}
	if report.Settings, err = settings.InForce(merged); err != nil {
		return report, err
	}
	file, err := settings.InForce(r.file)
	for _, c := range r.wanted.inForce.Changes {
		if slices.Contains(kept, c.Path) {
			continue
		}
		if report.File == nil {
			report.File = make(map[string]json.RawMessage)
		}
		report.File[c.Path] = json.RawMessage("null")
		if v, ok := file[c.Path]; ok {
			report.File[c.Path] = v
		}
	}
	return report, err
}

// tellLocked puts a settings document into the spool.
func (r *reloader) tellLocked(ctx context.Context) {
	report, err := r.report()
	var body string
	if err == nil {
		body, err = report.Body()
	}
	if err == nil {
		err = r.parts.document(ctx, wire.Document{Time: r.clock.Now(), Kind: wire.DocSettings, Body: body})
	}
	if err != nil {
		r.log.Error("the server is not told which settings are in force", slog.Any("err", err))
	}
}
