package probe_test

import (
	"testing"

	"aovuon/gateway/sense/probe"
	"aovuon/hardware/probes"
)

func library() *probe.Library { return probe.NewLibrary(probes.Files()) }

func TestLibrary_EveryTemplateIsWhole(t *testing.T) {
	ids, err := library().IDs()
	if err != nil || len(ids) < 19 {
		t.Fatalf("%d templates, %v", len(ids), err)
	}
	for _, id := range ids {
		if _, err := library().Template(id); err != nil {
			t.Error(err)
		}
	}
}
