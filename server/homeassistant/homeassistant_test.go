package homeassistant_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"aovuon/gateway/measure"
	"aovuon/server/broker"
	"aovuon/server/farm"
	"aovuon/server/history"
	"aovuon/server/homeassistant"
	"aovuon/server/parttest"
	"aovuon/server/watch"
	"aovuon/server/web"
)

const patience = 3 * time.Minute

var (
	noon   = time.Date(2026, 11, 24, 5, 0, 0, 0, time.UTC)
	oxygen = history.Series{Place: "F7NE3CDQ7", Quantity: measure.DissolvedOxygen, Gateway: "gw-ao-phukhe", Sensor: "ao1-do"}
	acid   = history.Series{Place: "F7NE3CDQ7", Quantity: measure.PH, Gateway: "lora", Sensor: "ph-7"}
)

func demo(t *testing.T) *farm.Farm {
	t.Helper()
	f, err := farm.Demo()
	if err != nil {
		t.Fatal(err)
	}
	f.Unsigned = []string{"lora"}
	return f
}

func options(t *testing.T) homeassistant.Options {
	t.Helper()
	names, unsigned, err := web.QuantityWords(web.Vietnamese)
	if err != nil {
		t.Fatal(err)
	}
	return homeassistant.Options{Prefix: "homeassistant", Words: homeassistant.Words{Quantity: names, Unsigned: unsigned, Lang: web.Vietnamese}, URL: "https://htx.example", Version: "1"}
}

func TestDescribe_IsWhatHomeAssistantReads(t *testing.T) {
	m, err := options(t).Describe(demo(t), oxygen)
	if err != nil {
		t.Fatal(err)
	}
	const topic = "homeassistant/sensor/aovuon/F7NE3CDQ7_gw-ao-phukhe_ao1-do_dissolved_oxygen/config"
	const want = `{"name":"Ôxy hòa tan ao1-do","unique_id":"aovuon_F7NE3CDQ7_gw-ao-phukhe_ao1-do_dissolved_oxygen","state_topic":"aovuon/ha/state/F7NE3CDQ7_gw-ao-phukhe_ao1-do_dissolved_oxygen",` +
		`"value_template":"{{ value_json.value }}","json_attributes_topic":"aovuon/ha/state/F7NE3CDQ7_gw-ao-phukhe_ao1-do_dissolved_oxygen","availability":[{"topic":"aovuon/ha/status"}],"expire_after":900,` +
		`"state_class":"measurement","unit_of_measurement":"mg/L","suggested_display_precision":2,` +
		`"device":{"identifiers":["aovuon_place_F7NE3CDQ7"],"name":"Ao 1","manufacturer":"AoVườn","model":"pond","configuration_url":"https://htx.example/places/F7NE3CDQ7"},` +
		`"origin":{"name":"AoVườn","sw_version":"1","support_url":"https://htx.example"}}`
	if m.Topic != topic || string(m.Payload) != want {
		t.Errorf("%s\n%s\nwant\n%s", m.Topic, m.Payload, want)
	}
	m, err = options(t).Describe(demo(t), acid)
	if err != nil || !strings.Contains(string(m.Payload), `"name":"pH ph-7 (không ký)"`) || !strings.Contains(string(m.Payload), `"device_class":"ph"`) || strings.Contains(string(m.Payload), "unit_of") {
		t.Errorf("what nobody signed: %s, %v", m.Payload, err)
	}
}

