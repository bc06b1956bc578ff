package desired_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aovuon/gateway/wire"
	"aovuon/server/desired"
)

func raw(s string) json.RawMessage { return json.RawMessage(s) }

func set(pairs ...string) desired.Ask {
	a := desired.Ask{Set: map[string]json.RawMessage{}}
	for i := 0; i < len(pairs); i += 2 {
		a.Set[pairs[i]] = raw(pairs[i+1])
	}
	return a
}

const (
	doEvery = "sensors.ao1-do.every"
	phEvery = "sensors.ao1-ph.every"
)

func change(path, was, value string) wire.Change {
	return wire.Change{Path: path, Was: raw(was), Value: raw(value)}
}

func TestNext_StandsOnWhatTheFileSays(t *testing.T) {
	told := func(version uint64, state wire.SettingsState, kept ...string) desired.Report {
		return desired.Report{SettingsReport: wire.SettingsReport{Version: version, State: state, Kept: kept, Settings: map[string]json.RawMessage{
			doEvery: raw(`"30s"`), "seal.every": raw(`"1m"`),
		}}}
	}
	over := func(r desired.Report, file string) desired.Report { // the gateway's file says so, and not what is in force
		r.File = map[string]json.RawMessage{doEvery: raw(file)}
		return r
	}
	first := desired.Wanted{Version: 1, Changes: []wire.Change{change(doEvery, `"60s"`, `"30s"`)}}
	for name, tc := range map[string]struct {
		now    desired.Wanted
		report desired.Report
		ask    desired.Ask
		want   []wire.Change
	}{
		"first wish":                     {desired.Wanted{}, told(0, wire.SettingsLocal), set(doEvery, `"10s"`), []wire.Change{change(doEvery, `"30s"`, `"10s"`)}},
		"path the file does not have":    {desired.Wanted{}, told(0, wire.SettingsLocal), set(phEvery, `"10s"`), []wire.Change{change(phEvery, `null`, `"10s"`)}},
		"again, while in force":          {first, over(told(1, wire.SettingsApplied), `"60s"`), set(doEvery, `"10s"`), []wire.Change{change(doEvery, `"60s"`, `"10s"`)}},
		"again, the file was edited":     {first, told(1, wire.SettingsApplied, doEvery), set(doEvery, `"10s"`), []wire.Change{change(doEvery, `"30s"`, `"10s"`)}},
		"again, after a refusal":         {first, told(1, wire.SettingsRefused), set(doEvery, `"10s"`), []wire.Change{change(doEvery, `"30s"`, `"10s"`)}},
		"the version before is in force": {first, over(told(2, wire.SettingsRefused), `"60s"`), set(doEvery, `"10s"`), []wire.Change{change(doEvery, `"60s"`, `"10s"`)}},
		"the file says nothing there":    {first, over(told(1, wire.SettingsApplied), `null`), set(doEvery, `"10s"`), []wire.Change{change(doEvery, `null`, `"10s"`)}},
		"another, the first stays":       {first, told(1, wire.SettingsApplied), set(phEvery, `"5m"`), []wire.Change{change(doEvery, `"60s"`, `"30s"`), change(phEvery, `null`, `"5m"`)}},
		"given back":                     {first, told(1, wire.SettingsApplied), desired.Ask{Unset: []string{doEvery}}, []wire.Change{}},
		"given back, and another wished": {first, told(1, wire.SettingsApplied), desired.Ask{Set: set(phEvery, `"5m"`).Set, Unset: []string{doEvery}}, []wire.Change{change(phEvery, `null`, `"5m"`)}},
	} {
		got, err := desired.Next(tc.now, tc.report, tc.ask)
		if d := cmp.Diff(tc.want, got); err != nil || d != "" {
			t.Errorf("%s: %v %s", name, err, d)
		}
	}
}

func TestNext_Refuses(t *testing.T) {
	local := desired.Report{SettingsReport: wire.SettingsReport{State: wire.SettingsLocal}}
	if _, err := desired.Next(desired.Wanted{}, desired.Report{}, set(doEvery, `"10s"`)); !errors.Is(err, desired.ErrNoReport) {
		t.Errorf("of a gateway that said nothing: %v", err)
	}
	if _, err := desired.Next(desired.Wanted{}, desired.Report{SettingsReport: wire.SettingsReport{State: wire.SettingsLocal, Cut: true}}, set(doEvery, `"10s"`)); !errors.Is(err, desired.ErrNoReport) {
		t.Errorf("of a gateway that could not say all: %v", err)
	}
	if _, err := desired.Next(desired.Wanted{}, local, set("server.url", `"tcp://evil:1883"`)); !errors.Is(err, wire.ErrNotSettable) {
		t.Errorf("another server: %v", err)
	}
	if _, err := desired.Next(desired.Wanted{}, local, desired.Ask{Unset: []string{doEvery}}); err == nil || !strings.Contains(err.Error(), doEvery) {
		t.Errorf("give back what was never wanted: %v", err)
	}
}

func TestReport_AnswersItsVersionAndEarlierOnes(t *testing.T) {
	r := desired.Report{SettingsReport: wire.SettingsReport{Version: 3, State: wire.SettingsRefused}}
	if !r.Answered(desired.Wanted{Version: 3}) || r.Answered(desired.Wanted{Version: 4}) || (desired.Report{}).Answered(desired.Wanted{}) {
		t.Error("a version is answered by a report of it or of a later one, and by nothing else")
	}
}
