package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/mod/sumdb/note"

	"aovuon/server/desired"
	"aovuon/server/ingest"
	"aovuon/server/intake"
	"aovuon/server/release"
	"aovuon/server/web"
)

// holdFor is how long a batch waits for the one before it where an outside broker deals the batches of a gateway out to several processes:
// longer than a commit takes, shorter than gateways wait before they send again.
const holdFor = 500 * time.Millisecond

// openIngest makes the way from the broker to the log.
func (s *running) openIngest(e *env, signer note.Signer) error {
	metrics, err := ingest.NewMetrics(s.metrics)
	if err != nil {
		return err
	}
	if s.registry, err = ingest.NewRegistry(e.ctx, s.db, s.log); err != nil {
		return err
	}
	s.notebook = ingest.NewNotebook(s.db, s.registry, metrics, s.log)
	violation, err := violations(s.metrics, s.notebook, s.now)
	if err != nil {
		return err
	}
	if s.broker, err = openBroker(s.config, s.authority, s.now, gatewaySecrets{s.registry}, violation, s.log); err != nil {
		return err
	}
	s.closers = append(s.closers, s.broker.close)
	s.registry.OnRetired(func(name string) {
		s.broker.disconnect(name)
		if in := s.intakes; in != nil && in.devices != nil {
			if err := in.devices.Disconnect(name); err != nil {
				s.log.Debug("client was gone already", slog.String("intake", name), slog.Any("err", err))
			}
		}
	})
	s.outbox = desired.NewOutbox(s.db, s.broker.Send, s.log)
	var hold time.Duration
	if s.config.Broker.Outside != nil {
		hold = holdFor
	}
	s.ingest = ingest.New(ingest.Options{
		Hold: hold, Broker: s.broker, Log: s.db, Registry: s.registry, Notebook: s.notebook, Signer: signer, Metrics: metrics,
		Now: s.now, Logger: s.log, Committed: s.recent.Add, Online: s.outbox.Online, Traced: s.traced(),
	})
	return s.openIntakes()
}

// openWeb makes the pages and what watches over the server.
func (s *running) openWeb(e *env) (err error) {
	if err := s.openMetrics(); err != nil {
		return err
	}
	if s.homeAssistant, err = s.openHomeAssistant(); err != nil {
		return err
	}
	if s.traffic, err = newTraffic(s.metrics, s.tracer); err != nil {
		return err
	}
	stop := make(chan struct{}) // ends the live streams, which would hold up Shutdown
	h := http.NotFoundHandler()
	if s.config.office() {
		d := s.deps(stop) // with the desks, which also work without pages
		if s.config.has(roleWeb) {
			if s.pages, err = pages(d); err != nil {
				return err
			}
			h = s.pages
		}
	}
	figures := loopbackOnly(promhttp.HandlerFor(s.metrics, promhttp.HandlerOpts{}))
	enrol := h.ServeHTTP
	if s.config.has(roleWeb) {
		enrol = web.Watch(s.traffic, s.now, "/enrol", s.enrol.ServeHTTP)
	}
	told := h.ServeHTTP
	if s.config.has(roleIngest) {
		told = web.Watch(s.traffic, s.now, intake.Path, s.intakes.handler.ServeHTTP)
	}
	programs := h.ServeHTTP
	if s.config.has(roleWeb) {
		shelf, err := s.openReleases()
		if err != nil {
			return err
		}
		programs = web.Watch(s.traffic, s.now, release.Path, shelf.ServeHTTP)
	}
	// No http.ServeMux here: it would tidy the path of a malformed label into another one and redirect there.
	front := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		switch r.URL.Path {
		case "/metrics":
			figures.ServeHTTP(w, r)
		case "/enrol", "/rekey":
			enrol(w, r)
		case "/healthz":
			s.healthz(w, r)
		case "/readyz":
			s.readyz(w, r)
		default:
			if strings.HasPrefix(r.URL.Path, intake.Path) {
				told(w, r)
				return
			}
			if strings.HasPrefix(r.URL.Path, release.Path) {
				programs(w, r)
				return
			}
			h.ServeHTTP(w, r)
		}
	})
	s.web = &http.Server{
		Handler: front, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10,
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	context.AfterFunc(e.ctx, func() { close(stop) })
	return s.openTLS(e.ctx, s.authority, h)
}

// loopbackOnly hides h from all but this machine, and from those a proxy on this machine speaks for: it names them, or the host they asked for.
func loopbackOnly(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.RemoteAddr)
		addr, perr := netip.ParseAddr(host)
		if err != nil || perr != nil || !addr.IsLoopback() || !hereAlone(r.Host) {
			http.NotFound(w, r)
			return
		}
		for _, said := range []string{"X-Forwarded-For", "Forwarded", "X-Real-Ip", "X-Forwarded-Host", "Via"} {
			if r.Header.Get(said) != "" {
				http.NotFound(w, r)
				return
			}
		}
		h.ServeHTTP(w, r)
	})
}

// hereAlone reports whether a Host header means this machine: a loopback address, or a name without a domain. A proxy that passes on what it
// was asked for says the public name, and so does a page that had its own name lead here.
func hereAlone(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if addr, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return addr.IsLoopback()
	}
	return !strings.Contains(host, ".")
}

// serve answers requests until ctx ends, and then lets those under way finish for a moment.
func (s *running) serve(ctx context.Context) error {
	failed := make(chan error, 1)
	go func() {
		if s.web.TLSConfig != nil {
			failed <- s.web.ServeTLS(s.listener, "", "")
			return
		}
		failed <- s.web.Serve(s.listener)
	}()
	select {
	case err := <-failed:
		return fmt.Errorf("pages: %w", err)
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	err := s.web.Shutdown(last)
	if errors.Is(err, context.DeadlineExceeded) {
		err = s.web.Close()
	}
	if serr := <-failed; !errors.Is(serr, http.ErrServerClosed) {
		err = errors.Join(err, serr)
	}
	return err
}

// closeListener closes the listener that Serve may have closed already.
func (s *running) closeListener() error {
	if err := s.listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// watchdog tells systemd that the server is up, for as long as the log answers. Elsewhere than under systemd it does
// nothing.
func (s *running) watchdog(ctx context.Context) error {
	notify := func(state string) {
		if _, err := daemon.SdNotify(false, state); err != nil {
			s.log.Debug("systemd not told", slog.Any("err", err))
		}
	}
	notify(daemon.SdNotifyReady)
	defer func() {
		if !s.renewed.Load() { // the process stays
			notify(daemon.SdNotifyStopping)
		}
	}()
	every, err := daemon.SdWatchdogEnabled(false)
	if err != nil || every == 0 {
		<-ctx.Done()
		return nil
	}
	tick := time.NewTicker(every / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		ask, cancel := context.WithTimeout(ctx, every/3)
		if _, err := s.db.LogEnd(ask); err == nil {
			notify(daemon.SdNotifyWatchdog)
		}
		cancel()
	}
}
