package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"

	"aovuon/gateway/wire"
	"aovuon/server/pki"
	"aovuon/server/setup"
	"aovuon/server/web"
)

// setupStays is how long the setup's address leads on to the new one after the server has started.
const setupStays = 30 * time.Minute

// setupNeeded reports whether the setup page is still to be finished. A data folder with a key and no state of a setup is that of a server which
// was made by hand, or put back from a backup.
func (c *Config) setupNeeded(store *setup.Store) (bool, error) {
	if !c.Setup {
		return false, nil
	}
	st, found, err := store.Read()
	return err == nil && st.Done.IsZero() && (found || !exists(c.keyFile())), err
}

// setupDesk serves the setup page, and stands between it and the server that comes of it. It implements web.Installer.
type setupDesk struct {
	e      *env
	store  *setup.Store
	world  setup.World
	listen string

	finished chan struct{} // told when the page was finished

	mu    sync.Mutex
	phase web.InstallPhase
	link  string // where to go on
	first bool   // an admin is to be made there
	c     Config // of the server that runs
	http  *http.Server
	ended chan struct{} // closed when http has ended
}

// newSetupDesk returns the desk of a configuration that asks for the page.
func newSetupDesk(e *env, c Config) (*setupDesk, error) {
	if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	return &setupDesk{
		e: e, store: setup.NewStore(c.DataDir, e.now), world: setup.ThisWorld(e.now), listen: c.SetupListen,
		finished: make(chan struct{}, 1), phase: web.InstallFilling,
	}, nil
}

// fill serves the page until it was finished, or ctx ends.
func (s *setupDesk) fill(ctx context.Context) error {
	if err := s.open(ctx); err != nil {
		return err
	}
	if err := s.say(); err != nil {
		return err
	}
	stop := s.alive()
	defer stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-s.finished:
		return nil
	}
}

// loadDespite is LoadConfig for those who mend what the setup page settled: where that cannot be used, the configuration without it, and why; "" where all is well.
func loadDespite(path string) (c Config, why string, err error) {
	c, err = LoadConfig(path)
	if err == nil {
		return c, "", nil
	}
	c, without := loadConfig(path, &setup.Settings{})
	if without != nil || !c.Setup {
		return c, "", err // the file itself is wrong
	}
	return c, err.Error(), nil
}

// settled returns the configuration to start with. It serves the setup page first where that is needed, until it was finished and what it settled
// is made. The desk that is returned leads on to the server; nil where no page was needed.
func (e *env) settled(desk *setupDesk) (*setupDesk, Config, error) {
	for {
		c, why, err := loadDespite(e.config)
		if err != nil {
			return desk, c, err
		}
		needed, err := c.setupNeeded(setup.NewStore(c.DataDir, e.now))
		if err == nil && !needed && why != "" {
			err = errors.New(why)
		}
		if err != nil || !needed {
			return desk, c, err
		}
		if desk == nil {
			if desk, err = newSetupDesk(e, c); err != nil {
				return nil, c, err
			}
		}
		if why != "" {
			if err := desk.failed(errors.New(why)); err != nil {
				return desk, c, err
			}
		}
		if err := desk.fill(e.ctx); err != nil {
			return desk, c, err
		}
		if c, err = desk.make(); err == nil {
			return desk, c, nil
		}
		if err := desk.failed(err); err != nil {
			return desk, c, err
		}
	}
}

// make makes what was settled into a server that can start.
func (s *setupDesk) make() (Config, error) {
	c, err := LoadConfig(s.e.config)
	if err != nil {
		return c, err
	}
	st, _, err := s.store.Read()
	if err != nil {
		return c, err
	}
	s.makeWay(c)
	return c, s.e.found(c, st.Draft)
}

// leadOn tells the page of the setup where the server is.
func (s *running) leadOn(e *env, desk *setupDesk) error {
	link, first := s.config.base()+"/", false
	if s.accounts != nil {
		needed, err := s.accounts.SetupNeeded(e.ctx)
		if err != nil {
			return err
		}
		if needed {
			token, err := s.accounts.SetupLink(e.ctx, e.by())
			if err != nil {
				return err
			}
			link, first = s.config.base()+"/setup/"+token, true
		}
	}
	return desk.started(e.ctx, s.config, link, first)
}

// over reports whether the server runs that comes of the page.
func (s *setupDesk) over() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.phase == web.InstallRunning
}

func (s *setupDesk) set(phase web.InstallPhase, link string, first bool, c Config) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.phase, s.link, s.first, s.c = phase, link, first, c
}

// failed leads back to the page, with the reason why the server did not start.
func (s *setupDesk) failed(why error) error {
	if err := s.store.Change(func(st *setup.State) error {
		st.Problem, st.Done = why.Error(), time.Time{}
		return nil
	}); err != nil {
		return err
	}
	s.set(web.InstallFilling, "", false, Config{})
	s.e.log.Error("the server does not start with what the setup page settled; it is back", slog.Any("err", why))
	return nil
}

