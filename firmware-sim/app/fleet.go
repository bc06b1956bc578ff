package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"aovuon/firmware-sim/fleet"
	"aovuon/firmware-sim/world"
	"aovuon/gateway/uplink"
	"aovuon/gateway/wire"
)

type fleetCommand struct {
	Run  fleetRunCommand  `cmd:"" default:"withargs" help:"Run the fleet against a broker and a server, and count."`
	Init fleetInitCommand `cmd:"" help:"Make keys, cards for the server and a farm file for a fleet, or add gateways to one."`
}

type fleetInitCommand struct {
	Dir      string `default:"fleet" help:"Folder of the fleet." type:"path"`
	Gateways int    `required:"" help:"How many gateways there shall be."`
	Prefix   string `default:"fl" help:"What their names begin with: fl-0001, fl-0002 …"`
}

// Run makes the folder.
func (c fleetInitCommand) Run(e *env) error {
	made, err := fleet.Enlist(c.Dir, c.Prefix, c.Gateways)
	if err != nil {
		return err
	}
	e.say("%d gateways made in %s; then, where the server is:", made, c.Dir)
	e.say("  server gateway add %s", filepath.Join(c.Dir, "cards.txt"))
	e.say("  server farm import %s      # replaces the farm on record: for a server that is there for tests", filepath.Join(c.Dir, "farm.yaml"))
	return nil
}

type fleetRunCommand struct {
	Dir       string `default:"fleet" aliases:"state" help:"Folder of the fleet: keys, and chains that go on in the next run." type:"path"`
	Gateways  int    `help:"How many of its gateways take part; 0 is all."`
	Broker    string `required:"" help:"Broker, as in tcp://127.0.0.1:1883 or ssl://farm.example:8883."`
	CA        string `name:"ca" help:"Certificate of the broker's authority (PEM), for ssl://." type:"path"`
	ServerKey string `required:"" help:"File with the server's verifier key, as server key printed it." type:"path"`
	Server    string `help:"How to ask the server what it has, as in 'server --config server.yaml' or 'ssh host server'; without, only receipts are counted."`

	Rate         float64       `help:"Batches a second, of the whole fleet." xor:"rate"`
	Every        time.Duration `help:"Or: time between two batches of each gateway." xor:"rate"`
	Readings     int           `default:"6" help:"Readings in a batch."`
	Backlog      int           `help:"Batches that each gateway begins with, as after days offline."`
	BacklogEvery time.Duration `help:"Time between two of them, in the readings' time; the live ones' when left out, or a minute."`
	For          time.Duration `help:"How long the load lasts." xor:"long"`
	Batches      int           `help:"Or: how many live batches there are." xor:"long"`
	Ramp         time.Duration `help:"Time over which the gateways come, one after another."`
	Churn        float64       `help:"Gateways a minute that say goodbye and come back."`
	Away         time.Duration `default:"2s" help:"How long those are away."`
	Link         string        `help:"What goes wrong on the links during the load: drop=30/min,delay=200ms,withhold=10%,duplicate=5%,reorder=5%; any of them."`
	World        bool          `help:"Readings of the simulated world, a pond and a plot for each gateway, rather than plain waves."`
	Seed         uint64        `default:"1" help:"Of the world, and of what happens to whom and when."`

	Late           time.Duration `default:"10s" help:"A batch whose receipt takes longer than this, from when it was meant to be sent, is late."`
	Drain          time.Duration `default:"2m" help:"At most, from the end of the load until everything has its receipt."`
	Settle         time.Duration `default:"2m" help:"At most, until the server says that everything is in its log and its history."`
	ReceiptTimeout time.Duration `default:"15s" help:"A gateway that gets no receipt for so long sends again; after twice that it connects anew."`
	Out            string        `help:"File for the result, JSON." type:"path"`
}

// errFleet: the run came to its end, and what it found is not good.
var errFleet = errors.New("the fleet did not get what it asked for")

// Run runs the fleet.
func (c fleetRunCommand) Run(e *env) (err error) {
	if err := c.checkOut(); err != nil {
		return err
	}
	plan, err := c.plan()
	if err != nil {
		return err
	}
	folder, err := fleet.Open(c.Dir, c.Gateways)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, folder.Close()) }()
	plan.Members = folder.Members
	if c.Every > 0 {
		plan.Rate = float64(len(plan.Members)) / c.Every.Seconds()
	}
	if plan.Truth, err = c.truth(plan.Members); err != nil {
		return err
	}
	if err := plan.Check(); err != nil {
		return fmt.Errorf("fleet: %w", err)
	}
	line := newProgressLine(e.stderr)
	plan.Progress = line.tell
	if err := folder.Take(); err != nil {
		return err
	}
	result, chains, err := fleet.Run(e.ctx, plan)
	line.end()
	if chains != nil {
		err = errors.Join(err, folder.Save(chains))
	}
	if err != nil {
		return err
	}
	return c.report(e, &result)
}

