package wire_test

import (
	"strings"
	"testing"

	"aovuon/gateway/wire"
)

// A topic that is taken is one that Topic writes: no second way to spell another gateway's.
func FuzzParseTopic(f *testing.F) {
	f.Add("aovuon/1/gw-ao-phukhe/batch")
	f.Add("aovuon/1/gw-ao-phukhe/batch/")
	f.Add("aovuon/1/+/#")
	f.Add("aovuon/1/GW/desired")
	f.Fuzz(func(t *testing.T, topic string) {
		gateway, leaf, ok := wire.ParseTopic(topic)
		if ok && wire.Topic(gateway, leaf) != topic {
			t.Errorf("%q is read as %q of %q", topic, leaf, gateway)
		}
		if ok && strings.ContainsAny(gateway, "/+# ") {
			t.Errorf("gateway %q", gateway)
		}
	})
}

func FuzzParseSettingsReport(f *testing.F) {
	f.Add(`{"version":3,"state":"applied"}`)
	f.Add(`{"version":-1,"settings":{"a":[null]}}`)
	f.Add(`[`)
	f.Fuzz(func(t *testing.T, body string) {
		if r, err := wire.ParseSettingsReport(body); err == nil && r.State == "" {
			t.Errorf("%q: a report without a state", body)
		}
	})
}

func FuzzParsePath(f *testing.F) {
	f.Add("sensors[ao1-ph].every")
	f.Add("a.b[")
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		p, err := wire.ParsePath(s)
		if err != nil {
			return
		}
		if again, err := wire.ParsePath(p.String()); err != nil || again.String() != p.String() {
			t.Errorf("%q becomes %q becomes %q, %v", s, p, again, err)
		}
	})
}
