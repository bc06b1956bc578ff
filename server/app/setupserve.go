package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"aovuon/server/setup"
	"aovuon/server/web"
)

// say prints a link to the page.
func (s *setupDesk) say() error {
	token, err := s.store.NewLink()
	if err != nil {
		return err
	}
	return printSetupLinks(s.e.stdout, s.listen, token)
}

// alive tells systemd that this is as it should be.
func (s *setupDesk) alive() (stop func()) {
	notify := func(state string) {
		if _, err := daemon.SdNotify(false, state); err != nil {
			s.e.log.Debug("systemd not told", slog.Any("err", err))
		}
	}
	notify(daemon.SdNotifyReady)
	every, err := daemon.SdWatchdogEnabled(false)
	if err != nil || every == 0 {
		return func() {}
	}
	tick, end := time.NewTicker(every/3), make(chan struct{})
	var done sync.WaitGroup
	done.Go(func() {
		for {
			select {
			case <-end:
				return
			case <-tick.C:
				notify(daemon.SdNotifyWatchdog)
			}
		}
	})
	return func() { tick.Stop(); close(end); done.Wait() }
}

// open begins to serve, unless that is done already.
func (s *setupDesk) open(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.http != nil {
		return nil
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", s.listen)
	if err != nil {
		return fmt.Errorf("setup page: %w: is another program there? set setup_listen in %s", err, s.e.config)
	}
	at := l.Addr().String()
	if err := s.store.Change(func(st *setup.State) error { st.Listen = at; return nil }); err != nil {
		return errors.Join(err, l.Close())
	}
	s.listen = at
	h, err := web.NewInstall(web.InstallOptions{Desk: s, Now: s.e.now, Log: s.e.log})
	if err != nil {
		return errors.Join(err, l.Close())
	}
	srv := &http.Server{
		Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: time.Minute, IdleTimeout: 30 * time.Second, MaxHeaderBytes: 16 << 10,
		ErrorLog: slog.NewLogLogger(s.e.log.Handler(), slog.LevelDebug),
	}
	ended := make(chan struct{})
	s.http, s.ended = srv, ended
	go func() {
		defer close(ended)
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.e.log.Error("setup page", slog.Any("err", err))
		}
	}()
	s.e.log.Info("setup page", slog.String("address", s.listen))
	return nil
}

// close ends serving, once answers under way are out.
func (s *setupDesk) close() {
	s.mu.Lock()
	srv, ended := s.http, s.ended
	s.http = nil
	s.mu.Unlock()
	if srv == nil {
		return
	}
	last, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if err := srv.Shutdown(last); err != nil {
		if err := srv.Close(); err != nil {
			s.e.log.Debug("setup page", slog.Any("err", err))
		}
	}
	<-ended
}

// makeWay lets the port go that the server wants to have.
func (s *setupDesk) makeWay(c Config) {
	wanted := []string{c.Listen, c.TLS.Redirect}
	if e := c.Broker.Embedded; e != nil {
		wanted = append(wanted, e.Listen)
	}
	_, ours, err := net.SplitHostPort(s.listen)
	for _, addr := range wanted {
		if _, port, aerr := net.SplitHostPort(addr); err == nil && aerr == nil && port == ours {
			s.close()
		}
	}
}

// printSetupLinks prints the ways to the setup page.
func printSetupLinks(w io.Writer, listen, token string) error {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return err
	}
	hosts := []string{host}
	if a, err := netip.ParseAddr(host); host == "" || err == nil && a.IsUnspecified() {
		hosts = ownHosts()
	}
	if len(hosts) == 0 {
		hosts = []string{"localhost"}
	}
	var text strings.Builder
	text.WriteString("\nThis server is not set up yet. Open one of these in a browser of the same network, within 24 hours; the first browser that does has it:\n")
	for _, h := range hosts {
		text.WriteString("  http://" + net.JoinHostPort(h, port) + "/setup/" + token + "\n")
	}
	_, err = io.WriteString(w, text.String())
	return err
}

// hostOf is a host with the port of a listener, where that is not the one browsers take for http.
func hostOf(host, listen string) string {
	if _, port, err := net.SplitHostPort(listen); err == nil && port != "80" {
		return net.JoinHostPort(host, port)
	}
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}

// ownHosts are what this machine may be called by, in the order people should choose.
func ownHosts() (out []string) {
	if list, err := setup.OwnAddresses(); err == nil {
		for _, a := range list {
			if a.Is4() {
				out = append(out, a.String())
			}
		}
	}
	if h, err := os.Hostname(); err == nil && h != "" && !strings.Contains(h, ".") {
		out = append(out, strings.ToLower(h)+".local")
	}
	return out
}
