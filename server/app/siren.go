package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/note"

	"aovuon/gateway/wire"
	"aovuon/server/channel/siren"
	"aovuon/server/desired"
	"aovuon/server/ledger"
	"aovuon/server/sqldb"
	"aovuon/server/watch/notify"
)

// sirens asks gateways to sound, as a desired setting like any other: signed, versioned, on record.
type sirens struct {
	db     *sqldb.DB
	signer note.Signer
	now    func() time.Time
}

// sirenTries is how often a version is made anew when somebody else was quicker.
const sirenTries = 5

// sirenSlack is how much earlier than asked a siren may end that sounds already: a storm of alarms is one siren, not thirty versions.
const sirenSlack = 30 * time.Second

// Sound implements siren.Gateways.
func (s *sirens) Sound(ctx context.Context, gateway string, until time.Time) (uint64, error) {
	for range sirenTries {
		version, err := s.ask(ctx, gateway, until)
		if !errors.Is(err, sqldb.ErrOutrun) {
			return version, err
		}
	}
	return 0, fmt.Errorf("gateway %s: %w", gateway, sqldb.ErrOutrun)
}

func (s *sirens) ask(ctx context.Context, gateway string, until time.Time) (uint64, error) {
	now, err := s.db.Wanted(ctx, gateway)
	if err != nil {
		return 0, err
	}
	report, err := s.db.Report(ctx, gateway)
	if err != nil {
		return 0, err
	}
	if wantsSiren(now, report, until.Add(-sirenSlack)) {
		return now.Version, nil
	}
	value, err := json.Marshal(until.UTC().Format(time.RFC3339))
	if err != nil {
		return 0, err
	}
	changes, err := desired.Next(now, report, desired.Ask{Set: map[string]json.RawMessage{siren.Path: value}})
	if err != nil {
		return 0, fmt.Errorf("%w: gateway %s: %w", notify.ErrPermanent, gateway, err)
	}
	next := desired.Wanted{Gateway: gateway, Version: now.Version + 1, Changes: changes, Made: s.now().UTC()}
	next.Note, err = wire.SealDesired(wire.Desired{Gateway: gateway, Version: next.Version, Time: next.Made, Changes: changes}, s.signer)
	if err != nil {
		return 0, err
	}
	err = s.db.SaveWanted(ctx, next, ledger.By{Actor: ledger.Server, At: next.Made})
	if errors.Is(err, sqldb.ErrNoGateway) {
		err = fmt.Errorf("%w: gateway %s: %w", notify.ErrPermanent, gateway, err)
	}
	return next.Version, err
}

// wantsSiren reports whether what is wanted of a gateway has its sirens sound until a time or longer, and it did not refuse that.
func wantsSiren(w desired.Wanted, r desired.Report, until time.Time) bool {
	if r.Answered(w) && r.State != wire.SettingsApplied {
		return false
	}
	for _, c := range w.Changes {
		var at time.Time
		if c.Path == siren.Path && json.Unmarshal(c.Value, &at) == nil {
			return !at.Before(until)
		}
	}
	return false
}

// Answer implements siren.Gateways.
func (s *sirens) Answer(ctx context.Context, gateway string) (desired.Report, error) {
	return s.db.Report(ctx, gateway)
}
