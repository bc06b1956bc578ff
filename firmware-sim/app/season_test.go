package app_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aovuon/firmware-sim/field"
	"aovuon/firmware-sim/ledger"
	gateway "aovuon/gateway/app"
	"aovuon/gateway/measure"
	"aovuon/gateway/spool"
	"aovuon/gateway/wire"
)

const until = "2026-03-10T00:00:00Z"

// orchard is a folder with a field and an initialised gateway of three sensors.
func orchard(t *testing.T) (dir, fieldFile, gatewayFile string) {
	t.Helper()
	dir = t.TempDir()
	fieldFile = write(t, filepath.Join(dir, "field.yaml"), field.Sample())
	gatewayFile = write(t, filepath.Join(dir, "gw.yaml"), `
gateway: gw-test
data_dir: state                 # relative, as people write it
server: { url: tcp://127.0.0.1:1883, key_file: server.vkey }
seal: { every: 30s }
buses:
  i2c: { i2c: "unix:`+filepath.Join(dir, "ao1.sock")+`" }
  w1: { w1: `+filepath.Join(dir, "w1")+` }
sensors:
  - { id: ao1-temp, kind: ds18b20, bus: w1, device: 28-00000a01f1a1 }
  - { id: ao1-do, kind: ezo-do, bus: i2c, address: 0x61, temperature: ao1-temp, salinity: 0, pressure: 1013 }
  - { id: ao1-ph, kind: ezo-ph, bus: i2c, address: 0x63, temperature: ao1-temp }
`)
	var out, complaint strings.Builder
	if gateway.Main([]string{"init", "--config", gatewayFile}, &out, &complaint) != 0 {
		t.Fatal(complaint.String())
	}
	return dir, fieldFile, gatewayFile
}

// spooled opens every batch in a gateway's spool.
func spooled(t *testing.T, dir string) []measure.Reading {
	t.Helper()
	return spooledIn(t, dir, "state")
}

