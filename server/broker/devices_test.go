package broker

import (
	"context"
	"crypto/sha256"
	"log/slog"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// oneSecret lets in one name with one password.
type oneSecret struct{ name, password string }

func (s oneSecret) SecretSHA(name string) ([32]byte, bool) {
	return sha256.Sum256([]byte(s.password)), name == s.name
}

// A device publishes below its intake's own topics and nowhere else, hears nothing of others, and is not let in while nobody reads. What a broker kept for
// those who come late is left out.
func TestDevices_MayDoOnlyWhatIsTheirs(t *testing.T) {
	dir := t.TempDir()
	d, err := StartDevices(EmbeddedOptions{Listen: "127.0.0.1:0", StoreDir: dir, Secrets: oneSecret{"lora", "pw"}, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	connect := func(user, password, id string) (mqtt.Client, error) {
		c := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + d.Address()).SetClientID(id).SetUsername(user).SetPassword(password).SetAutoReconnect(false).SetConnectTimeout(5 * time.Second))
		tok := c.Connect()
		tok.WaitTimeout(time.Minute)
		return c, tok.Error()
	}
	if _, err := connect("lora", "pw", "early"); err == nil {
		t.Error("let in while nobody reads")
	}
	sub, err := d.Subscriber(dir, "", []string{"in/lora/#", "in/other/#"}, slog.New(slog.DiscardHandler), false)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	got, ended := make(chan string, 10), make(chan error, 1)
	d.Open(true)
	go func() {
		ended <- sub.Receive(ctx, func(topic string, payload []byte, done func()) {
			got <- topic + " " + string(payload)
			done()
		})
	}()
	for !sub.Connected() {
		select {
		case err := <-ended:
			t.Fatal(err)
		case <-time.After(5 * time.Millisecond):
		}
	}
	for _, who := range [][2]string{{"lora", "wrong"}, {"gw-ao", "pw"}, {insideDevices, "pw"}, {"", ""}} {
		if _, err := connect(who[0], who[1], "x"); err == nil {
			t.Errorf("%q with %q was let in", who[0], who[1])
		}
	}
	c, err := connect("lora", "pw", "DVES_12")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Disconnect(100)
	for _, filter := range []string{"#", "in/#", "in/other/#", "aovuon/#", "in/+/x"} {
		tok, _ := c.Subscribe(filter, 1, nil).(*mqtt.SubscribeToken)
		if !tok.WaitTimeout(time.Minute) || tok.Result()[filter] != 0x80 {
			t.Errorf("subscribing to %s: %v", filter, tok.Result())
		}
	}
	if tok := c.Subscribe("in/lora/#", 1, func(mqtt.Client, mqtt.Message) {}); !tok.WaitTimeout(time.Minute) || tok.Error() != nil {
		t.Errorf("its own topics: %v", tok.Error())
	}
	for _, topic := range []string{"in/other/x", "aovuon/1/gw-ao/batch", "in/lora", "in/lora/0x00158d00029c076d", "in/lora/tele/a.b/SENSOR"} {
		if tok := c.Publish(topic, 1, topic == "in/lora", "1"); !tok.WaitTimeout(time.Minute) || tok.Error() != nil {
			t.Fatalf("%s: %v", topic, tok.Error())
		}
	}
	seen := map[string]bool{}
	for !seen["in/lora/tele/a.b/SENSOR 1"] {
		seen[<-got] = true
	}
	for topic := range seen {
		if topic != "in/lora 1" && topic != "in/lora/0x00158d00029c076d 1" && topic != "in/lora/tele/a.b/SENSOR 1" {
			t.Errorf("heard %s", topic)
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	late, err := d.Subscriber(dir, "", []string{"in/lora/#"}, slog.New(slog.DiscardHandler), false)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop = context.WithCancel(t.Context())
	defer stop()
	go func() {
		ended <- late.Receive(ctx, func(topic string, _ []byte, done func()) {
			got <- topic
			done()
		})
	}()
	for !late.Connected() {
		time.Sleep(time.Millisecond)
	}
	if tok := c.Publish("in/lora/now", 1, false, "2"); !tok.WaitTimeout(time.Minute) || tok.Error() != nil {
		t.Fatal(tok.Error())
	}
	if first := <-got; first != "in/lora/now" {
		t.Errorf("what was kept came: %s", first)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
