package control

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"golang.org/x/sync/errgroup"
)

// Listener is the open socket.
type Listener struct {
	net    net.Listener
	path   string
	closed func() error
}

// Listen opens the socket in the data folder dir, in place of one that a killed gateway left. The caller holds the lock of
// the folder.
func Listen(ctx context.Context, dir string) (*Listener, error) {
	path, done, err := address(dir)
	if err != nil {
		return nil, fmt.Errorf("control: socket in %s: %w", dir, err)
	}
	if err := clearStale(path); err != nil {
		return nil, errors.Join(fmt.Errorf("control: socket in %s: %w", dir, err), done())
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "unix", path)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("control: socket in %s: %w", dir, err), done())
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("control: socket in %s: %w", dir, err), l.Close(), done())
	}
	return &Listener{net: l, path: path, closed: done}, nil
}

// finish bounds how long requests under way may take once the program was told to stop.
const finish = 5 * time.Second

// Serve answers with h until ctx is done, then lets requests under way end, removes the socket and returns nil. Requests
// run under ctx: a handler that waits must watch its request's context.
func (l *Listener) Serve(ctx context.Context, h http.Handler) error {
	srv := &http.Server{
		Handler: http.MaxBytesHandler(h, maxBody), ReadHeaderTimeout: 5 * time.Second,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	var g errgroup.Group
	g.Go(func() error {
		<-ctx.Done()
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), finish)
		defer cancel()
		if err := srv.Shutdown(last); err != nil {
			return errors.Join(err, srv.Close())
		}
		return nil
	})
	err := srv.Serve(l.net)
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	if ctx.Err() == nil { // the socket broke by itself: nobody ends the other goroutine
		return errors.Join(fmt.Errorf("control: %w", err), srv.Close(), l.closed())
	}
	if err := errors.Join(err, g.Wait(), l.closed()); err != nil {
		return fmt.Errorf("control: %w", err)
	}
	return nil
}
