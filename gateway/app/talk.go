package app

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"aovuon/gateway/calibrate"
)

// desk is where calibrations are done: in this process, or in the gateway behind the control socket.
type desk interface {
	Begin(ctx context.Context, b calibrate.Begin) (calibrate.State, error)
	State(ctx context.Context, sensor string, after int) (calibrate.State, error)
	Answer(ctx context.Context, sensor string, a calibrate.Answer) (calibrate.State, error)
	Finish(ctx context.Context, sensor, note string) (calibrate.State, error)
	Abort(ctx context.Context, sensor string) (calibrate.State, error)
}

// talk leads a person, or a script, through a calibration.
type talk struct {
	cmd  *calibrateCmd
	desk desk
	in   *lines
	out  *printer
}

// errStopped says that a person wants no more.
var errStopped = errors.New("stopped")

func (t *talk) run(ctx context.Context) error {
	if err := t.askWho(ctx); err != nil {
		return err
	}
	st, err := t.desk.Begin(ctx, t.cmd.begin())
	if err != nil && ctx.Err() != nil { // it may have begun all the same
		return t.abort(ctx, ctx.Err())
	}
	if err != nil {
		return err
	}
	t.out.line("Calibrating %s (%s) by %s. Its readings count as none until this is over. q or Ctrl-C stops.", st.Sensor, st.Quantity, st.Method)
	for _, n := range st.Notes {
		t.out.line("Note: %s.", n)
	}
	st, err = t.steps(ctx, st)
	if err == nil {
		err = t.finish(ctx, st)
	}
	if err == nil || errors.Is(err, errKept) {
		return err
	}
	return t.abort(ctx, err)
}

func (t *talk) askWho(ctx context.Context) error {
	if t.cmd.Who != "" {
		return nil
	}
	if t.cmd.Yes {
		return errors.New("who does it? write --who NAME: it stands in the record")
	}
	name, err := t.ask(ctx, "Who does it (name or pseudonym; it is signed with the record and kept)? ")
	t.cmd.Who = name
	return err
}

// abort tells what became of the probe, also after Ctrl-C.
func (t *talk) abort(ctx context.Context, cause error) error {
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	st, err := t.desk.Abort(last, t.cmd.Sensor)
	if err != nil {
		return fmt.Errorf("%w; not undone: %w", cause, err)
	}
	t.out.line("Aborted: %s.", st.Problem)
	if errors.Is(cause, context.Canceled) {
		cause = errStopped
	}
	return cause
}

// steps does one step after the other until none is left.
func (t *talk) steps(ctx context.Context, st calibrate.State) (calibrate.State, error) {
	if err := t.cmd.checkPoints(st.Steps); err != nil {
		return st, err
	}
	for {
		step, ok := st.Step()
		if !ok {
			return st, nil
		}
		a, err := t.answer(ctx, step, st)
		if err != nil {
			return st, err
		}
		next, err := t.desk.Answer(ctx, st.Sensor, a)
		if refusal, ok := errors.AsType[*calibrate.Refusal](err); ok && !t.cmd.Yes && refusal.Code != "none" && refusal.Code != "over" {
			t.out.line("  %v", err)
			continue
		}
		if err != nil {
			return st, err
		}
		if st, err = t.watch(ctx, next); err != nil {
			return st, err
		}
		if st.Problem != "" {
			if t.cmd.Yes {
				return st, errors.New(st.Problem)
			}
			t.out.line("  Not taken: %s", st.Problem)
			continue
		}
		t.tell(st, step, a)
	}
}

// tell says what a step came to.
func (t *talk) tell(st calibrate.State, step calibrate.Step, a calibrate.Answer) {
	if a.Skip || len(st.Points) == 0 {
		return
	}
	p := st.Points[len(st.Points)-1]
	text := fmt.Sprintf("  %s: steady at %s, %s is right", step.Name, num(p.Before), num(p.Expected))
	if p.Celsius != nil {
		text += fmt.Sprintf(" at %s °C (%s)", num(*p.Celsius), p.CelsiusFrom)
	}
	if p.After != nil {
		text += "; now " + num(*p.After)
	}
	t.out.line("%s.", text)
	if p.Expired {
		t.out.line("  The bottle is past its date: the record says so.")
	}
}

// watch shows readings until the step is over.
func (t *talk) watch(ctx context.Context, st calibrate.State) (calibrate.State, error) {
	for st.Phase == calibrate.Measuring {
		next, err := t.desk.State(ctx, st.Sensor, st.Version)
		if err != nil {
			return st, err
		}
		if ctx.Err() != nil {
			return st, ctx.Err()
		}
		if n := len(next.Readings); n > 0 && next.Version != st.Version && next.Phase == calibrate.Measuring {
			t.out.line("  %s   (moves by %s, %s is steady)", num(next.Readings[n-1]), num(next.Spread), num(next.Limit))
		}
		st = next
	}
	if st.Phase == calibrate.Aborted || st.Phase == calibrate.Done {
		return st, errors.New("somebody else ended this calibration")
	}
	return st, nil
}

