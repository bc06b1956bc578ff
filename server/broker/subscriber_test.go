package broker_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"

	"aovuon/server/broker"
	"aovuon/server/parttest"
)

// Devices at a Mosquitto with the files that we write: each publishes below its intake alone, and what comes while the reader is away waits for it where it
// may, and is not acknowledged before it was dealt with.
func TestSubscriber_AtMosquitto(t *testing.T) {
	m := parttest.Mosquitto(t, parttest.MosquittoOptions{
		Passwords: passwords(map[string]string{"server": "s3cret", "reader": "r", "lora": "pw", "gw-one": "secret-one"}),
		ACL:       broker.MosquittoACL("server") + broker.MosquittoDevices("reader"),
		Config:    strings.Split(strings.TrimSpace(broker.MosquittoConf("")), "\n"),
	})
	type message struct {
		text string
		done func()
	}
	start := func() (next func() message, stop func()) {
		s, err := broker.NewSubscriber(broker.SubscriberOptions{
			Filters: []string{"in/lora/#", "in/gw-one/#"}, Keep: "aovuon-intake",
			Broker: broker.OutsideOptions{URL: m.URL, Username: "reader", PasswordFile: file(t, "r", "r\n"), Log: slog.New(slog.DiscardHandler)},
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		got, ended := make(chan message, 100), make(chan error, 1)
		go func() {
			ended <- s.Receive(ctx, func(topic string, payload []byte, done func()) { got <- message{topic + " " + string(payload), done} })
		}()
		parttest.Await(t, "the reader", s.Connected)
		return func() message { return <-got }, func() {
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
	}
	next, stop := start()
	lora, gw := plain(t, m, "lora", "lora", "pw"), plain(t, m, "gw-one", "gw-one", "secret-one")
	for _, topic := range []string{"in/gw-one/x", "in/lorawan/x", "aovuon/1/gw-one/batch"} {
		lora.Publish(topic, 1, false, "forged").WaitTimeout(patience)
	}
	gw.Publish("in/lora/x", 1, false, "forged").WaitTimeout(patience)
	publish(t, lora, "in/lora/a", "1")
	first := next()
	if first.text != "in/lora/a 1" {
		t.Fatalf("heard %s", first.text)
	}
	stop() // before it was dealt with
	publish(t, lora, "in/lora/a", "2")
	next, stop = start()
	for _, want := range []string{"in/lora/a 1", "in/lora/a 2"} {
		x := next()
		if x.text != want {
			t.Errorf("heard %s, want %s", x.text, want)
		}
		x.done()
	}
	stop()
}
