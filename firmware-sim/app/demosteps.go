package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"aovuon/firmware-sim/child"
	"aovuon/firmware-sim/field"
	"aovuon/firmware-sim/world"
	"aovuon/gateway/wire"
)

// writeFiles writes every program's configuration. It is done at every start, since ports may be others.
func (d *demo) writeFiles() error {
	if err := errors.Join(os.MkdirAll(d.Dir, 0o755), os.MkdirAll(d.run, 0o700)); err != nil {
		return err
	}
	influx := ""
	if d.influx != "" {
		influx = "http://" + d.influx
	}
	if err := render("server.yaml", d.serverConfig(), map[string]string{
		"Server": filepath.Join(d.Dir, "server", "data"), "HTTP": d.HTTP, "MQTT": d.MQTT, "PublicURL": d.PublicURL, "Influx": influx,
	}); err != nil {
		return err
	}
	var hosted strings.Builder // what the field hosts: gateways behind links that can be cut
	hosted.WriteString("gateways:\n")
	for _, id := range gateways() {
		link, err := d.freePort()
		if err != nil {
			return err
		}
		if d.pages[id], err = d.freePort(); err != nil {
			return err
		}
		fmt.Fprintf(&hosted, "  - { id: %s, config: %s, program: %s, link: { listen: %s, to: %s } }\n",
			id, quoted(d.gatewayConfig(id)), quoted(d.Gateway), quoted(link), quoted(d.MQTT))
		if err := render(id+".yaml", d.gatewayConfig(id), map[string]string{
			"Data": filepath.Join(d.Dir, id, "data"), "URL": "tcp://" + link, "ServerKey": d.serverKey(), "Run": d.run, "Status": d.pages[id], "Every": d.Every.String(),
			"Within": min(max(3*time.Minute, 2*d.Every), 30*time.Minute).String(), "Stale": min(max(5*time.Minute, 3*d.Every), 2*time.Hour).String(),
		}); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(filepath.Dir(d.fieldConfig()), 0o755); err != nil {
		return err
	}
	// The field has its sockets in run, and what it keeps beside its file.
	text := field.Sample()
	for key, name := range map[string]string{"ledger": "ledger.tsv", "journal": "actions.jsonl"} {
		text = strings.Replace(text, key+": "+name, key+": "+quoted(filepath.Join(d.Dir, "field", name)), 1)
	}
	var err error
	if d.panel, err = d.panelAddress(); err != nil {
		return err
	}
	text = "# Written by `firmware-sim demo` at every start; changes here are lost, but begin. Copy the file to keep them.\nrun_dir: " + quoted(d.run) +
		"\nbegin: " + d.begin() + "\npanel: " + quoted(d.panel) + "\nproduct: " + quoted("http://"+d.HTTP) + "\n" + text + hosted.String()
	if err := wire.WriteFile(d.fieldConfig(), []byte(text), 0o644); err != nil {
		return err
	}
	_, err = field.Load(d.fieldConfig())
	return err
}

// begin is the day the demo's world begins: as the field's file says since the first start, so that every start goes on with the
// same world; at the first one early enough for the season.
func (d *demo) begin() string {
	var old struct {
		Begin string `yaml:"begin"`
	}
	if raw, err := os.ReadFile(d.fieldConfig()); err == nil && yaml.Unmarshal(raw, &old) == nil && old.Begin != "" {
		return old.Begin
	}
	now := time.Now()
	day := world.DefaultBegin(now)
	if first := now.AddDate(0, 0, -d.Days).Add(-caring); first.Before(day) {
		day = world.DefaultBegin(first)
	}
	return day.Format(time.DateOnly)
}

// prepare makes keys, the demo's farm and the gateways' enrolment, once, with the programs' own commands. All of them may
// be repeated, so that an interrupted preparation is simply done again.
func (d *demo) prepare() error {
	mark := filepath.Join(d.Dir, "prepared")
	if _, err := os.Stat(mark); err == nil {
		d.say("going on from %s", d.Dir)
		return nil
	}
	d.say("preparing %s: keys, the demo co-op's farm, two gateways", d.Dir)
	server := func(args ...string) (string, error) {
		return child.Ask(d.ctx, d.Server, append(args, "--config", d.serverConfig())...)
	}
	if _, err := server("init"); err != nil {
		return err
	}
	if _, err := server("farm", "demo", "--diary"); err != nil {
		return err
	}
	vkey, err := server("key")
	if err != nil {
		return err
	}
	if err := wire.WriteFile(d.serverKey(), []byte(strings.TrimSpace(vkey)+"\n"), 0o644); err != nil {
		return err
	}
	for _, id := range gateways() {
		card, err := child.Ask(d.ctx, d.Gateway, "init", "--config", d.gatewayConfig(id))
		if err != nil {
			return err
		}
		if _, err := wire.ParseCard(card); err != nil {
			return fmt.Errorf("gateway init printed no card: %w", err)
		}
		path := filepath.Join(d.Dir, id, "card.txt")
		if err := wire.WriteFile(path, []byte(card), 0o644); err != nil {
			return err
		}
		if _, err := server("gateway", "add", path); err != nil {
			return err
		}
	}
	return wire.WriteFile(mark, nil, 0o644)
}

// startServer starts the server. What it prints for people (address, label) is kept for the end, where they look.
func (d *demo) startServer() error {
	d.say("server: pages on %s, broker on %s, history in %s", d.HTTP, d.MQTT, d.History)
	c, err := d.Spawn(child.Spec{Name: "server", Bin: d.Server, Args: []string{"run", "--config", d.serverConfig()}, Hold: true})
	if err != nil {
		return err
	}
	d.announcement = c.Out
	return c.Await(d.ctx, "the server", func(ctx context.Context) bool {
		status, err := get(ctx, http.MethodGet, "http://"+d.HTTP+"/")
		if err != nil || status >= http.StatusInternalServerError {
			return false
		}
		var dial net.Dialer
		conn, err := dial.DialContext(ctx, "tcp", d.MQTT)
		return err == nil && conn.Close() == nil
	})
}

// get asks an address and returns the status of the answer.
func get(ctx context.Context, method, address string) (status int, err error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, address, nil)
	if err != nil {
		return 0, err
	}
	tr := &http.Transport{}
	defer tr.CloseIdleConnections()
	resp, err := (&http.Client{Transport: tr}).Do(req)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20))
	return resp.StatusCode, errors.Join(err, resp.Body.Close())
}

