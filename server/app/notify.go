package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"aovuon/server/channel/push"
	"aovuon/server/sqldb"
	"aovuon/server/watch/notify"
	"aovuon/server/watch/rule"
	"aovuon/server/web"
)

// told is the part of the server that tells people of alarms.
type told struct {
	desk    *notify.Desk
	service *notify.Service
	pushKey string // of the channel of browsers; empty: there is none
}

// openNotify makes what tells people, by the channels that the configuration names. Without any, messages are made and have failed: the page
// says so.
func (s *running) openNotify(e *env) error {
	channels, err := s.config.openChannels(e, s.db)
	if err != nil {
		return err
	}
	pushKey := ""
	for _, c := range channels {
		if c, ok := c.(*push.Channel); ok {
			pushKey = c.PublicKey()
		}
		if c, ok := c.(io.Closer); ok { // a modem: the next program may want it
			s.closers = append(s.closers, c.Close)
		}
	}
	composer, err := web.NewComposer(s.db, s.config.base())
	if err != nil {
		return err
	}
	service, err := notify.New(notify.Options{
		Alarms: s.alarms.desk, Plans: s.db, Outbox: s.db, Book: s.db, Composer: composer, Channels: channels, Wake: s.alarms.desk.Wake(),
		Board: func(now time.Time) []rule.Decision { return s.board.Decisions("", now) },
		Alone: s.db.Driver() == sqldb.SQLite, Now: s.now, Log: s.log,
	})
	if err != nil {
		return err
	}
	s.told = &told{desk: notify.NewDesk(s.db, s.db, composer, channels, s.now), service: service, pushKey: pushKey}
	return nil
}

type notifyCmd struct {
	Add      notifyAddCmd      `cmd:"" help:"Add somebody who is told of alarms."`
	Contacts notifyContactsCmd `cmd:"" help:"List who is told of alarms."`
	Test     notifyTestCmd     `cmd:"" help:"Have the running server send a test to every address of a contact, and say what became of it."`
}

type notifyContactsCmd struct{}

// Run lists the contacts.
func (notifyContactsCmd) Run(e *env) error {
	return e.withConfiguredDB(func(ctx context.Context, db *sqldb.DB) error {
		list, err := db.Contacts(ctx)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return errors.New("nobody is told of alarms: add people on the page /contacts, or with server notify add")
		}
		for _, c := range list {
			state := "told"
			if !c.Reached() {
				state = "not told"
			}
			if err := e.printf("%s  step %d  %s  %s\n", c.ID, c.Step+1, state, c.Name); err != nil {
				return err
			}
			for _, a := range c.Addresses {
				if err := e.printf("    %s %s\n", a.Channel, a.To); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

type notifyTestCmd struct {
	Contact string        `arg:"" help:"Id or name of a contact, as notify contacts prints it."`
	Wait    time.Duration `help:"How long to wait for the running server to send." default:"90s"`
}

// Run asks the running server for a test and waits for what becomes of it.
func (cmd *notifyTestCmd) Run(e *env) error {
	c, err := LoadConfig(e.config)
	if err != nil {
		return err
	}
	return e.withDB(c, func(ctx context.Context, db *sqldb.DB) error {
		channels, err := c.openChannels(e, db)
		if err != nil {
			return err
		}
		composer, err := web.NewComposer(db, c.base())
		if err != nil {
			return err
		}
		desk := notify.NewDesk(db, db, composer, channels, e.now)
		list, err := desk.Contacts(ctx)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(list, func(x notify.Contact) bool { return x.ID == cmd.Contact || x.Name == cmd.Contact })
		if i < 0 {
			return fmt.Errorf("%w: %q: server notify contacts lists them", notify.ErrNoContact, cmd.Contact)
		}
		ids, err := desk.Test(ctx, list[i].ID, e.by())
		if err != nil {
			return err
		}
		if len(ids) == 0 {
			return fmt.Errorf("%s has no address: add one on the page /contacts/%s", list[i].Name, list[i].ID)
		}
		return cmd.follow(e, desk, ids)
	})
}

// follow prints what becomes of messages.
func (cmd *notifyTestCmd) follow(e *env, desk *notify.Desk, ids []string) error {
	ctx, cancel := context.WithTimeout(e.ctx, cmd.Wait)
	defer cancel()
	tick := time.NewTicker(time.Second / 2)
	defer tick.Stop()
	failed := 0
	for len(ids) > 0 {
		list, err := desk.Messages(ctx, notify.Filter{ID: ids[0]})
		if err != nil && ctx.Err() == nil {
			return err
		}
		if len(list) == 1 && list[0].State != notify.Waiting && list[0].State != notify.Sending {
			m := list[0]
			if m.State != notify.Sent && m.State != notify.Delivered {
				failed++
			}
			if err := e.printf("%s %s: %s %s\n", m.Channel, m.To, m.State, m.Err); err != nil {
				return err
			}
			ids = ids[1:]
			continue
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d of the tests were not sent within %v: is the server running? Its log says what it waits for", len(ids), cmd.Wait)
		case <-tick.C:
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d tests could not be sent", failed)
	}
	return nil
}
