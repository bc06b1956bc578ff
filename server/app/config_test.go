package app_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"aovuon/server/app"
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
	// Every key the sample only mentions is a key too.
	text := strings.NewReplacer("driver: sqlite ", "driver: postgres ", "engine: sqlite ", "engine: influx ").Replace(out.String())
	var lines []string
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(strings.TrimLeft(line, " "), "# "); ok && strings.HasPrefix(line, "  ") {
			line = line[:strings.Index(line, "#")] + rest
		}
		lines = append(lines, line)
	}
	_, err = load(t, strings.Join(lines, ""))
	if err == nil || !strings.Contains(err.Error(), "exactly one of embedded and outside") {
		t.Errorf("uncommented sample: %v; want only the two brokers to be wrong", err)
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
		"unknown key":        {"lisen: x\n" + broker, []string{"unknown field", "lisen", "1 |"}},
		"unknown inner key":  {broker + "history:\n  engine: influx\n  databse: x\n", []string{"unknown field", "databse", "4 |"}},
		"not YAML":           {"listen: [\n", []string{"server.yaml"}},
		"wrong type":         {"listen: { a: b }\n" + broker, []string{"1 |"}},
		"bad address":        {broker + "listen: nowhere\n", []string{":2:", "listen", "host:port"}},
		"bad port":           {broker + "listen: 127.0.0.1:65536\n", []string{":2:", "listen", "host:port"}},
		"second document":    {broker + "---\nlisten: 127.0.0.1:1\n", []string{":3:", "second document", "keep one"}},
		"no DSN file":        {broker + "database:\n  driver: postgres\n  dsn_file: none.dsn\n", []string{":4:", "none.dsn", "connection string"}},
		"no InfluxDB secret": {broker + "history:\n  engine: influx\n  url: http://x\n  database: x\n  password_file: none\n", []string{":6:", "none", "put the password"}},
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
