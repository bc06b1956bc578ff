package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"aovuon/gateway/bus"
	"aovuon/gateway/calibrate"
	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
	"aovuon/gateway/sense/kind"
)

// runFlags are the flags of gateway run.
type runFlags struct {
	Once bool `help:"Ask every probe once, print what each says, send nothing; needs no key. Status 1 when one has no value."`
	JSON bool `help:"With --once: print JSON."`
}

// answer is what a channel said when it was asked once: a reading, and the driver's own words where there is no value.
type answer struct {
	measure.Reading
	Cause string
}

// once asks every channel once and prints what they say. The buses of a gateway that runs are its own: then its newest
// readings are printed.
func once(ctx context.Context, path string, asJSON bool, stdout io.Writer, log *slog.Logger) (err error) {
	cfg, err := load(path)
	if err != nil {
		return err
	}
	free, err := takeFolder(cfg.DataDir)
	var answers []answer
	switch {
	case errors.Is(err, errRuns):
		log.Info("the gateway runs: these are its newest readings")
		s, err := askRunning(ctx, cfg)
		if err != nil {
			return err
		}
		answers = answersOf(s)
	case err != nil:
		return err
	default:
		defer func() { err = errors.Join(err, free()) }()
		if answers, err = askOnce(ctx, cfg, log); err != nil {
			return err
		}
	}
	write := printAnswers
	if asJSON {
		write = printAnswersJSON
	}
	if err := write(stdout, answers); err != nil {
		return err
	}
	var silent []string
	for _, a := range answers {
		if a.Quality == measure.Fault && (len(silent) == 0 || silent[len(silent)-1] != a.Sensor) {
			silent = append(silent, a.Sensor)
		}
	}
	if len(silent) > 0 {
		return fmt.Errorf("app: no value from %s", strings.Join(silent, ", "))
	}
	return nil
}

// askOnce opens the buses, asks every channel once, and closes them. Each bus is asked by itself, so that a dead one does
// not make the others wait; the answers come in the order of the configuration.
func askOnce(ctx context.Context, cfg *Config, log *slog.Logger) (answers []answer, err error) {
	buses := bus.NewSet(log)
	defer func() { err = errors.Join(err, buses.Close()) }()
	clock := sense.NewSystemClock(sense.SystemClockOptions{AssumeSynced: cfg.Clock.AssumeSynced})
	works := kind.NewWorks(clock, kind.WithDerived(cfg.Derived), kind.WithFitter(calibrate.NewDesk(cfg.DataDir, clock)))
	channels, err := works.Build(cfg.Sensors, buses, cfg.Buses)
	if err != nil {
		return nil, cfg.src.explainSensors(err)
	}
	r := &round{bySensor: map[string][]measure.Reading{}, board: works.Board(), cause: map[string]string{}}
	var wg sync.WaitGroup
	for _, group := range groups(channels) {
		// What the station would log is in the answers; what a filter would hold back is asked for here.
		station := sense.NewStation(clock, group, slog.New(slog.DiscardHandler))
		station.Watch(r)
		wg.Go(func() { r.done(station, station.PollAll(ctx, nowhere{})) })
	}
	wg.Wait()
	if r.err != nil {
		return nil, fmt.Errorf("app: %w", r.err)
	}
	return r.answers(channels), nil
}

// groups parts channels by their bus; those that follow another go with it.
func groups(channels []sense.Channel) map[string][]sense.Channel {
	busOf, out := map[string]string{}, map[string][]sense.Channel{}
	for _, c := range channels {
		busOf[c.ID] = c.Bus
		if c.After != "" { // a derived channel is asked with the one it comes after, which stands before it
			busOf[c.ID] = busOf[c.After]
		}
		out[busOf[c.ID]] = append(out[busOf[c.ID]], c)
	}
	return out
}

// nowhere is a sense.Sink that keeps nothing.
type nowhere struct{}

// Take implements sense.Sink.
func (nowhere) Take(context.Context, []measure.Reading) error { return nil }

