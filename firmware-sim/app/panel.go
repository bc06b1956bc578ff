package app

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"aovuon/firmware-sim/control"
	"aovuon/firmware-sim/field"
	"aovuon/firmware-sim/ledger"
	"aovuon/firmware-sim/panel"
)

// panelFlags override where a field file says that its page is.
type panelFlags struct {
	Panel   string `help:"Show the page of the field here, such as 127.0.0.1:8070, in place of the file's panel; none: nowhere."`
	Product string `help:"Address of the server's pages, such as http://127.0.0.1:8080, in place of the file's product."`
}

func (p panelFlags) into(cfg *field.Config) {
	if p.Panel != "" {
		cfg.Panel = p.Panel
	}
	if p.Panel == "none" {
		cfg.Panel = ""
	}
	if p.Product != "" {
		cfg.Product = p.Product
	}
}

// withPanel has serve run, and beside it the page of the field, if its file names an address. seen is what the field records to.
func (e *env) withPanel(cfg field.Config, f *field.Field, seen *ledger.Newest, serve func(ctx context.Context) error) error {
	if cfg.Panel == "" {
		return serve(e.ctx)
	}
	o := panel.Options{Field: f, Desk: f.Desk(), Answers: seen, Speed: cfg.Speed, Said: panel.NewLog(), Log: e.log, Now: time.Now}
	f.Desk().Watch(func(t control.Told) { o.Said.Note(time.Now(), t) })
	if cfg.Product != "" {
		server, err := panel.NewServer(cfg.Product, time.Now)
		if err != nil {
			return err
		}
		defer server.Close()
		o.Product = server
	}
	if name, err := os.Hostname(); err == nil {
		o.Hosts = append(o.Hosts, name)
	}
	page, err := panel.New(o)
	if err != nil {
		return err
	}
	var lc net.ListenConfig
	l, err := lc.Listen(e.ctx, "tcp", cfg.Panel)
	if err != nil {
		return fmt.Errorf("the field's page cannot listen on %s: %w: stop what listens there, or choose another address with panel in the field file or --panel", cfg.Panel, err)
	}
	if a, ok := l.Addr().(*net.TCPAddr); ok && !a.IP.IsLoopback() {
		e.log.Warn("the field's page is open to the network: whoever reaches it can do anything to the field", slog.String("address", l.Addr().String()))
	}
	e.log.Info("the field's own page", slog.String("address", "http://"+l.Addr().String()))
	g, ctx := errgroup.WithContext(e.ctx)
	g.Go(func() error { return page.Serve(ctx, l) })
	g.Go(func() error { return serve(ctx) })
	return g.Wait()
}
