package app

import (
	"io"
	"slices"
	"testing"
)

func TestDemo_NoTwoPartsAreGivenOnePort(t *testing.T) {
	d := &demo{env: &env{ctx: t.Context(), stdout: io.Discard}}
	d.HTTP, d.MQTT, d.Panel = "127.0.0.1:18080", "127.0.0.1:18083", "127.0.0.1:18083"
	panel, err := d.panelAddress()
	if err != nil || panel == d.MQTT {
		t.Fatalf("the field's page at %s, where the broker will be; %v", panel, err)
	}
	seen := []string{panel}
	for range 200 {
		addr, err := d.freePort()
		if err != nil {
			t.Fatal(err)
		}
		if slices.Contains(seen, addr) || addr == d.HTTP || addr == d.MQTT {
			t.Fatalf("%s was given twice", addr)
		}
		seen = append(seen, addr)
	}
}
