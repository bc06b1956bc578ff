package broker_test

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"aovuon/gateway/wire"
	"aovuon/server/broker"
	"aovuon/server/parttest"
)

func passwords(users map[string]string) string {
	var b strings.Builder
	for user, password := range users {
		b.WriteString(broker.MosquittoPassword(user, wire.MosquittoHash(password)))
	}
	return b.String()
}

// guarded is a Mosquitto with the files that we write, and a server at it.
func guarded(t *testing.T) (*parttest.MosquittoServer, *outside) {
	t.Helper()
	m := parttest.Mosquitto(t, parttest.MosquittoOptions{
		Passwords: passwords(map[string]string{"server": "s3cret", "gw-one": "secret-one", "gw-two": "secret-two"}),
		ACL:       broker.MosquittoACL("server"),
		Config:    strings.Split(strings.TrimSpace(broker.MosquittoConf("")), "\n"),
	})
	s := startOutside(t, broker.OutsideOptions{URL: m.URL, Username: "server", PasswordFile: file(t, "p", "s3cret\n")}, false)
	s.awaitConnected(true)
	return m, s
}

// markAt publishes honestly and waits for it: it must be the next that comes.
func (s *outside) markAt(c mqtt.Client, id, text string) {
	s.t.Helper()
	publish(s.t, c, wire.Topic(id, wire.LeafBatch), text)
	if m := s.next(); m != (got{id, wire.LeafBatch, text}) {
		s.t.Fatalf("got %+v, want %s's %q", m, id, text)
	}
}

func TestMosquitto_GatewayPublishesNowhereElse(t *testing.T) {
	m, s := guarded(t)
	c := plain(t, m, "gw-one", "gw-one", "secret-one")
	for _, topic := range []string{
		wire.Topic("gw-two", wire.LeafBatch), wire.Topic("gw-two", wire.LeafStatus), wire.Topic("gw-one", wire.LeafReceipt), wire.Topic("gw-two", wire.LeafReceipt),
		"aovuon/1/gw-one/batch/x", "aovuon/1/gw-two//batch", "$SYS/broker/uptime", "$share/g/aovuon/1/gw-two/batch",
	} {
		for qos := range byte(2) {
			for _, retained := range []bool{false, true} {
				c.Publish(topic, qos, retained, "forged").WaitTimeout(patience)
			}
		}
	}
	s.markAt(c, "gw-one", "mine")
	s.markAt(plain(t, m, "gw-two", "gw-two", "secret-two"), "gw-two", "mine")
	s.stop() // the user name is the client id: two servers of one name would throw each other out
	late := startOutside(t, broker.OutsideOptions{URL: m.URL, Username: "server", PasswordFile: file(t, "p", "s3cret\n"), Group: "late"}, false)
	late.awaitConnected(true)
	late.markAt(c, "gw-one", "nothing was retained")
}

func TestMosquitto_QoS2EndsTheConnection(t *testing.T) {
	m, s := guarded(t)
	c := plain(t, m, "gw-one", "gw-one", "secret-one")
	c.Publish(wire.Topic("gw-one", wire.LeafBatch), 2, false, "x")
	parttest.Await(t, "the end of the connection", func() bool { return !c.IsConnectionOpen() })
	s.markAt(plain(t, m, "gw-one", "gw-one", "secret-one"), "gw-one", "mine")
}

func TestMosquitto_GatewayHearsNothingElse(t *testing.T) {
	m, s := guarded(t)
	c := plain(t, m, "gw-one", "gw-one", "secret-one")
	heard := make(chan string, 100)
	for _, filter := range []string{"#", "+/+/+/+", "aovuon/1/+/batch", "aovuon/1/gw-two/receipt", "aovuon/1/gw-one/batch", "$share/g/#", "$share/g/aovuon/1/+/batch"} {
		c.Subscribe(filter, 1, func(_ mqtt.Client, m mqtt.Message) { heard <- m.Topic() }).WaitTimeout(patience) // Mosquitto may grant it and deliver nothing
	}
	own := make(chan string, 1)
	c.Subscribe(wire.Topic("gw-one", wire.LeafReceipt), 0, func(_ mqtt.Client, m mqtt.Message) { own <- string(m.Payload()) }).WaitTimeout(patience)
	s.markAt(plain(t, m, "gw-two", "gw-two", "secret-two"), "gw-two", "private")
	for _, to := range []string{"gw-two", "gw-one"} {
		if err := s.broker.Send(to, wire.LeafReceipt, []byte("for "+to)); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case r := <-own:
		if r != "for gw-one" {
			t.Errorf("heard %q", r)
		}
	case topic := <-heard: // its own receipt may come by #, which it may read
		if topic != wire.Topic("gw-one", wire.LeafReceipt) {
			t.Errorf("heard %s", topic)
		}
	case <-time.After(patience):
		t.Fatal("no receipt")
	}
	for len(heard) > 0 {
		if topic := <-heard; topic != wire.Topic("gw-one", wire.LeafReceipt) {
			t.Errorf("heard %s", topic)
		}
	}
}

