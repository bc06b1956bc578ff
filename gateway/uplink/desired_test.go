package uplink_test

import (
	"bytes"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"aovuon/gateway/wire"
	"aovuon/server/parttest"
)

// TestUplink_TakesDesiredSettingsOfItsServerAlone: whoever else may publish at the broker changes nothing.
func TestUplink_TakesDesiredSettingsOfItsServerAlone(t *testing.T) {
	_, r, f, o := setup(t)
	type taken struct {
		sealed []byte
		d      wire.Desired
	}
	got := make(chan taken, 10)
	o.Desired = func(sealed []byte, d wire.Desired) { got <- taken{bytes.Clone(sealed), d} }
	up, _ := f.start(o)
	<-r.statusC // online is said after the topic was subscribed to

	seal := func(of string, signer note.Signer) []byte {
		raw, err := wire.SealDesired(wire.Desired{
			Gateway: of, Version: 3, Time: noon, Changes: []wire.Change{{Path: "seal.every", Was: []byte("null"), Value: []byte(`"1m"`)}},
		}, signer)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	send := func(raw []byte) { r.client.Publish(wire.Topic(gateway, wire.LeafDesired), 0, false, raw) }
	stranger, _ := newKey(t, "htx-test") // of the same name
	good := seal(gateway, r.signer)
	send(seal(gateway, stranger))
	send(seal("gw-vuon", r.signer))
	send([]byte("garbage"))
	send([]byte(strings.Repeat("x", 60_000)))
	send(good)
	if x := <-got; !bytes.Equal(x.sealed, good) || x.d.Version != 3 || x.d.Gateway != gateway {
		t.Errorf("%+v", x)
	}
	parttest.Await(t, "the others are refused", func() bool { return up.Counters().Forged == 4 }) // handlers run side by side
}

// TestUplink_SubscribesToSettingsAgainOnEveryConnection: the broker keeps nothing of a gateway that went away.
func TestUplink_SubscribesToSettingsAgainOnEveryConnection(t *testing.T) {
	url, r, f, o := setup(t)
	p := newProxy(t, url)
	o.URL = p.url
	got := make(chan uint64, 10)
	o.Desired = func(_ []byte, d wire.Desired) { got <- d.Version }
	f.start(o)
	for version := uint64(1); version <= 3; version++ {
		st := <-r.statusC
		for st.State != wire.Online { // the will of the connection before
			st = <-r.statusC
		}
		raw, err := wire.SealDesired(wire.Desired{Gateway: gateway, Version: version, Time: noon}, r.signer)
		if err != nil {
			t.Fatal(err)
		}
		r.client.Publish(wire.Topic(gateway, wire.LeafDesired), 0, false, raw)
		if v := <-got; v != version {
			t.Errorf("version %d; want %d", v, version)
		}
		p.Cut()
	}
}
