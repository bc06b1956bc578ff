package ledger_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aovuon/firmware-sim/ledger"
	"aovuon/gateway/measure"
)

func TestNewest_RemembersTheLastAnswerAndHandsAllOn(t *testing.T) {
	var all []ledger.Entry
	n := ledger.NewNewest(func(e ledger.Entry) { all = append(all, e) })
	at := func(s int) time.Time { return time.Date(2026, 5, 1, 0, 0, s, 0, time.UTC) }
	do := func(s int, v float64, fault string) ledger.Entry {
		return ledger.Entry{Time: at(s), Device: "ao1-do", Quantity: measure.DissolvedOxygen, Value: v, Fault: fault}
	}
	ph := ledger.Entry{Time: at(2), Device: "ao1-ph", Quantity: measure.PH, Value: 7.2}
	dead := ledger.Entry{Time: at(3), Device: "ao2-do", Fault: "unplug"}
	for _, e := range []ledger.Entry{do(1, 6.1, ""), ph, dead, do(4, 6.2, "")} {
		n.Record(e)
	}
	if len(all) != 4 {
		t.Errorf("handed on %d", len(all))
	}
	if diff := cmp.Diff([]ledger.Entry{do(4, 6.2, ""), ph, dead}, n.Newest()); diff != "" {
		t.Error(diff)
	}
	// Nobody answers at the address: no question to the device is answered, until one is.
	n.Record(ledger.Entry{Time: at(5), Device: "ao1-do", Fault: "unplug"})
	if diff := cmp.Diff(do(5, 0, "unplug"), n.Newest()[0]); diff != "" {
		t.Error(diff)
	}
	n.Record(do(6, 6.3, ""))
	if diff := cmp.Diff(do(6, 6.3, ""), n.Newest()[0]); diff != "" {
		t.Error(diff)
	}
}
