package app_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"aovuon/server/parttest"
)

// device connects to the broker of devices as an intake.
func device(t *testing.T, addr, user, password, id string) mqtt.Client {
	t.Helper()
	c := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + addr).SetClientID(id).SetUsername(user).SetPassword(password).
		SetAutoReconnect(false).SetConnectTimeout(5 * time.Second))
	if tok := c.Connect(); !tok.WaitTimeout(time.Minute) || tok.Error() != nil {
		t.Fatalf("device %s: %v", id, tok.Error())
	}
	t.Cleanup(func() { c.Disconnect(100) })
	return c
}

func deviceSays(t *testing.T, c mqtt.Client, topic, payload string) {
	t.Helper()
	if tok := c.Publish(topic, 1, false, payload); !tok.WaitTimeout(time.Minute) || tok.Error() != nil {
		t.Fatalf("%s: %v", topic, tok.Error())
	}
}

// Devices that cannot sign send over HTTP and MQTT. What was answered, or acknowledged, is in the log although the server is killed at once; the audit is sound
// and says whose word it is; the pages say unsigned; what is unknown waits to be named, and counts from the moment it is.
func TestIntake_FromADeviceToThePages(t *testing.T) {
	p := newProcess(t, "{ engine: sqlite }", "")
	devices := freePort(t)
	write := func(name, text string) {
		if err := os.WriteFile(p.path(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	config, err := os.ReadFile(p.path("server.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	write("server.yaml", string(config)+fmt.Sprintf("intakes:\n  listen: %s\n  sources:\n    - { name: tasmota, mapping: tasmota.yaml }\n    - { name: lora, mapping: lora.yaml }\n", devices))
	write("tasmota.yaml", "kind: tasmota\nmax_age: 240h\ndevices:\n  nha-say: { sensor: say-1, values: { AM2301.Temperature: { quantity: air_temperature } }, ignore: [ AM2301.* ] }\n")
	write("lora.yaml", "kind: json\ndevice_field: dev\n")
	password := regexp.MustCompile(`password (\w+)`)
	secret := map[string]string{}
	for _, name := range []string{"tasmota", "lora"} {
		secret[name] = password.FindStringSubmatch(p.once("intake", "add", name))[1]
	}
	p.start()
	post := func(name, token, body string) (int, string) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+p.web+"/in/"+name, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(res.Body)
		if cerr := res.Body.Close(); err != nil || cerr != nil {
			t.Fatal(err, cerr)
		}
		return res.StatusCode, string(raw)
	}
	for name, c := range map[string]struct {
		name, token, body string
		status            int
	}{
		"no token": {"lora", "", "{}", 401}, "another's": {"lora", secret["tasmota"], "{}", 401}, "no such intake": {"gw-ao", secret["lora"], "{}", 401},
		"no JSON": {"lora", secret["lora"], "x", 400}, "too large": {"lora", secret["lora"], strings.Repeat("x", 70_000), 413},
		"unknown": {"lora", secret["lora"], `{"dev":"n1","t":21.5}`, 200},
	} {
		if status, body := post(c.name, c.token, c.body); status != c.status {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
	var page string
	parttest.Await(t, "the unknown device on the page", func() bool {
		var err error
		_, page, err = p.get("/gateways/lora")
		return err == nil && strings.Contains(page, "n1")
	})
	if !strings.Contains(page, "không ký") || !strings.Contains(page, "quantity: ?") {
		t.Errorf("the page of the intake says neither unsigned nor how to name a device:\n%s", page)
	}
	write("lora.yaml", "kind: json\ndevice_field: dev\ndevices:\n  n1: { sensor: n1, values: { t: { quantity: soil_temperature } } }\n")
	parttest.Await(t, "the new mapping", func() bool {
		_, body := post("lora", secret["lora"], `{"dev":"n1","t":21.5}`)
		return strings.Contains(body, `"readings":1`)
	})
	c := device(t, devices, "tasmota", secret["tasmota"], "DVES_1")
	at := time.Now().Add(-time.Minute).In(time.FixedZone("", 7*3600))
	for i := range 5 {
		deviceSays(t, c, "in/tasmota/tele/nha-say/SENSOR", fmt.Sprintf(`{"Time":%q,"AM2301":{"Temperature":%d.5,"Humidity":80},"TempUnit":"C"}`, at.Add(time.Duration(i)*time.Second).Format("2006-01-02T15:04:05"), 20+i))
	}
	if err := p.end(syscall.SIGKILL); err == nil {
		t.Fatal("it was not killed")
	}
	p.start()
	parttest.Await(t, "what was acknowledged", func() bool {
		_, body, err := p.get("/probes/tasmota/say-1")
		return err == nil && strings.Contains(body, "24,5") && strings.Contains(body, "không ký")
	})
	out := p.once("log", "count")
	p.stop()
	if !strings.Contains(out, "tasmota") {
		t.Errorf("the log does not count it: %s", out)
	}
	if out := p.once("intake", "list"); !regexp.MustCompile(`(?m)^tasmota\s+intake\s+in service`).MatchString(out) {
		t.Errorf("list: %s", out)
	}
}
