package app_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"aovuon/server/app"
	"aovuon/server/channel"
)

func load(t *testing.T, text string) (app.Config, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "server.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return app.LoadConfig(path)
}

func TestConfig_SampleIsValidAndUncommentedToo(t *testing.T) {
	var out, errs bytes.Buffer
	if code := app.Main([]string{"example"}, &out, &errs); code != 0 {
		t.Fatalf("exit %d: %s", code, &errs)
	}
	c, err := load(t, out.String())
	if err != nil {
		t.Fatal(err)
	}
	if !filepath.IsAbs(c.DataDir) || filepath.Base(c.DataDir) != "data" {
		t.Errorf("data_dir %q is not relative to the file", c.DataDir)
	}
	_, err = load(t, uncommented(out.String()))
	if err == nil || !strings.Contains(err.Error(), "exactly one of embedded and outside") {
		t.Errorf("uncommented sample: %v; want only the two brokers to be wrong", err)
	}
}

// uncommented is the sample with every key that it only mentions.
func uncommented(sample string) string {
	text := strings.NewReplacer("driver: sqlite ", "driver: postgres ", "engine: sqlite ", "engine: influx ").Replace(sample)
	var lines []string
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(strings.TrimLeft(line, " "), "# "); ok && strings.HasPrefix(line, "  ") {
			line = line[:strings.Index(line, "#")] + rest
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "")
}

// The channels of the sample can be meant, each of the two ways to send short messages.
func TestConfig_SampleChannels(t *testing.T) {
	var out, errs bytes.Buffer
	if code := app.Main([]string{"example"}, &out, &errs); code != 0 {
		t.Fatalf("exit %d: %s", code, &errs)
	}
	_, text, _ := strings.Cut(uncommented(out.String()), "\nchannels:")
	text, _, _ = strings.Cut(text, "\nbroker:")
	for _, way := range []func(*channel.SMS){func(s *channel.SMS) { s.Modem = nil }, func(s *channel.SMS) { s.Gateway = nil }} {
		var c struct {
			Channels channel.Config `yaml:"channels"`
		}
		if err := yaml.UnmarshalWithOptions([]byte("channels:"+text), &c, yaml.Strict()); err != nil {
			t.Fatal(err)
		}
		way(c.Channels.SMS)
		if p := c.Channels.Check(); p != nil {
			t.Errorf("%+v", p)
		}
	}
}

func TestConfig_TakesAByteOrderMarkAndOneDocument(t *testing.T) {
	c, err := load(t, "\ufeff# a comment\n---\nname: htx\nbroker: { embedded: { listen: 127.0.0.1:1883 } }\n")
	if err != nil || c.Name != "htx" {
		t.Errorf("%q, %v", c.Name, err)
	}
}

