package calibrate

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"aovuon/gateway/measure"
	"aovuon/gateway/sense"
	"aovuon/gateway/sense/ezo"
)

// ezoProbe calibrates an EZO circuit: the points live in the circuit.
type ezoProbe struct {
	sensor  string
	circuit Circuit
	method  Method
	q       measure.Quantity
	list    []Step
	isNew   bool     // of an electrode: it is held to the limits of a new one
	backup  []string // what Export gave; nil when the circuit cannot
	touched bool     // a point was set

	salinity, hPa float64 // what an oxygen circuit reckons with
}

func newEZO(sensor string, c Circuit, m Method, q measure.Quantity, points int, isNew bool) *ezoProbe {
	return &ezoProbe{sensor: sensor, circuit: c, method: m, q: q, salinity: 0, hPa: airPressure, list: ezoSteps(m, points), isNew: isNew}
}

func ezoSteps(m Method, points int) []Step {
	switch m {
	case EZOPH:
		return []Step{
			{
				Name: "mid", Text: "Rinse the probe, dab it dry, put it into the pH 7 buffer and swirl. This point comes first: it clears the others.",
				Asks: "the pH printed on the bottle for 25 °C", Nominal: new(7.0), Least: 6.98, Most: 7.03, Buffer: true, Celsius: true,
			},
			{
				Name: "low", Text: "Rinse the probe, dab it dry, put it into the pH 4 buffer and swirl.", Optional: true,
				Asks: "the pH printed on the bottle for 25 °C", Nominal: new(4.0), Least: 3.98, Most: 4.03, Buffer: true, Celsius: true,
			},
			{
				Name: "high", Text: "Rinse the probe, dab it dry, put it into the pH 10 buffer and swirl.", Optional: true,
				Asks: "the pH printed on the bottle for 25 °C", Nominal: new(10.0), Least: 9.98, Most: 10.03, Buffer: true, Celsius: true,
			},
		}
	case EZODO:
		return []Step{
			{Name: "air", Text: "Take the probe out of the water, rinse it, dab the membrane dry, and hang it in the shade, close above water, out of wind.", Celsius: true, Nominal: new(100.0), Unit: "%"},
			{Name: "zero", Text: "Put the probe into zero-oxygen solution, stir until no bubble is on the membrane, and wait. Rinse it well afterwards.", Optional: true, Nominal: new(0.0), Buffer: true, Celsius: true},
		}
	case EZOEC:
		dry := Step{Name: "dry", Text: "Take the probe out, shake it and dry it inside, too: it has to be dry for this point.", Nominal: new(0.0)}
		standard := func(name, text string, nominal float64) Step {
			return Step{
				Name: name, Text: text, Asks: "the conductivity printed on the bottle for 25 °C", Unit: "µS/cm", Nominal: new(nominal),
				Least: 10, Most: 150_000, Buffer: true, Celsius: true,
			}
		}
		if points == 2 {
			return []Step{
				dry,
				standard("low", "Rinse the probe with a little of the weaker standard, put it into fresh standard, and tap it until no bubble is inside.", 1413),
				standard("high", "Rinse the probe with a little of the stronger standard, put it into fresh standard, and tap it until no bubble is inside.", 12_880),
			}
		}
		return []Step{dry, standard("single", "Rinse the probe with a little of the standard, put it into fresh standard, and tap it until no bubble is inside.", 1413)}
	case EZOORP:
		return []Step{{
			Name: "single", Text: "Rinse the probe, dab it dry, put it into the ORP standard.", Asks: "the mV printed on the bottle at its temperature",
			Unit: "mV", Nominal: new(225.0), Least: -1000, Most: 1000, Buffer: true,
		}}
	case EZORTD:
		return []Step{{
			Name: "single", Text: "Put the probe and a reference thermometer side by side into stirred water.", Asks: "what the reference thermometer says",
			Unit: "°C", Least: -5, Most: 60,
		}}
	case SoilEnds, SoilSamples, Linear:
	}
	return nil
}

func (e *ezoProbe) steps() []Step             { return e.list }
func (e *ezoProbe) rules() rule               { return ruleOf(e.q) }
func (e *ezoProbe) shown(raw float64) float64 { return raw }

// prepare takes a copy of the calibration in the circuit, so that an abort can bring it back.
func (e *ezoProbe) prepare(ctx context.Context) ([]string, error) {
	if _, _, err := e.celsius(ctx); err != nil { // it is there, and is the circuit it should be
		return nil, err
	}
	var notes []string
	var err error
	if e.backup, err = e.export(ctx); err != nil {
		return nil, err
	}
	if e.backup == nil {
		notes = append(notes, "this circuit cannot give its calibration back: once a point is set an abort leaves it changed, and its values count as uncalibrated")
	}
	if e.method == EZOEC {
		// The standards' values are not brought to 25 °C, so the circuit must not do it either (EZO-EC data sheet, Calibration).
		if _, err := e.circuit.Command(ctx, "T,25"); err != nil {
			return nil, err
		}
	}
	return notes, nil
}

const (
	exportDone = "*DONE"
	exportMost = 40 // strings; circuits give 6 to 18
)

