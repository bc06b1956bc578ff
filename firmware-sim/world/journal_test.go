package world_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aovuon/firmware-sim/world"
)

func deeds() []world.Action {
	at := start(2026).UTC()
	return []world.Action{
		{At: at.Add(time.Hour), Place: "ao1", Kind: world.Treat, Amount: 20.5, What: "lime", By: "Nguyễn Văn Tâm"},
		{At: at.Add(time.Minute), Kind: world.Rainfall, Amount: 60, For: 6*time.Hour + time.Second},
		{At: at.Add(123456789), Place: "say1", Kind: world.Heat, Amount: 50, For: time.Hour},
	}
}

func TestJournal_GoesOn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "made", "actions.jsonl")
	var want []world.Action
	for i, a := range deeds() {
		j, told, err := world.OpenJournal(path)
		if diff := cmp.Diff(world.Told{Actions: want}, told); diff != "" || err != nil {
			t.Fatalf("%v\n%s", err, diff)
		}
		if err := j.Append(a); err != nil {
			t.Fatal(err)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		want = deeds()[:i+1]
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := bytes.Cut(raw, []byte("\n"))
	if got := string(first); got != `{"at":"2025-12-31T18:00:00Z","place":"ao1","kind":"treat","amount":20.5,"what":"lime","by":"Nguyễn Văn Tâm"}` {
		t.Errorf("line 1: %s", got)
	}
}

// A power cut may leave any beginning of the last line.
func TestJournal_TornLineIsToldAndDropped(t *testing.T) {
	var whole, last []byte
	for i, a := range deeds() {
		line, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		if i == len(deeds())-1 {
			last = line
			break
		}
		whole = append(append(whole, line...), '\n')
	}
	path := filepath.Join(t.TempDir(), "actions.jsonl")
	for n := 1; n <= len(last); n++ {
		if err := os.WriteFile(path, append(bytes.Clone(whole), last[:n]...), 0o600); err != nil {
			t.Fatal(err)
		}
		read, err := world.ReadJournal(path)
		if err != nil || read.Torn != string(last[:n]) {
			t.Fatalf("%d bytes: %+v, %v", n, read, err)
		}
		j, told, err := world.OpenJournal(path)
		if err != nil || told.Torn != string(last[:n]) || len(told.Actions) != len(deeds())-1 {
			t.Fatalf("%d bytes: %+v, %v", n, told, err)
		}
		if err := j.Append(deeds()[2]); err != nil {
			t.Fatal(err)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		again, err := world.ReadJournal(path)
		if diff := cmp.Diff(world.Told{Actions: deeds()}, again); diff != "" || err != nil {
			t.Fatalf("%d bytes: %v\n%s", n, err, diff)
		}
	}
}

func TestJournal_SaysWhichLineIsWrong(t *testing.T) {
	path := filepath.Join(t.TempDir(), "actions.jsonl")
	for bad, want := range map[string]string{
		"{":                                "end of JSON",
		`{"kind":"feed"}`:                  "needs at and kind",
		`{"at":"2026-01-01T00:00:00Z"}`:    "needs at and kind",
		`{"at":"yesterday","kind":"feed"}`: "yesterday",
		`{"at":"2026-01-01T00:00:00Z","kind":"feed","fr":"2h"}`:    `unknown field "fr"`,
		`{"at":"2026-01-01T00:00:00Z","kind":"fill","for":"2 h"}`:  "want a duration",
		`{"at":"2026-01-01T00:00:00Z","kind":"feed","amount":"x"}`: "amount",
	} {
		good, err := json.Marshal(deeds()[0])
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(string(good)+"\n"+bad+"\n"+string(good)+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, _, err = world.OpenJournal(path)
		if err == nil || !strings.Contains(err.Error(), path+":2: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want line 2 and %q", bad, err, want)
		}
	}
}

func FuzzAction_JSON(f *testing.F) {
	for _, a := range deeds() {
		line, err := json.Marshal(a)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var a, b world.Action
		if json.Unmarshal(raw, &a) != nil {
			return
		}
		line, err := json.Marshal(a)
		if err != nil {
			t.Skip() // years that RFC 3339 has not
		}
		if err := json.Unmarshal(line, &b); err != nil || a != b {
			t.Fatalf("%+v became %+v: %v", a, b, err)
		}
	})
}
