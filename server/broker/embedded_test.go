package broker_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"aovuon/gateway/wire"
	"aovuon/server/broker"
)

func TestEmbedded_CarriesBothWays(t *testing.T) {
	b := startEmbedded(t, broker.EmbeddedOptions{})
	b.receive()
	c := b.gateway("gw-one")
	receipts := make(chan string, 1)
	if tok := c.Subscribe(wire.Topic("gw-one", wire.LeafReceipt), 0, func(_ mqtt.Client, m mqtt.Message) { receipts <- string(m.Payload()) }); !tok.WaitTimeout(patience) || tok.Error() != nil {
		t.Fatal(tok.Error())
	}
	for i := range 100 {
		b.publish(c, wire.Topic("gw-one", wire.LeafBatch), 1, false, fmt.Sprint(i))
	}
	for i := range 100 {
		b.expect(got{"gw-one", wire.LeafBatch, fmt.Sprint(i)})
	}
	b.publish(c, wire.Topic("gw-one", wire.LeafStatus), 1, true, "online")
	b.expect(got{"gw-one", wire.LeafStatus, "online"})
	if err := b.embedded.Send("gw-one", wire.LeafReceipt, []byte("thanks")); err != nil {
		t.Fatal(err)
	}
	select {
	case r := <-receipts:
		if r != "thanks" {
			t.Errorf("receipt %q", r)
		}
	case <-time.After(patience):
		t.Fatal("no receipt")
	}
	b.mark(c, "gw-one") // our own receipt did not come back to us
}

func TestEmbedded_GatewayPublishesNowhereElse(t *testing.T) {
	b := startEmbedded(t, broker.EmbeddedOptions{})
	b.receive()
	c := b.gateway("gw-one")
	for _, topic := range []string{
		wire.Topic("gw-two", wire.LeafBatch), wire.Topic("gw-two", wire.LeafStatus), wire.Topic("gw-one", wire.LeafReceipt),
		wire.Topic("gw-two", wire.LeafReceipt), "aovuon/1/gw-one/batch/x", "aovuon.1.gw-two.batch", "aovuon/1/gw-two//batch",
		"aovuon/1/*/batch", "$JS/API/STREAM/DELETE/$MQTT_msgs", "$MQTT/msgs/aovuon/1/gw-two/batch", "$SYS/REQ/SERVER/PING",
	} {
		for _, retained := range []bool{false, true} {
			for qos := range byte(2) {
				b.publish(c, topic, qos, retained, "forged")
			}
		}
	}
	b.mark(c, "gw-one")
	b.expectViolation(broker.ForeignPublish, "gw-one")
	b.mark(b.gateway("gw-two"), "gw-two") // streams are whole, nothing retained came
}

func TestEmbedded_GatewayHearsNothingElse(t *testing.T) {
	b := startEmbedded(t, broker.EmbeddedOptions{})
	b.receive()
	c := b.gateway("gw-one")
	heard := make(chan string, 100)
	for _, filter := range []string{
		"#", "+/+/+/+", "aovuon/1/+/batch", "aovuon/1/gw-two/receipt", "aovuon/1/gw-one/batch", "$SYS/#", "$JS/#", "$MQTT/#",
		"$share/g/#", "$share/g/aovuon/1/+/batch",
	} {
		tok := c.Subscribe(filter, 1, func(_ mqtt.Client, m mqtt.Message) { heard <- m.Topic() })
		if !tok.WaitTimeout(patience) {
			t.Fatalf("%s: no answer", filter)
		}
		st, ok := tok.(*mqtt.SubscribeToken)
		if !ok {
			t.Fatalf("token of type %T", tok)
		}
		for f, code := range st.Result() {
			if code != 0x80 {
				t.Errorf("subscribe %s: granted %d", f, code)
			}
		}
	}
	b.expectViolation(broker.ForeignSubscribe, "gw-one")
	b.mark(b.gateway("gw-two"), "gw-two")
	if err := b.embedded.Send("gw-two", wire.LeafReceipt, []byte("private")); err != nil {
		t.Fatal(err)
	}
	b.mark(c, "gw-one")
	select {
	case topic := <-heard:
		t.Errorf("heard %s", topic)
	default:
	}
}