// started says that the server runs, and leads on from the page for a while.
func (s *setupDesk) started(ctx context.Context, c Config, link string, first bool) error {
	if err := s.store.Change(func(st *setup.State) error {
		st.Problem, st.Done = "", s.e.now().UTC()
		return nil
	}); err != nil {
		return err
	}
	s.set(web.InstallRunning, link, first, c)
	time.AfterFunc(setupStays, s.close)
	context.AfterFunc(ctx, s.close)
	return nil
}

// Enter implements web.Installer.
func (s *setupDesk) Enter(token, cookie string) (string, error) { return s.store.Enter(token, cookie) }

// Standing implements web.Installer.
func (s *setupDesk) Standing() (web.InstallState, error) {
	st, _, err := s.store.Read()
	if err != nil {
		return web.InstallState{}, err
	}
	c, _, err := loadDespite(s.e.config)
	if err != nil {
		return web.InstallState{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out := web.InstallState{Phase: s.phase, Draft: st.Draft, Problem: st.Problem, Again: st.Again, Hosts: ownHosts(), Link: s.link, First: s.first}
	if signer, _, err := wire.LoadKey(c.keyFile()); err == nil {
		out.Key = signer.Name()
	}
	if s.phase == web.InstallRunning && s.c.TLS.LAN {
		a, err := pki.Load(s.c.caFile(), s.c.caKeyFile())
		if err != nil {
			return out, err
		}
		out.CA = &web.CA{PEM: a.PEM(), DER: a.DER(), Fingerprint: a.Fingerprint()}
		if out.Trust = s.c.base() + "/tls"; s.c.TLS.Redirect != "" {
			out.Trust = "http://" + hostOf(s.c.publicHost(), s.c.TLS.Redirect) + "/tls"
		}
	}
	return out, nil
}

// Keep implements web.Installer.
func (s *setupDesk) Keep(d setup.Draft) error {
	return s.store.Change(func(st *setup.State) error { st.Draft = d; return nil })
}

// Look implements web.Installer.
func (s *setupDesk) Look(ctx context.Context, d setup.Draft) ([]setup.Finding, error) {
	found, _, err := s.look(ctx, d)
	return found, err
}

// look returns the findings, and whether port 80 can lead to the pages.
func (s *setupDesk) look(ctx context.Context, d setup.Draft) (found []setup.Finding, lead bool, err error) {
	before, _, err := loadDespite(s.e.config)
	if err != nil {
		return nil, false, err
	}
	settled := s.settings(before, d, true)
	c, err := loadConfig(s.e.config, &settled)
	if err != nil {
		return []setup.Finding{{Code: "config", Grade: setup.Bad, Args: []string{err.Error()}}}, false, nil //nolint:nilerr // the page says it
	}
	p := setup.Plan{Draft: d, DataDir: c.DataDir, Listen: c.Listen, Redirect: c.TLS.Redirect, CAFile: c.caFile(), Ours: s.listen}
	if e := c.Broker.Embedded; e != nil {
		p.Broker = e.Listen
	}
	if exists(c.keyFile()) && exists(c.databaseFile()) {
		p.OldURL = before.PublicURL
	}
	raw, err := readConfig(s.e.config)
	if err != nil {
		return nil, false, err
	}
	for _, key := range []string{"name", "phone", "listen", "public_url", "tls", "broker", "channels"} {
		if slices.Contains(firstKeys(raw), key) {
			p.Fixed = append(p.Fixed, key)
		}
	}
	found = p.Look(ctx, s.world)
	return found, !setup.PlainTaken(found), nil
}

// settings are what a draft settles, with what other pages settled before.
func (s *setupDesk) settings(before Config, d setup.Draft, lead bool) setup.Settings {
	out := d.Settings(lead)
	if old, _, err := setup.ReadSettings(before.DataDir); err == nil {
		out.Backup = old.Backup
	}
	return out
}

// Finish implements web.Installer: it settles a draft and has the server start.
func (s *setupDesk) Finish(ctx context.Context, d setup.Draft) error {
	before, _, err := loadDespite(s.e.config)
	if err != nil {
		return err
	}
	_, lead, err := s.look(ctx, d)
	if err != nil {
		return err
	}
	if err := s.settings(before, d, lead).Write(before.DataDir); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.phase != web.InstallFilling {
		return nil // pressed twice
	}
	s.phase = web.InstallStarting
	s.finished <- struct{}{}
	return nil
}

// startAnew has the server end and begin again in this process, with the settings that are on disk then.
func (s *running) startAnew() {
	select {
	case s.renew <- struct{}{}:
	default: // it was asked already
	}
}

// awaitRenewal ends the server when it is asked to start anew.
func (s *running) awaitRenewal(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-s.renew:
		s.renewed.Store(true)
		return errAnew
	}
}

// errAnew ends a server that is to start again in this process, with settings that were changed meanwhile.
var errAnew = errors.New("to be started anew")
