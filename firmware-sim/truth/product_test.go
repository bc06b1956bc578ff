package truth_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aovuon/firmware-sim/ledger"
	"aovuon/firmware-sim/truth"
	"aovuon/gateway/measure"
)

func TestAsk_FindsWhereThingsAre(t *testing.T) {
	mux := http.NewServeMux()
	say := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			if _, err := fmt.Fprint(w, text); err != nil {
				t.Error(err)
			}
		}
	}
	mux.HandleFunc("/api/places", say(`{"places":[{"code":"A1"}]}`))
	mux.HandleFunc("/api/series", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RawQuery != "range=7d&place=A1" {
			t.Errorf("asked for %s", r.URL.RawQuery)
		}
		say(`{"step_s":3600,"series":[{"quantity":"dissolved_oxygen","sensor":"ao1-do","steps":[{"start":"2026-07-06T00:00:00Z","n":2,"faults":1,"mean":5.5},{"start":"2026-07-06T01:00:00Z","n":0}]},
			{"quantity":"oxygen_saturation","sensor":"ao1-bao-hoa","steps":[]}]}`)(w, r)
	})
	srv := httptest.NewServer(mux)
	defer srv.Close()
	got, err := truth.Ask(t.Context(), srv.URL+"/", "7d", map[string]string{"ao1-do": "ao1"})
	if err != nil {
		t.Fatal(err)
	}
	want := []truth.Series{
		{Place: "ao1", Code: "A1", Sensor: "ao1-do", Quantity: measure.DissolvedOxygen, Step: time.Hour, Steps: []truth.Step{
			{Start: start(), N: 2, Faults: 1, Mean: 5.5}, {Start: start().Add(time.Hour)},
		}},
		{Place: "ao1", Code: "A1", Sensor: "ao1-bao-hoa", Quantity: measure.OxygenSaturation, Step: time.Hour, Steps: []truth.Step{}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for mend, address := range map[string]string{"want the address": "localhost", "is the server running": "http://127.0.0.1:1", "answers 404": srv.URL + "/nowhere"} {
		if _, err := truth.Ask(t.Context(), address, "7d", nil); err == nil || !strings.Contains(err.Error(), mend) {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// One answer more than the product has, one step outside the stretch, a fault of the device, and a drift of 1 mg/L.
func TestAnswers_AreCountedAndComparedWithTheTruth(t *testing.T) {
	var b strings.Builder
	at := func(m int) int64 { return start().Add(time.Duration(m) * time.Minute).UnixMilli() }
	for m := -5; m < 20; m++ {
		if m == 7 || m == 8 {
			fmt.Fprintf(&b, "%d\tao1-do\t-\t!unplug\n", at(m))
			continue
		}
		fmt.Fprintf(&b, "%d\tao1-do\tdissolved_oxygen\t%g\n", at(m), 3+float64(m)/60+float64(max(m, 0))/19)
	}
	fmt.Fprintf(&b, "%d\tao1-do\tdissolved_oxygen\t!crc\n%d\tao1-v\tvoltage\t1\n", at(20), at(1))
	a, err := truth.ReadAnswers(strings.NewReader(b.String()), span(1))
	if err != nil {
		t.Fatal(err)
	}
	oxygen := truth.Channel{Sensor: "ao1-do", Quantity: measure.DissolvedOxygen}
	wantSpells := []truth.Spell{
		{Channel: truth.Channel{Sensor: "ao1-do"}, Fault: "unplug", From: time.UnixMilli(at(7)).UTC(), To: time.UnixMilli(at(8)).UTC(), N: 2},
		{Channel: oxygen, Fault: "crc", From: time.UnixMilli(at(20)).UTC(), To: time.UnixMilli(at(20)).UTC(), N: 1},
	}
	if diff := cmp.Diff(wantSpells, a.Spells); diff != "" {
		t.Error(diff)
	}
	probes, err := truth.Probes(plain{}, a, map[string]string{"ao1-do": "ao1", "ao1-v": "ao1"})
	if err != nil || len(probes) != 1 {
		t.Fatalf("%+v, %v", probes, err)
	}
	if p := probes[0]; p.Errors.N != 18 || p.First > 0.01 || p.Last < 0.99 || p.Last > 1.01 {
		t.Errorf("%+v", p)
	}
	got := truth.Tallies(a, []truth.Series{{Sensor: "ao1-do", Quantity: measure.DissolvedOxygen, Step: 10 * time.Minute, Steps: []truth.Step{
		{Start: start().Add(-10 * time.Minute), N: 5}, {Start: start(), N: 7, Faults: 2}, {Start: start().Add(10 * time.Minute), N: 10},
	}}}, span(1))
	want := []truth.Tally{
		{Channel: oxygen, Answered: 18, Held: 17, Faults: 2, Missing: 1},
		{Channel: truth.Channel{Sensor: "ao1-v", Quantity: measure.Voltage}, Answered: 1, Missing: 1},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A product that lost a whole step does not tell of that step: its answers are missing all the same. What lies in a step that the
// stretch cuts is not counted.
func TestTallies_AStepThatIsNotThereIsMissing(t *testing.T) {
	at := func(minute int) ledger.Entry {
		return ledger.Entry{Time: start().Add(time.Duration(minute) * time.Minute), Value: 5}
	}
	ch := truth.Channel{Sensor: "ao1-do", Quantity: measure.DissolvedOxygen}
	a := truth.Answers{Values: map[truth.Channel][]ledger.Entry{ch: {at(-1), at(1), at(5), at(11), at(15), at(21), at(31), at(41)}}}
	one := truth.Series{Sensor: "ao1-do", Quantity: measure.DissolvedOxygen, Step: 10 * time.Minute, Steps: []truth.Step{
		{Start: start(), N: 2}, {Start: start().Add(20 * time.Minute), N: 1},
	}}
	for _, tc := range []struct {
		from, to                int
		answered, held, missing int
	}{{0, 40, 6, 3, 3}, {-3, 34, 5, 3, 2}, {10, 20, 2, 0, 2}, {-40, 60, 8, 3, 5}, {2, 9, 0, 0, 0}} {
		s := truth.Span{From: start().Add(time.Duration(tc.from) * time.Minute), To: start().Add(time.Duration(tc.to) * time.Minute)}
		want := []truth.Tally{{Channel: ch, Answered: tc.answered, Held: tc.held, Missing: tc.missing}}
		if diff := cmp.Diff(want, truth.Tallies(a, []truth.Series{one}, s)); diff != "" {
			t.Errorf("%d to %d: %s", tc.from, tc.to, diff)
		}
	}
}
