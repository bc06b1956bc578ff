package uplink_test

import (
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"aovuon/gateway/uplink"
	"aovuon/server/parttest"
)

// TestUplink_OnMosquittoWithTLSAndPassword: another broker, encrypted, which dies and comes back under load.
func TestUplink_OnMosquittoWithTLSAndPassword(t *testing.T) {
	m := parttest.Mosquitto(t, parttest.MosquittoOptions{
		TLS: true, Users: map[string]string{gateway: password, "server": password},
		ACL: "user " + gateway + "\ntopic write aovuon/1/" + gateway + "/batch\ntopic write aovuon/1/" + gateway + "/status\n" +
			"topic read aovuon/1/" + gateway + "/receipt\nuser server\ntopic readwrite aovuon/1/#\n",
	})
	f := newField(t)
	tlsConfig, err := uplink.TLSConfig(m.CAFile, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	server := func() *mqtt.ClientOptions {
		return mqtt.NewClientOptions().AddBroker(m.URL).SetUsername("server").SetPassword(password).SetTLSConfig(tlsConfig)
	}
	r, key := newReceiver(t, server(), f.key)
	o := f.quick(m.URL, key)
	o.TLS = tlsConfig

	// Without the authority's certificate the server is a stranger.
	strange := o
	if strange.TLS, err = uplink.TLSConfig("", time.Now); err != nil {
		t.Fatal(err)
	}
	f.batches(20, 3)
	up, stop := f.start(strange)
	parttest.Await(t, "refused twice", func() bool { return len(f.links) >= 2 })
	stop()
	if c := up.Counters(); c.Sessions != 0 {
		t.Fatalf("connected to a server with an unknown certificate: %+v", c)
	}
	// In 1970 the certificate is not valid yet.
	early := o
	if early.TLS, err = uplink.TLSConfig(m.CAFile, func() time.Time { return time.Unix(0, 0) }); err != nil {
		t.Fatal(err)
	}
	drain(f.links)
	up, stop = f.start(early)
	parttest.Await(t, "refused twice", func() bool { return len(f.links) >= 2 })
	stop()
	if c := up.Counters(); c.Sessions != 0 {
		t.Fatalf("connected in 1970: %+v", c)
	}

	f.start(o)
	parttest.Await(t, "the spool is empty", func() bool { return f.stats().Sealed == 0 })
	r.check(60)
	m.Kill()
	f.batches(20, 3)
	m.Start()
	r2 := reconnected(t, server(), r)
	parttest.Await(t, "the spool is empty after the broker died", func() bool { return f.stats().Sealed == 0 })
	r2.check(120)
}

// reconnected is the same server on a new connection.
func reconnected(tb testing.TB, o *mqtt.ClientOptions, old *receiver) *receiver {
	tb.Helper()
	r, _ := newReceiver(tb, o, old.key)
	old.mu.Lock()
	defer old.mu.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.signer, r.epoch, r.past, r.next, r.prev, r.values = old.signer, old.epoch, old.past, old.next, old.prev, old.values
	return r
}
