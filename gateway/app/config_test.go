package app_test

import (
	"errors"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"aovuon/gateway/app"
	"aovuon/gateway/edge"
	"aovuon/gateway/measure"
	"aovuon/gateway/wire"
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

// TestSample_OfAeratorsIsRight reads what the sample holds as a comment.
func TestSample_OfAeratorsIsRight(t *testing.T) {
	head, tail, ok := strings.Cut(app.Sample(), "# timezone:")
	if !ok {
		t.Fatal("the sample has no aerators")
	}
	text := head + regexp.MustCompile(`(?m)^# `).ReplaceAllString("# timezone:"+tail, "")
	c, err := app.Parse([]byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if len(c.Aerators) != 1 || len(c.Alarms) != 3 || c.Aerators[0].MinRun == nil || *c.Aerators[0].MinRun != 30*time.Minute || c.Alarms[0].Siren == nil {
		t.Fatalf("%+v %+v", c.Aerators, c.Alarms)
	}
	bad := edge.Config{Aerators: c.Aerators, Alarms: c.Alarms}.Check(map[string][]measure.Quantity{
		"ao1-do": {measure.DissolvedOxygen}, "ao1-temp": {measure.WaterTemperature},
	})
	if len(bad) > 0 {
		t.Errorf("%+v", bad)
	}
}

func TestConfig_PathsAreRelativeToTheFile(t *testing.T) {
	raw := "gateway: gw-a\nserver: { url: tcp://x:1883, key_file: s.vkey }\n" +
		"buses: { near: { i2c: unix:field/near.sock }, far: { i2c: unix:/run/far.sock }, chip: { i2c: \"1\" }, w1: { w1: field/w1 }, muc: { serial: field/muc }, rs485: { serial: /dev/ttyUSB0 } }\n" +
		"sensors: [{ id: t, kind: ds18b20, bus: w1, device: 28-0000000000aa }]\n"
	c, err := app.ParseAt(filepath.Join("etc", "gateway.yaml"), []byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	got := []string{c.Buses["near"].I2C, c.Buses["far"].I2C, c.Buses["chip"].I2C, c.Buses["w1"].W1, c.Buses["w1"].I2C, c.Buses["muc"].Serial, c.Buses["rs485"].Serial, c.Server.KeyFile, c.DataDir}
	want := []string{"unix:etc/field/near.sock", "unix:/run/far.sock", "1", "etc/field/w1", "", "etc/field/muc", "/dev/ttyUSB0", "etc/s.vkey", "etc/data"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestConfig_TakesAByteOrderMarkAndNoOtherEncoding(t *testing.T) {
	if c, err := app.Parse([]byte("\ufeff" + app.Sample())); err != nil || c.Gateway != "gw-ao-phukhe" {
		t.Errorf("with a byte order mark: %v", err)
	}
	var wrong *app.ConfigError
	if _, err := app.Parse([]byte("\xff\xfeg\x00a\x00t\x00e\x00")); !errors.As(err, &wrong) || wrong.Mend != "save the file as UTF-8" {
		t.Errorf("UTF-16: %v", err)
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

// TestConfig_HasEverySettingThatCanBeDesired: the contract names keys of this file, and none that it does not know.
func TestConfig_HasEverySettingThatCanBeDesired(t *testing.T) {
	for _, p := range wire.Paths() {
		in, ok := keyOf(reflect.TypeFor[app.Config](), p.Section)
		if ok && p.ID != "" {
			if ok = in.Kind() == reflect.Slice; ok {
				in = in.Elem()
			}
		}
		if ok {
			_, ok = keyOf(in, p.Key)
		}
		if !ok {
			t.Errorf("%s is no key of the configuration", p)
		}
	}
}

// keyOf finds the type of a YAML key of a struct.
func keyOf(t reflect.Type, key string) (reflect.Type, bool) {
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if options == "inline" {
			if in, ok := keyOf(f.Type, key); ok {
				return in, true
			}
		}
		if name == key && key != "" {
			return f.Type, true
		}
	}
	return nil, false
}
