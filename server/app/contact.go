package app

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"aovuon/server/farm"
	"aovuon/server/sqldb"
	"aovuon/server/watch/notify"
	"aovuon/server/watch/rule"
	"aovuon/server/web"
)

type notifyAddCmd struct {
	Name   string   `arg:"" help:"What the person is called."`
	To     []string `required:"" placeholder:"CHANNEL=ADDRESS" help:"Where they are reached, in the order it is tried: mail=an@example.vn, sms=0912345678. Again for each."`
	Agreed bool     `help:"The person agreed to be told this way. Nobody is told who did not."`
	Place  []string `help:"Code or name of a place they look after, again for each; none: all."`
	Step   int      `default:"1" help:"Step of the ladder, 1 to 10: 1 is told first."`
	Level  string   `default:"warn" enum:"warn,crit" help:"From which on they are told: warn or crit."`
	Lang   string   `default:"vi" enum:"vi,en" help:"Language of the messages: vi or en."`
	Digest bool     `help:"They get the digest every morning, too."`
}

// Run adds somebody who is told of alarms, also while the server runs.
func (cmd *notifyAddCmd) Run(e *env) error {
	c, err := LoadConfig(e.config)
	if err != nil {
		return err
	}
	if !cmd.Agreed {
		return fmt.Errorf("%s must agree to be told: ask, then add --agreed", cmd.Name)
	}
	if cmd.Step < 1 || cmd.Step > notify.MostStep+1 {
		return fmt.Errorf("--step %d: write 1 to %d, as notify contacts and the pages count", cmd.Step, notify.MostStep+1)
	}
	contact := notify.Contact{Name: cmd.Name, Lang: cmd.Lang, Step: cmd.Step - 1, Level: rule.Verdict(cmd.Level), Digest: cmd.Digest, Agreed: e.now()}
	for _, to := range cmd.To {
		channel, address, ok := strings.Cut(to, "=")
		if !ok {
			return fmt.Errorf("--to %s: write CHANNEL=ADDRESS, such as mail=an@example.vn", to)
		}
		contact.Addresses = append(contact.Addresses, notify.Address{Channel: channel, To: address})
	}
	return e.withDB(c, func(ctx context.Context, db *sqldb.DB) error {
		if contact.Places, err = placeCodes(ctx, db, cmd.Place); err != nil {
			return err
		}
		channels, err := c.openChannels(e, db)
		if err != nil {
			return err
		}
		composer, err := web.NewComposer(db, c.base())
		if err != nil {
			return err
		}
		desk := notify.NewDesk(db, db, composer, channels, e.now)
		for _, a := range contact.Addresses {
			if !slices.Contains(desk.Channels(), a.Channel) {
				return fmt.Errorf("no channel %s is set up: there are %s; others are set under channels in %s", a.Channel, cmp.Or(strings.Join(desk.Channels(), ", "), "none"), e.config)
			}
		}
		saved, err := desk.Save(ctx, contact, e.by())
		if err != nil {
			return err
		}
		return e.printf("%s is told of alarms (%s): server notify test %s\n", saved.Name, saved.ID, saved.ID)
	})
}

// placeCodes returns the codes of places that are named by code or by name.
func placeCodes(ctx context.Context, db *sqldb.DB, names []string) ([]string, error) {
	if len(names) == 0 {
		return nil, nil
	}
	f, err := db.Farm(ctx)
	if err != nil {
		return nil, err
	}
	codes := make([]string, 0, len(names))
	for _, name := range names {
		i := slices.IndexFunc(f.Places, func(p farm.Place) bool { return p.Code == name || p.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("no place %s: name it by its code or its name in the farm file", name)
		}
		codes = append(codes, f.Places[i].Code)
	}
	return codes, nil
}
