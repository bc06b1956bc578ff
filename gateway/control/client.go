package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"syscall"
)

// ErrNotRunning says that no gateway answers: there is no socket, or nobody on it.
var ErrNotRunning = errors.New("no gateway is running here")

// Client asks the gateway whose data folder it was made for.
type Client struct {
	http *http.Client
	dir  string
}

// NewClient returns a Client of the gateway that works in the data folder dir. It opens nothing.
func NewClient(dir string) *Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		path, done, err := address(dir)
		if err != nil {
			return nil, err
		}
		var d net.Dialer
		conn, err := d.DialContext(ctx, "unix", path)
		return conn, errors.Join(err, done())
	}
	return &Client{http: &http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}, dir: dir}
}

// Call asks and takes the answer into out, which may be nil. in is nil for GET. A refusal is an *Error; ErrNotRunning says
// that nobody answers at all.
func (c *Client) Call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader = http.NoBody
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("control: %w", err)
		}
		body = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://gateway"+path, body)
	if err != nil {
		return fmt.Errorf("control: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.http.Do(req)
	switch {
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("control: %s: %w (%w)", c.dir, ErrNotRunning, err)
	case err != nil:
		return fmt.Errorf("control: %s: %w", c.dir, err)
	}
	return errors.Join(read(resp, out), resp.Body.Close())
}

func read(resp *http.Response, out any) error {
	const most = 16 * maxBody // lists of sensors are longer than any request
	raw, err := io.ReadAll(io.LimitReader(resp.Body, most))
	if err != nil {
		return fmt.Errorf("control: answer: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		var refusal struct {
			Error *Error `json:"error"`
		}
		if err := json.Unmarshal(raw, &refusal); err != nil || refusal.Error == nil {
			return fmt.Errorf("control: the gateway answers %s: %.200q", resp.Status, raw)
		}
		refusal.Error.Status = resp.StatusCode
		return refusal.Error
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(raw, out); err != nil {
		return fmt.Errorf("control: answer: %w", err)
	}
	return nil
}
