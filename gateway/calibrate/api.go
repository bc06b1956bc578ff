package calibrate

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"aovuon/gateway/control"
)

// longest is how long a request for a state waits for a new one.
const longest = 20 * time.Second

// Mount serves a Desk on the control socket: FORMAT.md lists the paths.
func Mount(mux *http.ServeMux, d *Desk) {
	handle := func(pattern string, f func(r *http.Request) (any, error)) {
		mux.Handle(pattern, control.Handle(func(r *http.Request) (any, error) {
			v, err := f(r)
			return v, crossing(err)
		}))
	}
	handle("GET /v1/calibrations", func(*http.Request) (any, error) { return targets{d.Targets()}, nil })
	handle("GET /v1/calibrations/{sensor}/history", func(r *http.Request) (any, error) {
		return history{d.History(r.PathValue("sensor"))}, nil
	})
	handle("POST /v1/calibrations", func(r *http.Request) (any, error) {
		var b Begin
		if err := control.Read(r, &b); err != nil {
			return nil, err
		}
		return d.Begin(r.Context(), b)
	})
	handle("GET /v1/calibrations/{sensor}", func(r *http.Request) (any, error) {
		after, err := strconv.Atoi(r.FormValue("after"))
		if r.FormValue("after") == "" {
			after, err = 0, nil
		}
		if err != nil {
			return nil, refuse("malformed", "after: want the version of a state")
		}
		ctx, cancel := context.WithTimeout(r.Context(), longest)
		defer cancel()
		return d.State(ctx, r.PathValue("sensor"), after)
	})
	handle("POST /v1/calibrations/{sensor}/answer", func(r *http.Request) (any, error) {
		var a Answer
		if err := control.Read(r, &a); err != nil {
			return nil, err
		}
		return d.Answer(r.Context(), r.PathValue("sensor"), a)
	})
	handle("POST /v1/calibrations/{sensor}/finish", func(r *http.Request) (any, error) {
		var f finish
		if err := control.Read(r, &f); err != nil {
			return nil, err
		}
		// Who asked may go away; what was asked is done.
		return d.Finish(context.WithoutCancel(r.Context()), r.PathValue("sensor"), f.Note)
	})
	handle("POST /v1/calibrations/{sensor}/abort", func(r *http.Request) (any, error) {
		return d.Abort(context.WithoutCancel(r.Context()), r.PathValue("sensor"))
	})
}

type targets struct {
	Targets []Target `json:"targets"`
}

type history struct {
	Records []Record `json:"records"`
}

type finish struct {
	Note string `json:"note"`
}

// crossing gives a refusal the form in which it crosses the socket.
func crossing(err error) error {
	r, ok := errors.AsType[*Refusal](err)
	if !ok {
		return err
	}
	status := http.StatusBadRequest
	switch r.Code {
	case "unknown", "none":
		status = http.StatusNotFound
	case "busy", "over", "step":
		status = http.StatusConflict
	case "kept":
		status = http.StatusInternalServerError
	}
	return &control.Error{Code: r.Code, Text: err.Error(), Status: status}
}

// Client is a Desk in another process: the methods do and refuse the same.
type Client struct{ control *control.Client }

// NewClient returns a Client of the gateway behind c.
func NewClient(c *control.Client) *Client { return &Client{control: c} }

// call asks and turns a refusal back into what it was.
func (c *Client) call(ctx context.Context, method, path string, in, out any) error {
	err := c.control.Call(ctx, method, path, in, out)
	if e, ok := errors.AsType[*control.Error](err); ok && e.Code != "failed" {
		return &Refusal{Code: e.Code, Text: e.Text}
	}
	return err
}

func path(sensor, what string) string { return "/v1/calibrations/" + url.PathEscape(sensor) + what }

// Targets is Desk.Targets.
func (c *Client) Targets(ctx context.Context) ([]Target, error) {
	var t targets
	err := c.call(ctx, http.MethodGet, "/v1/calibrations", nil, &t)
	return t.Targets, err
}

// Begin is Desk.Begin.
func (c *Client) Begin(ctx context.Context, b Begin) (st State, err error) {
	err = c.call(ctx, http.MethodPost, "/v1/calibrations", b, &st)
	return st, err
}

// State is Desk.State; it may return an old state after a while, so callers loop.
func (c *Client) State(ctx context.Context, sensor string, after int) (st State, err error) {
	err = c.call(ctx, http.MethodGet, path(sensor, "?after="+strconv.Itoa(after)), nil, &st)
	return st, err
}

// Answer is Desk.Answer.
func (c *Client) Answer(ctx context.Context, sensor string, a Answer) (st State, err error) {
	err = c.call(ctx, http.MethodPost, path(sensor, "/answer"), a, &st)
	return st, err
}

// Finish is Desk.Finish.
func (c *Client) Finish(ctx context.Context, sensor, note string) (st State, err error) {
	err = c.call(ctx, http.MethodPost, path(sensor, "/finish"), finish{Note: note}, &st)
	return st, err
}

// Abort is Desk.Abort.
func (c *Client) Abort(ctx context.Context, sensor string) (st State, err error) {
	err = c.call(ctx, http.MethodPost, path(sensor, "/abort"), struct{}{}, &st)
	return st, err
}