func TestConfig_ErrorsNameLineAndMend(t *testing.T) {
	const broker = "broker: { embedded: { listen: 127.0.0.1:1883 } }\n"
	for name, tc := range map[string]struct {
		text string
		want []string
	}{
		"no role":            {broker + "roles: [web, watch]\n", []string{":2:", `"watch" is no role`, "ingest, web, project"}},
		"role twice":         {broker + "roles: [web, web]\n", []string{":2:", "twice"}},
		"roles on SQLite":    {broker + "roles: [web]\n", []string{":2:", "sqlite has one process"}},
		"sharing on SQLite":  {broker + "shared_dir: x\n", []string{":2:", "shares with nobody"}},
		"unknown key":        {"lisen: x\n" + broker, []string{"unknown field", "lisen", "1 |"}},
		"unknown inner key":  {broker + "history:\n  engine: influx\n  databse: x\n", []string{"unknown field", "databse", "4 |"}},
		"not YAML":           {"listen: [\n", []string{"server.yaml"}},
		"wrong type":         {"listen: { a: b }\n" + broker, []string{"1 |"}},
		"bad address":        {broker + "listen: nowhere\n", []string{":2:", "listen", "host:port"}},
		"bad port":           {broker + "listen: 127.0.0.1:65536\n", []string{":2:", "listen", "host:port"}},
		"second document":    {broker + "---\nlisten: 127.0.0.1:1\n", []string{":3:", "second document", "keep one"}},
		"no DSN file":        {broker + "database:\n  driver: postgres\n  dsn_file: none.dsn\n", []string{":4:", "none.dsn", "connection string"}},
		"no InfluxDB secret": {broker + "history:\n  engine: influx\n  url: http://x\n  database: x\n  username: u\n  password_file: none\n", []string{":7:", "none", "put the password"}},
		"traces to nowhere":  {broker + "telemetry:\n  traces:\n    otlp: collector:4318\n", []string{":4:", "telemetry.traces.otlp", "http://127.0.0.1:4318"}},
		"too many traces":    {broker + "telemetry:\n  traces:\n    otlp: http://x:4318\n    sample: 2\n", []string{":5:", "telemetry.traces.sample", "at most 1"}},
		"retention of none":  {broker + "history:\n  retention: { lots: 60mo }\n", []string{":3:", "history.retention", "names no time"}},
		"retention short":    {broker + "history:\n  retention:\n    readings: 30d\n", []string{":4:", "history.retention.readings", "92d"}},
		"retention unclear":  {broker + "history:\n  retention:\n    readings: 24 months\n", []string{":4:", "24 months", "24mo"}},
		"retention of what":  {broker + "history:\n  retention:\n    of: { fish: 24mo }\n", []string{":4:", "no such quantity", "water_temperature"}},
		"retention of lots":  {broker + "history:\n  retention:\n    readings: 12mo\n    lots: 12mo\n", []string{":5:", "VietGAP", "24mo"}},
		"no certificate":     {"broker:\n  embedded:\n    listen: \":1\"\n    cert_file: none.pem\n    key_file: server.yaml\n", []string{":4:", "none.pem", "PEM"}},
		"no TLS key":         {"broker:\n  embedded:\n    listen: \":1\"\n    cert_file: server.yaml\n    key_file: none.key\n", []string{":5:", "none.key", "PEM"}},
		"no broker secret":   {"broker:\n  outside:\n    url: tcp://x:1\n    group: aa\n    username: x\n    password_file: none\n", []string{":6:", "none", "put the password"}},
		"no CA file":         {"broker:\n  outside:\n    url: ssl://x:1\n    group: aa\n    ca_file: none.pem\n", []string{":5:", "none.pem", "PEM"}},
		"drift below 0":      {broker + "gates:\n  drift_m: -1\n", []string{":3:", "gates.drift_m", "write metres"}},
		"drift no number":    {broker + "gates:\n  drift_m: .nan\n", []string{":3:", "gates.drift_m", "write metres"}},
		"tests too rare":     {broker + "gates:\n  water_test_days: 400\n", []string{":3:", "gates.water_test_days", "write days"}},
		"bad yield":          {broker + "trace:\n  yields: [{ step: cook, most: 1, source: x }]\n", []string{":3:", "trace.yields", "most: 1.15"}},
		"bad density":        {broker + "trace:\n  densities: [{ branch: fish, kg_m2: 0, source: x }]\n", []string{":3:", "trace.densities", "kg_m2: 6"}},
		"no regions":         {broker + "trace:\n  scan:\n    regions: none.csv\n", []string{":4:", "none.csv", "address ranges"}},
		"bad own network":    {broker + "trace:\n  scan:\n    own: [here]\n", []string{":4:", "trace.scan.own", "addresses or networks"}},
		"scans kept a day":   {broker + "trace:\n  scan:\n    keep_days: 1\n", []string{":4:", "trace.scan.keep_days", "write days"}},
		"bad phone":          {broker + "phone: 0123456701\n", []string{":2:", "phone", "in quotes"}}, // YAML reads it as an octal number
		"bad public_url":     {broker + "public_url: ftp://x\n", []string{":2:", "public_url", "http://"}},
		"bad name":           {broker + "name: HTX Phú Khê\n", []string{":2:", "name", "small letters"}},
		"no broker":          {"listen: 127.0.0.1:1\n", []string{"exactly one"}},
		"two brokers":        {"broker:\n  embedded: { listen: \":1\" }\n  outside: { url: tcp://x:1, group: aa }\n", []string{":1:", "exactly one"}},
		"bad broker address": {"name: aa\nbroker:\n  embedded:\n    listen: 1883\n", []string{":4:", "host:port"}},
		"bad outside url":    {"broker:\n  outside:\n    url: http://x\n    group: aa\n", []string{":3:", "tcp://"}},
		"CA without TLS":     {"broker:\n  outside:\n    url: tcp://x:1\n    group: aa\n    ca_file: x\n", []string{":5:", "ssl://"}},
		"no group":           {"broker:\n  outside:\n    url: tcp://x:1\n", []string{":2:", "group: aovuon"}},
		"half credentials":   {"broker:\n  outside:\n    url: tcp://x:1\n    group: aa\n    username: x\n", []string{":5:", "belong together"}},
		"unknown driver":     {broker + "database: { driver: mysql }\n", []string{":2:", "sqlite or postgres"}},
		"postgres, no DSN":   {broker + "database:\n  driver: postgres\n", []string{":2:", "dsn_file"}},
		"sqlite with DSN":    {broker + "database:\n  dsn_file: x\n", []string{":3:", "remove it"}},
		"unknown engine":     {broker + "history: { engine: csv }\n", []string{":2:", "sqlite or influx"}},
		"influx, no url":     {broker + "history: { engine: influx, database: x }\n", []string{":2:", "http://host:8086"}},
		"token and user":     {broker + "history: { engine: influx, url: http://x, database: x, token_file: t, username: u, password_file: p }\n", []string{":2:", "token_file", "1.8"}},
		"user, no password":  {broker + "history: { engine: influx, url: http://x, database: x, username: u }\n", []string{":2:", "belong together"}},
		"org, no token":      {broker + "history: { engine: influx, url: http://x, database: x, org: htx }\n", []string{":2:", "token_file"}},
		"bucket, no org":     {broker + "history: { engine: influx, url: http://x, database: x, bucket: b }\n", []string{":2:", "org"}},
		"no token there":     {broker + "history:\n  engine: influx\n  url: http://x\n  database: x\n  token_file: none\n", []string{":6:", "none", "put the token"}},
		"sqlite with url":    {broker + "history: { url: http://x }\n", []string{":2:", "engine: influx"}},
		"cert without key":   {"broker: { embedded: { listen: \":1\", cert_file: x } }\n", []string{":1:", "both"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, tc.text)
			if err == nil {
				t.Fatal("accepted")
			}
			for _, want := range append(tc.want, "server.yaml") {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error does not say %q:\n%v", want, err)
				}
			}
		})
	}
}

// Whatever is in the file, it is a configuration or an error that names the file.
func FuzzLoadConfig(f *testing.F) {
	f.Add([]byte("broker: { embedded: { listen: 127.0.0.1:0 } }\n"))
	f.Add([]byte("name: &a !000 0\nlisten: *a\n"))
	f.Add([]byte("ledger: { batches: [open] }\n---\nname: x\n"))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, raw []byte) {
		path := filepath.Join(dir, strconv.Itoa(os.Getpid())+".yaml")
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := app.LoadConfig(path); err != nil && !strings.Contains(err.Error(), path) {
			t.Errorf("an error that does not name the file: %v", err)
		}
	})
}
