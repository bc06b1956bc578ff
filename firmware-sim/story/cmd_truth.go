package story

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"aovuon/firmware-sim/chip"
	"aovuon/firmware-sim/field"
	"aovuon/firmware-sim/world"
	"aovuon/gateway/measure"
)

// zone is Vietnamese civil time.
func zone() *time.Location { return time.FixedZone("+07", 7*3600) }

// journalFile is what happens in the world of the standard field.
const journalFile = "actions.jsonl"

// running is the current above which an aerator's motor runs, A.
const running = 2

// moment reads `-3@05:00`: three days ago at 05:00, Vietnamese time.
func (c *cast) moment(text string) (time.Time, error) {
	days, clock, ok := strings.Cut(text, "@")
	n, err := strconv.Atoi(days)
	at, err2 := time.Parse("15:04", clock)
	if !ok || err != nil || err2 != nil || n > 0 {
		return time.Time{}, fmt.Errorf("%q is no moment: want DAYS@HH:MM, such as -3@05:00: three days ago at five in the morning", text)
	}
	today := c.o.Now().In(zone())
	return time.Date(today.Year(), today.Month(), today.Day()+n, at.Hour(), at.Minute(), 0, 0, zone()), nil
}

// world makes the world of the field as it was: by the journal, and by the current of the aerator's motor, which the ledger has.
func (c *cast) world(ts *testscript.TestScript) *world.World {
	cfg, err := field.Load(ts.MkAbs("field.yaml"))
	ts.Check(err)
	var actions []world.Action
	if _, err := os.Stat(ts.MkAbs(journalFile)); err == nil {
		told, err := world.ReadJournal(ts.MkAbs(journalFile))
		ts.Check(err)
		actions = told.Actions
	}
	for _, d := range cfg.Devices {
		if d.Kind != "transducer" {
			continue
		}
		i := slices.IndexFunc(cfg.Devices, func(m field.Device) bool { return m.ID == d.Motor })
		on := false
		for _, e := range c.answers(ts)[channel{d.ID, measure.Current}] {
			if turns := e.Value > running; turns != on {
				on = turns
				a := world.Action{At: e.Time, Place: cfg.Devices[i].Place, Kind: world.Aerate, What: d.Motor}
				if on {
					a.Amount = cfg.Devices[i].Rate
				}
				actions = append(actions, a)
			}
		}
	}
	f, err := field.New(cfg, field.Options{Now: c.o.Now, Ledger: chip.Silent{}, Actions: actions})
	ts.Check(err)
	return f.World()
}

// happens writes into the journal what will have been done to the world: a season plays it, and a live field goes on with it.
func happens(ts *testscript.TestScript, neg bool, args []string) {
	c := castOf(ts, neg, args, 2, "happens MOMENT KIND [place=PLACE] [amount=N] [to=CELSIUS] [for=DURATION] [what=WHAT]")
	at, err := c.moment(args[0])
	ts.Check(err)
	a, to := world.Action{At: at, Kind: world.ActionKind(args[1]), By: "story"}, math.NaN()
	for _, arg := range args[2:] {
		name, value, _ := strings.Cut(arg, "=")
		switch name {
		case "place":
			a.Place = value
		case "what":
			a.What = value
		case "for":
			a.For, err = time.ParseDuration(value)
		case "amount":
			a.Amount, err = strconv.ParseFloat(value, 64)
		case "to":
			to, err = strconv.ParseFloat(value, 64)
		default:
			err = fmt.Errorf("happens: no %q: want place=, amount=, to=, for=, what=", arg)
		}
		ts.Check(err)
	}
	if !math.IsNaN(to) {
		c.warmed(ts, &a, to)
	}
	if a.Kind != "" {
		ts.Check(c.world(ts).Check(a))
	}
	j, _, err := world.OpenJournal(ts.MkAbs(journalFile))
	ts.Check(err)
	ts.Check(errors.Join(j.Append(a), j.Close()))
}

// warmed makes of an action without a kind of its own (air) the heat wave or cold snap after which the air of its time has that
// mean: so a story of July can be told in November.
func (c *cast) warmed(ts *testscript.TestScript, a *world.Action, to float64) {
	if a.Kind != "air" {
		ts.Fatalf("happens: to= belongs to the kind air")
	}
	w, sum, n := c.world(ts), 0.0, 0
	for at := a.At; at.Before(a.At.Add(a.For)); at = at.Add(time.Hour) {
		sky, err := w.Sky(at)
		ts.Check(err)
		sum, n = sum+sky.Air, n+1
	}
	if n == 0 {
		ts.Fatalf("happens: air to=%g for how long?", to)
	}
	off := to - sum/float64(n)
	a.Kind, a.Amount = world.HeatWave, off
	if off < 0 {
		a.Kind, a.Amount = world.ColdSnap, -off
	}
	c.note(ts, "the season's air is changed by %+.1f °C, to %g °C in the mean", off, to)
}

