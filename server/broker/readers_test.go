package broker_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"aovuon/server/broker"
	"aovuon/server/parttest"
)

// reader is a client that reads.
func reader(t *testing.T, url, user, password string) (mqtt.Client, chan mqtt.Message, error) {
	t.Helper()
	in := make(chan mqtt.Message, 100)
	c := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(url).SetClientID("ha-1").SetUsername(user).SetPassword(password).SetProtocolVersion(4).SetAutoReconnect(false).
		SetDefaultPublishHandler(func(_ mqtt.Client, m mqtt.Message) { in <- m }))
	tok := c.Connect()
	if !tok.WaitTimeout(patience) || tok.Error() != nil {
		return nil, nil, errors.Join(errors.New("not let in"), tok.Error())
	}
	t.Cleanup(func() { c.Disconnect(0) })
	return c, in, nil
}

func heard(t *testing.T, in chan mqtt.Message) mqtt.Message {
	t.Helper()
	select {
	case m := <-in:
		return m
	case <-time.After(patience):
		t.Fatal("nothing was heard")
		return nil
	}
}

func TestReaders_ReadWhatIsRetainedAndSayNothing(t *testing.T) {
	r, err := broker.StartReaders(broker.ReadersOptions{
		Embedded: broker.EmbeddedOptions{Listen: "127.0.0.1:0", StoreDir: t.TempDir(), Log: slog.New(slog.DiscardHandler)}, User: "home_assistant",
		Secret: func() ([32]byte, bool) { return sha256.Sum256([]byte("open sesame")), true },
		Topics: []string{"homeassistant", "aovuon/ha"}, Says: []string{"homeassistant/status"},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	url := "tcp://" + r.Address()
	for _, wrong := range [][2]string{{"home_assistant", "open"}, {"gw-one", "open sesame"}, {"inside/publisher", "open sesame"}, {"", ""}} {
		if _, _, err := reader(t, url, wrong[0], wrong[1]); err == nil {
			t.Errorf("%v is let in", wrong)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	said, done := make(chan struct{}), make(chan error, 1)
	go func() {
		done <- broker.Retain(ctx, r.Publisher(), broker.Will{Topic: "aovuon/ha/status", Text: "offline"}, func(ctx context.Context, publish func(string, []byte) error) error {
			err := errors.Join(publish("homeassistant/sensor/aovuon/a/config", []byte("{}")), publish("aovuon/ha/state/a", []byte("1")), publish("aovuon/ha/state/b", []byte("2")),
				publish("aovuon/ha/state/b", nil))
			close(said)
			<-ctx.Done()
			return errors.Join(err, publish("aovuon/ha/status", []byte("gone")))
		})
	}()
	<-said
	c, in, err := reader(t, url, "home_assistant", "open sesame")
	if err != nil {
		t.Fatal(err)
	}
	for filter, want := range map[string]string{"homeassistant/#": "{}", "aovuon/ha/#": "1"} {
		if tok := c.Subscribe(filter, 1, nil); !tok.WaitTimeout(patience) || tok.Error() != nil {
			t.Fatal(tok.Error())
		}
		if m := heard(t, in); !m.Retained() || string(m.Payload()) != want {
			t.Errorf("%s: %s %q", filter, m.Topic(), m.Payload())
		}
	}
	for _, topic := range []string{"aovuon/ha/state/a", "homeassistant/sensor/aovuon/a/config", "aovuon/1/gw-one/batch"} {
		c.Publish(topic, 0, true, "forged")
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if m := heard(t, in); m.Topic() != "aovuon/ha/status" || string(m.Payload()) != "gone" { // nothing forged came before
		t.Errorf("%s %q", m.Topic(), m.Payload())
	}
}

func TestRetain_TheBrokerSaysThatItIsGone(t *testing.T) {
	m := parttest.Mosquitto(t, parttest.MosquittoOptions{})
	c, in, err := reader(t, m.URL, "", "")
	if err != nil {
		t.Fatal(err)
	}
	if tok := c.Subscribe("aovuon/ha/#", 1, nil); !tok.WaitTimeout(patience) || tok.Error() != nil {
		t.Fatal(tok.Error())
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	runs, done := 0, make(chan struct{})
	go func() {
		defer close(done)
		err := broker.Retain(ctx, broker.OutsideOptions{URL: m.URL, Log: slog.New(slog.DiscardHandler), FirstWait: time.Millisecond}, broker.Will{Topic: "aovuon/ha/status", Text: "offline"},
			func(_ context.Context, publish func(string, []byte) error) error {
				if runs++; runs == 2 {
					cancel()
				}
				return errors.Join(publish("aovuon/ha/status", []byte("online")), errors.New("the work fails"))
			})
		if err != nil {
			t.Error(err)
		}
	}()
	<-done
	if x := heard(t, in); string(x.Payload()) != "online" || runs != 2 {
		t.Errorf("%q, %d runs", x.Payload(), runs)
	}
}
