package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"aovuon/firmware-sim/child"
	"aovuon/firmware-sim/field"
)

type demoCommand struct {
	Dir       string        `default:".run" help:"Folder for everything the demo keeps. A second start goes on from it." type:"path"`
	Server    string        `required:"" help:"The server program." type:"path"`
	Gateway   string        `required:"" help:"The gateway program." type:"path"`
	Sim       string        `help:"The simulator program; default: this one." type:"path"`
	History   string        `default:"sqlite" enum:"sqlite,influx" help:"Where time series live: sqlite or influx."`
	Influxd   string        `help:"The influxd 1.8 program, with --history influx." type:"path"`
	HTTP      string        `default:"127.0.0.1:8080" help:"Where the pages are."`
	MQTT      string        `default:"127.0.0.1:1883" help:"Where the embedded broker listens."`
	Panel     string        `default:"127.0.0.1:8070" help:"Where the page of the simulated field is; a free port when that is taken."`
	PublicURL string        `help:"What labels begin with; default: http://localhost and the port of --http."`
	Days      int           `default:"30" help:"Length of the season of history that is made at the first start; 0: none."`
	Every     time.Duration `default:"10s" help:"How often the live gateways read each probe."`
}

// gateways are the two of the demo's farm.
func gateways() []string { return []string{"gw-ao-phukhe", "gw-vuon"} }

// grace is how long a program may take to end.
const grace = 20 * time.Second

// demo is the whole product on one machine.
type demo struct {
	demoCommand
	*env
	*child.Household
	screen  *child.Screen
	run     string            // where the field has its sockets: .run/field, or a short folder when that is too long
	influx  string            // address of influxd
	pages   map[string]string // addresses of the gateways' own pages, by id
	panel   string            // address of the field's own page
	given   []string          // addresses that were chosen at this start
	history bool              // a season was made at this start

	announcement *child.Prefixed // what the server says to people

	fail      context.CancelCauseFunc // ends the demo
	stopField func() error            // ends the gateways, then the field
}

func (c demoCommand) Run(e *env) (err error) {
	d := &demo{demoCommand: c, env: e, pages: make(map[string]string), stopField: func() error { return nil }}
	if err := d.check(); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	d.screen = child.NewScreen(e.stdout)
	d.Household = child.NewHousehold(d.screen, append(gateways(), "influxd", "server", "field")...)
	defer d.Close()
	defer func() {
		d.say("stopping: gateways, field, server")
		err = errors.Join(err, d.stopField(), d.StopAll(grace))
		if err == nil {
			d.say("stopped. Start again and it goes on from here; remove %s to begin anew.", d.Dir)
		}
	}()
	// A child that ends by itself ends the demo, wherever the demo is just then.
	ctx, fail := context.WithCancelCause(e.ctx)
	defer fail(nil)
	d.ctx, d.fail = ctx, fail
	watching := make(chan struct{})
	defer close(watching)
	go func() {
		for {
			select {
			case dead := <-d.Ended():
				if !dead.Asked() { // a power cut by command is no reason
					fail(dead.Died())
				}
			case <-watching:
				return
			}
		}
	}()
	if err := d.live(); err != nil && ctx.Err() == nil {
		return fmt.Errorf("demo: %w", err)
	}
	<-ctx.Done()
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		return fmt.Errorf("demo: %w", cause)
	}
	return nil
}

// check finds what would fail later, before anything is started or written.
func (d *demo) check() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if d.Sim == "" {
		d.Sim = self
	}
	programs := []struct{ flag, path string }{{"--server", d.Server}, {"--gateway", d.Gateway}, {"--sim", d.Sim}}
	if d.History == "influx" {
		if d.Influxd == "" {
			return errors.New("--history influx needs --influxd PROGRAM; make influxd builds it into .bin/")
		}
		programs = append(programs, struct{ flag, path string }{"--influxd", d.Influxd})
	}
	for _, p := range programs {
		if info, err := os.Stat(p.path); err != nil || info.IsDir() || info.Mode()&0o111 == 0 {
			return fmt.Errorf("%s %s is no program that can be run; make build makes the programs", p.flag, p.path)
		}
	}
	if d.Days < 0 || d.Days > 3660 || d.Every < time.Second || d.Every > time.Hour {
		return fmt.Errorf("--days %d, --every %s: want 0 to 3660 days, and 1s to 1h", d.Days, d.Every)
	}
	for _, p := range []struct{ flag, addr, other, what string }{
		{"--http", d.HTTP, "127.0.0.1:8090", "the pages"}, {"--mqtt", d.MQTT, "127.0.0.1:1884", "the broker"},
	} {
		if err := free(d.ctx, p.addr); err != nil {
			return fmt.Errorf("%s cannot listen on %s (%w): stop what listens there, or choose another port, such as %s %s (make run ARGS='%s %s')",
				p.what, p.addr, err, p.flag, p.other, p.flag, p.other)
		}
	}
	if d.PublicURL == "" {
		_, port, err := net.SplitHostPort(d.HTTP)
		if err != nil {
			return err
		}
		d.PublicURL = "http://localhost:" + port
	}
	if d.Dir, err = filepath.Abs(d.Dir); err != nil {
		return err
	}
	d.run = shortFolder(filepath.Join(d.Dir, "field"))
	return nil
}