// fish says how the fish really are.
func fish(ts *testscript.TestScript, neg bool, args []string) {
	c := castOf(ts, neg, args, 3, "fish PLACE MOMENT CONDITION... (alive kg, died %)")
	at, err := c.moment(args[1])
	ts.Check(err)
	want, err := conditions(args[2:])
	ts.Check(err)
	f, err := c.world(ts).Fish(args[0], at)
	ts.Check(err)
	c.note(ts, "in truth %.0f kg of fish are alive, %.1f %% died", f.Alive, 100*f.Died)
	facts := map[string]string{"alive": strconv.FormatFloat(f.Alive, 'f', 0, 64), "died": strconv.FormatFloat(100*f.Died, 'f', 2, 64)}
	if wrong := unmet(want, facts); wrong != nil {
		ts.Fatalf("the fish of %s: %s", args[0], strings.Join(wrong, "; "))
	}
}

// truth compares what the product's chart shows with what was, step by step, between two moments; and what was with what is
// wanted.
func truth(ts *testscript.TestScript, neg bool, args []string) {
	c := castOf(ts, neg, args, 6, "truth PLACE SENSOR QUANTITY SPAN FROM TO CONDITION... (apart, missing, min, max, mean, chartmin, chartmax)")
	from, err := c.moment(args[4])
	ts.Check(err)
	to, err := c.moment(args[5])
	ts.Check(err)
	want, err := conditions(args[6:])
	ts.Check(err)
	chart := c.chart(ts, channel{args[1], measure.Quantity(args[2])}, args[3])
	w := c.world(ts)
	var was, shown figures
	apart, missing := 0.0, 0
	for _, b := range chart.steps {
		if b.Start.Before(from) || b.Start.Add(chart.step).After(to) {
			continue
		}
		if b.N == 0 {
			missing++
			continue
		}
		f := c.truthOf(ts, w, args[0], measure.Quantity(args[2]), b.Start, chart.step)
		was.add(f.n, f.sum/float64(f.n), f.min, f.max)
		shown.add(b.N, b.Mean, b.Min, b.Max)
		apart = max(apart, math.Abs(b.Mean-f.sum/float64(f.n)))
	}
	if was.n == 0 || shown.n == 0 {
		ts.Fatalf("no step of the chart lies between %s and %s", args[4], args[5])
	}
	c.note(ts, "%s %s: in truth %.2f to %.2f, the product shows %.2f to %.2f; the means of a step are at most %.3f apart; %d steps are missing",
		args[0], args[2], was.min, was.max, shown.min, shown.max, apart, missing)
	number := func(x float64) string { return strconv.FormatFloat(x, 'g', 8, 64) }
	facts := map[string]string{
		"apart": number(apart), "missing": strconv.Itoa(missing), "min": number(was.min), "max": number(was.max),
		"mean": number(was.sum / float64(was.n)), "chartmin": number(shown.min), "chartmax": number(shown.max),
	}
	if wrong := unmet(want, facts); wrong != nil {
		ts.Fatalf("the truth of %s: %s", args[2], strings.Join(wrong, "; "))
	}
}

// truthOf is what a quantity really was, minute by minute.
func (c *cast) truthOf(ts *testscript.TestScript, w *world.World, place string, q measure.Quantity, from time.Time, long time.Duration) (f figures) {
	for at := from; at.Before(from.Add(long)); at = at.Add(time.Minute) {
		v, err := w.Value(place, q, at)
		ts.Check(err)
		f.add(1, v, v, v)
	}
	return f
}

// chart asks for the chart of one channel.
func (c *cast) chart(ts *testscript.TestScript, of channel, span string) (found line) {
	c.await(ts, Patience, "the chart of "+of.String(), func(ctx context.Context) (bool, string) {
		for _, place := range []string{ts.Getenv("POND"), ts.Getenv("PLOT")} {
			all, err := lines(ctx, ts.Getenv("URL"), place, span)
			if err != nil {
				return false, err.Error()
			}
			for _, l := range all {
				if l.channel == of && len(l.steps) > 0 {
					found = l
					return true, ""
				}
			}
		}
		return false, "no such channel"
	})
	return found
}
