package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"golang.org/x/sync/errgroup"

	"aovuon/gateway/status"
	"aovuon/gateway/uplink"
	"aovuon/gateway/wire"
)

// claimListen is where a gateway that is not enrolled shows its page, unless status.listen names another place.
const claimListen = "0.0.0.0:8081"

// awaitEnrolment shows the page that takes a claim until this gateway is enrolled: by that page, or by gateway enrol beside it. It returns at
// once where it is, and also where the file is not right, which run says better. enrolled is false when ctx was done first.
func awaitEnrolment(ctx context.Context, path string, log *slog.Logger) (enrolled bool, err error) {
	cfg, err := load(path)
	if err != nil || cfg.enrolled() {
		return true, nil
	}
	if err := os.MkdirAll(cfg.DataDir, 0o700); err != nil {
		return false, fmt.Errorf("app: data folder: %w", err)
	}
	pin, err := ensurePIN(cfg.Status.PINFile)
	if err != nil {
		return false, err
	}
	listen := cfg.Status.Listen
	if listen == "" {
		listen = claimListen
	}
	log.Warn("not enrolled: nothing is measured yet. A claim is waited for: the page, a USB stick or gateway enrol", slog.String("gateway", cfg.Gateway), slog.String("listen", listen))
	group, waiting := errgroup.WithContext(ctx)
	waiting, came := context.WithCancel(waiting)
	defer came()
	group.Go(func() error {
		persist(waiting, func(ctx context.Context) error { return serveClaim(ctx, cfg, pin, listen, log, came) }, func(err error) {
			log.Error("the page that takes a claim cannot be shown", slog.String("listen", listen), slog.Any("err", err))
		})
		return nil
	})
	group.Go(func() error { return beat(waiting) })
	group.Go(func() error {
		defer came()
		tick := time.NewTicker(fileEvery)
		defer tick.Stop()
		for !isEnrolled(path) {
			select {
			case <-waiting.Done():
				return nil
			case <-tick.C:
			}
		}
		return nil
	})
	err = group.Wait()
	return ctx.Err() == nil && isEnrolled(path), err
}

// isEnrolled reports whether the file is right and names a server.
func isEnrolled(path string) bool {
	cfg, err := load(path)
	return err == nil && cfg.enrolled()
}

// beat tells systemd that the program waits as it should.
func beat(ctx context.Context) error {
	if err := notify(daemon.SdNotifyReady + "\nSTATUS=not enrolled: waits for a claim"); err != nil {
		return fmt.Errorf("app: systemd: %w", err)
	}
	every, err := daemon.SdWatchdogEnabled(false)
	if err != nil || every <= 0 {
		<-ctx.Done()
		return err
	}
	t := time.NewTicker(every / 2)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
			if err := notify(daemon.SdNotifyWatchdog); err != nil {
				return fmt.Errorf("app: systemd: %w", err)
			}
		}
	}
}

func serveClaim(ctx context.Context, cfg *Config, pin, listen string, log *slog.Logger, came func()) error {
	host, err := os.Hostname()
	if err != nil {
		host = "" // then the page is asked for by its address
	}
	page, err := status.NewClaim(status.ClaimOptions{
		Gateway: cfg.Gateway, Version: version(), PIN: pin, Hosts: []string{host, cfg.Gateway}, Now: time.Now, Log: log,
		Enrol: func(ctx context.Context, claim, server string) (string, error) {
			server, err := enrolByPage(ctx, cfg.path, enrolFlags{Claim: claim, Server: server})
			if err == nil {
				came() // the page's last answer is still waited for
			}
			return server, err
		},
	})
	if err != nil {
		return err
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", listen)
	if err != nil {
		return fmt.Errorf("app: %w: free the port, or name another as status.listen", err)
	}
	log.Info("page that takes a claim", slog.String("url", "http://"+l.Addr().String()+"/"))
	return page.Serve(ctx, l)
}

// enrolByPage is enrol with errors that the page has words for.
func enrolByPage(ctx context.Context, path string, f enrolFlags) (server string, err error) {
	claim, err := f.claim()
	switch {
	case errors.Is(err, errNoServer):
		return "", fmt.Errorf("%w: %w", status.ErrNoServer, err)
	case errors.Is(err, wire.ErrClaim):
		return "", fmt.Errorf("%w: %w", status.ErrBadClaim, err)
	case err != nil:
		return "", fmt.Errorf("%w: %w", status.ErrNoServer, err)
	}
	// A phone that goes to sleep must not leave a claim used up and its answer unread.
	ctx = context.WithoutCancel(ctx)
	_, _, err = enrolWith(ctx, path, claim)
	var network *url.Error
	switch {
	case errors.Is(err, errAnswered):
		err = fmt.Errorf("%w: %w", status.ErrRefused, err)
	case errors.Is(err, errImpostor):
		err = fmt.Errorf("%w: %w", status.ErrImpostor, err)
	case uplink.CauseOf(err) == uplink.NoNetwork:
		err = fmt.Errorf("%w: %w", status.ErrNoNetwork, err)
	case errors.Is(err, errBusy):
		err = fmt.Errorf("%w: %w", status.ErrBusy, err)
	case errors.Is(err, errElsewhere):
		err = fmt.Errorf("%w: %w", status.ErrElsewhere, err)
	case errors.As(err, &network) || errors.Is(err, io.ErrUnexpectedEOF):
		err = fmt.Errorf("%w: %w", status.ErrUnreachable, err)
	}
	return claim.Server, err
}
