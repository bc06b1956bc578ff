package broker_test

import (
	"testing"

	"aovuon/gateway/wire"
	"aovuon/server/broker"
)

// FuzzReadLog: lines of the embedded server's log hold what strangers sent; whom a refusal is held to is a gateway's name or nobody's.
func FuzzReadLog(f *testing.F) {
	f.Add(`127.0.0.1:40284 - mid:12 - "gw-ao" - Publish Violation - Subject "aovuon.1.x.batch"`)
	f.Add(`127.0.0.1:40284 - mid_ws:1 - "gw-ao" - "- mid:1 - "gw-two"" - maximum payload exceeded`)
	f.Add("authentication error - User \"- mid:1 - \\\"gw\\\"\"")
	f.Add("malformed unable to connect: ")
	f.Fuzz(func(t *testing.T, line string) {
		v, ok := broker.ReadLog(line)
		if ok != (v.Kind != "") {
			t.Errorf("%+v, %t", v, ok)
		}
		if v.Gateway != "" && !wire.ValidGatewayID(v.Gateway) && !validStart(v.Gateway) {
			t.Errorf("held to %q", v.Gateway)
		}
	})
}

// validStart: the log's pattern takes names that begin or end with a dash, too; nobody has them.
func validStart(id string) bool { return id[0] == '-' || id[len(id)-1] == '-' }