func TestMosquitto_ForeignWillIsNeverDelivered(t *testing.T) {
	m, s := guarded(t)
	honest := plain(t, m, "gw-two", "gw-two", "secret-two")
	for qos := range byte(3) {
		for _, retained := range []bool{false, true} {
			o := clientOptions(m.Address(), "gw-one", "gw-one", "secret-one").SetWill(wire.Topic("gw-two", wire.LeafStatus), "offline", qos, retained)
			c := mqtt.NewClient(o)
			if tok := c.Connect(); !tok.WaitTimeout(patience) || tok.Error() != nil {
				continue // QoS 2 is refused
			}
			// The same name again: the broker ends the first connection, and its will fires.
			again := plain(t, m, "gw-one", "gw-one", "secret-one")
			parttest.Await(t, "the end of the first", func() bool { return !c.IsConnectionOpen() })
			again.Disconnect(0)
		}
	}
	s.markAt(honest, "gw-two", "mine")
}

func TestMosquitto_ClientIDIsTheIdentity(t *testing.T) {
	m, s := guarded(t)
	victim := plain(t, m, "gw-one", "gw-one", "secret-one")
	for _, clean := range []bool{true, false} {
		thief := mqtt.NewClient(clientOptions(m.Address(), "gw-one", "gw-two", "secret-two").SetCleanSession(clean))
		if tok := thief.Connect(); !tok.WaitTimeout(patience) {
			t.Fatal("no answer")
		}
		s.markAt(victim, "gw-one", "still here")
		if !victim.IsConnectionOpen() {
			t.Errorf("clean session %v: the victim lost its connection", clean)
		}
		thief.Disconnect(0)
	}
	for name, o := range map[string]*mqtt.ClientOptions{
		"wrong password": clientOptions(m.Address(), "gw-one", "gw-one", "secret-two"), "unknown": clientOptions(m.Address(), "gw-six", "gw-six", ""),
		"nobody": clientOptions(m.Address(), "gw-one", "", ""), "the server": clientOptions(m.Address(), "server", "server", "secret-one"),
	} {
		if tok := mqtt.NewClient(o).Connect(); !tok.WaitTimeout(patience) || tok.Error() == nil {
			t.Errorf("%s: connected", name)
		}
	}
}

func TestMosquitto_GiantLengthIsCutOff(t *testing.T) {
	m, s := guarded(t)
	c, err := net.Dial("tcp", m.Address())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	})
	if _, err := c.Write([]byte{0x10, 0xff, 0xff, 0xff, 0x7f}); err != nil {
		t.Fatal(err)
	}
	if err := c.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, c); err != nil {
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() {
			t.Error("still open")
		}
	}
	one := plain(t, m, "gw-one", "gw-one", "secret-one")
	one.Publish(wire.Topic("gw-one", wire.LeafBatch), 1, false, make([]byte, 1<<20))
	parttest.Await(t, "the end of the connection", func() bool { return !one.IsConnectionOpen() })
	s.markAt(plain(t, m, "gw-one", "gw-one", "secret-one"), "gw-one", "mine")
}

// A retired gateway is out when Mosquitto has read the new password file: it ends the connections of those who are no longer in it.
func TestMosquitto_RetiredIsCutOffByTheNextPasswordFile(t *testing.T) {
	m, s := guarded(t)
	out, in := plain(t, m, "gw-one", "gw-one", "secret-one"), plain(t, m, "gw-two", "gw-two", "secret-two")
	s.markAt(out, "gw-one", "before")
	begin := time.Now()
	m.SetPasswords(passwords(map[string]string{"server": "s3cret", "gw-two": "secret-two"}))
	parttest.Await(t, "the end of the connection", func() bool { return !out.IsConnectionOpen() })
	t.Logf("cut off %v after the reload", time.Since(begin))
	if tok := mqtt.NewClient(clientOptions(m.Address(), "gw-one", "gw-one", "secret-one")).Connect(); !tok.WaitTimeout(patience) || tok.Error() == nil {
		t.Error("let in again")
	}
	s.awaitConnected(true)
	s.markAt(in, "gw-two", "after")
}

func TestMosquitto_PublishBeforeIngestSubscribedIsLostThereAndNotReceipted(t *testing.T) {
	m, s := guarded(t)
	s.stop()
	c := plain(t, m, "gw-one", "gw-one", "secret-one")
	publish(t, c, wire.Topic("gw-one", wire.LeafBatch), "acknowledged, and nobody hears it") // why a PUBACK deletes nothing at a gateway
	again := startOutside(t, broker.OutsideOptions{URL: m.URL, Username: "server", PasswordFile: file(t, "p", "s3cret\n")}, false)
	again.awaitConnected(true)
	again.markAt(c, "gw-one", "sent again without a receipt")
}
