package app_test

import (
	"os"
	"regexp"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

func TestHomeAssistant_ReadsWithWhatTheCommandPrints(t *testing.T) {
	p := newProcess(t, "{ engine: sqlite }", "")
	at := freePort(t)
	raw, err := os.ReadFile(p.path("server.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p.path("server.yaml"), append(raw, "telemetry: { home_assistant: { listen: "+at+" } }\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`password +(\w{32})\n`).FindStringSubmatch(p.once("telemetry", "homeassistant"))
	if m == nil {
		t.Fatal("no password is printed")
	}
	p.start()
	p.deliverAll(p.fleetOf(3, "gw-nha"))()
	heard := make(chan mqtt.Message, 100)
	c := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + at).SetClientID("ha").SetUsername("home_assistant").SetPassword(m[1]).SetProtocolVersion(4).
		SetAutoReconnect(false).SetConnectRetry(true).SetConnectRetryInterval(100 * time.Millisecond).SetDefaultPublishHandler(func(_ mqtt.Client, m mqtt.Message) { heard <- m }))
	if tok := c.Connect(); !tok.WaitTimeout(patience) || tok.Error() != nil {
		t.Fatal(tok.Error())
	}
	if tok := c.SubscribeMultiple(map[string]byte{"homeassistant/#": 1, "aovuon/ha/status": 1}, nil); !tok.WaitTimeout(patience) || tok.Error() != nil {
		t.Fatal(tok.Error())
	}
	online, described := false, false
	for late := time.After(patience); !online || !described; {
		select {
		case m := <-heard:
			online = online || m.Topic() == "aovuon/ha/status" && string(m.Payload()) == "online"
			described = described || regexp.MustCompile(`^homeassistant/sensor/aovuon/unplaced_gw-nha_.*/config$`).MatchString(m.Topic())
		case <-late:
			t.Fatalf("online %v, described %v", online, described)
		}
	}
	c.Disconnect(100)
	p.stop()
}
