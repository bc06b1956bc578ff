package app_test

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"aovuon/gateway/app"
)

func TestSample_IsReadByTheProgram(t *testing.T) {
	c, err := app.Parse([]byte(app.Sample()))
	if err != nil {
		t.Fatal(err)
	}
	if c.Gateway != "gw-ao-phukhe" || c.DataDir != "data" || c.KeyFile != filepath.Join("data", "gateway.key") || c.Server.KeyFile != "server.vkey" {
		t.Errorf("%+v", c)
	}
	if c.Seal != (app.SealConfig{CommitEvery: 2 * time.Second, Every: 30 * time.Second, OfflineEvery: 15 * time.Minute}) {
		t.Errorf("the sample does not say the defaults: %+v", c.Seal)
	}
	if len(c.Sensors) != 3 || c.Sensors[1].Address != 0x61 || c.Sensors[1].Temperature != "ao1-temp" || c.Buses["ao-i2c"].I2C != "1" {
		t.Errorf("%+v %+v", c.Sensors, c.Buses)
	}
}

// FuzzConfig: whatever stands in the file, the answer is a configuration or an error that names the file.
func FuzzConfig(f *testing.F) {
	f.Add([]byte(app.Sample()))
	f.Add([]byte("gateway: gw-a\nserver: {url: tcp://x:1}\nsensors: [{id: a, every: soon}]\n"))
	f.Add([]byte("gateway: gw-a\ngateway: gw-b\n"))
	f.Add([]byte("a: &a [*a]\n"))
	f.Add([]byte("- - -\n\t"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, err := app.Parse(raw)
		if err == nil && (c == nil || c.Gateway == "" || len(c.Sensors) == 0) {
			t.Fatalf("accepted: %+v", c)
		}
		if err == nil {
			return
		}
		if e, ok := errors.AsType[*app.ConfigError](err); !ok || e.File == "" {
			t.Fatalf("an error of no place: %v", err)
		}
	})
}