// Home Assistant refuses an entity whose unit its device class does not know, and a class that it does not.
func TestDescribe_UnitsFitTheClasses(t *testing.T) {
	allowed := map[string]string{
		"temperature": "°C", "ph": "", "voltage": "mV V", "conductivity": "µS/cm", "moisture": "%", "humidity": "%", "atmospheric_pressure": "hPa", "pressure": "kPa", "distance": "cm", "current": "A",
		"duration": "s", "data_size": "MB", "running": "", "problem": "", "connectivity": "",
	}
	for _, q := range measure.Quantities() {
		s := oxygen
		s.Quantity = q
		m, err := options(t).Describe(demo(t), s)
		if err != nil {
			t.Fatal(err)
		}
		var d struct {
			Name        string
			DeviceClass string `json:"device_class"`
			Unit        string `json:"unit_of_measurement"`
		}
		if err := json.Unmarshal(m.Payload, &d); err != nil {
			t.Fatal(err)
		}
		units, known := allowed[d.DeviceClass]
		if d.DeviceClass != "" && (!known || d.Unit != "" && !slices.Contains(strings.Fields(units), d.Unit) || d.Unit == "" && units != "") {
			t.Errorf("%s: class %q, unit %q", q, d.DeviceClass, d.Unit)
		}
		if strings.HasPrefix(d.Name, " ") || strings.Contains(d.Name, "quantity.") {
			t.Errorf("%s: name %q", q, d.Name)
		}
	}
}

func TestState_SaysNoValueWhereThereIsNone(t *testing.T) {
	for name, c := range map[string]struct {
		v    watch.Value
		want string
	}{
		"good":    {watch.Value{Series: oxygen, Time: noon, Value: 6.02}, `"value":6.02,"time":"2026-11-24T05:00:00Z","quality":"good","signed":true`},
		"fault":   {watch.Value{Series: oxygen, Time: noon, Quality: measure.Fault, Reason: measure.CRC}, `"value":null,"time":"2026-11-24T05:00:00Z","quality":"fault","reason":"crc","signed":true`},
		"beyond":  {watch.Value{Series: oxygen, Time: noon, Value: 99, Quality: measure.OutOfRange}, `"value":null,"time":"2026-11-24T05:00:00Z","quality":"out-of-range","signed":true`},
		"stale":   {watch.Value{Series: oxygen, Time: noon.Add(-homeassistant.Stale), Value: 6}, `"value":null,"time":"2026-11-24T04:45:00Z","quality":"good","stale":true`},
		"ahead":   {watch.Value{Series: oxygen, Time: noon.Add(time.Hour), Ahead: true, Value: 6}, `"value":null`},
		"no sign": {watch.Value{Series: acid, Time: noon, Value: 7}, `"signed":false`},
	} {
		m, err := homeassistant.State(demo(t), c.v, noon)
		if err != nil || !strings.Contains(string(m.Payload), c.want) {
			t.Errorf("%s: %s, %v; want %s", name, m.Payload, err, c.want)
		}
	}
}

// listener is what Home Assistant would know: the newest of each topic.
type listener struct {
	mu     sync.Mutex
	topics map[string]string
}

func (l *listener) take(_ mqtt.Client, m mqtt.Message) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(m.Payload()) == 0 {
		delete(l.topics, m.Topic())
		return
	}
	l.topics[m.Topic()] = string(m.Payload())
}

func (l *listener) get(topic string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.topics[topic]
}

func (l *listener) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.topics)
}

func listen(t *testing.T, url, user, password string) *listener {
	t.Helper()
	l := &listener{topics: map[string]string{}}
	c := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(url).SetClientID("5xHwaN0tA" + rand.Text()).SetUsername(user).SetPassword(password).SetProtocolVersion(4).SetDefaultPublishHandler(l.take))
	if tok := c.Connect(); !tok.WaitTimeout(patience) || tok.Error() != nil {
		t.Fatal(tok.Error())
	}
	t.Cleanup(func() { c.Disconnect(0) })
	if tok := c.SubscribeMultiple(map[string]byte{"homeassistant/#": 1, "aovuon/ha/#": 1}, nil); !tok.WaitTimeout(patience) || tok.Error() != nil {
		t.Fatal(tok.Error())
	}
	return l
}

