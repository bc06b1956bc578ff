package fleet_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aovuon/firmware-sim/fleet"
	"aovuon/firmware-sim/world"
	"aovuon/gateway/wire"
	"aovuon/server/farm"
)

func TestEnlist_MakesWhatAServerTakesAndKeepsWhatThereIs(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "fleet")
	if made, err := fleet.Enlist(dir, "fl", 3); made != 3 || err != nil {
		t.Fatal(made, err)
	}
	before := read(t, dir, "gateways.jsonl")
	if made, err := fleet.Enlist(dir, "fl", 500); made != 497 || err != nil {
		t.Fatal(made, err)
	}
	if !strings.HasPrefix(read(t, dir, "gateways.jsonl"), before) {
		t.Error("the first three are not what they were")
	}
	cards, err := wire.ParseCards(read(t, dir, "cards.txt"))
	if err != nil || len(cards) != 500 || cards[499].Gateway != "fl-0500" {
		t.Fatalf("%d cards, %v", len(cards), err)
	}
	f, err := farm.Parse("farm.yaml", []byte(read(t, dir, "farm.yaml")))
	if err != nil || len(f.Places) != 1000 || len(f.Mounts) != 2500 {
		t.Fatalf("farm: %v", err)
	}
	folder, err := fleet.Open(dir, 2)
	if err != nil || len(folder.Members) != 2 {
		t.Fatal(err)
	}
	if err := folder.Close(); err != nil {
		t.Error(err)
	}
	var places []world.Place
	for _, m := range folder.Members {
		places = append(places, world.Place{ID: fleet.Pond(m.Gateway), Kind: world.Pond}, world.Place{ID: fleet.Plot(m.Gateway), Kind: world.Plot})
	}
	if _, err := world.New(world.Options{Begin: world.DefaultBegin(time.Now()), Places: places}); err != nil {
		t.Error(err)
	}
}

func read(t *testing.T, dir, name string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestOpen_Refusals(t *testing.T) {
	dir := t.TempDir()
	wants := func(want string, err error) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	_, err := fleet.Open(dir, 0)
	wants("firmware-sim fleet init", err)
	_, err = fleet.Enlist(dir, "fl", 0)
	wants("want 1 to", err)
	_, err = fleet.Enlist(dir, "FL", 1)
	wants("prefix", err)
	if _, err := fleet.Enlist(dir, "fl", 2); err != nil {
		t.Fatal(err)
	}
	_, err = fleet.Open(dir, 3)
	wants("has 2 gateways, not 3", err)
	if err := os.WriteFile(filepath.Join(dir, "chains.jsonl"), []byte("{}\nnonsense\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = fleet.Open(dir, 0)
	wants("chains.jsonl:2: ", err)
	wants("remove the file", err)
	if err := os.WriteFile(filepath.Join(dir, "gateways.jsonl"), []byte(`{"gateway":"X"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = fleet.Open(dir, 0)
	wants("gateways.jsonl:1: ", err)
}