// free reports why addr cannot be listened on.
func free(ctx context.Context, addr string) error {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		if op, ok := errors.AsType[*net.OpError](err); ok {
			return op.Err
		}
		return err
	}
	return l.Close()
}

// shortFolder returns dir, or a folder of its own in the temporary folder when sockets in dir would have too long a path.
func shortFolder(dir string) string {
	if len(dir)+len("/control.sock") <= 100 {
		return dir
	}
	return filepath.Join(os.TempDir(), fmt.Sprintf("aovuon-%08x", uint32(text(dir))))
}

// live brings everything up and returns when it is; the children run on.
func (d *demo) live() error {
	if d.History == "influx" {
		if err := d.startInflux(); err != nil {
			return err
		}
	}
	if err := d.writeFiles(); err != nil {
		return err
	}
	if err := d.prepare(); err != nil {
		return err
	}
	if err := d.startServer(); err != nil {
		return err
	}
	if err := d.seasons(); err != nil {
		return err
	}
	if err := d.startField(); err != nil {
		return err
	}
	if d.history {
		if err := d.watchDelivery(); err != nil {
			return err
		}
	}
	d.lookHere()
	return d.announcement.Release()
}

func (d *demo) serverConfig() string { return filepath.Join(d.Dir, "server", "server.yaml") }
func (d *demo) fieldConfig() string  { return filepath.Join(d.Dir, "field", "field.yaml") }
func (d *demo) serverKey() string    { return filepath.Join(d.Dir, "server.vkey") }

func (d *demo) gatewayConfig(id string) string { return filepath.Join(d.Dir, id, "gateway.yaml") }

// seasons makes the history of every gateway that has none, at the same time.
func (d *demo) seasons() error {
	if d.Days == 0 {
		return nil
	}
	begin := time.Now()
	g, ctx := errgroup.WithContext(d.ctx)
	for _, id := range gateways() {
		if _, err := os.Stat(filepath.Join(d.Dir, id, "data", spoolFile)); err == nil {
			continue
		}
		if !d.history {
			d.say("season: the gateways' own code reads simulated chips for %d days, a reading a minute, faster than real time", d.Days)
		}
		d.history = true
		g.Go(func() error {
			return season{
				field: d.fieldConfig(), gateway: d.gatewayConfig(id), days: d.Days, until: begin, every: time.Minute, log: d.quiet(id),
				progress: func(line string) { d.say("season: %s", line) },
			}.make(ctx)
		})
	}
	return g.Wait()
}

// startField runs the field and its gateways, as `firmware-sim run` does, and returns when they have been started.
func (d *demo) startField() error {
	d.say("field: simulated chips behind sockets in %s", d.run)
	for _, id := range gateways() {
		d.say("gateway %s: starting; it reads the simulated chips every %s", id, d.Every)
	}
	cfg, err := field.Load(d.fieldConfig())
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(d.ctx)
	up, ended := make(chan struct{}), make(chan struct{})
	var how error
	d.stopField = func() error {
		stop()
		<-ended
		return how
	}
	e := &env{ctx: ctx, stdout: d.stdout, stderr: d.stderr, log: slog.New(slog.NewTextHandler(d.Writer("field"), nil))}
	go func() {
		defer close(ended)
		how = e.live(cfg, hosting{household: d.Household, sim: d.Sim, ready: func() { close(up) }})
		if how != nil {
			d.fail(how)
		}
	}()
	select {
	case <-up:
		return nil
	case <-ended:
		return errors.Join(how, context.Cause(d.ctx))
	}
}

func (d *demo) lookHere() {
	d.say("")
	d.say("  Ponds and plots, live:   %s", d.PublicURL)
	d.say("  The same on this host:   http://%s", d.HTTP)
	d.say("  The field itself:        http://%s", strings.Replace(d.panel, "127.0.0.1", "localhost", 1))
	for _, id := range gateways() {
		d.say("  The gateway's own page:  http://%s  (%s)", d.pages[id], id)
	}
	d.say("  Its PIN, to calibrate:   %s pin --config %s", d.Gateway, d.gatewayConfig(gateways()[0]))
	d.say("  Break a probe:           %s fault --control %s ao1-do unplug     (and: ao1-do heal)", d.Sim, filepath.Join(d.run, "control.sock"))
	d.say("  What it can break:       %s fault --control %s list", d.Sim, filepath.Join(d.run, "control.sock"))
	d.say("  … or a gateway, a link:  %s tell --control %s gateway %s power-cut 30s     (and: help)", d.Sim, filepath.Join(d.run, "control.sock"), gateways()[1])
	d.say("  Everything is kept in:   %s", d.Dir)
	d.say("  Stop:                    Ctrl-C")
	d.say("")
}
