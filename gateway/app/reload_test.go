package app

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/note"

	"aovuon/gateway/bus"
	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
	"aovuon/gateway/sense/sensetest"
	"aovuon/gateway/wire"
)

// yard is a gateway whose configuration changes.
type yard struct {
	t      *testing.T
	path   string
	server note.Signer
	clock  *sensetest.Clock

	r        *reloader
	channels []sense.Channel
	every    time.Duration // of the batches
	told     []wire.SettingsReport
}

const yardFile = `gateway: gw-ao
server: { url: "tcp://127.0.0.1:1" }
buses: { w: { w1: w1 } }
sensors:
  - { id: ao1-temp, kind: ds18b20, bus: w, device: 28-0123456789ab, every: 10s }
  - { id: ao2-temp, kind: ds18b20, bus: w, device: 28-0123456789ac }
`

func newYard(t *testing.T) *yard {
	t.Helper()
	dir := t.TempDir()
	y := &yard{t: t, path: filepath.Join(dir, "gateway.yaml"), clock: sensetest.NewClock(time.Date(2026, 11, 25, 5, 0, 0, 0, time.UTC))}
	y.write(yardFile)
	vkey, err := wire.CreateKey(filepath.Join(dir, "server.key"), "htx-test")
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "server.vkey"), []byte(vkey+"\n"), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if y.server, _, err = wire.LoadKey(filepath.Join(dir, "server.key")); err != nil {
		t.Fatal(err)
	}
	cfg, err := load(y.path)
	if err == nil {
		err = initialise(cfg)
	}
	if err != nil {
		t.Fatal(err)
	}
	y.start()
	return y
}

func (y *yard) write(text string) {
	y.t.Helper()
	if err := os.WriteFile(y.path, []byte(text), 0o600); err != nil {
		y.t.Fatal(err)
	}
}