// The same on a broker of our own and on Mosquitto.
func TestService_KeepsTheBrokerTrue(t *testing.T) {
	t.Run("ours", func(t *testing.T) {
		r, err := broker.StartReaders(broker.ReadersOptions{
			Embedded: broker.EmbeddedOptions{Listen: "127.0.0.1:0", StoreDir: t.TempDir(), Log: slog.New(slog.DiscardHandler)}, User: "home_assistant",
			Secret: func() ([32]byte, bool) { return sha256.Sum256([]byte("pw")), true }, Topics: []string{"homeassistant", "aovuon/ha"},
		})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		keepsTrue(t, r.Publisher(), func() *listener { return listen(t, "tcp://"+r.Address(), "home_assistant", "pw") })
	})
	t.Run("mosquitto", func(t *testing.T) {
		m := parttest.Mosquitto(t, parttest.MosquittoOptions{})
		keepsTrue(t, broker.OutsideOptions{URL: m.URL, Log: slog.New(slog.DiscardHandler)}, func() *listener { return listen(t, m.URL, "", "") })
	})
}

func keepsTrue(t *testing.T, to broker.OutsideOptions, home func() *listener) {
	t.Helper()
	live, f, file := watch.NewLive(), demo(t), filepath.Join(t.TempDir(), "homeassistant.json")
	f.Mounts = nil
	start := func(remove bool) (stop func()) {
		s := &homeassistant.Service{
			Options: options(t), Farm: func(context.Context) (*farm.Farm, error) { return f, nil }, Live: live, Filled: func() bool { return true }, File: file, Remove: remove,
			Now: func() time.Time { return noon }, Every: 20 * time.Millisecond, Log: slog.New(slog.DiscardHandler),
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			done <- broker.Retain(ctx, to, broker.Will{Topic: homeassistant.StatusTopic, Text: homeassistant.Offline}, func(ctx context.Context, publish func(string, []byte) error) error {
				return s.Run(ctx, func(m homeassistant.Message) error { return publish(m.Topic, m.Payload) })
			})
		}()
		return func() {
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	}
	name := func(s history.Series) string {
		return strings.Join([]string{s.Place, s.Gateway, s.Sensor, string(s.Quantity)}, "_")
	}
	config := func(s history.Series) string { return "homeassistant/sensor/aovuon/" + name(s) + "/config" }
	state := func(s history.Series) string { return "aovuon/ha/state/" + name(s) }
	l := home()
	stop := start(false)
	parttest.Await(t, "that the server is there", func() bool { return l.get(homeassistant.StatusTopic) == homeassistant.Online })
	live.Update([]watch.Value{{Series: oxygen, Time: noon, Value: 6.02}, {Series: acid, Time: noon, Value: 7}})
	parttest.Await(t, "two series", func() bool {
		return strings.Contains(l.get(state(oxygen)), "6.02") && l.get(config(oxygen)) != "" && strings.Contains(l.get(config(acid)), "không ký")
	})
	live.Update([]watch.Value{{Series: oxygen, Time: noon.Add(time.Second), Quality: measure.Fault, Reason: measure.CRC}})
	parttest.Await(t, "a fault", func() bool { return strings.Contains(l.get(state(oxygen)), `"value":null`) })
	// The probe moves to another pond: it is another thing there, and none here.
	moved := oxygen
	moved.Place = "72DQY3KX0"
	live.Update([]watch.Value{{Series: moved, Time: noon.Add(2 * time.Second), Value: 5}})
	parttest.Await(t, "the move", func() bool {
		return strings.Contains(l.get(state(moved)), `"value":5`) && l.get(config(oxygen)) == "" && l.get(state(oxygen)) == ""
	})
	stop()
	parttest.Await(t, "that it is gone", func() bool { return l.get(homeassistant.StatusTopic) == homeassistant.Offline })
	if late := home(); true { // Home Assistant starts anew: all is retained
		parttest.Await(t, "what is retained", func() bool { return late.count() == 5 })
	}
	stop = start(true)
	parttest.Await(t, "that all is taken away", func() bool { return l.count() == 0 })
	stop()
}