// export reads the strings of the circuit's calibration. Old firmware does not know the command: nil.
func (e *ezoProbe) export(ctx context.Context) ([]string, error) {
	if _, err := e.circuit.Command(ctx, "Export,?"); unknown(err) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	out := []string{}
	for range exportMost {
		s, err := e.circuit.Command(ctx, "Export")
		if err != nil {
			return nil, err
		}
		if strings.EqualFold(s, exportDone) {
			return out, nil
		}
		out = append(out, s)
	}
	return nil, nil // it does not end: of no use as a copy
}

func (e *ezoProbe) celsius(ctx context.Context) (temperature, bool, error) {
	samples, err := e.circuit.Sense(ctx)
	if err != nil {
		return temperature{}, false, err
	}
	e.salinity, e.hPa = 0, airPressure
	for _, s := range samples {
		for _, in := range s.Inputs {
			if in.Quantity == measure.Salinity {
				e.salinity = in.Value
			}
			if in.Quantity == measure.AirPressure {
				e.hPa = in.Value
			}
		}
	}
	t, ok := celsiusOf(e.sensor, samples)
	return t, ok, nil
}

func (e *ezoProbe) expect(i int, value float64, celsius *float64) (float64, error) {
	s := e.list[i]
	if celsius == nil { // only where the step does not ask for it
		return value, nil
	}
	switch {
	case e.method == EZOPH:
		return PHBuffer(value, *celsius)
	case e.method == EZOEC && s.Name != "dry":
		return ECStandard(value, *celsius)
	case e.method == EZODO && s.Name == "air":
		return oxygenInAir(*celsius, e.salinity, e.hPa)
	}
	return value, nil
}

func (e *ezoProbe) read(ctx context.Context, celsius *float64) (float64, error) {
	command := "R"
	if celsius != nil && (e.method == EZOPH || e.method == EZODO) {
		command = "RT," + strconv.FormatFloat(*celsius, 'f', 2, 64)
	}
	answer, err := e.circuit.Command(ctx, command)
	if err != nil {
		return 0, err
	}
	return ezo.ParseReading(answer, 1+strings.Count(answer, ","))
}

// unknown reports whether err says that the circuit does not know a command.
func unknown(err error) bool {
	f, ok := errors.AsType[*sense.Fault](err)
	return ok && f.Reason == measure.Refused
}

func (e *ezoProbe) check(i int, raw float64, p Point, earlier []Point) error {
	r, s := e.rules(), e.list[i]
	switch s.Name {
	case "zero":
		r.far = 2 // an old membrane leaves some tenths; more is air in the solution
	case "dry":
		r.far = 100 // a wet probe has thousands
		earlier = nil
	case "single", "low", "high":
		if e.method == EZOEC && len(earlier) > 0 && earlier[0].Name == "dry" {
			earlier = earlier[1:] // dry is no standard
		}
	}
	return near(r, s, raw, p, earlier)
}

// set sends the point to the circuit and reads what the circuit makes of it.
func (e *ezoProbe) set(ctx context.Context, i int, p *Point) error {
	e.touched = true
	if _, err := e.circuit.Command(ctx, e.command(i, p.Expected)); err != nil {
		return fmt.Errorf("the circuit did not take the point: %w", err)
	}
	after, err := e.read(ctx, p.Celsius)
	if err != nil {
		return fmt.Errorf("after the point was set: %w", err)
	}
	if limit := e.rules().far/5 + 0.25*math.Abs(p.Expected)*share(e.method); math.Abs(after-p.Expected) > limit {
		return refuse("not-taken", "step %s: after the point was set the circuit says %s where %s is right: do this step again", e.list[i].Name, short(after), short(p.Expected))
	}
	p.After = &after
	return nil
}

// share is how much of a value may be off right after a point: little where the circuit has a number to go by.
func share(m Method) float64 {
	if m == EZODO || m == EZOEC {
		return 1
	}
	return 0
}

func (e *ezoProbe) command(i int, expected float64) string {
	name := e.list[i].Name
	text := func(decimals int) string { return strconv.FormatFloat(expected, 'f', decimals, 64) }
	switch {
	case e.method == EZODO && name == "air":
		return "Cal"
	case e.method == EZODO:
		return "Cal,0"
	case name == "dry":
		return "Cal,dry"
	case e.method == EZOPH:
		return "Cal," + name + "," + text(2)
	case name == "low" || name == "high":
		return "Cal," + name + "," + text(0)
	case e.method == EZORTD:
		return "Cal," + text(2)
	}
	return "Cal," + text(0)
}

func (e *ezoProbe) undo(ctx context.Context) (string, error) {
	switch {
	case !e.touched:
		return "nothing was changed", nil
	case e.backup == nil:
		return "", refuse("kept", "the circuit cannot take its old calibration back and holds an unfinished one: calibrate it again")
	}
	for _, s := range e.backup {
		if _, err := e.circuit.Command(ctx, "Import,"+s); err != nil {
			return "", fmt.Errorf("the old calibration could not be brought back, calibrate again: %w", err)
		}
	}
	e.touched = false
	return "the circuit has its old calibration again", nil
}