func TestEmbedded_WillToForeignTopicIsNeverDelivered(t *testing.T) {
	b := startEmbedded(t, broker.EmbeddedOptions{})
	b.receive()
	two := b.gateway("gw-two")
	o := clientOptions(b.address, "gw-one", "gw-one", "secret-one").SetWill(wire.Topic("gw-two", wire.LeafStatus), "offline", 1, true)
	b.dial(o)
	b.embedded.Disconnect("gw-one") // fires the will
	b.expectViolation(broker.ForeignPublish, "gw-one")
	b.mark(two, "gw-two")

	own := clientOptions(b.address, "gw-one", "gw-one", "secret-one").SetWill(wire.Topic("gw-one", wire.LeafStatus), "gone", 1, true)
	b.dial(own)
	b.embedded.Disconnect("gw-one")
	b.expect(got{"gw-one", wire.LeafStatus, "gone"})
}

func TestEmbedded_IdentityIsNameAndPasswordAndClientID(t *testing.T) {
	b := startEmbedded(t, broker.EmbeddedOptions{})
	b.receive()
	victim := b.gateway("gw-one")
	for name, o := range map[string]*mqtt.ClientOptions{
		"wrong password":              clientOptions(b.address, "gw-one", "gw-one", "secret-two"),
		"no password":                 clientOptions(b.address, "gw-one", "gw-one", ""),
		"unknown name":                clientOptions(b.address, "gw-six", "gw-six", ""),
		"nobody":                      clientOptions(b.address, "gw-one", "", ""),
		"foreign client id":           clientOptions(b.address, "gw-one", "gw-two", "secret-two"),
		"foreign client id, resuming": clientOptions(b.address, "gw-one", "gw-two", "secret-two").SetCleanSession(false),
		"ingest's own name":           clientOptions(b.address, "inside/ingest", "inside/ingest", ""),
	} {
		c := mqtt.NewClient(o)
		tok := c.Connect()
		if !tok.WaitTimeout(patience) || tok.Error() == nil {
			t.Errorf("%s: connected", name)
			c.Disconnect(0)
		}
	}
	b.expectViolation(broker.Credentials, "")
	if !victim.IsConnectionOpen() {
		t.Error("the victim of a takeover lost its connection")
	}
	b.mark(victim, "gw-one")
}

func TestEmbedded_LetsNobodyInBeforeIngestListens(t *testing.T) {
	b := startEmbedded(t, broker.EmbeddedOptions{})
	c := mqtt.NewClient(clientOptions(b.address, "gw-one", "gw-one", "secret-one"))
	if tok := c.Connect(); !tok.WaitTimeout(patience) || tok.Error() == nil {
		t.Fatal("connected while nobody listens: a batch would be acknowledged and lost")
	}
	b.receive()
	b.mark(b.gateway("gw-one"), "gw-one")
}

func TestEmbedded_QoS2IsRefused(t *testing.T) {
	b := startEmbedded(t, broker.EmbeddedOptions{})
	b.receive()
	lost := make(chan error, 1)
	o := clientOptions(b.address, "gw-one", "gw-one", "secret-one").SetConnectionLostHandler(func(_ mqtt.Client, err error) { lost <- err })
	c := b.dial(o)
	c.Publish(wire.Topic("gw-one", wire.LeafBatch), 2, false, "x")
	select {
	case why := <-lost:
		t.Log(why)
	case <-time.After(patience):
		t.Fatal("QoS 2 was taken")
	}
	b.mark(b.gateway("gw-one"), "gw-one")
}

func TestEmbedded_TooLargeClosesTheConnectionAndIsReported(t *testing.T) {
	b := startEmbedded(t, broker.EmbeddedOptions{})
	b.receive()
	c := b.gateway("gw-one")
	largest := strings.Repeat("x", wire.MaxBatchBytes)
	b.publish(c, wire.Topic("gw-one", wire.LeafBatch), 1, false, largest)
	b.expect(got{"gw-one", wire.LeafBatch, largest})
	c.Publish(wire.Topic("gw-one", wire.LeafBatch), 1, false, strings.Repeat("x", 1<<20))
	b.expectViolation(broker.TooLarge, "gw-one")
	b.mark(b.gateway("gw-one"), "gw-one")
}