// checkOut refuses a file that could not be written when the run is over.
func (c fleetRunCommand) checkOut() error {
	if c.Out == "" {
		return nil
	}
	if info, err := os.Stat(c.Out); err == nil && info.IsDir() {
		return fmt.Errorf("fleet: --out %s is a folder: name a file in it", c.Out)
	}
	f, err := os.CreateTemp(filepath.Dir(c.Out), ".tmp-*") // as the result is written
	if err != nil {
		return fmt.Errorf("fleet: --out %s cannot be written: %w: name a file in a folder that is there and that you may write to", c.Out, err)
	}
	if err := errors.Join(f.Close(), os.Remove(f.Name())); err != nil {
		return fmt.Errorf("fleet: --out %s: %w", c.Out, err)
	}
	return nil
}

func (c fleetRunCommand) plan() (p fleet.Plan, err error) {
	p = fleet.Plan{
		Broker: c.Broker, Rate: c.Rate, Readings: c.Readings, Backlog: c.Backlog, BacklogEvery: c.BacklogEvery, For: c.For, Batches: c.Batches,
		Ramp: c.Ramp, Churn: c.Churn, Away: c.Away, Seed: c.Seed, Late: c.Late, Drain: c.Drain, Settle: c.Settle,
		ReceiptTimeout: c.ReceiptTimeout, Now: time.Now,
	}
	if c.Every < 0 {
		return p, fmt.Errorf("fleet: --every %v: want more than nothing", c.Every)
	}
	overTLS, err := uplink.CheckURL(c.Broker)
	if err != nil {
		return p, fmt.Errorf("fleet: --broker %s: %w", c.Broker, err)
	}
	if !overTLS && c.CA != "" {
		return p, errors.New("fleet: --ca is for ssl:// brokers: write ssl://, or leave it out")
	}
	if overTLS {
		if p.TLS, err = uplink.TLSConfig(c.CA, time.Now); err != nil {
			return p, err
		}
	}
	if p.Server, err = wire.LoadVerifier(c.ServerKey); err != nil {
		return p, fmt.Errorf("%w: server key > FILE writes it", err)
	}
	if p.Faults, err = fleet.ParseFaults(c.Link); err != nil {
		return p, fmt.Errorf("fleet: %w", err)
	}
	if words := strings.Fields(c.Server); len(words) > 0 {
		p.Witness = fleet.Command(words)
	}
	return p, nil
}

// truth is what the readings are taken from.
func (c fleetRunCommand) truth(members []fleet.Member) (fleet.Truth, error) {
	if !c.World {
		return fleet.Plain{}, nil
	}
	// The world begins some days before the oldest reading, so that a thousand places are soon brought to it.
	begin := time.Now().AddDate(0, 0, -3)
	if every := max(c.BacklogEvery, c.Every, time.Minute); c.Backlog > 0 {
		begin = begin.Add(-time.Duration(c.Backlog) * every)
	}
	var places []world.Place
	for _, m := range members {
		places = append(places, world.Place{ID: fleet.Pond(m.Gateway), Kind: world.Pond}, world.Place{ID: fleet.Plot(m.Gateway), Kind: world.Plot})
	}
	return world.New(world.Options{Seed: c.Seed, Begin: begin, Places: places})
}

// report prints and writes the result; a result that is not good is an error.
func (c fleetRunCommand) report(e *env, r *fleet.Result) error {
	if err := r.WriteTable(e.stdout); err != nil {
		return err
	}
	if c.Out != "" {
		raw, err := json.MarshalIndent(r, "", "  ")
		if err != nil {
			return err
		}
		if err := wire.WriteFile(c.Out, append(raw, '\n'), 0o644); err != nil {
			return err
		}
	}
	if r.Cut {
		e.say("stopped before the end; what has no receipt waits in %s for the next run", c.Dir)
	}
	if len(r.Failures) > 0 {
		return fmt.Errorf("%w:\n  %s", errFleet, strings.Join(r.Failures, "\n  "))
	}
	return nil
}

// progressLine tells a person how far a run is: one line that is written over on a terminal, else a line every ten seconds.
type progressLine struct {
	w        io.Writer
	terminal bool
	before   fleet.Progress
	told     time.Duration
}

func newProgressLine(w io.Writer) *progressLine {
	l := &progressLine{w: w}
	if f, ok := w.(*os.File); ok {
		if info, err := f.Stat(); err == nil {
			l.terminal = info.Mode()&os.ModeCharDevice != 0
		}
	}
	return l
}

func (l *progressLine) tell(p fleet.Progress) {
	if !l.terminal && p.Since-l.told < 9500*time.Millisecond && p.Since >= l.told {
		return
	}
	rate := 0.0
	if d := (p.Since - l.before.Since).Seconds(); d > 0 && p.Receipted >= l.before.Receipted {
		rate = float64(p.Receipted-l.before.Receipted) / d
	}
	l.before, l.told = p, p.Since
	text := fmt.Sprintf("%5.0f s  %d connected  asked %d  produced %d  receipted %d (%.0f/s)  p50 %.0f ms  p99 %.0f ms  late %d",
		p.Since.Seconds(), p.Connected, p.Asked, p.Produced, p.Receipted, rate, p.P50, p.P99, p.Late)
	if l.terminal {
		text = "\r\x1b[K" + text
	} else {
		text += "\n"
	}
	_, _ = io.WriteString(l.w, text) //nolint:errcheck // who reads no progress misses nothing
}

func (l *progressLine) end() {
	if l.terminal {
		_, _ = io.WriteString(l.w, "\r\x1b[K") //nolint:errcheck // as above
	}
}
