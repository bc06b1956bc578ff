package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"aovuon/server/channel"
	"aovuon/server/channel/modem"
	"aovuon/server/channel/webhook"
	"aovuon/server/channel/zalo"
	"aovuon/server/sqldb"
	"aovuon/server/watch/notify"
)

// openChannels opens the ways in which people are told, as the configuration names them. Sirens are asked through db.
func (c *Config) openChannels(e *env, db *sqldb.DB) ([]notify.Channel, error) {
	o := channel.Options{DataDir: c.sharedDir(), Now: e.now, Log: e.log}
	if c.Channels.Siren != nil {
		signer, _, err := c.loadKey()
		if err != nil {
			return nil, err
		}
		o.Sirens = &sirens{db: db, signer: signer, now: e.now}
	}
	return channel.Open(c.Channels, o)
}

// withChannels opens the configuration's channels for a command.
func (e *env) withChannels(f func(list []notify.Channel) error) error {
	c, err := LoadConfig(e.config)
	if err != nil {
		return err
	}
	return e.withDB(c, func(_ context.Context, db *sqldb.DB) error {
		list, err := c.openChannels(e, db)
		if err != nil {
			return err
		}
		return f(list)
	})
}

type channelCmd struct {
	List       channelListCmd       `cmd:"" help:"List the channels that are set up."`
	Test       channelTestCmd       `cmd:"" help:"Send one message by a channel, now, and say what became of it. A running server need not know of it."`
	Modem      channelModemCmd      `cmd:"" help:"Ask the modem how it stands: SIM, network, signal. Not while the server runs: it has the modem."`
	ZaloToken  channelZaloTokenCmd  `cmd:"" help:"Keep a refresh token of the Zalo Official Account, from a file."`
	WebhookKey channelWebhookKeyCmd `cmd:"" help:"Print what the receiver at an address checks signatures with."`
}

type channelListCmd struct{}

// Run lists the channels by their names.
func (channelListCmd) Run(e *env) error {
	return e.withChannels(func(list []notify.Channel) error {
		if len(list) == 0 {
			return errors.New("no channels: name them under channels in " + e.config + "; server example shows how")
		}
		for _, ch := range list {
			if err := e.printf("%s\n", ch.Name()); err != nil {
				return err
			}
		}
		return nil
	})
}

type channelTestCmd struct {
	Channel string `arg:"" help:"Name of the channel, as channel list prints it."`
	To      string `arg:"" help:"Address in the channel's form: a mail address, a number, a web address."`
}

// channelPatience is how long a trial may take.
const channelPatience = 2 * time.Minute

// Run sends a trial message.
func (cmd *channelTestCmd) Run(e *env) error {
	return e.withChannels(func(list []notify.Channel) error { return cmd.send(e, list) })
}

func (cmd *channelTestCmd) send(e *env, list []notify.Channel) (err error) {
	i := slices.IndexFunc(list, func(ch notify.Channel) bool { return ch.Name() == cmd.Channel })
	if i < 0 {
		names := make([]string, len(list))
		for i, ch := range list {
			names[i] = ch.Name()
		}
		return fmt.Errorf("no channel %q: there are [%s]; name others under channels in %s", cmd.Channel, strings.Join(names, " "), e.config)
	}
	to := cmd.To
	if ch, ok := list[i].(notify.Checker); ok {
		if to, err = ch.CheckAddress(to); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(e.ctx, channelPatience)
	defer cancel()
	ref, err := list[i].Send(ctx, trial(cmd.Channel, to, e.now()))
	if err != nil {
		return err
	}
	return e.printf("sent; reference %s\n", ref)
}

// trial is a message that says that it is none.
func trial(name, to string, now time.Time) notify.Message {
	return notify.Message{
		ID: ulid.Make().String(), Kind: notify.Test, Channel: name, To: to, Lang: "vi", Created: now,
		Subject: "AoVườn: tin thử", Text: "Đây là tin thử của AoVườn. Nhận được tin này là kênh báo động đã thông.\nThis is a trial message of AoVườn: the channel works.",
		Short: "AoVuon: tin thu. Nhan duoc tin nay la kenh bao dong da thong.",
	}
}

type channelWebhookKeyCmd struct {
	Address string `arg:"" help:"Address of the receiver, as it stands in the contact."`
}

// Run prints the key of an address.
func (cmd *channelWebhookKeyCmd) Run(e *env) error {
	c, err := LoadConfig(e.config)
	if err != nil {
		return err
	}
	to, err := webhook.New(nil, nil, e.now).CheckAddress(cmd.Address)
	if err != nil {
		return err
	}
	master, err := channel.LoadOrMakeKey(channel.WebhookKeyFile(c.sharedDir()))
	if err != nil {
		return err
	}
	return e.printf("%s\n", webhook.Key(master, to))
}

type channelModemCmd struct{}

// Run prints what the modem says of itself.
func (channelModemCmd) Run(e *env) error {
	return e.withChannels(func(list []notify.Channel) error { return e.printModem(list) })
}

func (e *env) printModem(list []notify.Channel) error {
	for _, ch := range list {
		m, ok := ch.(*modem.Channel)
		if !ok {
			continue
		}
		ctx, cancel := context.WithTimeout(e.ctx, channelPatience)
		defer cancel()
		s, err := m.Status(ctx)
		if err = errors.Join(err, m.Close()); err != nil {
			return err
		}
		signal := "unknown"
		if s.Measured {
			signal = fmt.Sprintf("%d dBm", s.Signal)
		}
		return e.printf("modem    %s\nSIM      %s\nnetwork  %s\nsignal   %s\n", cmp.Or(s.Model, "-"), s.SIM, cmp.Or(s.Network, "none"), signal)
	}
	return errors.New("no modem: name one under channels.sms.modem in " + e.config)
}

type channelZaloTokenCmd struct {
	File string `arg:"" help:"File with the token, from developers.zalo.me; it may be removed afterwards: a token works once." type:"existingfile"`
}

// Run keeps the token. It is in a file: arguments are seen by whoever lists processes.
func (cmd *channelZaloTokenCmd) Run(e *env) error {
	c, err := LoadConfig(e.config)
	if err != nil {
		return err
	}
	token, err := secret(cmd.File)
	if err != nil {
		return err
	}
	if err := zalo.Begin(channel.ZaloTokenFile(c.sharedDir()), token); err != nil {
		return err
	}
	return e.printf("kept; a running server takes it with its next message\n")
}
