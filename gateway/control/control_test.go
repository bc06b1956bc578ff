package control_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"aovuon/gateway/control"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type echo struct {
	Word string `json:"word"`
}

// serve answers in dir until the returned function was called.
func serve(t *testing.T, dir string) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	l, err := control.Listen(ctx, dir)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("POST /v1/echo", control.Handle(func(r *http.Request) (any, error) {
		var in echo
		if err := control.Read(r, &in); err != nil {
			return nil, err
		}
		if in.Word == "" {
			return nil, control.Refuse("silent", "say a word")
		}
		return in, nil
	}))
	mux.Handle("GET /v1/wait", control.Handle(func(r *http.Request) (any, error) {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}))
	mux.Handle("/", control.NotFound())
	done := make(chan error, 1)
	go func() { done <- l.Serve(ctx, mux) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func TestControl_AsksAndAnswers(t *testing.T) {
	deep := filepath.Join(t.TempDir(), strings.Repeat("a-folder-with-a-long-name/", 6))
	if err := os.MkdirAll(deep, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, dir := range map[string]string{"short path": t.TempDir(), "path beyond a socket's address": deep} {
		stop := serve(t, dir)
		c := control.NewClient(dir)
		var out echo
		if err := c.Call(t.Context(), "POST", "/v1/echo", echo{"ao"}, &out); err != nil || out.Word != "ao" {
			t.Errorf("%s: %+v, %v", name, out, err)
		}
		if info, err := os.Stat(filepath.Join(dir, control.Name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: socket: %v, %v; want mode 0600", name, info, err)
		}
		stop()
		if err := c.Call(t.Context(), "POST", "/v1/echo", echo{"ao"}, nil); !errors.Is(err, control.ErrNotRunning) {
			t.Errorf("%s: after the end: %v", name, err)
		}
	}
}

func TestControl_RefusalsCrossTheSocket(t *testing.T) {
	dir := t.TempDir()
	defer serve(t, dir)()
	c := control.NewClient(dir)
	for name, tc := range map[string]struct {
		path   string
		in     any
		code   string
		status int
	}{
		"a refusal":       {"/v1/echo", echo{}, "silent", 400},
		"an unknown path": {"/v1/fly", echo{"x"}, "unknown", 404},
		"a misspelt key":  {"/v1/echo", map[string]string{"wrod": "x"}, "malformed", 400},
		"too long":        {"/v1/echo", echo{strings.Repeat("x", 70_000)}, "malformed", 400},
		"a list":          {"/v1/echo", []int{1}, "malformed", 400},
	} {
		err := c.Call(t.Context(), "POST", tc.path, tc.in, nil)
		if e, ok := errors.AsType[*control.Error](err); !ok || e.Code != tc.code || e.Status != tc.status || e.Text == "" {
			t.Errorf("%s: %#v; want %s, %d", name, err, tc.code, tc.status)
		}
	}
}

func TestControl_AWaitingRequestDoesNotHoldUpTheEnd(t *testing.T) {
	dir := t.TempDir()
	stop := serve(t, dir)
	asked := make(chan error, 1)
	go func() { asked <- control.NewClient(dir).Call(t.Context(), "GET", "/v1/wait", nil, nil) }()
	// The request is under way once the socket has taken it; either way the end must come.
	stop()
	if err := <-asked; err == nil {
		t.Error("a request that was cut short has no answer")
	}
}

func TestListen_ReplacesWhatAKilledGatewayLeft(t *testing.T) {
	dir := t.TempDir()
	var lc net.ListenConfig
	left, err := lc.Listen(t.Context(), "unix", filepath.Join(dir, control.Name))
	if err != nil {
		t.Fatal(err)
	}
	left.(*net.UnixListener).SetUnlinkOnClose(false)
	if err := left.Close(); err != nil {
		t.Fatal(err)
	}
	if err := control.NewClient(dir).Call(t.Context(), "GET", "/", nil, nil); !errors.Is(err, control.ErrNotRunning) {
		t.Errorf("on a dead socket: %v", err)
	}
	serve(t, dir)()
}

func TestListen_LeavesWhatIsNoSocket(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, control.Name), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := control.Listen(t.Context(), dir); err == nil || !strings.Contains(err.Error(), "move it away") {
		t.Errorf("Listen = %v", err)
	}
}