// startInflux starts a real InfluxDB of the demo's own, on free loopback ports, and makes its database.
func (d *demo) startInflux() error {
	var err error
	if d.influx, err = d.freePort(); err != nil {
		return err
	}
	rpc, err := d.freePort()
	if err != nil {
		return err
	}
	dir := filepath.Join(d.Dir, "influxdb")
	conf := filepath.Join(dir, "influxdb.conf")
	if err := render("influxdb.conf", conf, map[string]string{"Dir": dir, "HTTP": d.influx, "RPC": rpc}); err != nil {
		return err
	}
	d.say("influxd: InfluxDB on %s, data in %s", d.influx, dir)
	c, err := d.Spawn(child.Spec{Name: "influxd", Bin: d.Influxd, Args: []string{"-config", conf}})
	if err != nil {
		return err
	}
	if err := c.Await(d.ctx, "InfluxDB", func(ctx context.Context) bool {
		status, err := get(ctx, http.MethodGet, "http://"+d.influx+"/ping")
		return err == nil && status == http.StatusNoContent
	}); err != nil {
		return err
	}
	status, err := get(d.ctx, http.MethodPost, "http://"+d.influx+"/query?q="+url.QueryEscape(`CREATE DATABASE "aovuon"`))
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		return fmt.Errorf("InfluxDB answers %d to CREATE DATABASE", status)
	}
	return nil
}

// freePort is a loopback address that nobody listens on just now, and that nobody here is going to: the server's ports are asked for
// before it runs.
func (d *demo) freePort() (string, error) {
	for {
		var lc net.ListenConfig
		l, err := lc.Listen(d.ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return "", err
		}
		addr := l.Addr().String()
		if err := l.Close(); err != nil {
			return "", err
		}
		if addr == d.HTTP || addr == d.MQTT || addr == d.Panel || slices.Contains(d.given, addr) {
			continue
		}
		d.given = append(d.given, addr)
		return addr, nil
	}
}

// panelAddress is where the field's own page is: where it was asked for, or a free port when that is taken.
func (d *demo) panelAddress() (string, error) {
	if d.Panel != d.HTTP && d.Panel != d.MQTT && free(d.ctx, d.Panel) == nil {
		return d.Panel, nil
	}
	return d.freePort()
}

// watchDelivery says how the season travels, until the server has signed for all of it.
func (d *demo) watchDelivery() error {
	begin := time.Now()
	d.say("replay: the gateways hand the season over, as after %d days without a link; the server checks every signature", d.Days)
	total := make(map[string]uint64)
	tick := time.NewTicker(2 * time.Second)
	defer tick.Stop()
	for waiting := true; waiting; {
		waiting = false
		var line strings.Builder
		for _, id := range gateways() {
			out, err := child.Ask(d.ctx, d.Gateway, "spool", "--config", d.gatewayConfig(id))
			if err != nil {
				return err
			}
			var s struct {
				Sealed   uint64 `json:"sealed"`
				Released uint64 `json:"released"`
			}
			if err := json.Unmarshal([]byte(out), &s); err != nil {
				return fmt.Errorf("gateway spool: %w", err)
			}
			if total[id] == 0 {
				total[id] = s.Released + s.Sealed
			}
			fmt.Fprintf(&line, "  %s %d %%", id, 100*min(s.Released, total[id])/max(total[id], 1))
			waiting = waiting || s.Released < total[id]
		}
		d.say("replay:%s", line.String())
		if waiting {
			select {
			case <-tick.C:
			case <-d.ctx.Done():
				return context.Cause(d.ctx)
			}
		}
	}
	d.say("replay: done in %.0f s", time.Since(begin).Seconds())
	return nil
}

// quiet is a logger for the code of a season: errors only. Probes that are being calibrated are no news.
func (d *demo) quiet(name string) *slog.Logger {
	return slog.New(slog.NewTextHandler(d.Writer(name), &slog.HandlerOptions{Level: slog.LevelError}))
}

// say prints one line of the demo's own, whole, between the lines of the programs.
func (d *demo) say(format string, args ...any) {
	if _, err := fmt.Fprintf(d.screen.Writer("demo: "), format+"\n", args...); err != nil {
		d.log.Warn("standard output is gone", slog.Any("err", err))
	}
}