// answer makes the answer to a step of the flags, or asks for it.
func (t *talk) answer(ctx context.Context, step calibrate.Step, st calibrate.State) (calibrate.Answer, error) {
	a := calibrate.Answer{Step: step.Name, Celsius: t.cmd.Celsius}
	value, named, err := t.cmd.valueFor(step, st.Steps)
	if err != nil {
		return a, err
	}
	a.Value = value
	if step.Buffer {
		a.Lot, a.Expiry = pick(t.cmd.Lot, step, st.Steps), pick(t.cmd.Expiry, step, st.Steps)
	}
	if t.cmd.Yes {
		a.Skip = step.Optional && !named
		return a, nil
	}
	t.out.line("\n%d of %d, %s: %s", st.At+1, len(st.Steps), step.Name, step.Text)
	return a, t.complete(ctx, step, &a)
}

// complete asks a person for what the flags do not say.
func (t *talk) complete(ctx context.Context, step calibrate.Step, a *calibrate.Answer) error {
	hint := "Enter when the probe is there"
	if step.Optional {
		hint += ", s to skip"
	}
	said, err := t.ask(ctx, hint+": ")
	if err != nil {
		return err
	}
	if step.Optional && strings.EqualFold(said, "s") {
		a.Skip = true
		return nil
	}
	if step.Asks != "" && a.Value == nil {
		prompt := fmt.Sprintf("Value (%s", step.Asks)
		if step.Nominal != nil {
			prompt += "; Enter for " + num(*step.Nominal)
		}
		if a.Value, err = t.askNumber(ctx, prompt+"): "); err != nil {
			return err
		}
	}
	if step.Celsius && a.Celsius == nil {
		if a.Celsius, err = t.askNumber(ctx, "Temperature in °C by hand (Enter where a thermometer of the gateway is in the same bottle): "); err != nil {
			return err
		}
	}
	if step.Buffer && a.Lot == "" {
		if a.Lot, err = t.ask(ctx, "Lot on the bottle (Enter for none): "); err != nil {
			return err
		}
	}
	if step.Buffer && a.Expiry == "" {
		a.Expiry, err = t.ask(ctx, "Expiry on the bottle, YYYY-MM (Enter for none): ")
	}
	return err
}

// errKept says that the calibration is kept, and that the probe is bad.
var errKept = errors.New("the probe is bad: its values count as uncalibrated")

// finish shows the verdict and keeps the calibration.
func (t *talk) finish(ctx context.Context, st calibrate.State) error {
	t.out.line("\nVerdict: %s.", st.Verdict)
	if st.Slope != nil {
		t.out.line("  slope %s %%", num(*st.Slope))
	}
	if st.Offset != nil {
		t.out.line("  offset %s %s", num(*st.Offset), st.OffsetIn)
	}
	for _, r := range st.Reasons {
		t.out.line("  %s", r)
	}
	note := t.cmd.Note
	if !t.cmd.Yes {
		keep, err := t.ask(ctx, "Keep this calibration? [Y/n] ")
		if err != nil {
			return err
		}
		if strings.HasPrefix(strings.ToLower(keep), "n") {
			return errStopped
		}
		if note == "" {
			if note, err = t.ask(ctx, "A note for the record (Enter for none): "); err != nil {
				return err
			}
		}
	}
	st, err := t.desk.Finish(ctx, st.Sensor, note)
	if err != nil {
		return err
	}
	t.out.line("Kept: record %s of %s.", st.Record.ID, st.Record.Who)
	if st.Record.Due != nil {
		t.out.line("Due again on %s.", dayOf(st.Record.Due))
	}
	if st.Unspooled {
		t.out.line("The disk does not take the record for the server now; it is handed over at the gateway's next start.")
	}
	if st.Record.Verdict == calibrate.Bad {
		return errKept
	}
	return nil
}

func num(v float64) string { return strconv.FormatFloat(math.Round(v*1000)/1000, 'f', -1, 64) }

// ask prints a question and waits for a line; q stops.
func (t *talk) ask(ctx context.Context, question string) (string, error) {
	t.out.text(question)
	if t.out.err != nil {
		return "", t.out.err
	}
	said, err := t.in.next(ctx)
	if err != nil {
		return "", err
	}
	if said = strings.TrimSpace(said); strings.EqualFold(said, "q") {
		return "", errStopped
	}
	return said, nil
}

func (t *talk) askNumber(ctx context.Context, question string) (*float64, error) {
	for {
		said, err := t.ask(ctx, question)
		if err != nil || said == "" {
			return nil, err
		}
		v, err := strconv.ParseFloat(strings.Replace(said, ",", ".", 1), 64)
		if err == nil {
			return &v, nil
		}
		t.out.line("  %q is no number.", said)
	}
}