// start is a start of the program, the first or after a restart.
func (y *yard) start() {
	y.t.Helper()
	file, err := readConfig(y.path)
	if err != nil {
		y.t.Fatal(err)
	}
	cfg, err := parse(y.path, file)
	if err != nil {
		y.t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	y.r, err = newReloader(y.path, file, cfg, newPlanner(cfg, bus.NewSet(log), y.clock), y.clock, log)
	if err != nil {
		y.t.Fatal(err)
	}
	y.channels, y.every = y.r.plan.channels, y.r.plan.cfg.Seal.Every
	y.r.parts = parts{
		after:     func(*plan) {},
		replace:   func(c []sense.Channel) { y.channels = c },
		rules:     func(*plan) { y.t.Error("the rules at the pond did not change") },
		intervals: func(every, _ time.Duration) { y.every = every },
		document: func(_ context.Context, d wire.Document) error {
			var r wire.SettingsReport
			if err := d.Validate(); err != nil {
				y.t.Error(err)
			}
			if err := json.Unmarshal([]byte(d.Body), &r); err != nil {
				y.t.Error(err)
			}
			y.told = append(y.told, r)
			return nil
		},
	}
	y.r.tell(y.t.Context())
}

func change(path, was, value string) wire.Change {
	return wire.Change{Path: path, Was: []byte(was), Value: []byte(value)}
}

// desire lets a version come from the server.
func (y *yard) desire(version uint64, changes ...wire.Change) {
	y.t.Helper()
	d := wire.Desired{Gateway: "gw-ao", Version: version, Time: y.clock.Now().Wall, Changes: changes}
	sealed, err := wire.SealDesired(d, y.server)
	if err != nil {
		y.t.Fatal(err)
	}
	y.r.desire(y.t.Context(), incoming{sealed, d})
}

// reads lets the probes say something.
func (y *yard) reads(sensor string, works bool) {
	y.t.Helper()
	r := measure.Reading{Sensor: sensor, Quantity: measure.WaterTemperature, Time: y.clock.Now(), Value: 28}
	if !works {
		r.Quality, r.Reason = measure.Fault, measure.NoResponse
	}
	if err := y.r.Take(y.t.Context(), []measure.Reading{r}); err != nil {
		y.t.Fatal(err)
	}
	select {
	case id := <-y.r.rolled:
		y.r.rollBack(y.t.Context(), id)
	default:
	}
}

// want checks what is in force and what the server was told last.
func (y *yard) want(what string, first time.Duration, version uint64, state wire.SettingsState) wire.SettingsReport {
	y.t.Helper()
	if y.channels[0].Every != first {
		y.t.Errorf("%s: asked every %v; want %v", what, y.channels[0].Every, first)
	}
	last := y.told[len(y.told)-1]
	if last.Version != version || last.State != state {
		y.t.Errorf("%s: told version %d, %s (%s); want %d, %s", what, last.Version, last.State, last.Why, version, state)
	}
	return last
}

const firstEvery = "sensors.ao1-temp.every"

func TestReload_DesiredSettings(t *testing.T) {
	y := newYard(t)
	if r := y.want("at the start", 10*time.Second, 0, wire.SettingsLocal); string(r.Settings[firstEvery]) != `"10s"` {
		t.Errorf("%+v", r)
	}
	second := y.channels[1]
	y.desire(1, change(firstEvery, `"10s"`, `"5s"`), change("seal.every", "null", `"1m"`))
	if r := y.want("applied", 5*time.Second, 1, wire.SettingsApplied); string(r.Settings[firstEvery]) != `"5s"` || y.every != time.Minute {
		t.Errorf("%+v, batches every %v", r, y.every)
	}
	if y.channels[1].Sensor != second.Sensor || y.channels[1].Key != second.Key {
		t.Error("a probe that nobody spoke of was disturbed")
	}
	y.start()
	y.want("after a restart", 5*time.Second, 1, wire.SettingsApplied)
	before := len(y.told)
	y.desire(1, change(firstEvery, `"10s"`, `"5s"`), change("seal.every", "null", `"1m"`))
	if len(y.told) != before+1 {
		t.Error("a version that comes again is not answered again")
	}
	y.desire(2, change(firstEvery, `"10s"`, `"1ms"`))
	if r := y.want("refused", 5*time.Second, 2, wire.SettingsRefused); !strings.Contains(r.Why, "1ms is too often") || !strings.Contains(r.Why, "version 2") {
		t.Errorf("why: %s", r.Why)
	}
	y.desire(3, change("server.url", `"tcp://127.0.0.1:1"`, `"tcp://127.0.0.1:2"`))
	y.want("not settable", 5*time.Second, 3, wire.SettingsRefused)
	y.desire(1)
	y.want("an old version", 5*time.Second, 3, wire.SettingsRefused)
	y.start()
	y.want("after another restart", 5*time.Second, 3, wire.SettingsRefused)
	y.desire(4)
	y.want("everything given back", 10*time.Second, 4, wire.SettingsLocal)
}

func TestReload_LocalEditStands(t *testing.T) {
	y := newYard(t)
	y.desire(1, change(firstEvery, `"10s"`, `"5s"`), change("sensors.ao2-temp.every", `null`, `"7s"`))
	y.write(strings.Replace(yardFile, "every: 10s", "every: 20s", 1))
	if err := y.r.reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	r := y.want("edited at the gateway", 20*time.Second, 1, wire.SettingsApplied)
	if d := cmp.Diff([]string{firstEvery}, r.Kept); d != "" || y.channels[1].Every != 7*time.Second {
		t.Errorf("%s; the other setting: %v", d, y.channels[1].Every)
	}
	y.desire(2, change(firstEvery, `"10s"`, `"5s"`)) // the server has not heard of the edit
	y.want("desired without knowing", 20*time.Second, 2, wire.SettingsApplied)
	y.desire(3, change(firstEvery, `"20s"`, `"5s"`))
	y.want("desired knowing", 5*time.Second, 3, wire.SettingsApplied)
	y.write(strings.Replace(yardFile, "  - { id: ao1-temp", "  - { id: ao3-temp", 1)) // the sensor is gone
	if err := y.r.reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r := y.want("taken out", 10*time.Second, 3, wire.SettingsApplied); len(r.Kept) != 1 {
		t.Errorf("%+v", r)
	}
}

func TestReload_RollsBackWhatBrokeAProbe(t *testing.T) {
	y := newYard(t)
	y.desire(1, change(firstEvery, `"10s"`, `"5s"`))
	y.reads("ao1-temp", true)
	y.reads("ao2-temp", false)
	y.desire(2, change(firstEvery, `"10s"`, `"7s"`), change("sensors.ao2-temp.every", `null`, `"7s"`))
	y.reads("ao2-temp", false) // it did not work before either
	y.want("still on trial", 7*time.Second, 2, wire.SettingsApplied)
	y.reads("ao1-temp", false)
	if r := y.want("rolled back", 5*time.Second, 2, wire.SettingsRolledBack); !strings.Contains(r.Why, "ao1-temp") {
		t.Errorf("why: %s", r.Why)
	}
	y.start()
	y.want("after a restart", 5*time.Second, 2, wire.SettingsRolledBack)

	y.reads("ao1-temp", true)
	y.desire(3, change(firstEvery, `"10s"`, `"8s"`))
	y.reads("ao1-temp", true)
	y.reads("ao1-temp", false) // it worked with the new settings: a fault now is its own
	y.want("passed its trial", 8*time.Second, 3, wire.SettingsApplied)
	y.reads("ao1-temp", true)
	y.desire(4, change(firstEvery, `"10s"`, `"9s"`))
	if err := y.clock.Sleep(t.Context(), probation+time.Second); err != nil {
		t.Fatal(err)
	}
	y.reads("ao1-temp", false)
	y.want("a fault long after", 9*time.Second, 4, wire.SettingsApplied)
}

// The former settings do not fit when something they need went away meanwhile: the last ones stay, and the server hears why.
func TestReload_WhatCannotBeRolledBackStaysAndIsTold(t *testing.T) {
	y := newYard(t)
	y.desire(1, change(firstEvery, `"10s"`, `"5s"`))
	y.reads("ao1-temp", true)
	y.desire(2, change(firstEvery, `"10s"`, `"7s"`))
	key := y.r.plan.cfg.Server.KeyFile
	if err := os.Rename(key, key+".away"); err != nil {
		t.Fatal(err)
	}
	y.reads("ao1-temp", false)
	if r := y.want("not rolled back", 7*time.Second, 2, wire.SettingsApplied); !strings.Contains(r.Why, "ao1-temp had a value before") || !strings.Contains(r.Why, "server.vkey") {
		t.Errorf("why: %s", r.Why)
	}
	if err := os.Rename(key+".away", key); err != nil {
		t.Fatal(err)
	}
	told := len(y.told)
	y.reads("ao1-temp", false) // that was its trial
	if len(y.told) != told {
		t.Error("tried again")
	}
	y.start()
	y.want("after a restart", 7*time.Second, 2, wire.SettingsApplied)
}

func TestReload_WhatARestartMustDoChangesNothing(t *testing.T) {
	y := newYard(t)
	for what, text := range map[string]string{
		"server": strings.Replace(yardFile, "127.0.0.1:1", "127.0.0.1:2", 1), "gateway": strings.Replace(yardFile, "gw-ao", "gw-vuon", 1),
		"seal": yardFile + "seal: { commit_every: 1s }\n", "data_dir": yardFile + "data_dir: elsewhere\n",
	} {
		y.write(strings.Replace(text, "every: 10s", "every: 3s", 1))
		if err := y.r.reload(t.Context()); !errors.Is(err, errRestart) || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
		y.want(what, 10*time.Second, 0, wire.SettingsLocal)
	}
	y.write(yardFile + "seal: { every: 45s }\n")
	if err := y.r.reload(t.Context()); err != nil || y.every != 45*time.Second {
		t.Errorf("%v, %v", err, y.every)
	}
}

func TestReload_StateThatCannotBeReadCostsNoStart(t *testing.T) {
	y := newYard(t)
	y.desire(1, change(firstEvery, `"10s"`, `"5s"`))
	file := y.r.plan.cfg.wantedFile()
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	forged := strings.Replace(string(good), `\"5s\"`, `\"6s\"`, 2)
	for what, raw := range map[string]string{"empty": "", "garbage": "\x00", "half": string(good[:len(good)/2]), "forged": forged} {
		if raw == string(good) {
			t.Fatalf("%s is not different", what)
		}
		if err := os.WriteFile(file, []byte(raw), 0o600); err != nil {
			t.Fatal(err)
		}
		y.start()
		y.want(what, 10*time.Second, 0, wire.SettingsLocal)
	}
	if err := os.WriteFile(file, good, 0o600); err != nil {
		t.Fatal(err)
	}
	y.write(strings.Replace(yardFile, "kind: ds18b20", "kind: ds18b20, calibrate_every: off", 1))
	y.start()
	y.want("put back", 5*time.Second, 1, wire.SettingsApplied)
}

// The server's word on the sirens: what is late, long, or cannot be ended or heard here is refused, and a restart goes on to the same end.
func TestReload_Siren(t *testing.T) {
	y := newYard(t)
	rules := 0
	y.write(yardFile + "alarms:\n  - { id: ao1-nong, sensor: ao1-temp, above: 33, siren: { pin: GPIO27 } }\n")
	y.start()
	y.r.parts.rules = func(*plan) { rules++ }
	until := func(ahead time.Duration) wire.Change {
		return change("siren.until", "null", `"`+y.clock.Now().Wall.Add(ahead).Format(time.RFC3339)+`"`)
	}
	y.desire(1, until(5*time.Minute))
	y.want("sounds", 10*time.Second, 1, wire.SettingsApplied)
	if left := y.r.plan.edge.Siren.Left(y.clock.Now()); left != 5*time.Minute || rules != 1 {
		t.Errorf("%v left, rules changed %d times", left, rules)
	}
	y.desire(2, until(31*time.Minute))
	if r := y.want("too long", 10*time.Second, 2, wire.SettingsRefused); !strings.Contains(r.Why, "at most 30m") {
		t.Error(r.Why)
	}
	y.start()
	y.r.parts.rules = func(*plan) { rules++ }
	if left := y.r.plan.edge.Siren.Left(y.clock.Now()); left != 5*time.Minute {
		t.Errorf("after a restart: %v left", left)
	}
	// A message that was under way for long: its time is over.
	late := wire.Desired{Gateway: "gw-ao", Version: 3, Time: y.clock.Now().Wall.Add(-time.Hour), Changes: []wire.Change{until(-50 * time.Minute)}}
	sealed, err := wire.SealDesired(late, y.server)
	if err != nil {
		t.Fatal(err)
	}
	y.r.desire(t.Context(), incoming{sealed, late})
	if r := y.want("late", 10*time.Second, 3, wire.SettingsRefused); !strings.Contains(r.Why, "over") {
		t.Error(r.Why)
	}
	// What was over when the version was made disturbs nothing else.
	y.desire(4, until(-time.Second), change(firstEvery, `"10s"`, `"5s"`))
	y.want("an old word beside a new setting", 5*time.Second, 4, wire.SettingsApplied)
	y.write(yardFile)
	if err := y.r.reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	y.desire(5, until(time.Minute))
	if r := y.want("no siren", 5*time.Second, 5, wire.SettingsRefused); !strings.Contains(r.Why, "no alarm") {
		t.Error(r.Why)
	}
}
