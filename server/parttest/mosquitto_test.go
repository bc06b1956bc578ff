package parttest_test

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"aovuon/server/parttest"
)

// client connects with a persistent session; err is the broker's refusal.
func client(t *testing.T, s *parttest.MosquittoServer, id, user, password string, onMessage mqtt.MessageHandler) (mqtt.Client, error) {
	t.Helper()
	o := mqtt.NewClientOptions().AddBroker(s.URL).SetClientID(id).SetUsername(user).SetPassword(password).
		SetAutoReconnect(false).SetCleanSession(false).SetDefaultPublishHandler(onMessage)
	if s.CAFile != "" {
		pem, err := os.ReadFile(s.CAFile)
		if err != nil {
			t.Fatal(err)
		}
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(pem)
		o.SetTLSConfig(&tls.Config{RootCAs: pool})
	}
	c := mqtt.NewClient(o)
	tok := c.Connect()
	if !tok.WaitTimeout(time.Minute) {
		t.Fatal("connect: no answer")
	}
	if tok.Error() == nil {
		t.Cleanup(func() { c.Disconnect(100) })
	}
	return c, tok.Error()
}

func do(t *testing.T, tok mqtt.Token) {
	t.Helper()
	if !tok.WaitTimeout(time.Minute) {
		t.Fatal("no answer")
	}
	if tok.Error() != nil {
		t.Fatal(tok.Error())
	}
}

func await(t *testing.T, got <-chan string, want string) {
	t.Helper()
	select {
	case m := <-got:
		if m != want {
			t.Fatalf("got %q, want %q", m, want)
		}
	case <-time.After(time.Minute):
		t.Fatalf("%q did not arrive", want)
	}
}

func TestMosquitto_TLSPasswordsAndACL(t *testing.T) {
	s := parttest.Mosquitto(t, parttest.MosquittoOptions{
		TLS: true, Users: map[string]string{"gw": "mật khẩu", "server": "s3"},
		ACL: "pattern write up/%u\nuser server\ntopic read up/#\n",
	})
	if _, err := client(t, s, "x", "gw", "wrong", nil); err == nil {
		t.Fatal("a wrong password was accepted")
	}
	if _, err := client(t, s, "x", "", "", nil); err == nil {
		t.Fatal("an anonymous client was accepted")
	}
	got := make(chan string, 10)
	srv, err := client(t, s, "server", "server", "s3", func(_ mqtt.Client, m mqtt.Message) { got <- m.Topic() })
	if err != nil {
		t.Fatal(err)
	}
	do(t, srv.Subscribe("up/#", 1, nil))
	gw, err := client(t, s, "gw", "gw", "mật khẩu", nil)
	if err != nil {
		t.Fatal(err)
	}
	do(t, gw.Publish("up/other", 1, false, "x")) // refused without a word
	do(t, gw.Publish("up/gw", 1, false, "x"))
	await(t, got, "up/gw")
}

func TestMosquitto_PersistenceKeepsTheQueueOverStop(t *testing.T) {
	s := parttest.Mosquitto(t, parttest.MosquittoOptions{Persistence: true, MaxQueued: 10000, MaxInflight: 100})
	got := make(chan string, 10)
	keep := func(_ mqtt.Client, m mqtt.Message) { got <- string(m.Payload()) }
	sub, err := client(t, s, "sub", "", "", keep)
	if err != nil {
		t.Fatal(err)
	}
	do(t, sub.Subscribe("a", 1, nil))
	sub.Disconnect(100)
	pub, err := client(t, s, "pub", "", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	do(t, pub.Publish("a", 1, false, "kept"))
	s.Stop()
	s.Start()
	if _, err = client(t, s, "sub", "", "", keep); err != nil {
		t.Fatal(err)
	}
	await(t, got, "kept")
	s.Kill()
	s.Start()
}