// round collects what the channels say. It is safe for concurrent use.
type round struct {
	mu       sync.Mutex
	bySensor map[string][]measure.Reading
	board    *sense.Board      // why readings are in doubt
	cause    map[string]string // by sensor: what its driver said when it gave no value
	err      error
}

// Take implements sense.Sink.
func (r *round) Take(_ context.Context, readings []measure.Reading) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, x := range readings {
		r.bySensor[x.Sensor] = append(r.bySensor[x.Sensor], x)
	}
	return nil
}

// done takes the drivers' own words and the error of a station whose round is over.
func (r *round) done(station *sense.Station, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = errors.Join(r.err, err)
	for _, c := range station.Channels() {
		r.cause[c.ID] = station.Cause(c.ID)
	}
}

func (r *round) answers(channels []sense.Channel) (out []answer) {
	for _, c := range channels {
		for _, x := range r.bySensor[c.ID] {
			a := answer{Reading: x}
			if known, ok := r.board.Newest(x.Sensor, x.Quantity); ok {
				a.Cause = known.Doubt.Why
			}
			if x.Quality == measure.Fault {
				a.Cause = r.cause[c.ID]
			}
			out = append(out, a)
		}
	}
	return out
}

// printAnswers writes a table.
func printAnswers(w io.Writer, answers []answer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if _, err := fmt.Fprintln(t, "SENSOR\tQUANTITY\tVALUE\tUNIT\tQUALITY\tTIME\tWHY"); err != nil {
		return err
	}
	for _, a := range answers {
		info, _ := a.Quantity.Info()
		value, unit := "-", info.Unit
		if a.Quality != measure.Fault {
			value = strconv.FormatFloat(a.Value, 'f', info.Decimals, 64)
		}
		if unit == "" {
			unit = "-"
		}
		at := "not dated"
		if !a.Time.Wall.IsZero() {
			at = a.Time.Wall.Format("2006-01-02T15:04:05Z")
		}
		if _, err := fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", a.Sensor, a.Quantity, value, unit, a.Quality, at, a.why()); err != nil {
			return err
		}
	}
	return t.Flush()
}

// why says in one line what stands behind the quality.
func (a answer) why() string {
	if a.Quality == measure.Fault {
		why := a.Cause
		if why == "" {
			why = string(a.Reason)
		}
		return strings.Join(strings.Fields(why), " ")
	}
	var why []string
	if a.Cause != "" {
		why = append(why, a.Cause+";")
	}
	if a.Filtered {
		why = append(why, "raw="+strconv.FormatFloat(a.Raw, 'g', -1, 64))
	}
	if a.Inputs != "" {
		why = append(why, strings.ReplaceAll(a.Inputs, ";", " "))
	}
	return strings.TrimSuffix(strings.Join(why, " "), ";")
}

// answerJSON is an answer for programs.
type answerJSON struct {
	Sensor   string     `json:"sensor"`
	Quantity string     `json:"quantity"`
	Value    *float64   `json:"value,omitempty"` // absent when there is none
	Unit     string     `json:"unit,omitempty"`
	Quality  string     `json:"quality"`
	Reason   string     `json:"reason,omitempty"`
	Cause    string     `json:"cause,omitempty"`
	Raw      *float64   `json:"raw,omitempty"`
	Inputs   string     `json:"inputs,omitempty"`
	Time     *time.Time `json:"time,omitempty"` // absent while the clock is not set
	Clock    string     `json:"clock"`
}

func printAnswersJSON(w io.Writer, answers []answer) error {
	out := make([]answerJSON, len(answers))
	for i, a := range answers {
		info, _ := a.Quantity.Info()
		j := answerJSON{
			Sensor: a.Sensor, Quantity: string(a.Quantity), Unit: info.Unit, Quality: a.Quality.String(), Reason: string(a.Reason),
			Cause: a.Cause, Inputs: a.Inputs, Clock: a.Time.Clock.String(),
		}
		if a.Quality != measure.Fault {
			j.Value = &a.Value
		}
		if a.Filtered {
			j.Raw = &a.Raw
		}
		if !a.Time.Wall.IsZero() {
			j.Time = &a.Time.Wall
		}
		out[i] = j
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(out)
}
