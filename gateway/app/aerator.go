package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"text/tabwriter"
	"time"

	"aovuon/gateway/control"
	"aovuon/gateway/edge"
)

// aeratorCmd is `gateway aerator`.
type aeratorCmd struct {
	Aerator string        `arg:"" optional:"" help:"Id of the aerator; without it all are listed, and the alarms."`
	Mode    string        `arg:"" optional:"" help:"on or off: until the time is over. auto: the rules decide again."`
	For     time.Duration `default:"1h" help:"How long on or off holds, 1m to 24h."`
}

// word is a person's word as it crosses the control socket.
type word struct {
	Aerator string    `json:"aerator"`
	Mode    edge.Mode `json:"mode"`
	Seconds int64     `json:"seconds"`
}

// run talks to the gateway that works in the data folder.
func (c *aeratorCmd) run(ctx context.Context, path string, stdout io.Writer) error {
	cfg, err := load(path)
	if err != nil {
		return err
	}
	client := control.NewClient(cfg.DataDir)
	var s edge.Status
	switch {
	case c.Aerator == "":
		err = client.Call(ctx, http.MethodGet, "/v1/edge", nil, &s)
	case c.Mode == "":
		return errors.New("say what the aerator should do: on, off or auto")
	default:
		err = client.Call(ctx, http.MethodPost, "/v1/edge", word{c.Aerator, edge.Mode(c.Mode), int64(c.For / time.Second)}, &s)
	}
	if errors.Is(err, control.ErrNotRunning) {
		return fmt.Errorf("%w: the relays are switched by the running gateway; start it with: gateway run --config %s", err, path)
	}
	if err != nil {
		return err
	}
	return printEdge(stdout, s)
}

func printEdge(stdout io.Writer, s edge.Status) error {
	t := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	var errs []error
	say := func(format string, args ...any) {
		_, err := fmt.Fprintf(t, format, args...)
		errs = append(errs, err)
	}
	for _, a := range s.Aerators {
		command := "off"
		if a.Command {
			command = "on"
		}
		mode := string(a.Mode)
		if a.Mode != edge.Auto {
			mode += " for " + a.ModeLeft.Round(time.Second).String()
		}
		say("%s\tcommanded %s for %s\t%s\t%s\t%s\t%s\n", a.ID, command, a.Since.Round(time.Second), a.Cause, a.State, mode, a.Relay)
	}
	for _, a := range s.Alarms {
		state := "off"
		switch {
		case !a.Known:
			state = "not known yet"
		case a.On:
			state = "ON"
		}
		say("%s\talarm %s\t%s\t%s\n", a.ID, state, a.Sensor, a.Quantity)
	}
	if s.Sound > 0 {
		say("siren\tsounds for %s more: the server says so\n", s.Sound.Round(time.Second))
	}
	return errors.Join(append(errs, t.Flush())...)
}

// mountEdge lets the control socket show the rules and take a person's word.
func mountEdge(mux *http.ServeMux, rules *edge.Runner) {
	mux.Handle("GET /v1/edge", control.Handle(func(*http.Request) (any, error) { return rules.Status(), nil }))
	mux.Handle("POST /v1/edge", control.Handle(func(r *http.Request) (any, error) {
		var in word
		if err := control.Read(r, &in); err != nil {
			return nil, err
		}
		if in.Seconds < 0 || in.Seconds > int64(edge.MaxOverride/time.Second) {
			return nil, control.Refuse("duration", "for %v: write a time from 1m to %v", time.Duration(in.Seconds)*time.Second, edge.MaxOverride)
		}
		if err := rules.SetOverride(r.Context(), in.Aerator, in.Mode, time.Duration(in.Seconds)*time.Second); err != nil {
			return nil, control.Refuse("override", "%v", err)
		}
		return rules.Status(), nil
	}))
}