// spooledIn is spooled for a spool in another folder.
func spooledIn(t *testing.T, dir, state string) []measure.Reading {
	t.Helper()
	s, opening, err := spool.Open(t.Context(), filepath.Join(dir, state, "spool.db"), time.Now)
	if err != nil || opening.Fresh {
		t.Fatalf("%+v, %v", opening, err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	st, err := s.Stats(t.Context())
	if err != nil || st.Pending != 0 {
		t.Fatalf("%+v, %v", st, err)
	}
	_, vkey, err := wire.LoadKey(filepath.Join(dir, "state", "gateway.key"))
	if err != nil {
		t.Fatal(err)
	}
	v, err := wire.Card{Gateway: "gw-test", VKey: vkey}.Verifier()
	if err != nil {
		t.Fatal(err)
	}
	var list []measure.Reading
	for after := uint64(0); ; {
		batches, err := s.After(t.Context(), s.Epoch(), after, 100)
		if err != nil {
			t.Fatal(err)
		}
		if len(batches) == 0 {
			return list
		}
		for _, sealed := range batches {
			b, err := wire.Open(sealed.Body, v)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, b.Readings...)
			after = sealed.Seq
		}
	}
}

func TestSeason_IsWhatTheGatewayWouldHaveRead(t *testing.T) {
	dir, fieldFile, gatewayFile := orchard(t)
	book := filepath.Join(dir, "ledger.tsv")
	args := []string{"season", "--config", fieldFile, "--gateway-config", gatewayFile, "--days", "2", "--until", until}
	out, complaint, status := run(t, append(args, "--ledger", book)...)
	if status != 0 {
		t.Fatalf("%s%s", out, complaint)
	}
	got := spooled(t, dir)
	if len(got) != 2*24*60*3 {
		t.Fatalf("%d readings, want one a minute of three sensors for two days", len(got))
	}
	want := make(map[string][]ledger.Entry)
	f, err := os.Open(book)
	if err != nil {
		t.Fatal(err)
	}
	if err := ledger.Read(f, func(e ledger.Entry) error {
		want[e.Device] = append(want[e.Device], e)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	first, last := got[0].Time.Wall, got[0].Time.Wall
	for _, r := range got {
		e := want[r.Sensor][0]
		want[r.Sensor] = want[r.Sensor][1:]
		if r.Value != e.Value || r.Quantity != e.Quantity || r.Time.Wall.Sub(e.Time).Abs() > time.Second || r.Quality != measure.Good {
			t.Fatalf("reading %+v, ledger %+v", r, e)
		}
		last = r.Time.Wall
	}
	if begin := time.Date(2026, 3, 8, 0, 0, 0, 0, time.UTC); first.Sub(begin).Abs() > time.Second || last.Sub(begin) > 48*time.Hour {
		t.Errorf("from %s to %s", first, last)
	}
	if out, complaint, status := run(t, args...); status != 0 || !strings.Contains(out, "nothing to do") {
		t.Errorf("a second time: %d %s%s", status, out, complaint)
	}
	if n := len(spooled(t, dir)); n != len(got) {
		t.Errorf("%d readings after the second time", n)
	}
}

// The rules at the pond work in a season as they do live: the crowded pond of a warm night, with grown fish, is aerated, and better for it.
func TestSeason_TheAeratorKeepsThePondAlive(t *testing.T) {
	dir, fieldFile, gatewayFile := orchard(t)
	const thermometer = "  - { id: ao4-temp, kind: ds18b20, bus: w1, device: 28-00000a04f4a4 }\n"
	night := func(state, aerator string) (lowest float64, said map[string]int) {
		write(t, gatewayFile, `
gateway: gw-test
data_dir: `+state+`
key_file: state/gateway.key
server: { url: tcp://127.0.0.1:1883, key_file: server.vkey }
buses:
  i2c: { i2c: "unix:`+filepath.Join(dir, "ao4.sock")+`" }
  w1: { w1: `+filepath.Join(dir, "w1")+` }
sensors:
`+thermometer+`  - { id: ao4-do, kind: ezo-do, bus: i2c, address: 0x61, temperature: ao4-temp, salinity: 0, pressure: 1013 }
  - { id: ao4-dong, kind: current-ads1115, bus: i2c, address: 0x48, input: 0, ampere: { volts_per_amp: 0.165 } }
`+aerator)
		if out, complaint, status := run(t, "season", "--config", fieldFile, "--gateway-config", gatewayFile, "--days", "2", "--until", "2026-09-12T00:00:00Z"); status != 0 {
			t.Fatalf("%s%s", out, complaint)
		}
		lowest, said = 99, make(map[string]int)
		for _, r := range spooledIn(t, dir, state) {
			// It begins at seven in the morning, when the pond is low already: the nights count.
			if r.Quantity == measure.DissolvedOxygen && r.Quality == measure.Good && r.Time.Wall.UTC().Hour() >= 15 {
				lowest = min(lowest, r.Value)
			}
			said[fmt.Sprintf("%s %s %g", r.Sensor, r.Quantity, r.Value)]++
		}
		return lowest, said
	}
	alone, _ := night("alone", "")
	aerated, said := night("aerated", `
aerators:
  - id: ao4-quat
    relay: { pin: "unix:`+filepath.Join(dir, "ao4-pins.sock")+`#quat", active_low: true }
    oxygen: ao4-do
    on_below: 4.5
    off_above: 5.5
    current: { sensor: ao4-dong, above: 3, within: 3m }
`)
	if alone > 4 || aerated < alone+0.5 {
		t.Errorf("lowest oxygen %.2f mg/L alone, %.2f aerated", alone, aerated)
	}
	for _, want := range []string{"ao4-quat aerator_command 1", "ao4-quat aerator_command 0", "ao4-quat aerator_running 1", "ao4-quat aerator_running 0"} {
		if said[want] == 0 {
			t.Errorf("no reading %q: %v", want, said)
		}
	}
	if said["ao4-quat alarm 1"] != 0 || said["ao4-quat alarm 0"] == 0 {
		t.Errorf("command and current contradict each other %d times", said["ao4-quat alarm 1"])
	}
	if _, err := os.Stat(filepath.Join(dir, "aerated", "edge.json")); err != nil {
		t.Errorf("the gateway will not know what its aerator was told: %v", err)
	}
}

// A season that is killed at any moment leaves nothing behind that a second try would double.
func TestSeason_SurvivesBeingKilled(t *testing.T) {
	dir, fieldFile, gatewayFile := orchard(t)
	args := []string{"season", "--config", fieldFile, "--gateway-config", gatewayFile, "--days", "40", "--until", until}
	for _, progress := range []string{"25 %", "50 %"} {
		cmd, screen := start(t, "firmware-sim", args...)
		screen.await(t, progress)
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err == nil {
			t.Fatal("the season was over before it could be killed: give it more days")
		}
		if _, err := os.Stat(filepath.Join(dir, "state", "spool.db")); err == nil {
			t.Fatal("half a season looks like a whole one")
		}
	}
	args[6] = "1"
	if out, complaint, status := run(t, args...); status != 0 {
		t.Fatalf("%s%s", out, complaint)
	}
	if n := len(spooled(t, dir)); n != 24*60*3 {
		t.Errorf("%d readings after being killed twice", n)
	}
	left, err := filepath.Glob(filepath.Join(dir, "*", ".season*"))
	more, err2 := filepath.Glob(filepath.Join(dir, ".season*"))
	if err != nil || err2 != nil || len(left)+len(more) != 0 {
		t.Errorf("left behind: %v %v", left, more)
	}
}

func TestSeason_LeavesAGatewayThatHasReadAlone(t *testing.T) {
	dir, fieldFile, gatewayFile := orchard(t)
	s, _, err := spool.Open(t.Context(), filepath.Join(dir, "state", "spool.db"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	epoch := s.Epoch()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if out, complaint, status := run(t, "season", "--config", fieldFile, "--gateway-config", gatewayFile); status != 0 || !strings.Contains(out, "nothing to do") {
		t.Errorf("%d %s%s", status, out, complaint)
	}
	s, _, err = spool.Open(t.Context(), filepath.Join(dir, "state", "spool.db"), time.Now)
	if err != nil || s.Epoch() != epoch {
		t.Fatalf("epoch %s, was %s, %v", s.Epoch(), epoch, err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
