package story_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"aovuon/firmware-sim/ledger"
	"aovuon/gateway/measure"
)

// healthy is the account of a story in which all went well: two channels at 10 Hz for 20 s, killed once, after 10 s, with
// the last three answers of each channel not committed yet.
func healthy() account {
	a := account{dated: 1500 * time.Millisecond, losses: []window{{9_400, 10_050}}, faultsIn: []window{{10_000, 11_000}}}
	for i := range int64(200) {
		for k, c := range []channel{{"a", measure.WaterTemperature}, {"b", measure.PH}} {
			v := 20.0
			if k == 1 {
				v = float64(i) / 100
			}
			ms := 100*i + int64(k)
			a.ledger = append(a.ledger, ledger.Entry{Time: time.UnixMilli(ms), Device: c.sensor, Quantity: c.quantity, Value: v})
			if 97 <= i && i <= 99 {
				continue // lost with the memory of the gateway
			}
			f := fact{channel: c, ms: ms + 3, value: v}
			if i < 97 {
				a.committed = append(a.committed, f)
			}
			a.log, a.history = append(a.log, f), append(a.history, f)
		}
	}
	return a
}

// TestAudit_SeesEveryPlantedFault is the proof that the stories' verdict can be red.
func TestAudit_SeesEveryPlantedFault(t *testing.T) {
	if sum, wrong := healthy().audit(); wrong != nil || sum.Lost != 6 || sum.Readings != 394 || sum.FarthestLoss != 350*time.Millisecond {
		t.Fatalf("a healthy story: %+v, %q", sum, wrong)
	}
	for name, tc := range map[string]struct {
		plant func(a *account)
		want  string
	}{
		"one history row deleted": {func(a *account) { a.history = slices.Delete(a.history, 50, 51) }, "in the batch log, not in the history: a water_temperature at 00:00:02.503"},
		"one history row twice":   {func(a *account) { a.history = append(a.history, a.history[7]) }, "twice in the history"},
		"one history row invented": {func(a *account) {
			a.history = append(a.history, fact{channel{"a", measure.WaterTemperature}, 55, 21, 0})
		}, "not in the batch log"},
		"one history value changed":  {func(a *account) { a.history[9].value += 0.01 }, "it says"},
		"one quality made better":    {func(a *account) { a.log[9].quality = measure.Suspect }, "it says"},
		"one time moved":             {func(a *account) { a.history[9].ms++ }, "not in the history"},
		"one committed reading gone": {func(a *account) { a.log, a.history = slices.Delete(a.log, 20, 21), slices.Delete(a.history, 20, 21) }, "committed on the gateway, not in the batch log"},
		"one later reading gone": {func(a *account) {
			a.log, a.history = slices.Delete(a.log, 300, 301), slices.Delete(a.history, 300, 301)
		}, "lost outside every loss window"},
		"log out of order":          {func(a *account) { a.log[10], a.log[12] = a.log[12], a.log[10] }, "stands after"},
		"a batch twice in the log":  {func(a *account) { a.log = append(a.log, a.log[393]) }, "stands after"},
		"a reading nobody measured": {func(a *account) { a.log[393].value, a.history[393].value = 9, 9 }, "no chip ever said"},
		"a reading dated far off":   {func(a *account) { a.log[393].ms += 9000; a.history[393].ms += 9000 }, "no chip ever said"},
		"a fault of a healthy chip": {func(a *account) { a.log[393].quality, a.history[393].quality = measure.Fault, measure.Fault }, "a fault of a healthy chip"},
		"a whole channel never arrives": {func(a *account) {
			a.ledger = append(a.ledger, ledger.Entry{Time: time.UnixMilli(5), Device: "c", Quantity: measure.PH})
		}, "lost outside every loss window: c ph"},
		"the loss window is not allowed": {func(a *account) { a.losses = nil }, "lost outside every loss window"},
	} {
		a := healthy()
		tc.plant(&a)
		_, wrong := a.audit()
		if !slices.ContainsFunc(wrong, func(s string) bool { return strings.Contains(s, tc.want) }) {
			t.Errorf("%s: nobody said %q, only %q", name, tc.want, wrong)
		}
	}
}

// TestMatch_FindsTheLostAnswerAmongEqualOnes: a thermometer says the same for minutes, so values alone tell nothing.
func TestMatch_FindsTheLostAnswerAmongEqualOnes(t *testing.T) {
	var answers []ledger.Entry
	var facts []fact
	for i := range int64(100) {
		answers = append(answers, ledger.Entry{Time: time.UnixMilli(200 * i)})
		if i != 40 && i != 41 {
			facts = append(facts, fact{ms: 200*i + i%7}) // dated a few milliseconds later
		}
	}
	invented, unheard := match(facts, answers, 1500*time.Millisecond)
	if invented != nil || len(unheard) != 2 || unheard[0].Time.UnixMilli() != 8000 || unheard[1].Time.UnixMilli() != 8200 {
		t.Errorf("invented %v, unheard %v", invented, unheard)
	}
}
