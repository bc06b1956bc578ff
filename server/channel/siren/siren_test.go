package siren

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"aovuon/gateway/wire"
	"aovuon/server/desired"
	"aovuon/server/watch/notify"
)

// gates are gateways that answer as the test says.
type gates struct {
	now     time.Time
	until   time.Time
	version uint64
	report  desired.Report
	err     error
}

func (g *gates) Sound(_ context.Context, gateway string, until time.Time) (uint64, error) {
	if gateway != "gw-ao" {
		return 0, notify.ErrPermanent
	}
	if g.err == nil {
		g.version++
		g.until = until
	}
	return g.version, g.err
}

func (g *gates) Answer(context.Context, string) (desired.Report, error) { return g.report, g.err }

func channel(g *gates) *Channel {
	g.now = time.Date(2026, 11, 26, 20, 11, 5, 300, time.UTC)
	return New(Options{Gateways: g, Now: func() time.Time { return g.now }})
}

func TestSend_WhatSoundsAndForHowLong(t *testing.T) {
	for kind, want := range map[notify.Kind]time.Duration{notify.Opened: 5 * time.Minute, notify.Raised: 5 * time.Minute, notify.Reminder: 5 * time.Minute, notify.Test: 10 * time.Second, notify.Closed: 0, notify.Digest: -1, notify.Bulletin: -1} {
		g := &gates{}
		c := channel(g)
		ref, err := c.Send(t.Context(), notify.Message{Kind: kind, To: " GW-ao "})
		switch {
		case want < 0:
			if !errors.Is(err, notify.ErrPermanent) || g.version != 0 {
				t.Errorf("%s: %v", kind, err)
			}
		case want == 0:
			if err != nil || g.version != 0 {
				t.Errorf("%s: %v", kind, err)
			}
		default:
			if err != nil || ref != "gw-ao/1" || !g.until.Equal(g.now.Truncate(time.Second).Add(want)) {
				t.Errorf("%s: %q %v until %v", kind, ref, err, g.until)
			}
		}
	}
	c := channel(&gates{})
	if _, err := c.Send(t.Context(), notify.Message{Kind: notify.Opened, To: "ao 1"}); !errors.Is(err, notify.ErrPermanent) {
		t.Error(err)
	}
	if _, err := channel(&gates{err: errors.New("disk")}).Send(t.Context(), notify.Message{Kind: notify.Opened, To: "gw-ao"}); err == nil || errors.Is(err, notify.ErrPermanent) {
		t.Error(err)
	}
}

func TestReceipts_TheGatewaySaysWhetherItSounds(t *testing.T) {
	report := func(version uint64, state wire.SettingsState, why string, kept ...string) desired.Report {
		return desired.Report{SettingsReport: wire.SettingsReport{Version: version, State: state, Why: why, Kept: kept}}
	}
	with := func(r desired.Report) desired.Report {
		r.Settings = map[string]json.RawMessage{Path: []byte(`"2026-11-26T20:16:05Z"`)}
		return r
	}
	for name, tc := range map[string]struct {
		report desired.Report
		later  time.Duration
		want   string // delivered, none, or part of the reason
	}{
		"nothing yet":      {report(0, wire.SettingsLocal, ""), 0, "none"},
		"nothing ever":     {report(0, wire.SettingsLocal, ""), 5 * time.Minute, "did not answer"},
		"never was there":  {desired.Report{}, 6 * time.Minute, "did not answer"},
		"sounds":           {report(1, wire.SettingsApplied, ""), time.Second, "delivered"},
		"no siren":         {report(1, wire.SettingsRefused, "no alarm of this gateway has a siren"), 0, "no alarm"},
		"rolled back":      {report(1, wire.SettingsRolledBack, "sensor x"), 0, "sensor x"},
		"file stands":      {report(1, wire.SettingsApplied, "", Path), 0, "own file"},
		"a later version":  {with(report(2, wire.SettingsApplied, "")), 0, "delivered"},
		"a later, refused": {with(report(2, wire.SettingsRefused, "other")), 0, "delivered"},
		"overtaken":        {report(2, wire.SettingsApplied, ""), 0, "changed again"},
	} {
		g := &gates{}
		c := channel(g)
		ref, err := c.Send(t.Context(), notify.Message{Kind: notify.Opened, To: "gw-ao"})
		if err != nil {
			t.Fatal(err)
		}
		g.report, g.now = tc.report, g.now.Add(tc.later)
		got := "none"
		c.look(t.Context(), func(r notify.Receipt) {
			got = r.Err
			if r.Delivered {
				got = "delivered"
			}
			if r.Ref != ref {
				t.Error(r.Ref)
			}
		})
		if !strings.Contains(got, tc.want) {
			t.Errorf("%s: %s", name, got)
		}
		again := 0
		c.look(t.Context(), func(notify.Receipt) { again++ })
		if again != 0 {
			t.Errorf("%s: told again", name)
		}
	}
}
