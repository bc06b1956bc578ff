package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"text/tabwriter"
	"time"

	"golang.org/x/sync/errgroup"

	"aovuon/gateway/bus"
	"aovuon/gateway/calibrate"
	"aovuon/gateway/control"
	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
)

// calibrateCmd is `gateway calibrate`.
type calibrateCmd struct {
	Sensor   string   `arg:"" optional:"" help:"Id of the sensor; without it all are listed."`
	Quantity string   `help:"Which quantity, where the sensor has several."`
	Method   string   `help:"Which way, where there are several: soil-samples or soil-ends."`
	Points   int      `help:"How many points: EC standards 1 or 2, lines 1 or 2."`
	Who      string   `env:"AOVUON_WHO" help:"Who does it; stands in the record, which is signed and kept for ever: a pseudonym will do."`
	Serial   string   `help:"Serial number of the probe."`
	New      bool     `help:"The probe is new: it is held to the limits of a new one."`
	Point    []string `placeholder:"[STEP=]VALUE" help:"Value of a step, such as 7.00, mid=7.01 or zero; may be repeated."`
	Lot      []string `name:"buffer-lot" placeholder:"[STEP=]LOT" help:"Lot on the bottle; one for all steps, or one for each."`
	Expiry   []string `name:"buffer-expiry" placeholder:"[STEP=]YYYY-MM" help:"Expiry date on the bottle."`
	Celsius  *float64 `name:"temperature" help:"Temperature of the bottles in °C, where no thermometer measures beside the probe."`
	Note     string   `help:"A line for the record."`
	Yes      bool     `short:"y" help:"Ask nothing: do the steps that must be and those --point names, and keep the result."`
	Abort    bool     `help:"Abort a calibration that somebody else left."`
}

// run talks to the gateway that works in the data folder; where none does, it does the gateway's work itself meanwhile.
func (c *calibrateCmd) run(ctx context.Context, path string, stdin io.Reader, stdout io.Writer, log *slog.Logger) error {
	cfg, err := load(path)
	if err != nil {
		return err
	}
	client := calibrate.NewClient(control.NewClient(cfg.DataDir))
	targets, err := client.Targets(ctx)
	running := !errors.Is(err, control.ErrNotRunning)
	switch {
	case err != nil && running:
		return err
	case c.Sensor == "" && running:
		return printTargets(stdout, targets)
	case running:
		return c.with(ctx, client, stdin, stdout)
	}
	return c.alone(ctx, path, stdin, stdout, log)
}

func (c *calibrateCmd) with(ctx context.Context, d desk, stdin io.Reader, stdout io.Writer) error {
	if c.Abort {
		st, err := d.Abort(ctx, c.Sensor)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(stdout, "aborted: %s\n", st.Problem)
		return err
	}
	t := &talk{cmd: c, desk: d, in: newLines(stdin), out: &printer{w: stdout}}
	if err := t.run(ctx); err != nil {
		return err
	}
	return t.out.err
}

// alone is for a gateway that is not running: it takes the lock, reads all probes as usual, keeps what they say, and sends
// nothing.
func (c *calibrateCmd) alone(ctx context.Context, path string, stdin io.Reader, stdout io.Writer, log *slog.Logger) (err error) {
	buses := bus.NewSet(log)
	defer func() { err = errors.Join(err, buses.Close()) }()
	cfg, err := load(path)
	if err != nil {
		return err
	}
	clock := sense.NewSystemClock(sense.SystemClockOptions{AssumeSynced: cfg.Clock.AssumeSynced})
	p, err := makePlan(path, buses, clock, false)
	if err != nil {
		return err
	}
	if c.Sensor == "" {
		return printTargets(stdout, p.desk.Targets())
	}
	g, err := open(ctx, p, clock, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, g.close()) }()
	working, stop := context.WithCancel(context.WithoutCancel(ctx))
	sealing, sensed := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	defer sensed()
	var group errgroup.Group
	station := sense.NewStation(clock, p.channels, log)
	end := g.openDesk(working, p.desk, station)
	group.Go(func() error {
		defer sensed()
		return station.Run(working, g.sealer)
	})
	group.Go(func() error { return g.sealer.Run(sealing) })
	group.Go(func() error { g.control(working, p.desk); return nil })
	err = c.with(ctx, p.desk, stdin, stdout)
	end()
	stop()
	return errors.Join(err, group.Wait())
}

// printTargets lists how the calibrations stand.
func printTargets(w io.Writer, list []calibrate.Target) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	if _, err := fmt.Fprintln(t, "SENSOR\tQUANTITY\tMETHOD\tSTANDING\tLAST\tBY\tVERDICT\tDUE"); err != nil {
		return err
	}
	for _, x := range list {
		last, by, verdict := "-", "-", "-"
		if x.Last != nil {
			last, by, verdict = dayOf(x.Last.Time), x.Last.Who, string(x.Last.Verdict)
		}
		standing := string(x.Standing)
		if x.Busy != "" {
			standing = "being calibrated by " + x.Busy
		}
		if _, err := fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", x.Sensor, x.Quantity, x.Methods[0], standing, last, by, verdict, dayOf(x.Due)); err != nil {
			return err
		}
	}
	return t.Flush()
}

func dayOf(t *time.Time) string {
	if t == nil {
		return "-"
	}
	return t.Local().Format("2006-01-02")
}

// begin is what the flags say of a session.
func (c *calibrateCmd) begin() calibrate.Begin {
	return calibrate.Begin{
		Sensor: c.Sensor, Quantity: measure.Quantity(c.Quantity), Method: calibrate.Method(c.Method), Points: c.Points,
		Who: c.Who, Serial: c.Serial, NewProbe: c.New,
	}
}
